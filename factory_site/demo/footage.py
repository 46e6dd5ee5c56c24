"""The demo's footage: clips composed at set-up, or real ones from a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, cast

import av
import cv2
import numpy as np

from . import reception, scenery
from .cutouts import Cutout, people
from .vehicle import HEIGHT_M as TRUCK_HEIGHT_M
from .vehicle import truck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from .cutouts import Alpha, Image
    from .scenery import View

    Progress = Callable[[str, int, int], None]
    """Called with the clip's name, the frames done and the frames in all."""

RECIPE: Final = "factory-site demo 2"
"""Kept in each composed clip; another one means: compose it again."""
FPS: Final = 25
SUFFIXES: Final = frozenset({".mp4", ".mkv", ".avi"})
PERSON_M: Final = 1.74
STEP_M: Final = 0.72
TRUCK_PLATE: Final = "KA01AB1234"
PHASES: Final = 24


class NoDemoClips(Exception):
    """The folder given for real clips has none."""


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """What a clip shows: crossings of the vertical line through the picture's middle.

    `ins` go from the picture's left to its right: in, for a line drawn top to bottom.
    """

    ins: int
    outs: int
    plates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoClip:
    name: str
    path: Path
    truth: ClipTruth | None
    """None for footage whose truth is not known."""


class _Actor(Protocol):
    """Something that moves through a scene."""

    def distance_m(self, seconds: float) -> float:
        """How far away it is: what is farther is drawn first."""
        ...

    def draw(self, picture: Image, seconds: float) -> None: ...


@dataclass(frozen=True)
class _Walker:
    """One person who crosses the picture at a constant distance and speed."""

    person: int
    view: View
    start_s: float
    z_m: float
    speed_mps: float
    """Towards the right where positive."""
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def distance_m(self, seconds: float) -> float:
        return self.z_m

    def draw(self, picture: Image, seconds: float) -> None:
        walked_m = abs(self.speed_mps) * (seconds - self.start_s)
        way_m = scenery.WIDTH / self.view.scale(self.z_m) + 2 * PERSON_M
        if not 0 <= walked_m <= way_m:
            return
        x_m = (walked_m - way_m / 2) * (1 if self.speed_mps > 0 else -1)
        phase = walked_m / (2 * STEP_M) % 1
        pose = self._poses[int(phase * PHASES)]
        x, foot = self.view.column(x_m, self.z_m), self.view.row(self.z_m)
        height, width = pose.alpha.shape
        rise = abs(np.sin(2 * np.pi * phase)) * height * 0.012
        left = round(x - width / 2)
        scenery.ground_shade(picture, x, foot - height * 0.025, width_px=width * 1.25)
        shadow = self._shadow
        scenery.blend(picture, None, shadow, (left, round(foot) - shadow.shape[0]))
        scenery.blend(
            picture, pose.image, pose.alpha, (left, round(foot - height - rise))
        )

    @cached_property
    def _poses(self) -> list[Cutout]:
        height = round(PERSON_M * self.view.scale(self.z_m))
        standing = people()[self.person].dressed(self.gains)
        standing = standing.scaled(height, mirrored=self.speed_mps > 0)
        return [_stride(standing, phase / PHASES) for phase in range(PHASES)]

    @cached_property
    def _shadow(self) -> Alpha:
        """What the person takes from the sun: flat on the ground, to the right."""
        alpha = self._poses[0].alpha
        height, width = alpha.shape
        flat, lean = 0.2, 0.45
        matrix = np.array([[1, -lean, lean * height], [0, flat, 0]])
        size = (round(width + lean * height), round(flat * height))
        cast_ = cv2.warpAffine(alpha, matrix, size)
        return cast("Alpha", cv2.GaussianBlur(cast_, (0, 0), 2.5) * np.float32(0.38))


def _stride(standing: Cutout, phase: float) -> Cutout:
    """Spread and close the legs, and lean a little, once per two steps."""
    height, width = standing.alpha.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    below_hip = np.clip((rows / height - 0.5) / 0.5, 0, 1)
    spread = 1 + below_hip * (0.32 * np.cos(4 * np.pi * phase) - 0.16)
    sway = (1 - rows / height) * width * 0.03 * np.sin(2 * np.pi * phase)
    columns = np.arange(width, dtype=np.float32)[None, :]
    map_x = ((columns - width / 2) / spread + width / 2 + sway).astype(np.float32)
    map_y = np.repeat(rows, width, axis=1)
    image = cv2.remap(standing.image, map_x, map_y, cv2.INTER_LINEAR)
    alpha = cv2.remap(standing.alpha, map_x, map_y, cv2.INTER_LINEAR)
    return Cutout(cast("Image", image), cast("Alpha", alpha))


