"""The demo's shifts and who is on them; one has begun whenever the demo is started."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Final

from attendance.models import Holiday, Leave, Shift, ShiftAssignment
from identity.models import Employee

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from streaming.models import Site

DAYS: Final = 35
"""How far back the demo's history goes."""
DAY, NIGHT, LINE = "Day", "Night", "Line 1"
BEGAN_AGO: Final = timedelta(minutes=45)
"""Line 1 began so long ago, or more, so that some came in time and others late."""
CREW: Final[Mapping[str, str]] = {
    "D-101": LINE,
    "D-102": LINE,
    "D-103": LINE,
    "D-104": DAY,
    "D-105": DAY,
    "D-106": DAY,
    "D-107": LINE,
    "D-108": LINE,
    "D-109": LINE,
    "D-110": LINE,
    "D-111": LINE,
    "D-112": DAY,
    "D-113": DAY,
    "D-114": DAY,
    "D-115": DAY,
    "D-116": DAY,
    "D-117": NIGHT,
    "D-118": NIGHT,
    "D-119": NIGHT,
    "D-120": NIGHT,
    "D-121": NIGHT,
}
"""Shift by employee's code."""
ON_LEAVE, LEFT, MOVED_TO_NIGHT = "D-112", "D-106", "D-113"
LEFT_DAYS_AGO: Final = 20
MOVED_DAYS_AGO: Final = 12
HOLIDAY_DAYS_AGO: Final = 17


def seed(site: Site, *, at: datetime) -> bool:
    """Make shifts, assignments, a holiday and a leave; False where there are shifts.

    So what is edited stays, and nothing is made beside somebody's own roster.
    """
    if Shift.objects.filter(site=site).exists():
        return False
    today = site.local(at).date()
    assign(shifts(site, at=at), employees(site), today=today)
    day = today - timedelta(days=HOLIDAY_DAYS_AGO)
    Holiday.objects.create(site=site, holiday_date=day, name="Founder's Day")
    return True


def employees(site: Site) -> dict[str, Employee]:
    """Return those of the demo's crew who work at the site, by code."""
    rows = Employee.objects.filter(site=site, code__in=CREW)
    return {row.code: row for row in rows.order_by("code")}


def shifts(site: Site, *, at: datetime) -> dict[str, Shift]:
    local = site.local(at)
    began = max(local - BEGAN_AGO, local.replace(hour=0, minute=0))
    line = time(began.hour)
    times = {
        DAY: (time(9), time(18), "sun"),
        NIGHT: (time(22), time(6), "sun"),
        LINE: (line, time((line.hour + 8) % 24), weekday(local.date(), 3)),
    }
    return {
        name: Shift.objects.create(
            site=site,
            shift_name=name,
            start_time=start,
            end_time=end,
            weekly_off_days=[off],
        )
        for name, (start, end, off) in times.items()
    }


def weekday(of: date, after: int) -> str:
    """Return the weekday so many days after a date, as shifts have it."""
    return Shift.Weekday.values[(of + timedelta(days=after)).weekday()]


def assign(
    shifts: Mapping[str, Shift], crew: Mapping[str, Employee], *, today: date
) -> None:
    first = today - timedelta(days=DAYS)
    for code, employee in crew.items():
        assignment = ShiftAssignment(
            employee=employee, shift=shifts[CREW[code]], starts_on=first
        )
        if code == LEFT:
            assignment.ends_on = today - timedelta(days=LEFT_DAYS_AGO)
        if code == MOVED_TO_NIGHT:
            assignment.ends_on = today - timedelta(days=MOVED_DAYS_AGO)
            ShiftAssignment.objects.create(
                employee=employee, shift=shifts[NIGHT], starts_on=assignment.ends_on
            )
        assignment.save()
        if code == ON_LEAVE:
            Leave.objects.create(
                employee=employee,
                starts_on=today - timedelta(days=1),
                ends_on=today + timedelta(days=4),
                notes="Family wedding.",
            )
