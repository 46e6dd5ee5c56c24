"""Arrivals and exits that a clock or another system tells, and what rules say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from attendance import services
from attendance.ledger import Part
from attendance.models import AttendanceRecord, PresenceEvent
from attendance.rules import Way
from identity.api.base import NotDone, login

from .base import NO_EMPLOYEE, Refused
from .shapes import StampedSerializer, StampSerializer

if TYPE_CHECKING:
    from rest_framework.request import Request

    from attendance.services import Stamped

NO_SHIFT: Final = "It lies in no shift: it is kept as presence and changes no day."
STAYS: Final = "A person said what is right of this day, so it stays as it is."
WORDS: Final = {
    Part.CHECK_IN: "It is the arrival.",
    Part.AGAIN: "They were here already, which changes nothing.",
    Part.RETURN: "They came back before the end, which takes the exit back.",
    Part.EXIT: "It is an exit; the last one counts.",
    Part.STRAY_EXIT: "Nobody was seen to come before, so it counts for nothing.",
    Part.AFTER_END: "The shift was over, so it opens nothing.",
}
ANSWERS: Final = {
    201: StampedSerializer,
    200: OpenApiResponse(StampedSerializer, "It was known already; nothing changed."),
    400: OpenApiResponse(
        description="Fields with sentences; or `in_future`: a time more than 5 minutes "
        "ahead, of which nothing is kept."
    ),
    404: NO_EMPLOYEE,
    409: OpenApiResponse(
        description="`employee_inactive`; or `event_conflict`: this `event_id` stands "
        "for something else. Nothing changed."
    ),
}
EXAMPLE: Final = OpenApiExample(
    "By code",
    {
        "employee": "E-104",
        "time": "2026-03-02T08:01:00+05:30",
        "event_id": "0b6f6a1e-63f4-4d0e-9d55-6f1c2a7b8c90",
    },
    request_only=True,
)


class Stamp(GenericAPIView[PresenceEvent]):
    """Base of both ways to stamp."""

    queryset = PresenceEvent.objects.none()
    serializer_class = StampSerializer
    way: ClassVar[Way]

    def stamp(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            done = services.stamp(
                employee=given.validated_data["employee"],
                way=self.way,
                at=given.validated_data["time"],
                event_id=given.validated_data.get("event_id"),
                by=login(request),
                now=timezone.now(),
            )
        except services.InTheFuture as error:
            raise Refused(str(error), code="in_future") from error
        except services.NotEmployed as error:
            raise NotDone(str(error), code="employee_inactive") from error
        except services.EventConflict as error:
            raise NotDone(str(error), code="event_conflict") from error
        code = status.HTTP_201_CREATED if done.is_new else status.HTTP_200_OK
        return Response(StampedSerializer(told(done)).data, status=code)


class CheckIn(Stamp):
    way = Way.IN

    @extend_schema(responses=ANSWERS, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Say that somebody came.

        In whatever order they are sent, the result is the same; late ones change the
        day that they belong to.
        """
        return self.stamp(request)


class CheckOut(Stamp):
    way = Way.OUT

    @extend_schema(responses=ANSWERS, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Say that somebody left.

        The last exit counts, up to 16 hours after the arrival.
        """
        return self.stamp(request)


def told(done: Stamped) -> dict[str, Any]:
    """Name what became of a stamp; of the stored day where there is one."""
    event_id, day = str(done.event.event_id), done.record or done.result
    return {
        "event_id": event_id,
        "status": day.status if day else None,
        "is_late": bool(day and day.is_late),
        "is_early_exit": bool(day and day.is_early_exit),
        "grace_period_applied": bool(day and day.grace_period_applied),
        "flagged_for_review": bool(day and day.flagged_for_review),
        "late_minutes": day.late_minutes if day else 0,
        "skipped_duplicate": bool(done.result and event_id in done.result.skipped),
        "detail": sentence(done),
        "record": done.record,
    }


def sentence(done: Stamped) -> str:
    """Say what became of a stamp."""
    event_id = str(done.event.event_id)
    seen = done.result.seen if done.result else ()
    parts = [part for each, part in seen if each.event_id == event_id]
    words = WORDS[parts[0]] if parts else NO_SHIFT
    return f"{words} {STAYS}" if _is_corrected(done.record) else words


def _is_corrected(record: AttendanceRecord | None) -> bool:
    return record is not None and record.is_corrected
