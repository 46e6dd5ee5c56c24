"""Vehicles that came to the gates, and how many."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin, UpdateModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from identity.api.base import Needs, NotDone, SiteFilter, VisibleKeyFilter, login
from streaming.rest import CameraCodeFilter, EventFilter, NewestFirst, ScopedQueryset
from vehicles import services
from vehicles.models import Vehicle, VehicleLog
from vehicles.serializers import VehicleLogSerializer
from vehicles.statistics import Counts, gate_statistics

from .base import GateFilter, MayOpen, PlateFilter
from .shapes import GateStatisticsSerializer, NamePlateSerializer, WhySerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

STATISTICS_DAYS: Final = 30
"""How far statistics look back when nobody says."""
NOT_NAMED: Final = OpenApiResponse(
    description="`not_named`: the visit stays as it is; `detail` says why."
)


NOT_DENIED: Final = OpenApiResponse(
    description="`not_denied`: the visit stays as it is; `detail` says why."
)


class VehicleLogFilter(EventFilter):
    camera = CameraCodeFilter()
    site = SiteFilter("camera__site")
    gate = GateFilter()
    vehicle = VisibleKeyFilter(Vehicle.objects.all(), "vehicle")
    plate = PlateFilter()
    possible_match = filters.BooleanFilter(
        "possible_match", "isnull", exclude=True, label="May be a blocked one, misread"
    )

    class Meta:
        model = VehicleLog
        fields = ["camera", "gate", "vehicle", "status", "reason", "opens"]


class MayName(Needs):
    permission = "vehicles.change_vehiclelog"


class VehicleLogViewSet(
    ScopedQueryset,
    ListModelMixin,
    RetrieveModelMixin,
    UpdateModelMixin,
    GenericViewSet[VehicleLog],
):
    """Visits of vehicles to gates, newest first; `notes` can be set."""

    http_method_names = ["get", "post", "patch", "head", "options"]
    queryset = VehicleLog.objects.with_names().with_calls()
    serializer_class = VehicleLogSerializer
    pagination_class = NewestFirst
    filterset_class = VehicleLogFilter

    @extend_schema(
        request=NamePlateSerializer,
        responses={200: VehicleLogSerializer, 409: NOT_NAMED},
    )
    @action(
        detail=True, methods=["post"], url_path="name", permission_classes=[MayName]
    )
    def name_visit(self, request: Request, **_: Any) -> Response:
        """Say which plate it was where the gate could not tell.

        It is decided by the register then, and nothing is opened.
        """
        log = self.get_object()
        given = NamePlateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            named = services.name_visit(
                log=log,
                plate=given.validated_data["plate"],
                by=login(request),
                at=timezone.now(),
            )
        except services.NotNamed as error:
            raise NotDone(str(error), code="not_named") from error
        return Response(self.get_serializer(named).data)

    @extend_schema(
        request=WhySerializer,
        responses={200: VehicleLogSerializer, 409: NOT_DENIED},
    )
    @action(detail=True, methods=["post"], permission_classes=[MayOpen])
    def deny(self, request: Request, **_: Any) -> Response:
        """Say that it was refused, and why; the rules open nothing for it any more.

        Its status and the statistics stay: they are what the camera could tell.
        """
        log = self.get_object()
        given = WhySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            denied = services.deny_visit(
                log=log,
                by=login(request),
                reason=given.validated_data["reason"],
                at=timezone.now(),
            )
        except services.NotDenied as error:
            raise NotDone(str(error), code="not_denied") from error
        return Response(self.get_serializer(denied).data)


class StatisticsFilter(EventFilter):
    camera = CameraCodeFilter()
    site = SiteFilter("camera__site")
    gate = GateFilter()

    class Meta:
        model = VehicleLog
        fields = ["camera", "gate"]


class GateStatistics(ScopedQueryset, GenericAPIView[VehicleLog]):
    queryset = VehicleLog.objects.all()
    serializer_class = GateStatisticsSerializer
    pagination_class = None
    filterset_class = StatisticsFilter

    @extend_schema(operation_id="vehicle_gate_statistics")
    def get(self, request: Request, *_: Any, **__: Any) -> Response:
        """How many vehicles came, and how many plates were sure, or why not.

        Of the last 30 days where there is no `from`. Days are the site's own.
        """
        logs: Any = self.filter_queryset(self.get_queryset())
        if not request.query_params.get("from"):
            start = timezone.now() - timedelta(days=STATISTICS_DAYS)
            logs = logs.filter(occurred_at__gte=start)
        found = gate_statistics(logs)
        days = [
            {
                "camera": each.camera_id,
                "camera_code": each.camera_code,
                "date": each.date,
                **told(each.counts),
            }
            for each in found.days
        ]
        return Response(self.get_serializer({**told(found.whole), "days": days}).data)


def told(counts: Counts) -> dict[str, Any]:
    return {**asdict(counts), "accepted_rate": counts.accepted_rate}
