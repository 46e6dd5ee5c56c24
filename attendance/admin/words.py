"""What a shift, a stretch of dates and a time of day say in words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attendance.models import Leave, Shift
    from streaming.models import Site

ONE_DAY: Final = timedelta(days=1)


def shift_in_words(shift: Shift) -> str:
    """Say what a shift is, such as "22:00 to 06:00 the next day, 8 h, 10 min grace"."""
    start = datetime.combine(date.min, shift.start_time)
    end = datetime.combine(date.min, shift.end_time)
    next_day = "" if end > start else " the next day"
    length = end - start if end > start else end + ONE_DAY - start
    grace = f"{shift.grace_period_minutes} min grace"
    return (
        f"{start:%H:%M} to {end:%H:%M}{next_day}, {duration(length)}, "
        f"{grace if shift.grace_period_minutes else 'no grace'}"
    )


def days_off(shift: Shift) -> str:
    """Name the days of the week without work, in order."""
    off = [day.label for day in shift.Weekday if day in shift.weekly_off_days]
    return ", ".join(off) or "none"


def duration(length: timedelta) -> str:
    """Say a length of time in hours and minutes."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def last_day(leave: Leave) -> date:
    """Return the last day of a leave: most people think of that, not of the return."""
    return leave.ends_on - ONE_DAY


def leave_in_words(leave: Leave) -> str:
    days = (leave.ends_on - leave.starts_on).days
    count = "1 day" if days == 1 else f"{days} days"
    return f"{leave.starts_on} to {last_day(leave)}, both included: {count}"


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def clock(site: Site, at: datetime | None, *, on: date) -> str:
    """Give a time by the site's clock, with how many dates it is after this one."""
    if at is None:
        return "-"
    local = site.local(at)
    later = (local.date() - on).days
    return f"{local:%H:%M}" + (f" {later:+d} d" if later else "")
