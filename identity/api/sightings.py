"""Who was seen, and how many."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin, UpdateModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from identity.models import AccessLog, Employee, UnknownPerson
from identity.serializers import AccessLogSerializer
from identity.summary import Counts, summarise
from streaming.models import Site
from streaming.rest import CameraCodeFilter, EventFilter, NewestFirst, ScopedQueryset

from .base import SiteFilter, VisibleKeyFilter
from .shapes import AccessSummarySerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

SUMMARY_DAYS: Final = 30
"""How far a summary looks back when nobody says."""


class EmployeeCodeFilter(filters.ModelChoiceFilter):  # type: ignore[misc]
    """Keeps the rows of one employee, by code; 400 for one the user does not see."""

    def __init__(self, field_name: str = "employee") -> None:
        super().__init__(
            field_name=field_name,
            to_field_name="code",
            queryset=lambda request: Employee.objects.visible_to(request.user),
            label="Employee code",
            error_messages={"invalid_choice": "There is no employee of this code."},
        )


class AccessLogFilter(EventFilter):
    camera = CameraCodeFilter()
    site = SiteFilter("camera__site")
    employee = EmployeeCodeFilter()
    unknown_person = VisibleKeyFilter(
        UnknownPerson.objects.defer("embedding"), "unknown_person"
    )

    class Meta:
        model = AccessLog
        fields = ["camera", "employee", "decision", "flagged", "unknown_person"]


class AccessLogViewSet(
    ScopedQueryset,
    ListModelMixin,
    RetrieveModelMixin,
    UpdateModelMixin,
    GenericViewSet[AccessLog],
):
    """Visits of people to cameras, newest first; `flagged` and `notes` can be set."""

    http_method_names = ["get", "patch", "head", "options"]
    queryset = AccessLog.objects.with_names()
    serializer_class = AccessLogSerializer
    pagination_class = NewestFirst
    filterset_class = AccessLogFilter


class SummaryFilter(EventFilter):
    camera = CameraCodeFilter()
    site = SiteFilter("camera__site")

    class Meta:
        model = AccessLog
        fields = ["camera"]


class AccessSummary(ScopedQueryset, GenericAPIView[AccessLog]):
    queryset = AccessLog.objects.all()
    serializer_class = AccessSummarySerializer
    pagination_class = None
    filterset_class = SummaryFilter

    @extend_schema(operation_id="access_logs_summary")
    def get(self, request: Request, *_: Any, **__: Any) -> Response:
        """How many were seen, and how many of them were let pass.

        Of the last 30 days where there is no `from`. Days are the site's own.
        """
        logs: Any = self.filter_queryset(self.get_queryset())
        if not request.query_params.get("from"):
            start = timezone.now() - timedelta(days=SUMMARY_DAYS)
            logs = logs.filter(occurred_at__gte=start)
        zones = Site.objects.visible_to(request.user).values_list("time_zone")
        summary = summarise(logs, zones={zone for (zone,) in zones})
        days = [{"date": day, **told(counts)} for day, counts in summary.days.items()]
        return Response(self.get_serializer({**told(summary.whole), "days": days}).data)


def told(counts: Counts) -> dict[str, Any]:
    return {**asdict(counts), "authorized_rate": counts.authorized_rate}
