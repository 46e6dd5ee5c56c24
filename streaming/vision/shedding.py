"""Says which cameras are looked at less often when there is too much to do.

Yards give before halls, halls before gates: each camera of a class is looked at half as
often, then a quarter, and so on, before any camera of the next class is. What was taken
is given back one camera and step at a time, gates first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOK_EVERY_S: Final = 2.0
TOO_BUSY: Final = 0.9
"""Share of the time that the loop works, from which on pictures have to wait."""
TOO_MANY_MISSED: Final = 0.25
"""Share of the pictures due that were replaced by newer ones before their turn."""
MANY_MISSED: Final = 0.1
"""The same, where the loop hardly rests (`BUSY_AT_MOST`): between two batches it waits
for frames to gather, so that it falls behind before it is `TOO_BUSY`."""
BUSY_AT_MOST: Final = 0.8
"""How busy the loop may be expected to be after something is given back."""
SHED_AT_ONCE: Final = 0.2
"""Share of the work that is taken at one look: 0.8 of 0.9 leaves some room, and an
overload by half is gone after two looks."""
LEAST_FPS: Final = 1.0
"""No camera is looked at less often: whether its picture is any good must be told."""
DEEPEST_LEVEL: Final = 3
"""An eighth."""
BUSY_LOOKS: Final = 2
"""Looks in a row without room before anything is taken: to load a model, or for many
cameras to start at once, takes seconds too."""
CALM_LOOKS: Final = 2
"""Looks with room before something is given back ..."""
MOST_CALM_LOOKS: Final = 30
"""... doubled up to this many each time that it has to be taken again."""


class Work(NamedTuple):
    """What was done for a camera."""

    analysed: int
    """Pictures given to the detector."""
    looked_at: int
    """Pictures due and taken, still ones included."""
    missed: int
    """Pictures due that were replaced by newer ones before their turn."""


@dataclass(frozen=True, slots=True)
class CameraLoad:
    """One camera, as it is about to be looked at more or less often."""

    code: str
    priority: int
    """0 is the last to give."""
    fps: float
    """Pictures per second that it wants to be looked at."""
    work: Work
    """Since the last look."""

    def may_give(self, level: int) -> bool:
        return level < DEEPEST_LEVEL and self.fps / 2 ** (level + 1) >= LEAST_FPS


class Shedder:
    """Decides at each look; a camera at level n is looked at 2**n times less often."""

    def __init__(self) -> None:
        self._levels: dict[str, int] = {}
        self._over = self._calm = 0
        self._patience = CALM_LOOKS
        self._gave_back = False

    @property
    def levels(self) -> Mapping[str, int]:
        """The levels above 0, by code."""
        return {code: level for code, level in self._levels.items() if level}

    def look(self, cameras: Sequence[CameraLoad], *, busy: float) -> None:
        """Take or give back, by how busy the loop was since the last look (0..1)."""
        known = {camera.code for camera in cameras}
        self._levels = {c: n for c, n in self._levels.items() if c in known}
        bearable = MANY_MISSED if busy > BUSY_AT_MOST else TOO_MANY_MISSED
        is_over = busy > TOO_BUSY or _missed(cameras) > bearable
        has_room = not is_over and self._has_room(cameras, busy)
        self._over = self._over + 1 if is_over else 0
        self._calm = self._calm + 1 if has_room else 0
        if self._over >= BUSY_LOOKS:
            self._take(cameras)
        elif self._calm >= self._patience:
            self._give_back(cameras)

    def _level(self, camera: CameraLoad) -> int:
        return self._levels.get(camera.code, 0)

    def _take(self, cameras: Sequence[CameraLoad]) -> None:
        if self._gave_back:
            self._patience = min(2 * self._patience, MOST_CALM_LOOKS)
        self._calm, self._gave_back = 0, False
        shares = {camera.code: float(camera.work.analysed) for camera in cameras}
        enough, taken = SHED_AT_ONCE * sum(shares.values()), 0.0
        while camera := self._next_to_give(cameras):
            self._levels[camera.code] = self._level(camera) + 1
            shares[camera.code] /= 2
            taken += shares[camera.code]
            if taken >= enough:
                return

    def _next_to_give(self, cameras: Sequence[CameraLoad]) -> CameraLoad | None:
        able = [each for each in cameras if each.may_give(self._level(each))]
        return min(
            able, key=lambda c: (-c.priority, self._level(c), c.code), default=None
        )

    def _next_to_get(self, cameras: Sequence[CameraLoad]) -> CameraLoad | None:
        shed = [each for each in cameras if self._level(each)]
        return min(
            shed, key=lambda c: (c.priority, -self._level(c), c.code), default=None
        )

    def _has_room(self, cameras: Sequence[CameraLoad], busy: float) -> bool:
        """Whether the next to get back may be looked at twice as often.

        Only its part of the work doubles, so this never expects too little. One of
        which no picture was analysed since the last look may soon give one.
        """
        camera = self._next_to_get(cameras)
        if camera is None:
            return False
        work = sum(each.work.analysed for each in cameras)
        growth = max(camera.work.analysed, 1) / max(work, 1)
        return busy * (1 + growth) <= BUSY_AT_MOST

    def _give_back(self, cameras: Sequence[CameraLoad]) -> None:
        if self._gave_back:
            self._patience = CALM_LOOKS
        if camera := self._next_to_get(cameras):
            self._levels[camera.code] -= 1
            self._calm, self._gave_back = 0, True
        self._levels = dict(self.levels)


def _missed(cameras: Sequence[CameraLoad]) -> float:
    """Return which share of the pictures due was not taken in time."""
    missed = sum(camera.work.missed for camera in cameras)
    due = missed + sum(camera.work.looked_at for camera in cameras)
    return missed / due if due else 0.0
