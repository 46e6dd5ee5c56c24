"""The picture shown in place of one that does not come."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 360)
BACKGROUND, INK, QUIET = "#1b1f24", "#f2f4f6", "#aab2bb"


@lru_cache(maxsize=64)
def placeholder(title: str, detail: str) -> bytes:
    """Return a JPEG of 640 x 360 with a title and a line of detail."""
    image = Image.new("RGB", SIZE, BACKGROUND)
    draw = ImageDraw.Draw(image)
    middle, height = SIZE[0] / 2, SIZE[1] / 2
    draw.text((middle, height - 18), title, INK, ImageFont.load_default(30), "mm")
    draw.text(
        (middle, height + 22), detail[:80], QUIET, ImageFont.load_default(16), "mm"
    )
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()
