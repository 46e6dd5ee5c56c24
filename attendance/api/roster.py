"""Shifts, who works which, and the days on which nobody has to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.viewsets import ModelViewSet

from attendance import assigning, tasks
from attendance.models import Holiday, Leave, Shift, ShiftAssignment
from attendance.serializers import (
    HolidaySerializer,
    LeaveSerializer,
    ShiftAssignmentSerializer,
    ShiftSerializer,
)
from identity.api.base import NotDone, SiteFilter, VisibleKeyFilter, login
from streaming.rest import EventFilter, ScopedQueryset

from .base import DateFilter, OfPeopleFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.serializers import BaseSerializer

RowT = TypeVar("RowT", ShiftAssignment, Leave, Holiday)
CHANGED_MEANWHILE: Final = (
    "Somebody changed the same at this moment. Look at what is there, and try again."
)
STAYS: Final = OpenApiResponse(description="Somebody is or was on it, so it stays.")


class ShiftFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()

    class Meta:
        model = Shift
        fields = ["site", "shift_name", "is_active"]


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class ShiftViewSet(ScopedQueryset, ModelViewSet[Shift]):
    """Times of work by the site's clock; an end not after the start is next day.

    A change counts for days to come: those that are recorded keep their times.
    """

    queryset = Shift.objects.all()
    serializer_class = ShiftSerializer
    filterset_class = ShiftFilter

    def perform_destroy(self, instance: Shift) -> None:
        try:
            instance.delete()
        except ProtectedError as error:
            refusal = "Somebody is or was on it, so it stays. Set is_active to false."
            raise NotDone(refusal, code="protected") from error


class RosterViewSet(ScopedQueryset, ModelViewSet[RowT]):
    """Rows of the roster; the days that a change touches are worked out anew soon."""

    def perform_create(self, serializer: BaseSerializer[RowT]) -> None:
        made: Any = serializer
        made.instance = self.keep(made.Meta.model(**made.validated_data))

    def perform_update(self, serializer: BaseSerializer[RowT]) -> None:
        row = self.get_object()
        for name, value in serializer.validated_data.items():
            setattr(row, name, value)
        serializer.instance = self.keep(row)

    @transaction.atomic
    def perform_destroy(self, instance: RowT) -> None:
        self.worked_out(assigning.remove([instance]))

    def keep(self, row: RowT) -> RowT:
        try:
            with transaction.atomic():
                self.worked_out(assigning.keep(row, by=login(self.request)))
        except IntegrityError as error:
            raise NotDone(CHANGED_MEANWHILE) from error
        return row

    def worked_out(self, touched: Iterable[assigning.Touched]) -> None:
        tasks.all_changed(touched, now=timezone.now())


class OverDatesFilter(OfPeopleFilter):
    """Keeps rows that have a date of [from, to], both included."""

    from_ = DateFilter(method="since", label="From, a date, inclusive")
    to = DateFilter("starts_on", "lte", label="To, a date, inclusive")

    def since(self, rows: QuerySet[Any], _: str, first: Any) -> QuerySet[Any]:
        return rows.exclude(ends_on__lte=first)


class ShiftAssignmentFilter(OverDatesFilter):
    shift = VisibleKeyFilter(Shift.objects.all(), "shift")

    class Meta:
        model = ShiftAssignment
        fields = ["employee", "shift"]


class ShiftAssignmentViewSet(RosterViewSet[ShiftAssignment]):
    """Who works which shift, from a date until before another.

    Two of one employee never share a date: end the earlier one first.
    """

    queryset = ShiftAssignment.objects.select_related("employee", "shift", "created_by")
    serializer_class = ShiftAssignmentSerializer
    filterset_class = ShiftAssignmentFilter


class LeaveFilter(OverDatesFilter):
    class Meta:
        model = Leave
        fields = ["employee", "kind"]


class LeaveViewSet(RosterViewSet[Leave]):
    """Approved leaves; `ends_on` is the first day back at work."""

    queryset = Leave.objects.select_related("employee", "created_by")
    serializer_class = LeaveSerializer
    filterset_class = LeaveFilter


class HolidayFilter(EventFilter):
    from_ = DateFilter("holiday_date", "gte", label="From, a date, inclusive")
    to = DateFilter("holiday_date", "lte", label="To, a date, inclusive")
    site = SiteFilter()

    class Meta:
        model = Holiday
        fields = ["site"]


class HolidayViewSet(RosterViewSet[Holiday]):
    """Dates on which a site does not work."""

    queryset = Holiday.objects.all()
    serializer_class = HolidaySerializer
    filterset_class = HolidayFilter
