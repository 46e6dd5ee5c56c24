"""Which stage feeds which service. Only the vision worker's commands come here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from django.db import DataError, Error, IntegrityError, connection

from occupancy.pipeline import CrossingStage, LineCrossed
from occupancy.services import record_crossing
from streaming.event_queue import TryAgainLater
from streaming.fields import Unreadable
from streaming.models import Camera
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.runner import CameraPlan
from streaming.vision.types import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from occupancy.models import CountingLine
    from streaming.vision.ports import Stage

Event = LineCrossed
"""Every event that a stage may emit; a union when there are more."""

SERVICES: Mapping[type[Event], Callable[..., object]] = {LineCrossed: record_crossing}
"""Which service records which event; each takes it as `event`, once per event id."""

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in SERVICES}


class Envelope(msgspec.Struct):
    """An event as it lies on disk: its kind, and its fields as JSON."""

    kind: str
    event: msgspec.Raw


def camera_plans(codes: Sequence[str] = ()) -> list[CameraPlan]:
    """Return what to run: the enabled cameras, or those named by their codes."""
    cameras = Camera.objects.enabled().order_by("code")
    if codes:
        cameras = cameras.filter(code__in=codes)
    rows = cameras.select_related("site").prefetch_related("lines")
    return [plan_of(camera) for camera in rows]


def plan_of(camera: Camera) -> CameraPlan:
    source = camera.source_url
    is_unreadable = isinstance(source, Unreadable)
    return CameraPlan(
        code=camera.code,
        name=camera.name,
        source_url="" if is_unreadable else source,
        problem=Unreadable.reason if is_unreadable else "",
        loop=camera.loop,
        detect_fps=camera.detect_fps,
        time_zone=camera.site.time_zone,
        lines=tuple(
            named(row)
            for row in sorted(camera.lines.all(), key=lambda row: row.pk)
            if row.enabled
        ),
    )


def named(row: CountingLine) -> NamedLine:
    ends = Line(Point(row.x1, row.y1), Point(row.x2, row.y2))
    return NamedLine(row.name, ends, row.pk)


def stages_of(plan: CameraPlan) -> list[Stage[Event]]:
    """Return the stages of one camera, fresh."""
    return [CrossingStage(plan.lines)] if plan.lines else []


def encode(event: Event) -> str:
    """Return the event as text for the durable queue."""
    fields = msgspec.Raw(msgspec.json.encode(event))
    return msgspec.json.encode(Envelope(type(event).__name__, fields)).decode()


def decode(text: str) -> Event:
    """Return the event; raise KeyError for a kind that is not known any more."""
    envelope = msgspec.json.decode(text, type=Envelope)
    return msgspec.json.decode(envelope.event, type=KINDS[envelope.kind])


def record(event: Event) -> Any:
    """Give an event to its service; return what that made of it."""
    return SERVICES[type(event)](event=event)


def record_queued(text: str) -> None:
    """Record an event from the durable queue.

    Raises TryAgainLater while Postgres cannot take it: it is away, or not yet migrated.
    """
    event = decode(text)
    try:
        record(event)
    except (IntegrityError, DataError):
        raise
    except Error as error:
        connection.close_if_unusable_or_obsolete()
        raise TryAgainLater(str(error)) from error