@dataclass(frozen=True)
class _Truck:
    """Comes to the gate's line, waits there and drives out past the camera."""

    view: View
    plate: str
    start_s: float
    arrive_s: float
    leave_s: float
    gone_s: float
    far_m: float = 58.0
    stop_m: float = 4.9

    def distance_m(self, seconds: float) -> float:
        coming = _share(seconds, self.start_s, self.arrive_s)
        going = _share(seconds, self.leave_s, self.gone_s)
        near_m = self.stop_m - 2.0 * going**2
        return near_m + (self.far_m - self.stop_m) * (1 - coming) ** 2

    def draw(self, picture: Image, seconds: float) -> None:
        if not self.start_s <= seconds < self.gone_s:
            return
        z_m = self.distance_m(seconds)
        x_m = 0.25 + 3.4 * _share(seconds, self.leave_s, self.gone_s) ** 2
        scale = self.view.scale(z_m)
        shown = self._drawn.scaled(round(TRUCK_HEIGHT_M * scale), mirrored=False)
        height, width = shown.alpha.shape
        x, foot = self.view.column(x_m, z_m), self.view.row(z_m)
        scenery.ground_shade(picture, x, foot - 0.04 * scale, width_px=2.9 * scale)
        haze = min(0.45, z_m / 130)
        image = shown.image * (1 - haze) + 205 * haze
        alpha = shown.alpha * np.float32(
            _share(seconds, self.start_s, self.start_s + 1)
        )
        corner = (round(x - width / 2), round(foot) - height)
        scenery.blend(picture, image.astype(np.uint8), alpha, corner)

    @cached_property
    def _drawn(self) -> Cutout:
        return truck(self.plate)


def _share(value: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (value - start) / (end - start)))


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip before it is written."""

    name: str
    seconds: float
    background: Callable[[], Image]
    actors: tuple[_Actor, ...]
    truth: ClipTruth

    @property
    def frame_count(self) -> int:
        return round(self.seconds * FPS)

    def frames(self, *, step: int = 1) -> Iterator[Image]:
        """Draw each `step`-th frame: BGR, 1280 x 720, the same at each call."""
        background = self.background()
        grain = _grain()
        for index in range(0, self.frame_count, step):
            seconds = index / FPS
            picture = background.copy()
            for actor in sorted(self.actors, key=lambda a: -a.distance_m(seconds)):
                actor.draw(picture, seconds)
            noise = grain[index % len(grain)]
            yield cast("Image", cv2.addWeighted(picture, 1, noise, 0.125, -16))


def _grain() -> list[Image]:
    """Seven fields of a sensor's noise, around 128 and eight times too strong."""
    rng = np.random.default_rng(scenery.SEED)
    shape = (scenery.HEIGHT, scenery.WIDTH, 1)
    fields = (rng.normal(128, 10, shape).clip(0, 255) for _ in range(7))
    return [np.repeat(field, 3, axis=2).astype(np.uint8) for field in fields]


_GREEN: Final = (0.8, 0.78, 0.62)
_OCHRE: Final = (0.58, 0.8, 1.0)
_NAVY: Final = (1.45, 1.2, 1.05)
_WINE: Final = (1.05, 1.05, 1.4)


def _yard_walkers() -> tuple[_Walker, ...]:
    """Twelve people: seven to the right, five to the left, one pair among them."""
    first = _Walker(person=0, view=scenery.YARD, start_s=1, z_m=5.4, speed_mps=1.35)
    second = replace(first, person=1)
    return (
        first,
        replace(second, start_s=6, z_m=6.6),
        replace(first, start_s=13, z_m=6.0, speed_mps=-1.4, gains=_GREEN),
        replace(second, start_s=19, z_m=5.8, gains=_NAVY),
        replace(first, start_s=20.1, z_m=6.1, gains=_OCHRE),
        replace(second, start_s=26, z_m=6.8, speed_mps=-1.3),
        replace(first, start_s=32, z_m=5.2, speed_mps=-1.45),
        replace(second, start_s=36.5, z_m=6.4, speed_mps=1.3, gains=_WINE),
        replace(first, start_s=41.5, z_m=5.0, speed_mps=1.4, gains=_GREEN),
        replace(second, start_s=45, z_m=6.9, speed_mps=-1.3, gains=_NAVY),
        replace(first, start_s=49, z_m=5.7, speed_mps=1.45, gains=_OCHRE),
        replace(second, start_s=51.5, z_m=4.9, speed_mps=-1.4),
    )


