"""Enrolment, and who is in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4, uuid5

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from identity import photo_desk, services
from identity.pipeline import FaceCrop, FaceOffered
from identity.serializers import FaceSampleSerializer

from .base import PHOTO_ANSWERS, PHOTO_PARSERS, Needs, login, photo_work
from .shapes import EnrolSerializer, FrameSerializer, PeopleInFrameSerializer

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from rest_framework.request import Request

    from identity.models import AccessLog
    from identity.photo_rules import FaceInPhoto, RecognisedFace
    from streaming.models import Camera

SESSION = "process-frame"
"""What stands in the place of a vision worker's session, before the event's id."""


class MayEnrol(Needs):
    permission = "identity.add_facesample"


class Enrol(GenericAPIView[Any]):
    serializer_class = EnrolSerializer
    permission_classes = (MayEnrol,)
    parser_classes = PHOTO_PARSERS

    @extend_schema(responses={201: FaceSampleSerializer, **PHOTO_ANSWERS})
    def post(self, request: Request) -> Response:
        """Make a photo one by which an employee is known.

        It is stored whole, and usable at once, or not at all.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        with photo_work():
            sample = photo_desk.enrol_photo(by=login(request), **given.validated_data)
        shape = FaceSampleSerializer(sample, context=self.get_serializer_context())
        return Response(shape.data, status=201)


class MayLook(Needs):
    permission = "identity.view_accesslog"


class ProcessFrame(GenericAPIView[Any]):
    serializer_class = FrameSerializer
    permission_classes = (MayLook,)
    parser_classes = PHOTO_PARSERS

    @extend_schema(responses={200: PeopleInFrameSerializer, **PHOTO_ANSWERS})
    def post(self, request: Request) -> Response:
        """Recognise everybody in a picture, the largest face first.

        With `record` each becomes an access log of the camera.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        if asked["record"] and not request.user.has_perm("identity.add_accesslog"):
            raise PermissionDenied("Your role may not record.")
        camera = asked.get("camera")
        with photo_work():
            people = photo_desk.people_in(
                photo=asked["frame"], site=camera.site if camera else asked["site"]
            )
        event_id = asked.get("event_id") or uuid4()
        logs: list[AccessLog] = []
        if asked["record"]:
            at = asked.get("at") or timezone.now()
            faces = [person.seen for person in people]
            logs = record(faces, camera=camera, event_id=event_id, at=at)
        told = {"event_id": event_id, "faces": people, "access_logs": logs}
        context = self.get_serializer_context()
        return Response(PeopleInFrameSerializer(told, context=context).data)


def record(
    seen: list[RecognisedFace], *, camera: Camera, event_id: UUID, at: datetime
) -> list[AccessLog]:
    """Store everybody in a picture; each event has an id made of the picture's."""
    return [
        services.record_access(
            offer=offer(one.face, number, camera=camera, event_id=event_id, at=at),
            verdict=one.verdict,
            engine=one.engine,
            policy=one.policy,
            vector=one.face.vector,
            face_model=one.face_model,
            quality=one.face.quality.score,
            alike_from=one.alike_from,
        )
        for number, one in enumerate(seen)
    ]


def offer(
    face: FaceInPhoto,
    number: int,
    *,
    camera: Camera,
    event_id: UUID,
    at: datetime,
) -> FaceOffered:
    """Make of a face in a picture what a vision worker would offer."""
    left, _, right, bottom = face.box
    crop = FaceCrop(
        jpeg=face.jpeg, quality=face.quality.score, height_px=round(face.height_px)
    )
    return FaceOffered(
        event_id=uuid5(event_id, str(number)),
        camera=camera.code,
        session=f"{SESSION}-{event_id.hex}",
        track_id=number,
        at=at,
        x=(left + right) / 2,
        y=bottom,
        faces=(crop,),
        snapshot=face.jpeg,
    )
