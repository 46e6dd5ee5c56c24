"""Faces as a camera's stage would offer them; nothing is stored."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from identity.pipeline import FaceCrop, FaceOffered

_numbers = count(1)


def make_offer(**values: Any) -> FaceOffered:
    defaults: dict[str, Any] = {
        "event_id": uuid4(),
        "camera": "CAM-1",
        "session": "first",
        "track_id": next(_numbers),
        "at": timezone.now(),
        "x": 0.5,
        "y": 0.8,
        "faces": (FaceCrop(jpeg=b"a face", quality=0.8, height_px=120),),
        "snapshot": b"a person",
    }
    return FaceOffered(**defaults | values)
