"""A plant with people, and a folder of its own for their pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from tests.plant import asha, gate, hr, media, sam, security, site

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["asha", "gate", "hr", "media", "sam", "security", "site"]


@pytest.fixture
def stored(media: Path) -> str:
    """Store a picture and return its name."""
    return default_storage.save("snapshots/unknown/x.jpg", ContentFile(jpeg()))


def jpeg(colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "JPEG")
    return file.getvalue()
