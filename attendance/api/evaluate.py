"""What the rules say of times that are stored nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from attendance.explain import Evidence, Known, explain
from attendance.ledger import Sighting, Way
from attendance.models import AttendanceRecord
from attendance.roster import Occurrence, Plan, Shift, occurrence
from attendance.rules import DayResult, settle
from streaming.models import Site
from streaming.rest import ViewPermissions

from .shapes import EvaluatedSerializer, EvaluateSerializer

if TYPE_CHECKING:
    from datetime import date

    from rest_framework.request import Request

ARRIVAL, EXIT = "arrival", "exit"
EVIDENCE: Final = {name: Evidence(words="given") for name in (ARRIVAL, EXIT)}
DAY: Final = timedelta(days=1)
EXAMPLE: Final = OpenApiExample(
    "A night that begins late",
    {
        "check_in_time": "2026-03-02T22:20:00+05:30",
        "check_out_time": "2026-03-03T06:05:00+05:30",
        "shift_data": {
            "start_time": "22:00",
            "end_time": "06:00",
            "grace_period_minutes": 10,
            "time_zone": "Asia/Kolkata",
        },
    },
    request_only=True,
)


class Evaluate(GenericAPIView[AttendanceRecord]):
    queryset = AttendanceRecord.objects.none()
    serializer_class = EvaluateSerializer
    permission_classes = (ViewPermissions,)

    @extend_schema(responses=EvaluatedSerializer, examples=[EXAMPLE])
    def post(self, request: Request) -> Response:
        """Say what an arrival and an exit would make of a shift; nothing is stored.

        As if nothing else was seen, some time after the later of the exit and the end:
        an exit that is not given is not missed.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        zone = ZoneInfo(asked["shift_data"].get("time_zone") or self.zone(request))
        result = evaluate(asked, zone)
        known = Known(
            result=result, zone=zone, evidence=EVIDENCE, absent_after=absent_after()
        )
        answer = EvaluatedSerializer(result).data
        return Response({**answer, "explanation": explain(known)})

    def zone(self, request: Request) -> str:
        """Return that of the user's sites, if it is one."""
        sites = Site.objects.visible_to(request.user)
        zones = set(sites.values_list("time_zone", flat=True))
        if len(zones) != 1:
            sentence = "Name the site's time zone, such as Asia/Kolkata."
            raise ValidationError({"shift_data": {"time_zone": [sentence]}})
        return zones.pop()


def evaluate(asked: dict[str, Any], zone: ZoneInfo) -> DayResult:
    """Return the result of the day that the arrival belongs to."""
    came, left = asked["check_in_time"], asked.get("check_out_time")
    sightings = [Sighting(came, ARRIVAL, Way.IN)]
    if left:
        sightings.append(Sighting(left, EXIT, Way.OUT))
    shift = asked["shift_data"]
    on = shift.get("date")
    here = came.astimezone(zone).date()
    dates = [on] if on else [here - DAY, here, here + DAY]
    found = settle([planned(shift, each, zone) for each in dates], sightings, now=came)
    (day,) = [each.occurrence for each in found if counts(each)] or [
        each.occurrence for each in found if each.occurrence.date == (on or here)
    ]
    now = max(day.end_at + absent_after(), left or came)
    (result,) = settle([day], sightings, now=now, absent_after=absent_after())
    return result


def absent_after() -> timedelta:
    return timedelta(minutes=settings.ABSENT_AFTER_MINUTES)


def counts(result: DayResult) -> bool:
    """Whether the arrival was counted for this day."""
    return any(seen.event_id == ARRIVAL for seen, _ in result.seen)


def planned(shift: dict[str, Any], on: date, zone: ZoneInfo) -> Occurrence:
    """Return the shift on a date."""
    grace = timedelta(minutes=shift["grace_period_minutes"])
    times = Shift(shift["start_time"], shift["end_time"], grace)
    plan = Plan.WEEKLY_OFF if shift["is_weekly_off"] else Plan.WORK
    return occurrence(times, on, zone, plan=plan)
