from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.basis import Basis
from attendance.days import dates_touched
from attendance.models import PresenceEvent, Shift, ShiftAssignment
from attendance.planning import Person, Roster
from tests.presence import later
from tests.sightings import BERLIN, LATER

if TYPE_CHECKING:
    from datetime import date

    from attendance.rules import DayResult

pytestmark = pytest.mark.django_db
WHO: Final = 1
DATES: Final = [later(number) for number in range(-4, 9)]
START: Final = datetime.combine(DATES[0], time(), UTC)
SHIFTS: Final = [(9, 17), (22, 6), (6, 14), (14, 22), (20, 8), (0, 8), (8, 8)]


def shift(number: int) -> Shift:
    start, end = SHIFTS[number]
    return Shift(pk=number + 1, start_time=time(start), end_time=time(end))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Give a shift or none for each date: one for all, or any."""
    numbers = st.integers(0, len(SHIFTS) - 1)
    one = draw(numbers)
    of_date = st.just(one) if draw(st.booleans()) else st.none() | numbers
    assignments = [
        ShiftAssignment(
            employee_id=WHO,
            shift=shift(number),
            starts_on=on,
            ends_on=on + timedelta(days=1),
        )
        for on in DATES
        if (number := draw(of_date)) is not None
    ]
    return Roster(
        people={WHO: Person(1, BERLIN, is_active=True)},
        assignments=assignments,
        holidays=[],
        leaves=[],
        records=[],
    )


@st.composite
def events(draw: st.DrawFn) -> list[PresenceEvent]:
    """Give what was seen in the middle of those dates."""
    minutes = st.integers(4 * 24 * 60, 8 * 24 * 60)
    moments = draw(st.lists(minutes, min_size=1, max_size=8, unique=True))
    found = []
    for number, minute in enumerate(moments):
        at = START + timedelta(minutes=minute)
        stays = timedelta(minutes=draw(st.sampled_from([0, 1, 90])))
        found.append(
            PresenceEvent(
                pk=number,
                event_id=UUID(int=number),
                employee_id=WHO,
                way=draw(st.sampled_from(["in", "out", "either"])),
                occurred_at=at,
                last_seen_at=at + stays,
            )
        )
    return found


def results(roster: Roster, seen: list[PresenceEvent]) -> dict[date, DayResult]:
    basis = Basis(
        roster=roster,
        events=seen,
        period=(START, LATER),
        now=LATER,
        only_seen=False,
    )
    return {on: basis.result(WHO, on) for on in DATES[2:-2]}


class TestBasis:
    @given(roster=rosters(), seen=events())
    @settings(max_examples=60, deadline=None)
    def test_of_an_event_is_that_of_the_dates_around_it_only(
        self, roster: Roster, seen: list[PresenceEvent]
    ) -> None:
        """So that working these out anew is enough, whatever comes in what order."""
        gone, *rest = seen
        first, _ = dates_touched(gone.occurred_at, zone=BERLIN)
        _, last = dates_touched(gone.last_seen_at, zone=BERLIN)
        with_it, without = results(roster, seen), results(roster, rest)

        changed = [on for on in with_it if with_it[on] != without[on]]

        assert all(first <= on <= last for on in changed), changed

    @given(roster=rosters(), seen=events())
    @settings(max_examples=30, deadline=None)
    def test_makes_rows_that_can_be_stored(
        self, roster: Roster, seen: list[PresenceEvent]
    ) -> None:
        """Whatever was seen, what the table demands holds."""
        basis = Basis(
            roster=roster,
            events=seen,
            period=(START, LATER),
            now=LATER,
            only_seen=False,
        )
        for on in DATES[2:-2]:
            result = basis.result(WHO, on)
            row = basis.row(WHO, result)
            is_present = row.status in {"present", "late"}
            assert row.end_at > row.start_at
            assert is_present == (row.check_in_at is not None)
            assert row.check_out_at is None or (
                row.check_in_at is not None and row.check_out_at >= row.check_in_at
            )
            numbers = (row.worked_minutes, row.overtime_minutes, row.late_minutes)
            assert all(number is None or number >= 0 for number in numbers)
