"""What the runner needs of each part, one method a port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .types import Detection, Frame, Image, Track, TrackUpdate

EventT_co = TypeVar("EventT_co", covariant=True)


class Source(Protocol):
    """Gives the frames of one camera in order; raises `SourceError` when it cannot."""

    def frames(self, wants: Callable[[float], bool] | None = None) -> Iterator[Frame]:
        """Yield the frames; those whose `seconds` `wants` refuses only count.

        `wants` is asked once for every frame, in order.
        """
        ...


class Gate(Protocol):
    """Says whether a picture is worth looking at."""

    def is_open(self, image: Image, *, seconds: float) -> bool: ...

    def moves(self, image: Image) -> bool:
        """Tell whether something moves in it, without learning it; in any thread."""
        ...


class Detector(Protocol):
    """Finds objects. One instance serves all cameras of a process."""

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Return one list per frame, in the order given."""
        ...


class Tracker(Protocol):
    """Follows the objects of one session from frame to frame."""

    def update(
        self, detections: Sequence[Detection], *, elapsed_s: float, aspect: float
    ) -> TrackUpdate:
        """Take the detections of the next analysed frame.

        `elapsed_s` is the time since the frame before in which things could move
        (stretches that the motion gate skipped do not count), `aspect` the picture's
        width over its height.
        """
        ...


class Stage(Protocol[EventT_co]):
    """Turns tracks into events, such as line crossings."""

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterable[EventT_co]: ...

    def forget(self, track_id: int) -> Iterable[EventT_co]:
        """Drop what is kept about a track that has ended; give what its end makes."""
        ...


@runtime_checkable
class PatientStage(Stage[EventT_co], Protocol[EventT_co]):
    """One for which also time that passes makes events: somebody stands still."""

    def hold(self, frame: Frame) -> Iterable[EventT_co]:
        """Take a frame in which nothing moved: everything is where it was."""
        ...

    def finish(self) -> Iterable[EventT_co]:
        """Take the end of the session, when all its tracks have been forgotten."""
        ...
