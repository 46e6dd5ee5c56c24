"""Days, and their sums."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.viewsets import ReadOnlyModelViewSet

from attendance import corrections, totals
from attendance.explanations import explain_day
from attendance.models import AttendanceRecord, Shift
from attendance.serializers import (
    AttendanceCorrectionSerializer,
    AttendanceRecordSerializer,
)
from identity.api.base import VisibleKeyFilter, login
from identity.models import Employee
from streaming.models import Site
from streaming.rest import PAGING, ScopedQueryset

from .base import (
    DATE_FORMAT,
    REFUSED,
    DateFilter,
    MayCorrect,
    OfPeopleFilter,
    correcting,
)
from .paging import NewestDateFirst
from .shapes import ExplanationSerializer, ReasonSerializer, SummarySerializer

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

SUMMARY_DAYS: Final = 30
"""How many days a summary has when nobody says."""


class RecordFilter(OfPeopleFilter):
    from_ = DateFilter("attendance_date", "gte", label="From, a date, inclusive")
    to = DateFilter("attendance_date", "lte", label="To, a date, inclusive")
    changed_from = filters.IsoDateTimeFilter(
        "changed_at", "gte", label="Made or changed since, inclusive"
    )
    shift = VisibleKeyFilter(Shift.objects.all(), "shift")
    flagged = filters.BooleanFilter(method="with_reviews", label="To be reviewed")
    corrected = filters.BooleanFilter(
        "corrected_at", "isnull", exclude=True, label="Corrected by a person"
    )

    class Meta:
        model = AttendanceRecord
        fields = ["employee", "shift", "status", "plan", "unscheduled", "is_settled"]

    def with_reviews(
        self,
        rows: QuerySet[AttendanceRecord],
        _: str,
        wanted: bool,  # noqa: FBT001 - django-filter's way
    ) -> QuerySet[AttendanceRecord]:
        return rows.exclude(reviews=[]) if wanted else rows.filter(reviews=[])


class RecordViewSet(ScopedQueryset, ReadOnlyModelViewSet[AttendanceRecord]):
    """Days of employees, the newest date first.

    A day has a row once there is something to say of it. It may change afterwards:
    `changed_from` tells which did.
    """

    queryset = AttendanceRecord.objects.with_proof()
    serializer_class = AttendanceRecordSerializer
    pagination_class = NewestDateFirst
    filterset_class = RecordFilter

    @extend_schema(
        request=ReasonSerializer,
        responses={200: AttendanceCorrectionSerializer, 409: REFUSED},
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="give-back",
        permission_classes=[MayCorrect],
    )
    def give_back(self, request: Request, **_: Any) -> Response:
        """Let the rules decide again what a corrected day was."""
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with correcting():
            made = corrections.give_back(
                record=self.get_object(),
                reason=given.validated_data["reason"],
                by=login(request),
                at=timezone.now(),
            )
        return Response(AttendanceCorrectionSerializer(made).data)

    @extend_schema(responses=ExplanationSerializer, filters=False)
    @action(detail=True, filter_backends=[], pagination_class=None)
    def explanation(self, request: Request, **_: Any) -> Response:
        """How the rules come to what they say of the day, in sentences."""
        record = self.get_object()
        found = explain_day(
            employee=record.employee, on=record.attendance_date, now=timezone.now()
        )
        return Response(ExplanationSerializer({"explanation": found.lines}).data)


class SummaryFilter(OfPeopleFilter):
    from_ = DateFilter("attendance_date", "gte", label="From, a date, inclusive")
    to = DateFilter("attendance_date", "lte", label="To, a date, inclusive")

    class Meta:
        model = AttendanceRecord
        fields = ["employee"]


class Summary(ScopedQueryset, GenericAPIView[AttendanceRecord]):
    queryset = AttendanceRecord.objects.all()
    serializer_class = SummarySerializer
    filterset_class = SummaryFilter

    @extend_schema(
        operation_id="attendance_summary",
        filters=True,
        parameters=[OpenApiParameter(name, str) for name in sorted(PAGING)],
    )
    def get(self, request: Request) -> Response:
        """How many days people were on time, late or absent; in all, and by employee.

        Of the last 30 days where there is no `from`. `results` are pages of those who
        have a day in the period.
        """
        rows: Any = self.filter_queryset(self.get_queryset())
        first, last = period(request)
        told = totals.summarise_records(rows, first=first, last=last)
        keys = rows.between(first, last).order_by().values("employee")
        people = Employee.objects.filter(pk__in=keys)
        page: Any = self.paginate_queryset(people)
        sums = totals.by_employee(rows.of(page), first=first, last=last)
        by_employee = [{"employee": one, **asdict(sums[one.pk])} for one in page]
        whole = {"from_date": first, "to_date": last, **asdict(told)}
        links: Any = self.get_paginated_response([]).data
        answer = {**whole, **links, "results": by_employee}
        return Response(self.get_serializer(answer).data)


def period(request: Request) -> tuple[date, date]:
    """Return the dates that are asked for, both included; checked by the filter."""
    first, last = named(request, "from"), named(request, "to")
    last = last or max(today(request), first or date.min)
    first = first or date.fromordinal(max(last.toordinal() - SUMMARY_DAYS + 1, 1))
    if first > last:
        raise ValidationError({"from": ["It lies after `to`."]})
    return first, last


def today(request: Request) -> date:
    """Return the latest date at the user's sites."""
    now = timezone.now()
    sites = Site.objects.visible_to(request.user)
    return max((site.local(now).date() for site in sites), default=now.date())


def named(request: Request, name: str) -> date | None:
    given = request.query_params.get(name, "").strip()
    return datetime.strptime(given, DATE_FORMAT).date() if given else None  # noqa: DTZ007
