"""Alerts for integrators and for the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from streaming.rest import CameraCodeFilter, EventFilter, NewestFirst, ScopedQueryset

from . import services, tasks
from .models import Alert
from .serializers import AlertSerializer, NoteSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView

ANSWERS = {200: AlertSerializer, 409: OpenApiResponse(description="Handled already.")}


class Handled(APIException):
    """Somebody else was faster."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "already_handled"


class MayHandle(BasePermission):
    """Asks for alerts.handle_alert."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm("alerts.handle_alert")


class AlertFilter(EventFilter):
    from_ = filters.IsoDateTimeFilter("opened_at", "gte", label="From, inclusive")
    to = filters.IsoDateTimeFilter("opened_at", "lt", label="To, exclusive")
    camera = CameraCodeFilter()

    class Meta:
        model = Alert
        fields = ["site", "camera", "kind", "severity", "state"]


class NewestOpenedFirst(NewestFirst):
    ordering = ("-opened_at", "-id")


class AlertViewSet(ScopedQueryset, ReadOnlyModelViewSet[Alert]):
    """What a person must look at, newest first."""

    queryset = Alert.objects.with_names()
    serializer_class = AlertSerializer
    pagination_class = NewestOpenedFirst
    filterset_class = AlertFilter

    @extend_schema(request=NoteSerializer, responses=ANSWERS)
    @action(detail=True, methods=["post"], permission_classes=[MayHandle])
    def acknowledge(self, request: Request, **_: Any) -> Response:
        """Say that you look after it."""
        return self._handle(services.acknowledge, request)

    @extend_schema(request=NoteSerializer, responses=ANSWERS)
    @action(detail=True, methods=["post"], permission_classes=[MayHandle])
    def resolve(self, request: Request, **_: Any) -> Response:
        """Close it."""
        return self._handle(services.resolve, request)

    def _handle(self, change: Callable[..., Alert], request: Request) -> Response:
        given = NoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = cast("AbstractBaseUser", request.user)
        try:
            alert = change(
                alert=self.get_object(),
                by=user,
                at=timezone.now(),
                note=given.validated_data["note"],
            )
        except services.AlreadyHandled as error:
            raise Handled(str(error)) from error
        tasks.send_soon()
        return Response(AlertSerializer(alert).data)
