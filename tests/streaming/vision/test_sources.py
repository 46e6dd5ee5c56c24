from __future__ import annotations

import http.server
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest

from streaming.vision.addresses import SourceError, parse_source
from streaming.vision.opening import Timeouts, look_at
from streaming.vision.sources import Capture, LatestFrame, VideoSource, open_source
from streaming.vision.trouble import Cause
from streaming.vision.types import Frame
from tests.cameras import rtsp_server
from tests.clips import FPS, write_clip
from tests.mjpeg_server import PATH, MjpegCamera, mjpeg_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streaming.vision.types import Image

    Answer = Callable[[http.server.BaseHTTPRequestHandler], None]

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SECRET = "Tr0ub4dor"
COUNT = 10
QUICK = Timeouts(open_s=1.0, read_s=1.0)
WAIT_S = 10.0


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4")


def source(url: str | Path, **options: Any) -> VideoSource:
    options = {"clock": lambda: START, "timeouts": QUICK, **options}
    return open_source(str(url), camera="CAM-1", **options)


def refusal(url: str | Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        next(source(url).frames())
    return caught.value


class TestRecording:
    def test_gives_every_frame_in_order(self, clip: Path) -> None:
        frames = list(source(clip, realtime=False).frames())
        assert [frame.index for frame in frames] == list(range(COUNT))
        assert [round(frame.image.mean() / 20) for frame in frames] == list(
            range(COUNT)
        )
        assert {frame.camera for frame in frames} == {"CAM-1"}

    def test_gives_bgr_pictures(self, tmp_path: Path) -> None:
        path = tmp_path / "blue.mp4"
        with av.open(path, "w") as out:
            stream = out.add_stream("libx264", FPS)
            stream.width, stream.height = 64, 48
            blue = np.full((48, 64, 3), (220, 30, 30), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(blue, format="bgr24")))
            out.mux(stream.encode(None))
        image = next(source(path, realtime=False).frames()).image
        assert image.shape == (48, 64, 3)
        assert image.dtype == np.uint8
        assert image[..., 0].mean() > 180 > 90 > image[..., 2].mean()

    def test_tells_the_time_from_its_start_and_the_media(self, clip: Path) -> None:
        began = START + timedelta(days=1)
        frames = list(source(clip, realtime=False, started_at=began).frames())
        assert [frame.seconds for frame in frames] == pytest.approx(
            [index / FPS for index in range(COUNT)]
        )
        assert frames[3].at == began + timedelta(seconds=frames[3].seconds)

    def test_skips_frames_nobody_wants_but_counts_them(self, clip: Path) -> None:
        frames = source(clip, realtime=False).frames(lambda seconds: seconds >= 0.75)
        assert [frame.index for frame in frames] == [8, 9]

    def test_has_the_same_session_each_time(self, clip: Path) -> None:
        first, again = (next(source(clip, realtime=False).frames()) for _ in range(2))
        assert first.session == again.session

    def test_has_another_session_once_the_file_has_changed(self, clip: Path) -> None:
        before = next(source(clip, realtime=False).frames()).session
        write_clip(clip, count=COUNT + 1)
        assert next(source(clip, realtime=False).frames()).session != before

    def test_plays_at_the_pace_of_the_media(self, clip: Path) -> None:
        began = time.monotonic()
        frames = list(source(clip, realtime=True).frames())
        assert len(frames) == COUNT
        assert time.monotonic() - began >= frames[-1].seconds

    def test_starts_over_with_a_new_session_when_looped(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "short.mp4", count=2)
        frames = list(islice(source(path, loop=True).frames(), 5))
        assert [frame.index for frame in frames] == [0, 1, 0, 1, 0]
        assert len({frame.session for frame in frames}) == 3

    def test_ends_where_the_file_breaks_off(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "whole.mkv", size=(640, 480), noise=40)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        frames = list(source(path, realtime=False).frames())
        assert 0 < len(frames) < COUNT

    def test_skips_and_counts_corrupt_packets(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "clip.mkv", noise=40)
        with av.open(path) as container:
            second = [bytes(packet) for packet in container.demux() if packet.size][5]
        noise = b"\0\0\0\x40" + b"\xff" * (len(second) - 4)
        path.write_bytes(path.read_bytes().replace(second, noise))
        broken = source(path, realtime=False)
        assert 0 < len(list(broken.frames())) < COUNT
        assert broken.reading.corrupt_packets > 0

    def test_ends_when_it_is_closed(self, clip: Path) -> None:
        looped = source(clip, loop=True)
        frames = looped.frames()
        next(frames)
        looped.close()
        assert list(frames) == []

    def test_knows_its_length(self, clip: Path) -> None:
        recording = look_at(parse_source(str(clip)))

        assert recording.seconds == pytest.approx(COUNT / FPS)
        assert (recording.width, recording.height) == (64, 48)


