"""What a gate would make of a plate that is given as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from streaming.rest import ViewPermissions
from vehicles.models import Vehicle
from vehicles.plate_check import check_plate

from .shapes import CheckedPlateSerializer, ValidatePlateSerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

EXAMPLE: Final = OpenApiExample(
    "At a gate",
    {"plate": "mh 12 ab 1234", "confidence": 0.93, "gate": 1},
    request_only=True,
)


class ValidatePlate(GenericAPIView[Vehicle]):
    queryset = Vehicle.objects.none()
    serializer_class = ValidatePlateSerializer
    permission_classes = (ViewPermissions,)

    @extend_schema(responses=CheckedPlateSerializer, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Say what a gate would make of a plate now; nothing is stored or opened.

        The same rules in the same order as for a vehicle, but that two pictures agree
        is taken as given.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = check_plate(**given.validated_data, at=timezone.now())
        return Response(CheckedPlateSerializer(found).data)
