"""Which stage feeds which service. Only the vision worker's commands come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.db import InterfaceError, OperationalError, close_old_connections

from occupancy.pipeline import CrossingStage, LineCrossed
from occupancy.services import record_crossing
from streaming.event_queue import TryAgainLater
from streaming.models import Camera
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.runner import CameraPlan
from streaming.vision.types import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from occupancy.models import CountingLine
    from streaming.vision.ports import Stage

Event = LineCrossed
"""Every event a stage may emit; a union when there are more."""


def camera_plans(codes: Sequence[str] = ()) -> list[CameraPlan]:
    """Return what to run: the enabled cameras, or those named by their codes."""
    cameras = Camera.objects.enabled().order_by("code")
    if codes:
        cameras = cameras.filter(code__in=codes)
    return [
        plan_of(camera)
        for camera in cameras.select_related("site").prefetch_related("lines")
    ]


def plan_of(camera: Camera) -> CameraPlan:
    return CameraPlan(
        code=camera.code,
        name=camera.name,
        source_url=camera.source_url,
        loop=camera.loop,
        detect_fps=camera.detect_fps,
        time_zone=camera.site.time_zone,
        lines=lines_of(camera),
    )


def lines_of(camera: Camera) -> tuple[NamedLine, ...]:
    rows = sorted(camera.lines.all(), key=lambda row: row.pk)
    return tuple(named(row) for row in rows if row.enabled)


def named(row: CountingLine) -> NamedLine:
    ends = Line(Point(row.x1, row.y1), Point(row.x2, row.y2))
    return NamedLine(row.name, ends, row.pk)


def stages_of(lines: Sequence[NamedLine]) -> list[Stage[Event]]:
    """Return the stages of one camera, fresh."""
    return [CrossingStage(lines)] if lines else []


def encode(event: Event) -> str:
    """Return the event as text for the durable queue."""
    return msgspec.json.encode(event).decode()


def record(text: str) -> None:
    """Give an event from the durable queue to its service.

    Raises TryAgainLater while Postgres does not answer.
    """
    event = msgspec.json.decode(text, type=Event)
    close_old_connections()
    try:
        record_crossing(event=event)
    except (OperationalError, InterfaceError) as error:
        raise TryAgainLater(str(error)) from error
