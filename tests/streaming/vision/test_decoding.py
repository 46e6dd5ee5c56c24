from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.vision import decoding
from streaming.vision.decoding import Arrival, Decoder, Reading
from tests.clips import FPS, write_clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.video.frame import VideoFrame

    from streaming.vision.decoding import Shot
    from streaming.vision.types import Image

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
GROUP = 10
COUNT = 6 * GROUP
ENCODERS: dict[str, dict[str, str]] = {
    "without B-frames": {},
    "with B-frames": {"bf": "3", "x264-params": "b-adapt=0"},
    "with open groups": {"bf": "3", "x264-params": "b-adapt=0:open-gop=1"},
}


def grey(picture: VideoFrame) -> Image:
    return cast("Image", picture.to_ndarray(format="gray"))


@dataclass
class Camera:
    """A recording played to a decoder packet by packet, at a made-up time."""

    path: Path
    fps: float = FPS
    wakes_at: Sequence[int] = ()
    """At which of the pictures something moves."""
    asked: dict[int, bool] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        self.container = av.open(self.path)
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "SLICE"
        self.ranks = {pts: rank for rank, pts in enumerate(stamps(self.path))}
        self.decoder = Decoder(
            self.stream, self.reading, wakes=self.wakes, may_idle=True
        )

    def wakes(self, picture: VideoFrame) -> bool:
        rank = self.rank(picture)
        self.asked[rank] = rank in self.wakes_at
        return self.asked[rank]

    def rank(self, picture: VideoFrame) -> int:
        assert picture.pts is not None
        return self.ranks[picture.pts]

    def play(self, idle: Sequence[bool]) -> Iterator[Shot]:
        """Play all of it, `idle` being wished for, or not, packet by packet."""
        for number, packet in enumerate(self.container.demux(self.stream)):
            self.reading.idle = idle[min(number, len(idle) - 1)]
            at_s = number / self.fps
            arrival = Arrival(packet, START + timedelta(seconds=at_s), at_s)
            yield from self.decoder.read(arrival)
        yield from self.decoder.end()


def stamps(path: Path) -> list[int]:
    with av.open(path) as container:
        return sorted(
            packet.pts for packet in container.demux(video=0) if packet.pts is not None
        )


