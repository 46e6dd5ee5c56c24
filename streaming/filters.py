"""Filters of the API; a filter that is not known is refused, never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

PAGING = {"cursor", "page_size"}


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """django-filter, with a 400 that names the filter nobody knows."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: Any
    ) -> QuerySet[Any]:
        filterset = self.get_filterset_class(view, queryset)
        known = set(filterset.base_filters) if filterset else set()
        unknown = set(request.query_params) - known - PAGING
        if unknown:
            raise ValidationError(
                {name: f"Unknown filter. Known: {names(known)}." for name in unknown}
            )
        return super().filter_queryset(request, queryset, view)  # type: ignore[no-any-return]


def names(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "none"
