from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.addresses import (
    SourceError,
    SourceKind,
    UnsupportedSource,
    parse_source,
    redact,
)
from streaming.vision.trouble import Cause

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
            "file:///srv/a.mp4",
            "FILE:///etc/passwd",
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
        assert caught.value.reason is Cause.UNSUPPORTED

    @pytest.mark.parametrize(
        "host",
        [
            "169.254.169.254",
            "viewer:word@169.254.169.254:80",
            "2852039166",
            "0xA9FEA9FE",
            "0251.0376.0251.0376",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[::ffff:169.254.169.254]",
            "[fd00:ec2::254]",
        ],
    )
    def test_refuses_an_address_that_no_camera_has(self, host: str) -> None:
        with pytest.raises(UnsupportedSource, match="never a camera's") as caught:
            parse_source(f"http://{host}/latest/meta-data/")
        assert caught.value.reason is Cause.FORBIDDEN

    @pytest.mark.parametrize("host", ["169.253.0.1", "[fd00::5]", "10.1", "cam-fe80"])
    def test_takes_the_addresses_next_to_those(self, host: str) -> None:
        assert parse_source(f"http://{host}/video").kind is SourceKind.HTTP

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
            (
                "rtsp://cam/av?channel=1&subtype=0&STREAM=main_2",
                "rtsp://cam/av?channel=1&subtype=0&STREAM=main_2",
            ),
            ("/srv/clip.mp4", "/srv/clip.mp4"),
        ],
    )
    def test_hides_passwords_only(self, url: str, shown: str) -> None:
        assert redact(url) == shown

    @pytest.mark.parametrize(
        "name", ["auth", "pw", "psw", "p", "sig", "Authorization", "pass", "x-token"]
    )
    @pytest.mark.parametrize("secret", [SECRET, f"a/{SECRET}", f"{SECRET}==", "a;b=c"])
    @pytest.mark.parametrize("start", ["/v?ch=1&", "/v#", "/"])
    def test_hides_each_parameter_that_is_not_known_to_be_harmless(
        self, name: str, secret: str, start: str
    ) -> None:
        shown = redact(f"http://cam{start}{name}={secret}&fps=5")

        assert shown == f"http://cam{start}{name}=***&fps=5"

    def test_hides_what_hides_in_a_harmless_parameter(self) -> None:
        assert redact(f"http://cam/v?user=a;pw={SECRET}") == "http://cam/v?user=***"

    @given(
        user=st.text("abc.@-", max_size=5),
        password=st.text(min_size=1).map(lambda text: f"<{text}>"),
    )
    def test_hides_any_password_before_the_host(self, user: str, password: str) -> None:
        assert redact(f"rtsp://{user}:{password}@cam/1") == f"rtsp://{user}:***@cam/1"

    @given(st.text())
    def test_changes_nothing_the_second_time(self, text: str) -> None:
        assert redact(redact(text)) == redact(text)


NOT_OF_A_SOURCE = {
    Cause.WRONG_KEY,
    Cause.STALLED,
    Cause.FROZEN,
    Cause.BLACK,
    Cause.BLURRED,
    Cause.NO_WORKER,
}


class TestSourceError:
    @pytest.mark.parametrize("fault", sorted(set(Cause) - NOT_OF_A_SOURCE))
    def test_has_a_sentence_for_each_fault(self, fault: Cause) -> None:
        sentence = SourceError(fault, "camera 7").sentence
        assert "camera 7" in sentence
        assert sentence.endswith(".")


class TestAddressWithoutScheme:
    def test_is_shown_without_its_password(self) -> None:
        spec = parse_source("viewer:hidden-word@192.0.2.1/stream1")

        assert spec.shown == "***@192.0.2.1/stream1"
