"""What people say of a day: corrections, and what workers ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from attendance import corrections
from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
)
from attendance.serializers import (
    AttendanceCorrectionSerializer,
    CorrectionRequestSerializer,
)
from identity.api.base import SiteFilter, VisibleKeyFilter, login
from identity.api.sightings import EmployeeCodeFilter
from identity.models import Department
from streaming.rest import EventFilter, ModelPermissions, NewestFirst, ScopedQueryset

from .base import NO_EMPLOYEE, REFUSED, DateFilter, MayCorrect, correcting
from .shapes import (
    AnswerSerializer,
    CorrectSerializer,
    WishSerializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

CLAIMED: Final = {name: name for name in ("text", "check_in_at", "check_out_at")}
CORRECTED: Final = {**CLAIMED, "on": "date", "status": "status", "reason": "reason"}
LATE_BUS: Final = OpenApiExample(
    "They came in time",
    {
        "employee": "E-104",
        "date": "2026-03-02",
        "check_in_at": "2026-03-02T08:01:00+05:30",
        "check_out_at": "2026-03-02T17:02:00+05:30",
        "reason": "The gate camera was covered; seen by the guard.",
    },
    request_only=True,
)


class ReadOrCorrect(ModelPermissions):
    """Whoever writes one corrects a day."""

    perms_map = {**ModelPermissions.perms_map, "POST": [MayCorrect.permission]}


class NewestMadeFirst(NewestFirst):
    ordering = ("-made_at", "-id")


class OfRecordFilter(EventFilter):
    """Keeps what is about the dates [from, to], both included."""

    from_ = DateFilter("record__attendance_date", "gte", label="From, inclusive")
    to = DateFilter("record__attendance_date", "lte", label="To, inclusive")
    employee = EmployeeCodeFilter("record__employee")
    department = VisibleKeyFilter(
        Department.objects.all(), "record__employee__department"
    )
    site = SiteFilter("record__employee__site")


class CorrectionFilter(OfRecordFilter):
    record = VisibleKeyFilter(AttendanceRecord.objects.all(), "record")

    class Meta:
        model = AttendanceCorrection
        fields = ["record"]


class CorrectionViewSet(
    ScopedQueryset,
    ListModelMixin,
    RetrieveModelMixin,
    GenericViewSet[AttendanceCorrection],
):
    """Who changed what of a day, and why, newest first; never changed or deleted."""

    queryset = AttendanceCorrection.objects.select_related(
        "record__employee", "made_by"
    )
    serializer_class = AttendanceCorrectionSerializer
    permission_classes = (ReadOrCorrect,)
    pagination_class = NewestMadeFirst
    filterset_class = CorrectionFilter

    @extend_schema(
        request=CorrectSerializer,
        responses={
            201: AttendanceCorrectionSerializer,
            404: NO_EMPLOYEE,
            409: REFUSED,
        },
        examples=[LATE_BUS],
    )
    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Say what is right of a day, and why; the rules change it no more."""
        context = self.get_serializer_context()
        given = CorrectSerializer(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        with correcting(**CORRECTED):
            made = corrections.correct_day(
                **given.validated_data, by=login(request), at=timezone.now()
            )
        return Response(self.get_serializer(made).data, status=201)


class RequestFilter(OfRecordFilter):
    class Meta:
        model = CorrectionRequest
        fields = ["state"]


class CorrectionRequestViewSet(
    ScopedQueryset,
    ListModelMixin,
    RetrieveModelMixin,
    GenericViewSet[CorrectionRequest],
):
    """What workers say of their days, newest first, and what was answered."""

    queryset = CorrectionRequest.objects.select_related(
        "record__employee", "made_by", "answered_by"
    )
    serializer_class = CorrectionRequestSerializer
    pagination_class = NewestMadeFirst
    filterset_class = RequestFilter

    @extend_schema(
        request=WishSerializer,
        responses={201: CorrectionRequestSerializer, 404: NO_EMPLOYEE, 409: REFUSED},
    )
    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Enter what a worker says of a day; it waits until HR answers."""
        context = self.get_serializer_context()
        given = WishSerializer(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        with correcting(**CLAIMED):
            made = corrections.request_correction(
                **given.validated_data, by=login(request), at=timezone.now()
            )
        return Response(self.get_serializer(made).data, status=201)

    @extend_schema(
        request=AnswerSerializer,
        responses={200: CorrectionRequestSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"], permission_classes=[MayCorrect])
    def accept(self, request: Request, **_: Any) -> Response:
        """Correct the day as its worker says."""
        return self.answer(request, corrections.accept_request)

    @extend_schema(
        request=AnswerSerializer,
        responses={200: CorrectionRequestSerializer, 409: REFUSED},
    )
    @action(detail=True, methods=["post"], permission_classes=[MayCorrect])
    def decline(self, request: Request, **_: Any) -> Response:
        """Leave the day as it is, and say why."""
        return self.answer(request, corrections.decline_request)

    def answer(self, request: Request, say: Callable[..., object]) -> Response:
        given = AnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wish = self.get_object()
        with correcting(answer="answer"):
            say(
                request=wish,
                answer=given.validated_data["answer"],
                by=login(request),
                at=timezone.now(),
            )
        told = get_object_or_404(self.get_queryset(), pk=wish.pk)
        return Response(self.get_serializer(told).data)
