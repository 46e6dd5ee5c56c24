"""Departments, employees and their photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Model, ProtectedError, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import (
    CreateModelMixin,
    DestroyModelMixin,
    ListModelMixin,
    RetrieveModelMixin,
)
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from identity import enrolment, erasure, photo_desk
from identity.models import Department, Employee, FaceSample
from identity.serializers import (
    DepartmentSerializer,
    EmployeeSerializer,
    ErasureSerializer,
    FaceSampleSerializer,
)
from streaming.rest import ScopedQueryset

from .base import (
    PHOTO_ANSWERS,
    PHOTO_PARSERS,
    Needs,
    NotDone,
    PhotoSerializer,
    SiteFilter,
    VisibleKeyFilter,
    login,
    photo_work,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

STAYS = OpenApiResponse(description="Records refer to it, so it stays.")
ERASED = OpenApiResponse(description="Somebody else erased them just now.")


class DepartmentFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()

    class Meta:
        model = Department
        fields = ["site", "name"]


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class DepartmentViewSet(ScopedQueryset, ModelViewSet[Department]):
    """Parts of the sites' staff."""

    queryset = Department.objects.all()
    serializer_class = DepartmentSerializer
    filterset_class = DepartmentFilter

    def perform_destroy(self, instance: Department) -> None:
        delete(instance, "It has employees, so it stays. Move them first.")


def delete(row: Model, refusal: str) -> None:
    """Delete a row, or refuse with a 409 where others refer to it."""
    try:
        row.delete()
    except ProtectedError as error:
        raise NotDone(refusal, code="protected") from error


class EmployeeFilter(filters.FilterSet):  # type: ignore[misc]
    site = SiteFilter()
    department = VisibleKeyFilter(Department.objects.all(), "department")
    has_photo = filters.BooleanFilter(method="with_photo", label="Has a photo")
    q = filters.CharFilter(method="search", label="Part of code, name or e-mail")

    class Meta:
        model = Employee
        fields = ["site", "code", "department", "status", "is_authorized"]

    def with_photo(
        self,
        rows: QuerySet[Employee],
        _: str,
        wanted: bool,  # noqa: FBT001 - django-filter's way
    ) -> QuerySet[Employee]:
        none = {"photo_count": 0}
        return rows.exclude(**none) if wanted else rows.filter(**none)

    def search(self, rows: QuerySet[Employee], _: str, text: str) -> QuerySet[Employee]:
        found = Q(code__icontains=text) | Q(name__icontains=text)
        return rows.filter(found | Q(email__icontains=text))


class MayErase(Needs):
    permission = "identity.erase_employee"


@extend_schema(responses={204: None, 409: STAYS}, methods=["delete"])
class EmployeeViewSet(ScopedQueryset, ModelViewSet[Employee]):
    """Those who work at the sites; those that were erased are gone from here."""

    queryset = Employee.objects.present().with_photo_count()
    serializer_class = EmployeeSerializer
    filterset_class = EmployeeFilter

    def perform_create(self, serializer: BaseSerializer[Employee]) -> None:
        serializer.save(created_by=login(self.request))

    def perform_destroy(self, instance: Employee) -> None:
        refusal = "There are photos or records of them. Make them inactive, or erase."
        delete(instance, refusal)

    @extend_schema(request=None, responses={200: ErasureSerializer, 409: ERASED})
    @action(detail=True, methods=["post"], permission_classes=[MayErase])
    def erase(self, request: Request, **_: Any) -> Response:
        """Remove everything by which they could be known; it cannot be undone.

        Statistics stay. The answer counts what was removed.
        """
        employee = self.get_object()
        try:
            done = erasure.erase(
                employee=employee, by=login(request), at=timezone.now()
            )
        except erasure.AlreadyErased as error:
            raise NotDone(str(error)) from error
        return Response(ErasureSerializer(done).data)


class FaceViewSet(
    ScopedQueryset,
    CreateModelMixin,
    ListModelMixin,
    RetrieveModelMixin,
    DestroyModelMixin,
    GenericViewSet[FaceSample],
):
    """The photos by which an employee is known."""

    queryset = FaceSample.objects.select_related("employee", "created_by")
    serializer_class = FaceSampleSerializer
    parser_classes = PHOTO_PARSERS

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return FaceSample.objects.none()
        return super().get_queryset().filter(employee=self.employee())

    def employee(self) -> Employee:
        own = Employee.objects.present().visible_to(self.request.user)
        return get_object_or_404(own, pk=self.kwargs["employee"])

    @extend_schema(
        request=PhotoSerializer, responses={201: FaceSampleSerializer, **PHOTO_ANSWERS}
    )
    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Enrol a photo; it is stored whole, and usable at once, or not at all."""
        given = PhotoSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with photo_work():
            sample = photo_desk.enrol_photo(
                employee=self.employee(), by=login(request), **given.validated_data
            )
        return Response(self.get_serializer(sample).data, status=201)

    def perform_destroy(self, instance: FaceSample) -> None:
        enrolment.remove_photo(sample=instance, by=login(self.request))
