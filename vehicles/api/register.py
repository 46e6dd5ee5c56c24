"""The vehicles that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from identity.api.base import Needs, NotDone, SiteFilter, login
from identity.api.sightings import EmployeeCodeFilter
from streaming.rest import ScopedQueryset
from vehicles import services
from vehicles.formats import normalise
from vehicles.models import Vehicle
from vehicles.serializers import VehicleSerializer

from .base import PlateFilter
from .shapes import BlockPlateSerializer, WhySerializer

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

STAYS: Final = OpenApiResponse(description="It is blocked. Unblock it first.")
NOT_BLOCKED: Final = OpenApiResponse(description="It is not blocked.")
NOT_CHANGED: Final = OpenApiResponse(
    description="`not_changed`: the register stays as it is; `detail` says why."
)


class VehicleFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()
    plate = PlateFilter()
    employee = EmployeeCodeFilter()
    valid = filters.BooleanFilter(method="by_dates", label="Its dates allow it now")
    q = filters.CharFilter(method="search", label="Part of plate or owner")

    class Meta:
        model = Vehicle
        fields = ["site", "plate", "status", "vehicle_type", "employee"]

    def by_dates(
        self,
        rows: QuerySet[Vehicle],
        _: str,
        wanted: bool,  # noqa: FBT001 - django-filter's way
    ) -> QuerySet[Vehicle]:
        valid = Vehicle.objects.valid_at(timezone.now()).values("pk")
        return rows.filter(pk__in=valid) if wanted else rows.exclude(pk__in=valid)

    def search(self, rows: QuerySet[Vehicle], _: str, text: str) -> QuerySet[Vehicle]:
        found, plate = Q(owner__icontains=text), normalise(text)
        return rows.filter(found | Q(plate_number__contains=plate) if plate else found)


class MayBlock(Needs):
    permission = "vehicles.block_vehicle"


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class VehicleViewSet(ScopedQueryset, ModelViewSet[Vehicle]):
    """The register. Whether a vehicle may drive in follows from `status` and dates.

    A blocked one is blocked whatever its dates, until it is unblocked.
    """

    queryset = Vehicle.objects.select_related("employee", "registered_by")
    serializer_class = VehicleSerializer
    filterset_class = VehicleFilter

    def get_queryset(self) -> QuerySet[Any]:
        """Hold a row that is about to change: nobody blocks it meanwhile unseen."""
        rows = super().get_queryset()
        if self.detail and self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            return rows.select_for_update(no_key=True, of=("self",))
        return rows

    def perform_create(self, serializer: Any) -> None:
        serializer.save(registered_by=login(self.request))

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @transaction.atomic
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Vehicle) -> None:
        if instance.status == Vehicle.Status.BLOCKED:
            refusal = "It is blocked, and would be forgotten. Unblock it first."
            raise NotDone(refusal, code="blocked")
        instance.delete()

    @extend_schema(request=WhySerializer, responses=VehicleSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayBlock])
    @transaction.atomic
    def block(self, request: Request, **_: Any) -> Response:
        """Keep it out of every gate from now on, whatever its dates."""
        return self.told(
            services.block(
                vehicle=self.get_object(), reason=self.reason(), by=login(request)
            )
        )

    @extend_schema(
        request=WhySerializer, responses={200: VehicleSerializer, 409: NOT_BLOCKED}
    )
    @action(detail=True, methods=["post"], permission_classes=[MayBlock])
    @transaction.atomic
    def unblock(self, request: Request, **_: Any) -> Response:
        """Let it in again, as its dates allow."""
        vehicle, reason = self.get_object(), self.reason()
        try:
            freed = services.unblock(vehicle=vehicle, reason=reason, by=login(request))
        except services.NotChanged as error:
            raise NotDone(str(error), code="not_blocked") from error
        return self.told(freed)

    @extend_schema(
        operation_id="v1_vehicles_block_plate",
        request=BlockPlateSerializer,
        responses={200: VehicleSerializer, 409: NOT_CHANGED},
    )
    @action(
        detail=False,
        methods=["post"],
        url_path="block",
        url_name="block-plate",
        permission_classes=[MayBlock],
    )
    def block_plate(self, request: Request, **_: Any) -> Response:
        """Keep the vehicle of a plate out of every gate, registered or not.

        One that nobody registered is, with no time in which it may drive in: unblocked
        it is unknown again.
        """
        given = BlockPlateSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        try:
            blocked = services.block_plate(
                site=given.validated_data["site"],
                plate=given.validated_data["plate_number"],
                reason=given.validated_data["reason"],
                by=login(request),
                at=timezone.now(),
            )
        except services.NotChanged as error:
            raise NotDone(str(error), code="not_changed") from error
        return self.told(blocked)

    def reason(self) -> str:
        given = WhySerializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        reason: str = given.validated_data["reason"]
        return reason

    def told(self, vehicle: Vehicle) -> Response:
        return Response(self.get_serializer(vehicle).data)