class TestRefusedRecording:
    def test_missing_file(self, tmp_path: Path) -> None:
        error = refusal(tmp_path / "no.mp4")
        assert error.reason is Cause.MISSING_FILE
        assert "no.mp4 does not exist" in error.sentence

    def test_text_named_mp4(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.mp4"
        path.write_text("Buy cameras.\n" * 100)
        assert refusal(path).reason is Cause.NOT_A_VIDEO

    def test_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.mp4"
        path.touch()
        assert refusal(path).reason is Cause.NOT_A_VIDEO

    def test_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path).reason is Cause.NOT_A_VIDEO

    def test_sound_without_picture(self, tmp_path: Path) -> None:
        path = tmp_path / "sound.wav"
        with av.open(path, "w") as out:
            stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
            silence = np.zeros((1, 800), np.int16)
            sound = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            sound.sample_rate = 8000
            out.mux(stream.encode(sound))
        assert refusal(path).reason is Cause.NO_VIDEO

    def test_playlist_that_leads_to_the_network(self, tmp_path: Path) -> None:
        with http_server(lambda handler: handler.send_error(404)) as (port, asked):
            path = tmp_path / "clip.mp4"
            path.write_text(
                "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
                f"http://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
            )
            refusal(path)
        assert asked == []

    def test_absent_usb_camera(self) -> None:
        error = refusal("usb:97")
        assert error.reason is Cause.MISSING_DEVICE
        assert "usb:97" in error.sentence


@contextmanager
def http_server(answer: Answer) -> Iterator[tuple[int, list[str]]]:
    """Serve on a free port; also give the list of the paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


def jpeg(grey: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((48, 64, 3), grey, np.uint8))[1])


def part(picture: bytes) -> bytes:
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
    return head.encode() + b"\r\n\r\n" + picture + b"\r\n"


def mjpeg(pictures: list[bytes], *, then: threading.Event | None = None) -> Answer:
    """Answer with the pictures as a camera does; go silent until `then`, if given."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        kind = "multipart/x-mixed-replace; boundary=frame"
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        for picture in pictures:
            handler.wfile.write(part(picture))
            time.sleep(0.02)
        if then is not None:
            handler.wfile.flush()
            then.wait(WAIT_S)

    return answer


