"""What every API view, serializer and list of this project shares.

The permission rule, rows of the user's own sites only, filters, pagination, and the
database's own rules told as field errors.
"""

from __future__ import annotations

from copy import copy
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model
from django_filters import rest_framework as filters
from rest_framework import serializers, status
from rest_framework.exceptions import (
    APIException,
    NotFound,
    ParseError,
    ValidationError,
)
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.serializers import as_serializer_error

from .models import Camera

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.generics import GenericAPIView
    from rest_framework.request import Request

    View = GenericAPIView[Any]
else:
    View = object

ModelT = TypeVar("ModelT", bound=Model)
PAGING = {"cursor", "page_size"}
MIB = 2**20


class ModelPermissions(DjangoModelPermissions):
    """Asks for view_, add_, change_ or delete_ of the view's model."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
    }


class ViewPermissions(ModelPermissions):
    """Asks for view_ alone: for what is posted and changes no row."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ModelPermissions.perms_map["GET"],
    }


class TooLarge(APIException):
    """A body or a file over its limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class LimitedJSONParser(JSONParser):
    """JSON of at most `max_bytes`, which by itself has no limit."""

    max_bytes = MIB

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> Any:
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise TooLarge(f"A request is at most {self.max_bytes // MIB} MiB.")
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


class ScopedQueryset(View):
    """Narrows a view's `queryset` by its own `visible_to(user)`."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)  # type: ignore[no-any-return]


class VisibleKey(serializers.PrimaryKeyRelatedField[Any]):
    """A foreign key that accepts only rows the user sees."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.context["request"].user)  # type: ignore[no-any-return]


class CheckedSerializer(serializers.ModelSerializer[ModelT]):
    """Turns a broken database constraint into a 400 with the constraint's sentence."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        candidate = copy(self.instance) or self.Meta.model()  # type: ignore[misc]
        for name, value in attrs.items():
            setattr(candidate, name, value)
        try:
            candidate.validate_constraints()
        except ModelValidationError as error:
            raise serializers.ValidationError(as_serializer_error(error)) from error
        return attrs


class StrictFilterBackend(filters.DjangoFilterBackend):  # type: ignore[misc]
    """django-filter, with a 400 that names the filter nobody knows."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        filterset = self.get_filterset_class(view, queryset)
        known = set(filterset.base_filters) if filterset else set()
        unknown = set(request.query_params) - known
        if view.paginator:
            unknown -= PAGING
        if unknown:
            names = ", ".join(sorted(known)) or "none"
            raise ValidationError(
                dict.fromkeys(unknown, f"Unknown filter. Known: {names}.")
            )
        check_booleans(filterset, request)
        return super().filter_queryset(request, queryset, view)  # type: ignore[no-any-return]


def check_booleans(filterset: Any, request: Request) -> None:
    """Refuse what is neither true nor false, which the library passes over."""
    for name, wanted in (filterset.base_filters if filterset else {}).items():
        given = request.query_params.get(name, "")
        is_boolean = isinstance(wanted, filters.BooleanFilter)
        if is_boolean and given.lower() not in {"", "true", "false", "1", "0"}:
            raise ValidationError({name: ["Say true or false."]})


class CameraCodeFilter(filters.ModelChoiceFilter):  # type: ignore[misc]
    """Keeps the rows of one camera, by code; one that the user does not see is 400."""

    def __init__(self) -> None:
        super().__init__(
            field_name="camera",
            to_field_name="code",
            queryset=lambda request: Camera.objects.visible_to(request.user),
            label="Camera code",
            error_messages={"invalid_choice": "There is no camera of this code."},
        )


class EventFilter(filters.FilterSet):  # type: ignore[misc]
    """Keeps the events of `from` <= occurred_at < `to`; base of every event list."""

    from_ = filters.IsoDateTimeFilter("occurred_at", "gte", label="From, inclusive")
    to = filters.IsoDateTimeFilter("occurred_at", "lt", label="To, exclusive")

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Give `from_` its name in addresses, which no class attribute can bear."""
        found = super().get_filters()
        return {name.rstrip("_"): wanted for name, wanted in found.items()}


class ById(CursorPagination):
    """Pages of tables that people edit; stable while rows arrive."""

    ordering: tuple[str, ...] = ("id",)
    page_size_query_param = "page_size"
    max_page_size = 1000

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        """Refuse a cursor of which the column can make nothing."""
        cursor = self.decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            column = queryset.model._meta.get_field(self.ordering[0].lstrip("-"))
            try:
                column.to_python(cursor.position)
            except ModelValidationError:
                raise NotFound("This cursor is none that a page gave.") from None
        return super().paginate_queryset(queryset, request, view)


class NewestFirst(ById):
    """Pages of event tables."""

    ordering = ("-occurred_at", "-id")
