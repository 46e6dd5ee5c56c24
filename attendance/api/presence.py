"""Who is inside, and faces of which nobody could say whose they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from attendance import muster, unknowns
from attendance.models import UnknownAttendance
from attendance.serializers import UnknownAttendanceSerializer
from identity.api.base import Needs, NotDone, SiteFilter, login
from streaming.models import Site
from streaming.rest import (
    CameraCodeFilter,
    EventFilter,
    ModelPermissions,
    NewestFirst,
    ScopedQueryset,
)

from .base import NO_EMPLOYEE
from .shapes import CandidateSerializer, LinkSerializer, MusterSerializer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from rest_framework.request import Request

ANSWERS: Final = {
    200: UnknownAttendanceSerializer,
    409: OpenApiResponse(description="`not_linked`: `detail` says why."),
}


class MayMuster(Needs):
    permission = "attendance.view_muster"


@extend_schema_field(int)
class OneSiteFilter(SiteFilter):
    """Keeps one of the sites themselves."""

    def filter(self, rows: QuerySet[Site], site: Site | None) -> QuerySet[Site]:
        return rows.filter(pk=site.pk) if site else rows


class MusterFilter(filters.FilterSet):  # type: ignore[misc]
    site = OneSiteFilter()


class Muster(ScopedQueryset, GenericAPIView[Site]):
    queryset = Site.objects.order_by("name")
    serializer_class = MusterSerializer
    permission_classes = (MayMuster,)
    pagination_class = None
    filterset_class = MusterFilter

    @extend_schema(operation_id="attendance_muster", filters=True)
    def get(self, request: Request) -> Response:
        """Who is inside now, by site; rather too many than too few.

        Somebody is taken off where an exit was seen. `perhaps` may have left unseen.
        Vehicles are told to those who may see visits at gates.
        """
        sites: Any = self.filter_queryset(self.get_queryset())
        sees_vehicles = request.user.has_perm(muster.SEES_VEHICLES)
        found = muster.inside(
            sites=list(sites), now=timezone.now(), with_vehicles=sees_vehicles
        )
        return Response(self.get_serializer(found).data)


class ReadOrSay(ModelPermissions):
    """Whoever says who it was changes the row."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ModelPermissions.perms_map["PATCH"],
    }


class UnknownFilter(EventFilter):
    camera = CameraCodeFilter()
    site = SiteFilter("camera__site")

    class Meta:
        model = UnknownAttendance
        fields = ["camera", "state"]


class UnknownViewSet(ScopedQueryset, ReadOnlyModelViewSet[UnknownAttendance]):
    """Faces at attendance cameras that nobody could name, newest first."""

    queryset = UnknownAttendance.objects.with_names().select_related("decided_by")
    serializer_class = UnknownAttendanceSerializer
    permission_classes = (ReadOrSay,)
    pagination_class = NewestFirst
    filterset_class = UnknownFilter

    @extend_schema(responses=CandidateSerializer(many=True), filters=False)
    @action(detail=True, filter_backends=[], pagination_class=None)
    def candidates(self, request: Request, **_: Any) -> Response:
        """Who it may be, the most alike first."""
        found = unknowns.candidates(self.get_object())
        told = [{"employee": who, "similarity": alike} for who, alike in found]
        return Response(CandidateSerializer(told, many=True).data)

    @extend_schema(request=LinkSerializer, responses={**ANSWERS, 404: NO_EMPLOYEE})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, **_: Any) -> Response:
        """Say who it was; the day is worked out anew at the time they were seen."""
        context = self.get_serializer_context()
        given = LinkSerializer(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        with deciding():
            unknowns.link_unknown(
                unknown=self.get_object(),
                employee=given.validated_data["employee"],
                by=login(request),
                at=timezone.now(),
            )
        return self.told()

    @extend_schema(request=None, responses=ANSWERS)
    @action(detail=True, methods=["post"])
    def unlink(self, request: Request, **_: Any) -> Response:
        """Take back who it was, or that it was nobody."""
        with deciding():
            unknowns.unlink_unknown(
                unknown=self.get_object(), by=login(request), at=timezone.now()
            )
        return self.told()

    @extend_schema(request=None, responses=ANSWERS)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, **_: Any) -> Response:
        """Say that it was no employee."""
        with deciding():
            unknowns.dismiss_unknown(
                unknown=self.get_object(), by=login(request), at=timezone.now()
            )
        return self.told()

    def told(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


@contextmanager
def deciding() -> Iterator[None]:
    """Tell why a face is not linked, as an answer."""
    try:
        yield
    except unknowns.NotLinked as error:
        raise NotDone(str(error), code="not_linked") from error
