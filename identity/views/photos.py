"""Photos that are uploaded: read, and every refusal told in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from identity.photo_rules import PhotoRefused
from streaming import desk

if TYPE_CHECKING:
    from django.http import HttpRequest

NO_PHOTO: Final = "Choose a photo first, or take one."
TOO_LARGE: Final = (
    f"The file is larger than {settings.PHOTO_MAX_MIB} MiB. Save it smaller."
)
UNPROCESSABLE, TOO_MANY_REQUESTS, UNAVAILABLE = 422, 429, 503
NOT_TAKEN: Final = (PhotoRefused, desk.Busy, desk.NoAnswer)
"""What an upload may end in other than well."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a photo was not taken, as a sentence, and the HTTP status for it."""

    sentence: str
    status: int

    @classmethod
    def of(cls, error: Exception) -> Refusal:
        """Tell one of NOT_TAKEN."""
        if isinstance(error, desk.Busy):
            return cls(str(error), TOO_MANY_REQUESTS)
        if isinstance(error, desk.NoAnswer):
            return cls(str(error), UNAVAILABLE)
        return cls(str(error), UNPROCESSABLE)


def uploaded(request: HttpRequest) -> bytes:
    """Return the photo of a form; raise PhotoRefused where there is none to look at."""
    photo = request.FILES.get("photo")
    if photo is None or not photo.size:
        raise PhotoRefused("no_photo", NO_PHOTO)
    if photo.size > settings.PHOTO_MAX_MIB * 2**20:
        raise PhotoRefused("too_large", TOO_LARGE)
    return bytes(photo.read())
