from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.addresses import (
    SourceError,
    SourceFault,
    SourceKind,
    UnsupportedSource,
    parse_source,
    redact,
)

SECRET = "Tr0ub4dor"


class TestParseSource:
    @pytest.mark.parametrize(
        ("url", "kind", "address"),
        [
            ("rtsp://10.0.0.5:554/cam", SourceKind.RTSP, "rtsp://10.0.0.5:554/cam"),
            ("RTSPS://cam/1?a=b", SourceKind.RTSP, "RTSPS://cam/1?a=b"),
            ("http://cam/video.mjpg", SourceKind.HTTP, "http://cam/video.mjpg"),
            ("https://cam/x", SourceKind.HTTP, "https://cam/x"),
            ("/srv/a b.mp4", SourceKind.FILE, "/srv/a b.mp4"),
            ("file:///srv/a%20b.mp4", SourceKind.FILE, "/srv/a b.mp4"),
            ("usb:0", SourceKind.USB, "/dev/video0"),
            (" usb:12 ", SourceKind.USB, "/dev/video12"),
        ],
    )
    def test_understands(self, url: str, kind: SourceKind, address: str) -> None:
        spec = parse_source(url)
        assert (spec.kind, spec.address) == (kind, address)

    def test_makes_a_relative_path_absolute(self) -> None:
        assert parse_source("clips/a.mp4").address == str(
            Path("clips/a.mp4").absolute()
        )

    def test_never_lets_a_path_become_a_protocol_of_ffmpeg(self) -> None:
        assert parse_source("concat:/etc/passwd").address.startswith("/")

    def test_only_a_file_is_not_live(self) -> None:
        urls = ("rtsp://c/", "http://c/", "usb:1", "a.mp4")
        assert [parse_source(url).is_live for url in urls] == [True, True, True, False]

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "  ",
            "ftp://host/a.mp4",
            "udp://239.0.0.1:1234",
            "rtsp://",
            "http:///path",
            "rtsp://[::1/cam",
            "file://server/share.mp4",
            "usb:",
            "usb:front",
            "usb:-1",
            "a\0b.mp4",
        ],
    )
    def test_refuses(self, url: str) -> None:
        with pytest.raises(UnsupportedSource, match="Use rtsp://") as caught:
            parse_source(url)
        assert caught.value.reason is SourceFault.UNSUPPORTED

    @pytest.mark.parametrize("scheme", ["rtsp", "ftp"])
    def test_keeps_the_password_out_of_what_can_be_seen(self, scheme: str) -> None:
        url = f"{scheme}://admin:{SECRET}@cam:554/1"
        try:
            seen = repr(parse_source(url)) + parse_source(url).shown
        except UnsupportedSource as error:
            seen = f"{error!r} {error} {error.sentence}"
        assert "admin:***@cam:554/1" in seen
        assert SECRET not in seen


class TestRedact:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("rtsp://cam:554/1", "rtsp://cam:554/1"),
            ("rtsp://admin@cam/1", "rtsp://admin@cam/1"),
            (f"rtsp://admin:{SECRET}@cam/1", "rtsp://admin:***@cam/1"),
            (f"rtsp://:{SECRET}@cam/1", "rtsp://:***@cam/1"),
            (f"rtsp://admin:a@{SECRET}/x@cam/1", "rtsp://admin:***@cam/1"),
            (
                f"http://cam/v?user=a&pwd={SECRET}&ch=1",
                "http://cam/v?user=a&pwd=***&ch=1",
            ),
            (f"http://cam/v?api_key={SECRET}", "http://cam/v?api_key=***"),
            (
                f"rtsp://cam/user=a&password={SECRET}&ch=1",
                "rtsp://cam/user=a&password=***&ch=1",
            ),
            ("/srv/clip.mp4", "/srv/clip.mp4"),
        ],
    )
    def test_hides_passwords_only(self, url: str, shown: str) -> None:
        assert redact(url) == shown

    @given(
        user=st.text("abc.@-", max_size=5),
        password=st.text(min_size=1).map(lambda text: f"<{text}>"),
    )
    def test_hides_any_password_before_the_host(self, user: str, password: str) -> None:
        assert redact(f"rtsp://{user}:{password}@cam/1") == f"rtsp://{user}:***@cam/1"

    @given(st.text())
    def test_changes_nothing_the_second_time(self, text: str) -> None:
        assert redact(redact(text)) == redact(text)


class TestSourceError:
    @pytest.mark.parametrize("fault", SourceFault)
    def test_has_a_sentence_for_each_fault(self, fault: SourceFault) -> None:
        sentence = SourceError(fault, "camera 7").sentence
        assert "camera 7" in sentence
        assert sentence.endswith(".")