class TestHttpCamera:
    def test_gives_frames_until_the_stream_ends(self) -> None:
        pictures = [jpeg(grey) for grey in range(0, 200, 20)]
        with http_server(mjpeg(pictures)) as (port, _):
            stream = source(f"http://127.0.0.1:{port}/cam.mjpg").frames()
            with pytest.raises(SourceError) as caught:
                list(stream)
        assert caught.value.reason is Cause.ENDED_UNEXPECTEDLY

    def test_numbers_frames_and_never_runs_back(self) -> None:
        pictures = [jpeg(grey) for grey in range(0, 200, 20)]
        with http_server(mjpeg(pictures)) as (port, _):
            stream = source(f"http://127.0.0.1:{port}/cam.mjpg").frames()
            frames = list(islice(stream, 8))
        assert [frame.index for frame in frames] == list(range(8))
        levels = [round(frame.image.mean() / 20) for frame in frames]
        assert levels == list(range(levels[0], levels[0] + 8))
        seconds = [frame.seconds for frame in frames]
        assert seconds[0] == 0
        assert seconds == sorted(set(seconds))
        assert {frame.at for frame in frames} == {START}

    def test_tells_the_time_by_arrival_as_such_streams_carry_none(self) -> None:
        def halting(handler: http.server.BaseHTTPRequestHandler) -> None:
            mjpeg([jpeg(40)] * 5)(handler)
            time.sleep(0.5)
            for picture in [jpeg(200)] * 5:
                handler.wfile.write(part(picture))

        with http_server(halting) as (port, _):
            stream = source(f"http://127.0.0.1:{port}/cam.mjpg").frames()
            frames = list(islice(stream, 6))
        steps = {
            later.seconds - earlier.seconds: later.image.mean() - earlier.image.mean()
            for earlier, later in pairwise(frames)
        }
        assert max(steps) > 0.2
        assert steps[max(steps)] > 100

    def test_has_a_new_session_at_each_connection(self) -> None:
        with http_server(mjpeg([jpeg(90)] * 5)) as (port, _):
            url = f"http://127.0.0.1:{port}/cam.mjpg"
            first, again = (next(source(url).frames()) for _ in range(2))
        assert first.session != again.session

    def test_goes_on_after_corrupt_pictures(self) -> None:
        broken = b"\xff\xd8" + b"rubbish" * 40 + b"\xff\xd9"
        pictures = [jpeg(40)] * 4 + [broken] * 2 + [jpeg(200)] * 6
        with http_server(mjpeg(pictures)) as (port, _):
            camera = source(f"http://127.0.0.1:{port}/cam.mjpg")
            frames = list(islice(camera.frames(), 8))
        assert round(frames[-1].image.mean()) == pytest.approx(200, abs=3)
        assert camera.reading.corrupt_packets == 2

    def test_times_out_when_the_camera_goes_silent(self) -> None:
        done = threading.Event()
        with http_server(mjpeg([jpeg(90)] * 5, then=done)) as (port, _):
            stream = source(f"http://127.0.0.1:{port}/cam.mjpg").frames()
            with pytest.raises(SourceError) as caught:
                list(stream)
            done.set()
        assert caught.value.reason is Cause.TIMED_OUT

    @pytest.mark.parametrize(
        ("status", "fault"),
        [
            (401, Cause.UNAUTHORIZED),
            (403, Cause.UNAUTHORIZED),
            (404, Cause.NOT_FOUND),
        ],
    )
    def test_tells_refusals_apart(self, status: int, fault: Cause) -> None:
        with http_server(lambda handler: handler.send_error(status)) as (port, _):
            error = refusal(f"http://admin:{SECRET}@127.0.0.1:{port}/cam")
        assert error.reason is fault
        assert SECRET not in f"{error} {error!r} {error.__context__!r}"

    def test_refuses_a_web_page(self) -> None:
        def page(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b"<html>hello</html>" * 50)

        with http_server(page) as (port, _):
            fault = refusal(f"http://127.0.0.1:{port}/").reason
        assert fault in {Cause.NOT_A_VIDEO, Cause.UNREACHABLE}


def silent_port() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    return listener