@pytest.fixture(scope="module", params=list(ENCODERS))
def film(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    options = {"g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0"}
    encoder = {**options, **ENCODERS[request.param]}
    return write_clip(path, count=COUNT, step=0, noise=9, encoder=encoder)


@pytest.fixture(scope="module")
def pictures(film: Path) -> list[Image]:
    with av.open(film) as container:
        return [grey(picture) for picture in container.decode(video=0)]


def write_passage(path: Path, *, passing: range) -> Path:
    """Write a grainy, still recording through which something passes quickly."""
    rng = np.random.default_rng(1)
    still = rng.integers(60, 180, (96, 128, 3))
    options = {"g": str(GROUP), "bf": "0", "crf": "23"}
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", FPS, options)
        stream.width, stream.height = 128, 96
        for index in range(COUNT):
            image = still + rng.integers(-3, 4, still.shape)
            if index in passing:
                left = 100 * (index - passing.start) // len(passing)
                image[30:80, left : left + 28] = 240
            picture = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="bgr24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def keys(path: Path) -> list[int]:
    ranks = {pts: rank for rank, pts in enumerate(stamps(path))}
    with av.open(path) as container:
        packets = list(container.demux(video=0))
    return [
        ranks[each.pts] for each in packets if each.is_keyframe and each.pts is not None
    ]


class TestDecoder:
    def test_gives_all_while_not_idle(self, film: Path) -> None:
        camera = Camera(film)
        ranks = [camera.rank(shot.picture) for shot in camera.play([False])]
        assert ranks == list(range(COUNT))
        assert not camera.asked

    def test_decodes_only_key_frames_while_nothing_moves(self, film: Path) -> None:
        camera = Camera(film)
        shots = list(camera.play([True]))
        ranks = [camera.rank(shot.picture) for shot in shots][: 1 - GROUP]
        third = keys(film)[2]
        # That its key frames are whole, and how far apart, must be seen first.
        assert set(ranks) <= {*range(third), *keys(film)[2:]}
        assert set(ranks) >= {*range(third - 1), *keys(film)[2:]}
        assert camera.reading.frames_read == COUNT

    def test_misses_nothing_of_the_group_before_a_moving_key_frame(
        self, film: Path
    ) -> None:
        before, moving, after = keys(film)[3:6]
        camera = Camera(film, wakes_at=[moving])
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        # An open group's last picture comes after the next key frame: left out again.
        assert set(ranks) >= set(range(before, after - 1))

    def test_misses_nothing_of_who_comes_and_goes_between_two_key_frames(
        self, tmp_path: Path
    ) -> None:
        film = write_passage(tmp_path / "film.mp4", passing=range(33, 37))
        camera = Camera(film)
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        assert camera.asked == {30: False, 40: False}
        assert ranks[: 1 - GROUP] == [*range(21), *range(30, 51)]

    def test_keeps_no_more_than_its_share_of_memory(
        self, film: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(decoding, "LARGEST_KEPT", film.stat().st_size // 12)
        camera = Camera(film)
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        assert ranks[-3 * GROUP :] == list(range(COUNT - 3 * GROUP, COUNT))
        assert not camera.asked

    def test_is_not_idle_where_no_picture_is_whole(self, tmp_path: Path) -> None:
        encoder = {"g": str(GROUP), "x264-params": "intra-refresh=1"}
        film = write_clip(tmp_path / "film.mp4", count=COUNT, encoder=encoder)
        camera = Camera(film)
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        assert ranks == list(range(COUNT))

    def test_misses_nothing_from_the_last_key_frame_on_once_idling_ends(
        self, film: Path
    ) -> None:
        camera = Camera(film)
        woken = 3 * GROUP + 4
        shots = list(camera.play([True] * woken + [False]))
        ranks = [camera.rank(shot.picture) for shot in shots]
        last_key = max(key for key in keys(film) if key < woken)
        assert ranks[ranks.index(last_key) :] == list(range(last_key, COUNT))
        assert not camera.reading.is_idle

    def test_gives_what_it_kept_when_the_stream_breaks_off(self, film: Path) -> None:
        camera = Camera(film)
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        assert ranks[-GROUP + 1 :] == list(range(COUNT - GROUP + 1, COUNT))

    def test_tells_when_what_it_kept_arrived(self, film: Path) -> None:
        camera = Camera(film, wakes_at=[keys(film)[3]])
        shots = list(camera.play([True]))
        at = [shot.arrival.at for shot in shots]
        delays = {
            round(shot.arrival.at_s * FPS) - camera.rank(shot.picture)
            for shot in shots
            if shot.is_kept
        }
        assert at == sorted(at)
        # With B-frames a picture is known once those sent ahead of it have come.
        assert delays <= {0, 1, 2, 3}

    def test_is_not_idle_where_key_frames_are_far_apart(self, film: Path) -> None:
        camera = Camera(film, fps=GROUP / 3)
        ranks = [camera.rank(shot.picture) for shot in camera.play([True])]
        assert ranks == list(range(COUNT))
        assert not camera.asked

    def test_wakes_when_the_next_key_frame_does_not_come(self, film: Path) -> None:
        camera = Camera(film)
        late = replace_rate(camera, after=4 * GROUP + 2, fps=FPS / 20)
        ranks = [camera.rank(shot.picture) for shot in late]
        fourth = keys(film)[4]
        assert ranks[ranks.index(fourth) :] == list(range(fourth, COUNT))

    @settings(
        deadline=None,
        max_examples=25,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        idle=st.lists(st.booleans(), min_size=1, max_size=COUNT),
        wakes_at=st.sets(st.sampled_from(range(COUNT))),
    )
    def test_gives_the_same_pictures_as_full_decoding_but_for_still_groups(
        self,
        film: Path,
        pictures: list[Image],
        idle: list[bool],
        wakes_at: set[int],
    ) -> None:
        camera = Camera(film, wakes_at=sorted(wakes_at))
        ranks, still = [], set()
        for shot in camera.play(idle):
            ranks.append(camera.rank(shot.picture))
            if camera.reading.is_idle:
                still.add(ranks[-1])
            assert np.array_equal(grey(shot.picture), pictures[ranks[-1]])

        assert still.isdisjoint(rank for rank in wakes_at if camera.asked.get(rank))
        for earlier, later in pairwise(ranks):
            assert later == earlier + 1 or (later > earlier and later in still)


def replace_rate(camera: Camera, *, after: int, fps: float) -> Iterator[Shot]:
    """Play with `idle` wished for throughout, slower from a packet on."""
    camera.reading.idle = True
    at_s = 0.0
    for number, packet in enumerate(camera.container.demux(camera.stream)):
        at_s += 1 / (fps if number > after else camera.fps)
        yield from camera.decoder.read(Arrival(packet, START, at_s))
    yield from camera.decoder.end()