def yard_scene() -> Scene:
    """Describe the yard that people cross, empty at both ends."""
    walkers = _yard_walkers()
    ins = sum(walker.speed_mps > 0 for walker in walkers)
    truth = ClipTruth(ins=ins, outs=len(walkers) - ins)
    return Scene("yard", 61, scenery.yard, walkers, truth)


def gate_scene() -> Scene:
    """Describe the gate that a truck comes to, empty at both ends.

    It is long enough for the truck to come anew each time that it is played: within a
    minute of when it was told of last it would be the same visit.
    """
    lorry = _Truck(
        scenery.GATE, TRUCK_PLATE, start_s=1, arrive_s=9, leave_s=14, gone_s=17
    )
    walker = _Walker(
        person=1, view=scenery.GATE, start_s=18, z_m=8.5, speed_mps=1.4, gains=_NAVY
    )
    truth = ClipTruth(ins=1, outs=0, plates=(TRUCK_PLATE,))
    return Scene("gate", 72, scenery.gate, (lorry, walker), truth)


def reception_scene() -> Scene:
    """Describe the reception that two people come to, first one, then the other."""
    visitors = (
        reception.Visitor(person=0, start_s=1, stays_s=4, at_px=560, height_px=340),
        reception.Visitor(person=1, start_s=13, stays_s=4, at_px=700, height_px=420),
    )
    actors = (*visitors, reception.Desk())
    return Scene("reception", 24, reception.hall, actors, ClipTruth(ins=2, outs=0))


def compose(folder: Path, *, progress: Progress | None = None) -> list[DemoClip]:
    """Write the demo's clips to `folder`, but for those already there.

    Raises `PicturesMissing`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for scene in (yard_scene(), gate_scene(), reception_scene()):
        path = folder / f"{scene.name}.mp4"
        if not _is_current(path):
            _write(scene, path, progress)
        clips.append(DemoClip(scene.name, path, scene.truth))
    return clips


def write_yard_clip(path: Path, *, progress: Progress | None = None) -> ClipTruth:
    """Write the clip of people who cross a yard; raises `PicturesMissing`."""
    return _write(yard_scene(), path, progress)


def write_reception_clip(path: Path) -> ClipTruth:
    """Write the clip of two who come to a reception; raises `PicturesMissing`."""
    return _write(reception_scene(), path, None)


def clips_from(folder: Path) -> list[DemoClip]:
    """List the recordings in `folder`, by name; raises `NoDemoClips`."""
    if not folder.is_dir():
        raise NoDemoClips(
            f"{folder} is not a folder. Set DEMO_FOOTAGE to a folder of recordings, or"
            " leave it out to have clips composed."
        )
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise NoDemoClips(
            f"{folder} holds no recording ({', '.join(sorted(SUFFIXES))}). Put some"
            " there, or leave DEMO_FOOTAGE out to have clips composed."
        )
    return [DemoClip(path.stem, path, None) for path in paths]


def _is_current(path: Path) -> bool:
    try:
        with av.open(path) as container:
            return container.metadata.get("comment") == RECIPE
    except (OSError, av.error.FFmpegError):
        return False


def _write(scene: Scene, path: Path, progress: Progress | None) -> ClipTruth:
    """Encode the scene; what stands at `path` is replaced when all is written."""
    part = path.with_suffix(".part")
    _encode(_reported(scene, progress), part)
    part.replace(path)
    return scene.truth


def _reported(scene: Scene, progress: Progress | None) -> Iterator[Image]:
    for done, frame in enumerate(scene.frames(), start=1):
        yield frame
        if progress is not None:
            progress(scene.name, done, scene.frame_count)


def _encode(frames: Iterable[Image], path: Path) -> None:
    has_x264 = "libx264" in av.codecs_available
    options = {"preset": "ultrafast", "crf": "25"} if has_x264 else {"q": "5"}
    with av.open(path, "w", format="mp4", options={"movflags": "faststart"}) as out:
        out.metadata["comment"] = RECIPE
        stream = out.add_stream("libx264" if has_x264 else "mpeg4", FPS, options)
        stream.width, stream.height = scenery.WIDTH, scenery.HEIGHT
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 2 * FPS
        for image in frames:
            # Five times faster than leaving the conversion to the encoder.
            planes = cast("Image", cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420))
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
