"""What the views of people share: permissions, refusals and photos in a body."""

from __future__ import annotations

import base64
import binascii
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission

from identity.photo_rules import PhotoRefused
from streaming.desk import Busy, NoAnswer
from streaming.models import Site
from streaming.rest import MIB, LimitedJSONParser, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from identity.models import User

PHOTO_ANSWERS: Final = {
    400: OpenApiResponse(description="The photo was refused; `detail` says why."),
    413: OpenApiResponse(description="The photo is over the limit."),
    429: OpenApiResponse(description="Too many photos wait. Try again in a minute."),
    503: OpenApiResponse(description="No background worker answered."),
}


class Needs(BasePermission):
    """Asks for one permission, whatever the method."""

    permission: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm(self.permission)


class PhotoRejected(APIException):
    """A photo that nobody can be known by."""

    status_code = status.HTTP_400_BAD_REQUEST


class NotDone(APIException):
    """A change that its subject does not allow."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Unanswered(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "no_answer"


class TooManyWait(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "busy"


@contextmanager
def photo_work() -> Iterator[None]:
    """Tell the refusals of the photo desk as answers."""
    try:
        yield
    except PhotoRefused as error:
        raise PhotoRejected(str(error), code=error.code) from error
    except NoAnswer as error:
        raise Unanswered(str(error)) from error
    except Busy as error:
        raise TooManyWait(str(error)) from error


class PhotoJSONParser(LimitedJSONParser):
    """JSON with a photo as base64, which takes four bytes for three."""

    max_bytes = settings.PHOTO_MAX_MIB * MIB * 4 // 3 + MIB


PHOTO_PARSERS: Final = [PhotoJSONParser, MultiPartParser]


@extend_schema_field(
    {
        "type": "string",
        "format": "binary",
        "description": "A file in multipart/form-data; base64 in JSON.",
    }
)
class PhotoField(serializers.Field[bytes, Any, Any, Any]):
    """A photo: a file of a multipart body, or base64 in JSON."""

    default_error_messages = {
        "invalid": "Send the photo as a file (multipart/form-data) or as base64.",
        "empty": "The photo is empty.",
    }

    def to_internal_value(self, data: object) -> bytes:
        limit = settings.PHOTO_MAX_MIB * MIB
        size = data.size if isinstance(data, UploadedFile) else None
        photo = b"" if (size or 0) > limit else self.content(data)
        if max(size or 0, len(photo)) > limit:
            raise TooLarge(f"A photo is at most {settings.PHOTO_MAX_MIB} MiB.")
        if not photo:
            self.fail("empty")
        return photo

    def content(self, data: object) -> bytes:
        if isinstance(data, UploadedFile):
            return cast("bytes", data.read())
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.partition("base64,")[2] if data.startswith("data:") else data
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            self.fail("invalid")


class PhotoSerializer(serializers.Serializer[Any]):
    photo = PhotoField()


class VisibleKeyFilter(filters.ModelChoiceFilter):  # type: ignore[misc]
    """Keeps what refers to one row, by id; one that the user does not see is 400."""

    def __init__(self, rows: QuerySet[Any], field_name: str) -> None:
        name = rows.model._meta.verbose_name
        visible: Any = rows
        super().__init__(
            field_name=field_name,
            queryset=lambda request: visible.visible_to(request.user),
            label=str(name).capitalize(),
            error_messages={"invalid_choice": f"There is no such {name}."},
        )


class SiteFilter(VisibleKeyFilter):
    def __init__(self, field_name: str = "site") -> None:
        super().__init__(Site.objects.all(), field_name)


def login(request: Request) -> User:
    """Return who asks; every view here asks for a permission first."""
    return cast("User", request.user)
