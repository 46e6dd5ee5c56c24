"""The gates, and opening them by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Prefetch
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from identity.api.base import NotDone, SiteFilter, login
from streaming.rest import ScopedQueryset
from vehicles import barrier
from vehicles.models import BarrierCall, Gate, GateCamera
from vehicles.serializers import BarrierCallSerializer, GateSerializer

from .base import MayOpen
from .shapes import OpenGateSerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

CAMERAS: Final = Prefetch(
    "gate_cameras",
    GateCamera.objects.select_related("camera")
    .only("gate", "camera__code")
    .order_by("camera__code"),
)
ANSWERS: Final = {
    201: BarrierCallSerializer,
    409: OpenApiResponse(
        description="`not_opened`: no barrier was told; see `detail`."
    ),
    502: OpenApiResponse(
        description="`barrier_failed`: the barrier did not say that it opened."
    ),
}


class GateFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()

    class Meta:
        model = Gate
        fields = ["site", "name", "enabled"]


class BarrierFailed(APIException):
    """The barrier was told, and did not say that it opened."""

    status_code = status.HTTP_502_BAD_GATEWAY
    default_code = "barrier_failed"


class GateViewSet(ScopedQueryset, ReadOnlyModelViewSet[Gate]):
    """Where vehicles drive in or out."""

    queryset = Gate.objects.defer("address").prefetch_related(CAMERAS)
    serializer_class = GateSerializer
    filterset_class = GateFilter

    @extend_schema(request=OpenGateSerializer, responses=ANSWERS)
    @action(
        detail=True, methods=["post"], url_path="open", permission_classes=[MayOpen]
    )
    def open_by_hand(self, request: Request, **_: Any) -> Response:
        """Tell the barrier to open, once, whoever stands there.

        It takes up to 5 seconds. That it was asked, by whom and why is kept, whether
        it opened or not.
        """
        gate = self.get_object()
        given = OpenGateSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        try:
            call = barrier.open_by_hand(
                gate=gate,
                by=login(request),
                reason=given.validated_data["reason"],
                log=given.validated_data["log"],
                at=timezone.now(),
            )
        except barrier.NotOpened as error:
            raise NotDone(str(error), code="not_opened") from error
        if call.result != BarrierCall.Result.OPENED:
            raise BarrierFailed(call.answer)
        return Response(
            BarrierCallSerializer(call).data, status=status.HTTP_201_CREATED
        )
