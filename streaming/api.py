"""Sites, cameras and their outages for integrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet, ReadOnlyModelViewSet

from . import services
from .auth import LINK_AGE, sign_link
from .models import Camera, CameraOutage, Site
from .rest import (
    CameraCodeFilter,
    EventFilter,
    NewestFirst,
    ScopedQueryset,
    ViewPermissions,
)
from .serializers import (
    CameraOutageSerializer,
    CameraSerializer,
    CameraStatusSerializer,
    FeedLinkSerializer,
    SiteSerializer,
)
from .status import read_statuses

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer


class SiteViewSet(ScopedQueryset, ReadOnlyModelViewSet[Site]):
    """Sites that the login is assigned to."""

    queryset = Site.objects.all()
    serializer_class = SiteSerializer


class CameraViewSet(ScopedQueryset, ModelViewSet[Camera]):
    """Cameras and their state."""

    queryset = Camera.objects.all()
    serializer_class = CameraSerializer
    filterset_fields = ["site", "code", "state", "place", "enabled"]

    @extend_schema(responses=CameraStatusSerializer)
    @action(detail=True, filter_backends=[], pagination_class=None)
    def status(self, request: Request, pk: str) -> Response:
        """How the camera does now: its state, its worker's figures, its viewers."""
        (status,) = read_statuses([self.get_object()], now=timezone.now())
        return Response(CameraStatusSerializer(status).data)

    @extend_schema(request=None, responses=FeedLinkSerializer)
    @action(
        detail=True,
        methods=["post"],
        url_path="feed-link",
        permission_classes=[ViewPermissions],
    )
    def feed_link(self, request: Request, pk: str) -> Response:
        """Make a link to the live picture that needs no login to be opened in time.

        What it opened goes on as long as the user who made it may watch the camera.
        """
        camera = self.get_object()
        user = cast("AbstractBaseUser", request.user)  # The permission asks for one.
        link = sign_link(user=user, to=camera.code)
        query = urlencode({"camera": camera.code, "link": link})
        url = request.build_absolute_uri(f"{reverse('video-feed')}?{query}")
        told = {"url": url, "expires_at": timezone.now() + LINK_AGE}
        return Response(FeedLinkSerializer(told).data)

    def perform_update(self, serializer: BaseSerializer[Camera]) -> None:
        camera = serializer.save()
        services.switch_off(code=camera.code, at=timezone.now())
        camera.refresh_from_db()


class CameraOutageFilter(EventFilter):
    """Keeps the outages that began from `from` on and before `to`."""

    from_ = filters.IsoDateTimeFilter("started_at", "gte", label="From, inclusive")
    to = filters.IsoDateTimeFilter("started_at", "lt", label="To, exclusive")
    camera = CameraCodeFilter()
    site = filters.NumberFilter("camera__site", label="Site")
    open = filters.BooleanFilter("ended_at", "isnull", label="Not over yet")

    class Meta:
        model = CameraOutage
        fields = ["camera", "cause"]


class OutagesNewestFirst(NewestFirst):
    ordering = ("-started_at", "-id")


class CameraOutageViewSet(ScopedQueryset, ReadOnlyModelViewSet[CameraOutage]):
    """Periods in which cameras gave no usable picture, newest first."""

    queryset = CameraOutage.objects.select_related("camera")
    serializer_class = CameraOutageSerializer
    pagination_class = OutagesNewestFirst
    filterset_class = CameraOutageFilter
