"""Setting counts right, and having them summed up anew."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from identity.api.base import Needs, NotDone, login
from occupancy import aggregation, corrections
from occupancy.corrections import COUNT_MAX, REASON_MAX, NotCorrected
from occupancy.models import Area, AreaCorrection, HourlyOccupancy, OccupancyLog
from streaming.models import Camera, Site
from streaming.rest import VisibleKey

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.request import Request

AT_ONCE: Final = timedelta(days=31)
"""So far back sums are made anew while the asker waits."""


class MayCorrect(Needs):
    permission = "occupancy.add_areacorrection"


class MaySumUp(Needs):
    permission = "occupancy.change_hourlyoccupancy"


class CalibrateSerializer(serializers.Serializer[Any]):
    camera = VisibleKey(queryset=Camera.objects.all(), required=False)
    area = VisibleKey(queryset=Area.objects.all(), required=False)
    count = serializers.IntegerField(
        min_value=0, max_value=COUNT_MAX, help_text="How many are inside now."
    )
    reason = serializers.CharField(max_length=REASON_MAX)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("camera" in attrs) == ("area" in attrs):
            raise serializers.ValidationError("Name a camera or an area, one of them.")
        return attrs


class CorrectedSerializer(serializers.Serializer[Any]):
    event_id = serializers.UUIDField()
    camera = serializers.IntegerField(source="camera_id", default=None, allow_null=True)
    area = serializers.IntegerField(source="area_id", default=None, allow_null=True)
    current_count = serializers.IntegerField()
    reason = serializers.CharField()
    occurred_at = serializers.DateTimeField()


class Calibrate(GenericAPIView[AreaCorrection]):
    queryset = AreaCorrection.objects.none()
    serializer_class = CalibrateSerializer
    permission_classes = (MayCorrect,)

    @extend_schema(
        responses={
            201: CorrectedSerializer,
            409: OpenApiResponse(
                description="`not_corrected`: the count stays; `detail` says why."
            ),
        }
    )
    def post(self, request: Request) -> Response:
        """Say how many people are inside, and why; it is kept who said so."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            row = _correct(given.validated_data, request)
        except NotCorrected as error:
            raise NotDone(str(error), code="not_corrected") from error
        answer = CorrectedSerializer(row).data
        return Response(answer, status=status.HTTP_201_CREATED)


def _correct(asked: dict[str, Any], request: Request) -> OccupancyLog | AreaCorrection:
    by, at = login(request), timezone.now()
    count, reason = asked["count"], asked["reason"]
    if "area" in asked:
        return corrections.calibrate_area(
            area=asked["area"], count=count, reason=reason, by=by, at=at
        )
    return corrections.calibrate_camera(
        camera=asked["camera"], count=count, reason=reason, by=by, at=at
    )


class TriggerSerializer(serializers.Serializer[Any]):
    site = VisibleKey(queryset=Site.objects.all())
    since = serializers.DateTimeField(
        help_text="From the hour of this instant on; at most 31 days back."
    )

    def validate_since(self, since: datetime) -> datetime:
        if timezone.now() - since > AT_ONCE:
            raise serializers.ValidationError("It lies more than 31 days back.")
        return since


class DoneSerializer(serializers.Serializer[Any]):
    """How many buckets were written, those that stayed as they were included."""

    hours = serializers.IntegerField()
    days = serializers.IntegerField()
    months = serializers.IntegerField()


class TriggerAggregation(GenericAPIView[HourlyOccupancy]):
    queryset = HourlyOccupancy.objects.none()
    serializer_class = TriggerSerializer
    permission_classes = (MaySumUp,)

    @extend_schema(responses=DoneSerializer)
    def post(self, request: Request) -> Response:
        """Sum up a site's log anew, all that is over from an instant on.

        As the scheduled job does: done again, it changes nothing.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        try:
            done = aggregation.recompute(
                site=asked["site"], since=asked["since"], now=timezone.now()
            )
        except aggregation.NotRecomputed as error:
            raise serializers.ValidationError({"since": [str(error)]}) from error
        return Response(DoneSerializer(done).data)
