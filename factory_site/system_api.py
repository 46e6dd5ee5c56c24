"""`/api/system-info`: what the System page shows, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from occupancy.models import HourlyOccupancy
from streaming.models import Camera, VisionWorker
from streaming.serializers import CameraStatusSerializer

from . import jobs
from .system import look

if TYPE_CHECKING:
    from rest_framework.request import Request


class PartSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    health = serializers.ChoiceField(choices=["ok", "bad", "unknown"])
    words = serializers.CharField(help_text="In what state it is.")
    since = serializers.DateTimeField(
        allow_null=True,
        help_text="When it was last heard of, where it is not any more.",
    )
    detail = serializers.CharField(allow_blank=True)


class WorkerSerializer(serializers.Serializer[Any]):
    """A vision worker; its figures are null while it does not report."""

    name = serializers.CharField()
    is_lost = serializers.BooleanField()
    detector = serializers.CharField(source="status.detector", default=None)
    fallback = serializers.BooleanField(source="status.fallback", default=None)
    weights = serializers.CharField(source="status.weights", default=None)
    weights_sha256 = serializers.CharField(source="status.weights_sha256", default=None)
    face_model = serializers.CharField(source="status.face_model", default=None)
    face_fallback = serializers.BooleanField(
        source="status.face_fallback", default=None
    )
    plate_reader = serializers.CharField(source="status.plate_reader", default=None)
    plate_fallback = serializers.BooleanField(
        source="status.plate_fallback", default=None
    )
    busy = serializers.FloatField(source="status.busy", default=None)
    memory_bytes = serializers.IntegerField(source="status.memory_bytes", default=None)
    queued = serializers.IntegerField(source="status.queued", default=None)
    faces_queued = serializers.IntegerField(source="status.faces_queued", default=None)
    plates_queued = serializers.IntegerField(
        source="status.plates_queued", default=None
    )
    failed = serializers.IntegerField(source="status.failed", default=None)
    stale = serializers.IntegerField(source="status.stale", default=None)


class JobSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    enabled = serializers.BooleanField()
    schedule = serializers.CharField()
    state = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    took_s = serializers.FloatField(allow_null=True)
    said = serializers.CharField(allow_blank=True)
    next_at = serializers.DateTimeField(allow_null=True)
    succeeded_at = serializers.DateTimeField(allow_null=True)


class DiskSerializer(serializers.Serializer[Any]):
    size_bytes = serializers.IntegerField()
    free_bytes = serializers.IntegerField()
    used_percent = serializers.IntegerField()


class SystemSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    now = serializers.DateTimeField()
    parts = PartSerializer(many=True)
    workers = WorkerSerializer(many=True)
    cameras = CameraStatusSerializer(many=True)
    jobs = JobSerializer(many=True)
    queue_length = serializers.IntegerField(
        allow_null=True, help_text="Tasks that wait; null without Redis."
    )
    disk = DiskSerializer()


class SchedulerStatus(APIView):
    """The jobs that sum up and correct counts: last run, what it did, next run."""

    queryset = HourlyOccupancy.objects.all()
    """Gives the view its permission, that to see what the jobs make."""

    @extend_schema(responses=JobSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = jobs.listed(now=timezone.now(), of_app="occupancy")
        return Response(JobSerializer(rows, many=True).data)


class SystemInfo(APIView):
    """Every part of the system, and how the cameras of the login's sites do."""

    queryset = VisionWorker.objects.all()
    """Gives the view its permission, that to see vision workers."""

    @extend_schema(responses=SystemSerializer)
    def get(self, request: Request) -> Response:
        cameras = Camera.objects.visible_to(request.user)
        system = look(cameras=cameras, now=timezone.now())
        return Response(SystemSerializer(system).data)
