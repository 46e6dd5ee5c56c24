"""The register of strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin, UpdateModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from identity import photo_desk, register
from identity.models import UnknownPerson
from identity.serializers import UnknownPersonSerializer
from streaming.models import Site
from streaming.rest import EventFilter, NewestFirst, ScopedQueryset

from .base import (
    PHOTO_ANSWERS,
    PHOTO_PARSERS,
    Needs,
    NotDone,
    SiteFilter,
    login,
    photo_work,
)
from .shapes import (
    NewEmployeeSerializer,
    PromotedSerializer,
    PromoteSerializer,
    ResemblingSerializer,
    SearchSerializer,
)

if TYPE_CHECKING:
    from rest_framework.request import Request

    from identity.models import Employee


class UnknownPersonFilter(EventFilter):
    """Keeps those who were seen last from `from` on and before `to`."""

    from_ = filters.IsoDateTimeFilter("last_seen_at", "gte", label="From, inclusive")
    to = filters.IsoDateTimeFilter("last_seen_at", "lt", label="To, exclusive")
    site = SiteFilter()
    promoted = filters.BooleanFilter(
        "employee", "isnull", exclude=True, label="It is known by now who it is"
    )

    class Meta:
        model = UnknownPerson
        fields = ["site"]


class LastSeenFirst(NewestFirst):
    ordering = ("-last_seen_at", "-id")


class MaySay(Needs):
    permission = "identity.change_unknownperson"


class MaySearch(Needs):
    permission = "identity.view_unknownperson"


class UnknownPersonViewSet(
    ScopedQueryset,
    ListModelMixin,
    RetrieveModelMixin,
    UpdateModelMixin,
    GenericViewSet[UnknownPerson],
):
    """Strangers, those seen last first; `notes` can be set.

    The visits of one: `access-logs?unknown_person=`.
    """

    http_method_names = ["get", "patch", "post", "head", "options"]
    queryset = UnknownPerson.objects.select_related("employee").defer("embedding")
    serializer_class = UnknownPersonSerializer
    pagination_class = LastSeenFirst
    filterset_class = UnknownPersonFilter

    @extend_schema(
        request=PromoteSerializer,
        responses={
            200: PromotedSerializer,
            409: OpenApiResponse(description="It cannot be them; `detail` says why."),
        },
    )
    @action(detail=True, methods=["post"], permission_classes=[MaySay])
    def promote(self, request: Request, **_: Any) -> Response:
        """Say who a stranger is; their visits bear the name from now on."""
        unknown = self.get_object()
        given = PromoteSerializer(
            data=request.data, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            employee = given.validated_data.get("employee") or self.new_employee(
                unknown, given.validated_data["new_employee"]
            )
            try:
                done = register.promote(
                    unknown=unknown,
                    employee=employee,
                    by=login(request),
                    at=timezone.now(),
                )
            except register.NotPromoted as error:
                raise NotDone(str(error)) from error
        told = {"employee": employee, "rows": done.rows}
        return Response(PromotedSerializer(told).data)

    def new_employee(self, unknown: UnknownPerson, wanted: dict[str, Any]) -> Employee:
        if not self.request.user.has_perm("identity.add_employee"):
            raise PermissionDenied("Your role may not add employees.")
        given = NewEmployeeSerializer(
            data={**wanted, "site": unknown.site_id},
            context=self.get_serializer_context(),
        )
        given.is_valid(raise_exception=True)
        return given.save(created_by=login(self.request))

    @extend_schema(
        request=SearchSerializer, responses={200: ResemblingSerializer, **PHOTO_ANSWERS}
    )
    @action(
        detail=False,
        methods=["post"],
        permission_classes=[MaySearch],
        parser_classes=PHOTO_PARSERS,
        filter_backends=[],
        pagination_class=None,
    )
    def search(self, request: Request, **_: Any) -> Response:
        """Say whether the face in a photo was seen before."""
        context = self.get_serializer_context()
        given = SearchSerializer(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        with photo_work():
            face = photo_desk.vector_of(photo=asked["photo"])
        own = Site.objects.visible_to(request.user)
        sites = [asked["site"]] if "site" in asked else own
        found = register.search(
            vector=face.vector,
            face_model=face.face_model,
            site_ids=[site.pk for site in sites],
            at_least=asked["at_least"],
        )
        return Response(ResemblingSerializer(told(found), context=context).data)


def told(found: register.Resembling) -> dict[str, Any]:
    """Name both values of each pair."""
    return {
        "strangers": [
            {"unknown_person": row, "similarity": alike}
            for row, alike in found.strangers
        ],
        "sightings": [
            {"access_log": row, "similarity": alike} for row, alike in found.sightings
        ],
    }
