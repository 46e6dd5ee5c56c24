"""Reads photo files of people: what they are, and their pixels, upright and in RGB.

What a camera notes with a picture, such as where it was taken, is never kept.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps

from .photo_rules import (
    check_file,
    check_pixels,
    damaged_photo,
    no_photo,
    too_many_pixels,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .photo_rules import Limits

FORMATS: Final = ("JPEG", "PNG", "WEBP")
BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError)
"""What Pillow raises for files that are not what they claim to be."""
BOMBS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def check(photo: bytes, *, limits: Limits) -> None:
    """Refuse what is no photo or too large, by its first bytes; nothing is decoded.

    Raises PhotoRefused.
    """
    check_file(photo, limits=limits)
    with _opened(photo, limits=limits) as image:
        width_px, height_px = image.size
    check_pixels(width_px=width_px, height_px=height_px, limits=limits)


def upright(photo: bytes, *, limits: Limits) -> Image.Image:
    """Return a photo's pixels as RGB, turned as its camera was held.

    Raises PhotoRefused.
    """
    check(photo, limits=limits)
    with _opened(photo, limits=limits) as image:
        try:
            return ImageOps.exif_transpose(image).convert("RGB")
        except BROKEN as error:
            raise damaged_photo() from error


@contextmanager
def _opened(photo: bytes, *, limits: Limits) -> Iterator[Image.Image]:
    try:
        image = Image.open(BytesIO(photo), formats=FORMATS)
    except BOMBS as error:
        # Pillow tells the size in its own words alone.
        far = f"over {Image.MAX_IMAGE_PIXELS or 0:,} pixels"
        raise too_many_pixels(far, limits=limits) from error
    except BROKEN as error:
        raise no_photo() from error
    with image:
        yield image
