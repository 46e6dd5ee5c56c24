"""What recognising costs, and what its pictures take up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import redis
from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from identity import snapshots, usage
from identity.models import AccessLog, FaceSample
from identity.rekognition.shared_breaker import SharedBreaker
from streaming import workers
from streaming.rest import ScopedQueryset

from .base import Needs, Unanswered
from .shapes import (
    CacheStatsSerializer,
    CleanupSerializer,
    FreedSerializer,
    SnapshotStatsSerializer,
)

if TYPE_CHECKING:
    from datetime import date

    from rest_framework.request import Request

SHOWN_DAYS: Final = 8
NO_FIGURES: Final = "Redis does not answer, so there are no figures. Try again soon."


class CacheStats(GenericAPIView[AccessLog]):
    queryset = AccessLog.objects.none()
    serializer_class = CacheStatsSerializer
    pagination_class = None

    def get(self, request: Request) -> Response:
        """How often the cache spared a call, and what the calls cost; days are UTC."""
        self.filter_queryset(self.get_queryset())  # refuses what it does not know
        photos = FaceSample.objects.visible_to(request.user).order_by("face_model")
        by_model = photos.values_list("face_model").annotate(Count("pk"))
        told = {
            "engine": settings.FACE_ENGINE,
            "breaker": breaker_state(),
            "face_models": dict(by_model),
            "cache_ttl_s": settings.CACHE_TTL_SECONDS,
            "unknown_cooldown_s": settings.UNKNOWN_COOLDOWN,
            "days": usage_by_day(until=timezone.now().date()),
        }
        return Response(self.get_serializer(told).data)


def breaker_state() -> str | None:
    """Say whether the remote engine is asked; None where it is not used."""
    if settings.FACE_ENGINE != "rekognition":
        return None
    try:
        return SharedBreaker(workers.connect()).look().state
    except redis.RedisError as error:
        raise Unanswered(NO_FIGURES) from error


def usage_by_day(*, until: date) -> list[dict[str, Any]]:
    """Return what was counted on a day and the seven before, the newest first."""
    days = [until - timedelta(days=back) for back in range(SHOWN_DAYS)]
    counted = [(day, usage.day(day)) for day in days]
    told = [
        {"date": day, "hit_rate": used.hit_rate, **asdict(used)}
        for day, used in counted
        if used
    ]
    if not told:
        raise Unanswered(NO_FIGURES)
    return told


class SnapshotStats(ScopedQueryset, GenericAPIView[AccessLog]):
    queryset = AccessLog.objects.all()
    serializer_class = SnapshotStatsSerializer
    pagination_class = None

    def get(self, request: Request) -> Response:
        """How many pictures of visits there are, and what they take up."""
        logs: Any = self.filter_queryset(self.get_queryset())
        return Response(self.get_serializer(snapshots.stats(logs=logs)).data)


class MayDelete(Needs):
    permission = "identity.delete_accesslog"


class CleanupSnapshots(ScopedQueryset, GenericAPIView[AccessLog]):
    queryset = AccessLog.objects.all()
    serializer_class = CleanupSerializer
    permission_classes = (MayDelete,)

    @extend_schema(responses=FreedSerializer)
    def post(self, request: Request) -> Response:
        """Remove the pictures of old visits; the visits stay.

        With `dry_run` they are only counted.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        logs: Any = self.get_queryset()
        freed = snapshots.clean_up(
            logs=logs,
            older_than=timedelta(days=given.validated_data["older_than_days"]),
            now=timezone.now(),
            dry_run=given.validated_data["dry_run"],
        )
        return Response(FreedSerializer(freed).data)
