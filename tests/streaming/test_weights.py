from __future__ import annotations

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from streaming import weights
from streaming.weights import FetchFailed, Weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 4096


class Server(ThreadingHTTPServer):
    """Serves CONTENT with ranges; may break off after some bytes."""

    break_off_at: int | None = None
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.server.break_off_at])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.ranges = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def row(server: Server, *, content: bytes = CONTENT) -> Weights:
    return Weights(
        name="test",
        purpose="detector",
        file="test.onnx",
        licence="MIT",
        url=f"http://127.0.0.1:{server.server_port}/test.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


class TestFetch:
    def test_brings_a_file_and_tells_how_far_it_is(
        self, server: Server, tmp_path: Path
    ) -> None:
        told: list[int] = []

        path = weights.fetch(row(server), tmp_path, advanced=told.append)

        assert path.read_bytes() == CONTENT
        assert told == sorted(told)
        assert told[-1] == len(CONTENT)

    def test_resumes_where_it_broke_off(self, server: Server, tmp_path: Path) -> None:
        server.break_off_at = 300_000
        with pytest.raises(FetchFailed):
            weights.fetch(row(server), tmp_path, advanced=lambda _: None)
        server.break_off_at = None
        kept = (tmp_path / "test.onnx.part").stat().st_size

        path = weights.fetch(row(server), tmp_path, advanced=lambda _: None)

        assert path.read_bytes() == CONTENT
        assert kept > 0
        assert server.ranges == [None, f"bytes={kept}-"]

    def test_throws_away_what_has_a_wrong_sum(
        self, server: Server, tmp_path: Path
    ) -> None:
        wrong = row(server, content=b"x" * len(CONTENT))

        with pytest.raises(FetchFailed, match="wrong checksum"):
            weights.fetch(wrong, tmp_path, advanced=lambda _: None)

        assert list(tmp_path.iterdir()) == []

    def test_says_what_to_do_without_a_network(
        self, server: Server, tmp_path: Path
    ) -> None:
        there = row(server)
        server.shutdown()
        server.server_close()

        with pytest.raises(FetchFailed, match=r"no connection .* by hand"):
            weights.fetch(there, tmp_path, advanced=lambda _: None)

    def test_says_when_the_folder_cannot_be_written(
        self, server: Server, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(FetchFailed, match="MODELS_DIR"):
            weights.fetch(row(server), tmp_path / "file", advanced=lambda _: None)


class TestManifest:
    def test_gives_a_sum_and_size_to_all_that_is_downloaded(self) -> None:
        for one in weights.manifest():
            assert one.licence
            if one.url:
                assert len(one.sha256 or "") == 64
                assert one.size
                assert one.url.endswith(f"/{one.file}")

    def test_says_how_each_face_embedder_is_fed_and_what_it_needs(self) -> None:
        for one in weights.manifest():
            if one.purpose != weights.FACE_EMBEDDER:
                assert one.embedding is None
                continue
            assert one.embedding
            assert one.embedding.scale > 0
            assert 0 < one.embedding.margin < one.embedding.threshold < 1


class TestFirstThere:
    def test_takes_the_first_of_the_manifest_for_that_purpose(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "yolo11n.pt").touch()
        assert weights.first_there(tmp_path, purpose=weights.FACE_EMBEDDER) is None

        for row in weights.manifest():
            row.path(tmp_path).touch()

        found = weights.first_there(tmp_path, purpose=weights.FACE_EMBEDDER)
        assert found
        assert found.name == weights.names(weights.FACE_EMBEDDER)[0]

    @pytest.mark.parametrize(
        "wanted", ["sface-2021dec", "face_recognition_sface_2021dec.onnx"]
    )
    def test_takes_the_one_wanted_by_name_or_file(
        self, tmp_path: Path, wanted: str
    ) -> None:
        def find() -> Weights | None:
            return weights.first_there(
                tmp_path, purpose=weights.FACE_EMBEDDER, wanted=wanted
            )

        (tmp_path / "mobilefacenet_128d.onnx").touch()
        assert find() is None

        (tmp_path / "face_recognition_sface_2021dec.onnx").touch()
        found = find()
        assert found
        assert found.name == "sface-2021dec"


class TestFaceModelName:
    def test_is_dlibs_until_both_files_are_there(self, tmp_path: Path) -> None:
        names = [weights.face_model_name(tmp_path)]
        for file in ("mobilefacenet_128d.onnx", "face_detection_yunet_2023mar.onnx"):
            (tmp_path / file).touch()
            names.append(weights.face_model_name(tmp_path))

        assert names == [weights.DLIB, weights.DLIB, "mobilefacenet-128d"]
        assert weights.face_model_name(tmp_path, wanted="sface-2021dec") == weights.DLIB


class TestDetectorPath:
    def test_takes_the_first_of_the_manifest_that_is_there(
        self, tmp_path: Path
    ) -> None:
        assert weights.detector_path(tmp_path, wanted=None) is None

        for name in ("yolox_nano.onnx", "yolo11n.pt"):
            (tmp_path / name).touch()

        assert weights.detector_path(tmp_path, wanted=None) == tmp_path / "yolo11n.pt"

    def test_takes_the_one_that_is_wanted_or_none(self, tmp_path: Path) -> None:
        (tmp_path / "yolo11n.pt").touch()
        (tmp_path / "own.onnx").touch()

        assert (
            weights.detector_path(tmp_path, wanted="own.onnx") == tmp_path / "own.onnx"
        )
        assert weights.detector_path(tmp_path, wanted="other.onnx") is None


class TestFingerprint:
    def test_is_the_sum_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "yolo11n.pt").write_bytes(b"weights")

        found = weights.fingerprint(tmp_path / "yolo11n.pt")

        assert found == hashlib.sha256(b"weights").hexdigest()

    def test_is_that_of_the_largest_file_of_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "yolo11n.bin").write_bytes(b"weights")
        (tmp_path / "a.xml").write_bytes(b"graph")

        found = weights.fingerprint(tmp_path)

        assert found == hashlib.sha256(b"weights").hexdigest()
