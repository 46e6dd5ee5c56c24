"""Plates as a camera would offer them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from streaming.models import Camera
from streaming.vision.types import Label
from tests.factories import make_camera
from vehicles.models import Gate, GateCamera
from vehicles.pipeline import PlateOffered
from vehicles.voting import PlateRead

if TYPE_CHECKING:
    from collections.abc import Sequence

PLATE: Final = "MH12AB1234"
NOW: Final = datetime(2026, 11, 20, 8, tzinfo=UTC)
JPEG: Final = b"\xff\xd8\xff\xe0 a picture"


def gate_camera(**values: Any) -> Camera:
    """Make a camera that reads plates at a gate of its own."""
    camera = make_camera(tasks=[Camera.Task.PLATES.value], direction="entry")
    gate = Gate.objects.create(site=camera.site, name=f"Gate {camera.pk}", **values)
    GateCamera.objects.create(gate=gate, camera=camera)
    return camera


def offer(
    camera: Camera,
    *texts: str,
    sure: float = 0.95,
    track_id: int = 1,
    after_s: float = 0,
    **values: Any,
) -> PlateOffered:
    """Make the event of a vehicle whose plate was read as each of these in turn."""
    seen_at = NOW + timedelta(seconds=after_s)
    defaults: dict[str, Any] = {
        "event_id": uuid4(),
        "camera": camera.code,
        "session": "20261120T080000Z",
        "track_id": track_id,
        "label": Label.CAR,
        "first_seen_at": seen_at,
        "at": seen_at + timedelta(seconds=1),
        "seen_at": values.get("at", seen_at + timedelta(seconds=1)),
        "x": 0.5,
        "y": 0.9,
        "reads": reads(texts, sure=sure),
        "snapshot": JPEG,
        "plate": JPEG if texts else b"",
        "frame_index": 10,
    }
    return PlateOffered(**defaults | values)


def reads(texts: Sequence[str], *, sure: float) -> tuple[PlateRead, ...]:
    return tuple(
        PlateRead(6 * number, text, (sure,) * len(text))
        for number, text in enumerate(texts)
    )