class TestUnreachableCamera:
    @pytest.mark.parametrize("scheme", ["rtsp", "http"])
    def test_refused_connection(self, scheme: str) -> None:
        with silent_port() as listener:
            port = listener.getsockname()[1]
        error = refusal(f"{scheme}://admin:{SECRET}@127.0.0.1:{port}/cam")
        assert error.reason is Cause.REFUSED
        assert SECRET not in f"{error} {error.__context__!r} {error.__cause__!r}"

    @pytest.mark.parametrize("scheme", ["rtsp", "http"])
    def test_unknown_host(self, scheme: str) -> None:
        error = refusal(f"{scheme}://no.such.host.invalid/cam")
        assert error.reason is Cause.UNKNOWN_HOST

    @pytest.mark.parametrize("scheme", ["rtsp", "http"])
    def test_silent_host(self, scheme: str) -> None:
        with silent_port() as listener:
            error = refusal(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/cam")
        assert error.reason is Cause.TIMED_OUT


@pytest.mark.system
class TestRtspCamera:
    @pytest.fixture
    def film(self, tmp_path: Path) -> Path:
        return write_clip(tmp_path / "film.mp4", count=200, size=(128, 96))

    def test_gives_frames(self, film: Path) -> None:
        with rtsp_server(film) as server:
            patient = source(f"rtsp://{server.host}/cam", timeouts=Timeouts())
            frames = list(islice(patient.frames(), 12))
        assert [frame.index for frame in frames] == list(range(12))
        assert frames[0].image.shape == (96, 128, 3)
        seconds = [frame.seconds for frame in frames]
        assert seconds == sorted(set(seconds))
        assert seconds[11] - seconds[1] == pytest.approx(10 / FPS, abs=0.05)

    def test_refuses_a_wrong_path(self, film: Path) -> None:
        with rtsp_server(film) as server:
            assert refusal(f"rtsp://{server.host}/door").reason is Cause.NOT_FOUND

    @pytest.mark.parametrize("scheme", [[], ["--digest"]])
    def test_takes_the_right_password_only(self, film: Path, scheme: list[str]) -> None:
        guard = ["--user", "admin", "--password", SECRET, *scheme]
        with rtsp_server(film, *guard) as server:
            right = source(
                f"rtsp://admin:{SECRET}@{server.host}/cam", timeouts=Timeouts()
            )
            assert next(right.frames()).index == 0
            error = refusal(f"rtsp://admin:x{SECRET}@{server.host}/cam")
            assert refusal(f"rtsp://{server.host}/cam").reason is Cause.UNAUTHORIZED
        assert error.reason is Cause.UNAUTHORIZED
        assert SECRET not in f"{error} {error!r} {error.__context__!r}"

    def test_notices_that_the_camera_is_gone(self, film: Path) -> None:
        with rtsp_server(film) as server:
            stream = source(f"rtsp://{server.host}/cam", timeouts=Timeouts()).frames()
            next(stream)
        with pytest.raises(SourceError) as caught:
            list(stream)
        assert caught.value.reason is Cause.ENDED_UNEXPECTEDLY


def frame(index: int) -> Frame:
    return Frame("CAM-1", "s", index, START, index / 10, np.zeros((2, 2, 3), np.uint8))


class TestLatestFrame:
    def test_keeps_the_newest_and_counts_the_others(self) -> None:
        latest = LatestFrame()
        for index in range(4):
            latest.put(frame(index))
        taken = latest.get(0)
        assert taken is not None
        assert (taken.index, latest.dropped) == (3, 3)

    def test_gives_a_frame_once(self) -> None:
        latest = LatestFrame()
        latest.put(frame(0))
        assert latest.get(0) is not None
        assert latest.get(0) is None

    def test_wakes_who_waits(self) -> None:
        latest = LatestFrame()
        threading.Timer(0.02, latest.put, [frame(5)]).start()
        taken = latest.get(WAIT_S)
        assert taken is not None
        assert taken.index == 5

    def test_lets_what_is_left_be_taken_after_closing(self) -> None:
        latest = LatestFrame()
        latest.put(frame(0))
        latest.close()
        assert latest.get(WAIT_S) is not None
        assert latest.get(WAIT_S) is None


class TestCapture:
    def test_drops_nothing_of_a_recording_played_once(self, clip: Path) -> None:
        capture = Capture(source(clip, realtime=False))
        capture.start()
        indices = []
        while (taken := capture.get(WAIT_S)) is not None:
            indices.append(taken.index)
        assert indices == list(range(COUNT))
        assert (capture.dropped, capture.error) == (0, None)

    def test_drops_late_frames_of_a_live_camera(self) -> None:
        done = threading.Event()
        pictures = [jpeg(grey) for grey in range(0, 200, 20)]
        with http_server(mjpeg(pictures, then=done)) as (port, _):
            capture = Capture(source(f"http://127.0.0.1:{port}/cam.mjpg"))
            capture.start()
            deadline = time.monotonic() + WAIT_S
            while capture.is_running and time.monotonic() < deadline:
                time.sleep(0.01)
            done.set()
        taken = capture.get(0)
        assert taken is not None
        assert capture.dropped == taken.index > 0

    def test_holds_nothing_of_a_stream_that_broke(self) -> None:
        with http_server(mjpeg([jpeg(90)])) as (port, _):
            capture = Capture(source(f"http://127.0.0.1:{port}/cam.mjpg"))
            capture.start()
            deadline = time.monotonic() + WAIT_S
            while capture.is_running and time.monotonic() < deadline:
                time.sleep(0.01)
        assert capture.error is not None
        assert capture.error.__traceback__ is None
        assert capture.error.__context__ is None

    def test_asks_who_wants_a_frame(self, clip: Path) -> None:
        capture = Capture(source(clip, realtime=False), wants=lambda at: at > 0.85)
        capture.start()
        taken = capture.get(WAIT_S)
        assert taken is not None
        assert taken.index == COUNT - 1

    def test_remembers_why_it_ended(self, tmp_path: Path) -> None:
        capture = Capture(source(tmp_path / "no.mp4"))
        capture.start()
        assert capture.get(WAIT_S) is None
        assert capture.error is not None
        assert capture.error.reason is Cause.MISSING_FILE

    def test_survives_a_fault_of_our_own(self, clip: Path) -> None:
        def fail(seconds: float) -> bool:
            raise RuntimeError(f"no opinion at {seconds}")

        capture = Capture(source(clip, realtime=False), wants=fail)
        capture.start()
        assert capture.get(WAIT_S) is None
        assert capture.error is not None
        assert capture.error.reason is Cause.FAILED

    def test_stops_a_reader_that_waits_for_its_turn(self, clip: Path) -> None:
        capture = Capture(source(clip, realtime=False))
        capture.start()
        assert capture.get(WAIT_S) is not None
        assert capture.stop()

    def test_stops_between_two_frames_of_a_slow_recording(self, clip: Path) -> None:
        capture = Capture(source(clip, loop=True))
        capture.start()
        assert capture.get(WAIT_S) is not None
        assert capture.stop()

    def test_stops_where_bytes_come_but_never_a_picture(self) -> None:
        good, broken = jpeg(90), b"\xff\xd8" + b"rubbish" * 40 + b"\xff\xd9"
        shown = MjpegCamera([good] * 4 + [broken] * 2000, fps=50)
        with mjpeg_server(shown) as port:
            capture = Capture(source(f"http://127.0.0.1:{port}{PATH}"))
            capture.start()
            deadline = time.monotonic() + WAIT_S
            while capture.reading.corrupt_packets < 5 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert capture.stop()

    def test_gives_nothing_more_once_stopped_in_a_blocked_read(self) -> None:
        done = threading.Event()
        with http_server(mjpeg([jpeg(90)] * 3, then=done)) as (port, _):
            capture = Capture(source(f"http://127.0.0.1:{port}/cam.mjpg"))
            capture.start()
            assert capture.get(WAIT_S) is not None
            assert capture.stop()
            done.set()
        assert capture.error is None


def taken(capture: Capture, count: int) -> list[Frame]:
    """Start and take frames, not as quickly as those kept back could come."""
    capture.start()
    frames: list[Frame] = []
    while len(frames) < count and (frame := capture.get(WAIT_S)) is not None:
        frames.append(frame)
        time.sleep(0.02)
    capture.stop()
    return frames


class TestIdleCapture:
    @pytest.mark.system
    def test_gives_every_frame_around_the_waking(self, tmp_path: Path) -> None:
        group, looked = 6, []
        encoder = {"g": str(group), "bf": "2", "sc_threshold": "0"}
        film = write_clip(tmp_path / "film.mp4", count=60, encoder=encoder)

        def wakes(image: Image) -> bool:
            looked.append(image)
            capture.reading.idle = len(looked) < 2
            return len(looked) == 2

        with rtsp_server(film) as server:
            camera = source(
                f"rtsp://{server.host}/cam",
                timeouts=Timeouts(),
                clock=lambda: datetime.now(UTC),
            )
            capture = Capture(camera, wakes=wakes)
            capture.reading.idle = True
            frames = taken(capture, 6 * group)
        indices = [frame.index for frame in frames]
        steps = [later - earlier for earlier, later in pairwise(indices)]
        rest = steps.index(group)
        awake = indices[rest + 1 :][: group + 2]
        assert awake == list(range(awake[0], awake[0] + group + 2))
        seconds = [frame.seconds for frame in frames]
        assert seconds == pytest.approx([index / FPS for index in indices])
        at = [frame.at for frame in frames]
        assert at == sorted(at)

    def test_looks_at_two_pictures_of_mjpeg_a_second(self) -> None:
        shown = MjpegCamera([jpeg(grey) for grey in range(0, 200, 20)], fps=20)
        with mjpeg_server(shown) as port:
            capture = Capture(source(f"http://127.0.0.1:{port}{PATH}"))
            capture.reading.idle = True
            frames = taken(capture, 6)
        rests = [later.seconds - earlier.seconds for earlier, later in pairwise(frames)]
        assert min(rests[-3:]) >= 0.45
        assert capture.reading.frames_read > 3 * len(frames)

    def test_leaves_recordings_as_they_are(self, clip: Path) -> None:
        capture = Capture(source(clip, realtime=False))
        capture.reading.idle = True
        frames = taken(capture, COUNT + 1)
        assert [frame.index for frame in frames] == list(range(COUNT))
