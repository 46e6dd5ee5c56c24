"""Who is inside: what cameras, clocks and HR say, and what is made of doubt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.models import Passage, UnknownAttendance
from attendance.muster import (
    NO_DEPARTMENT,
    PAST_THE_EXIT,
    QUIET,
    Standing,
    Trace,
    inside,
    standing,
)
from identity.models import AccessLog
from streaming.models import Camera
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_presence,
    make_record,
    make_shift,
    make_site,
    make_unknown_attendance,
    make_unknown_person,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from attendance.muster import Person, SiteMuster
    from identity.models import Employee
    from streaming.models import Site

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUERIES = 5
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


instants = st.integers(0, 24 * 60).map(lambda minutes: NOW - minutes * MINUTE)
maybe = st.none() | instants


class TestStanding:
    def test_is_inside_after_a_way_in(self) -> None:
        trace = Trace(seen_at=ago(3), came_at=ago(3), shift_ends_at=NOW + HOUR)

        assert standing(trace, now=NOW) is Standing.INSIDE

    def test_is_gone_after_a_way_out(self) -> None:
        trace = Trace(seen_at=ago(1), came_at=ago(8), left_at=ago(1))

        assert standing(trace, now=NOW) is Standing.LEFT

    @pytest.mark.parametrize(
        ("later", "expected"),
        [
            (PAST_THE_EXIT, Standing.LEFT),
            (PAST_THE_EXIT + MINUTE, Standing.INSIDE),
        ],
    )
    def test_takes_back_an_exit_where_they_are_seen_well_after_it(
        self, later: timedelta, expected: Standing
    ) -> None:
        left = ago(1)
        trace = Trace(
            seen_at=left + later,
            came_at=ago(5),
            left_at=left,
            shift_ends_at=NOW + HOUR,
        )

        assert standing(trace, now=NOW) is expected

    @pytest.mark.parametrize(
        ("quiet", "expected"),
        [(QUIET - MINUTE, Standing.INSIDE), (QUIET, Standing.PERHAPS)],
    )
    def test_is_in_doubt_after_the_shift_where_cameras_tell_no_way(
        self, quiet: timedelta, expected: Standing
    ) -> None:
        trace = Trace(seen_at=NOW - quiet, shift_ends_at=ago(2))

        assert standing(trace, now=NOW) is expected

    @pytest.mark.parametrize(
        ("over_for", "expected"), [(3.9, Standing.INSIDE), (4, Standing.PERHAPS)]
    )
    def test_waits_longer_for_the_exit_of_who_came_by_a_way_in(
        self, over_for: float, expected: Standing
    ) -> None:
        came = ago(12)
        trace = Trace(seen_at=came, came_at=came, shift_ends_at=ago(over_for))

        assert standing(trace, now=NOW) is expected

    def test_is_in_doubt_of_whom_a_camera_refused(self) -> None:
        trace = Trace(seen_at=ago(0.1), is_refused=True)

        assert standing(trace, now=NOW) is Standing.PERHAPS

    @given(instants, maybe, st.none() | instants, st.booleans())
    def test_never_loses_somebody_without_an_exit(
        self,
        seen_at: datetime,
        came_at: datetime | None,
        shift_ends_at: datetime | None,
        is_refused: bool,  # noqa: FBT001 - drawn
    ) -> None:
        trace = Trace(
            seen_at=max(seen_at, came_at or seen_at),
            came_at=came_at,
            shift_ends_at=shift_ends_at,
            is_refused=is_refused,
        )

        assert standing(trace, now=NOW) is not Standing.LEFT

    @given(instants, maybe, maybe, maybe)
    def test_is_never_further_away_for_a_later_sighting(
        self,
        seen_at: datetime,
        came_at: datetime | None,
        left_at: datetime | None,
        shift_ends_at: datetime | None,
    ) -> None:
        order = [Standing.LEFT, Standing.PERHAPS, Standing.INSIDE]
        known = [at for at in (seen_at, came_at, left_at) if at]
        values: dict[str, Any] = {
            "came_at": came_at,
            "left_at": left_at,
            "shift_ends_at": shift_ends_at,
        }
        before = standing(Trace(seen_at=max(known), **values), now=NOW)
        after = standing(Trace(seen_at=NOW, **values), now=NOW)

        assert order.index(after) >= order.index(before)


@pytest.fixture
def site(db: None) -> Site:
    return make_site(name="Main plant")


@pytest.fixture
def gate(site: Site) -> Camera:
    return make_camera(site=site, name="Gate 1")


def muster(site: Site) -> SiteMuster:
    (found,) = inside(sites=[site], now=NOW).sites
    return found


def known(site: Site) -> dict[str, Standing]:
    found = muster(site)
    return {one.code: one.standing for one in (*found.inside, *found.perhaps)}


def only(site: Site) -> Person:
    (person,) = (*muster(site).inside, *muster(site).perhaps)
    return person


def on_shift(employee: Employee, **values: Any) -> None:
    shift = make_shift(site=employee.site)
    defaults = {"attendance_date": NOW.date(), "shift": shift, "check_in_at": ago(3)}
    make_record(employee=employee, **defaults | values)


class TestMuster:
    def test_has_who_came_and_since_when(self, site: Site, gate: Camera) -> None:
        asha = make_employee(site=site, code="E-104", name="Asha Rao")
        make_presence(employee=asha, camera=gate, occurred_at=ago(3))
        on_shift(asha)

        person = only(site)

        assert (person.code, person.name, person.camera) == (
            "E-104",
            "Asha Rao",
            "Gate 1",
        )
        assert (person.standing, person.since) == (Standing.INSIDE, ago(3))

    def test_has_nobody_who_left(self, site: Site, gate: Camera) -> None:
        asha = make_employee(site=site)
        make_presence(employee=asha, camera=gate, occurred_at=ago(3))
        make_presence(employee=asha, camera=gate, occurred_at=ago(1), way="out")

        assert known(site) == {}

    def test_has_again_who_came_back(self, site: Site, gate: Camera) -> None:
        asha = make_employee(site=site)
        on_shift(asha, check_in_at=ago(4), check_out_at=ago(2))
        for hours, way in ((4, "in"), (2, "out"), (1, "in")):
            make_presence(employee=asha, camera=gate, occurred_at=ago(hours), way=way)

        assert only(site).standing is Standing.INSIDE
        assert only(site).since == ago(1)

    def test_goes_by_what_was_seen_rather_than_by_the_day_for_pay(
        self, site: Site, gate: Camera
    ) -> None:
        """Who returns after the end is inside, though their day keeps its exit."""
        asha = make_employee(site=site)
        on_shift(asha, check_in_at=ago(9), check_out_at=ago(1))
        make_presence(employee=asha, camera=gate, occurred_at=ago(1), way="out")
        make_presence(employee=asha, camera=gate, occurred_at=ago(0.5))

        assert only(site).standing is Standing.INSIDE

    def test_tells_the_camera_that_saw_them_last_whatever_it_is_for(
        self, site: Site, gate: Camera
    ) -> None:
        asha = make_employee(site=site)
        hall = make_camera(site=site, name="Hall A")
        make_presence(employee=asha, camera=gate, occurred_at=ago(3))
        make_access_log(employee=asha, camera=gate, occurred_at=ago(3))
        make_access_log(employee=asha, camera=hall, occurred_at=ago(1))

        assert (only(site).camera, only(site).seen_at) == ("Hall A", ago(1))

    def test_has_who_was_seen_inside_and_not_to_come(
        self, site: Site, gate: Camera
    ) -> None:
        make_access_log(employee=make_employee(site=site), camera=gate, occurred_at=NOW)

        assert (only(site).standing, only(site).since) == (Standing.INSIDE, None)

    def test_has_the_refused_apart(self, site: Site, gate: Camera) -> None:
        leaver = make_employee(site=site, status="inactive")
        decision = AccessLog.Decision.UNAUTHORIZED
        make_access_log(
            employee=leaver, camera=gate, decision=decision, occurred_at=ago(0.1)
        )

        assert known(site) == {leaver.code: Standing.PERHAPS}

    def test_believes_a_stamp_without_a_camera(self, site: Site) -> None:
        make_presence(employee=make_employee(site=site), occurred_at=ago(1))

        assert (only(site).standing, only(site).camera) == (Standing.INSIDE, "")

    def test_believes_hr_about_who_came_and_who_left(self, site: Site) -> None:
        here, gone = (make_employee(site=site) for _ in range(2))
        on_shift(here, corrected_at=NOW)
        on_shift(gone, corrected_at=NOW, check_out_at=ago(1))

        assert known(site) == {here.code: Standing.INSIDE}

    def test_keeps_who_worked_a_shift_and_is_long_out_of_sight_apart(
        self, site: Site, gate: Camera
    ) -> None:
        asha = make_employee(site=site)
        on_shift(asha, check_in_at=ago(10), end_at=ago(2), start_at=ago(10))
        make_presence(employee=asha, camera=gate, occurred_at=ago(10), way="either")

        assert known(site) == {asha.code: Standing.PERHAPS}

    def test_forgets_who_was_not_seen_for_a_day(self, site: Site, gate: Camera) -> None:
        make_presence(
            employee=make_employee(site=site), camera=gate, occurred_at=ago(24.1)
        )

        assert known(site) == {}

    def test_has_nobody_who_was_erased(self, site: Site, gate: Camera) -> None:
        erased = make_employee(site=site, status="inactive", erased_at=NOW)
        make_presence(employee=erased, camera=gate, occurred_at=ago(1))

        assert known(site) == {}

    def test_is_by_department_and_code_those_without_one_last(self, site: Site) -> None:
        stores, line = (make_department(site=site, name=n) for n in ("Stores", "Line"))
        for code, department in (
            ("E-3", None),
            ("E-2", stores),
            ("E-1", stores),
            ("E-4", line),
        ):
            person = make_employee(site=site, code=code, department=department)
            make_presence(employee=person, occurred_at=ago(1))

        found = [
            (name, [one.code for one in people])
            for name, people in muster(site).departments
        ]

        assert found == [
            ("Line", ["E-4"]),
            ("Stores", ["E-1", "E-2"]),
            (NO_DEPARTMENT, ["E-3"]),
        ]

    def test_keeps_sites_apart(self, site: Site) -> None:
        other = make_site()
        for place in (site, other):
            make_presence(employee=make_employee(site=place), occurred_at=ago(1))
            make_unknown_attendance(camera=make_camera(site=place), occurred_at=ago(1))
        make_presence(employee=make_employee(), occurred_at=ago(1))

        found = inside(sites=[site, other], now=NOW)

        assert [len(each.inside) for each in found.sites] == [1, 1]
        assert (found.inside, found.perhaps, found.strangers) == (2, 0, 2)

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self,
        site: Site,
        gate: Camera,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            person = make_employee(site=site, department=make_department(site=site))
            make_presence(employee=person, camera=gate, occurred_at=ago(1))
            make_access_log(employee=person, camera=gate, occurred_at=ago(1))
            on_shift(person)

        with django_assert_num_queries(QUERIES):
            assert len(muster(site).inside) == 20


class TestStrangers:
    def test_are_a_head_each(self, site: Site, gate: Camera) -> None:
        for hours in (1, 2):
            make_unknown_attendance(camera=gate, occurred_at=ago(hours))

        assert muster(site).strangers == 2

    def test_are_one_head_however_often_they_came(
        self, site: Site, gate: Camera
    ) -> None:
        stranger = make_unknown_person(site=site)
        for hours in (1, 2):
            log = make_access_log(camera=gate, unknown_person=stranger)
            make_unknown_attendance(camera=gate, occurred_at=ago(hours), access_log=log)

        assert muster(site).strangers == 1

    def test_count_though_hr_said_that_they_are_no_employee(
        self, site: Site, gate: Camera
    ) -> None:
        states = UnknownAttendance.State
        asha = make_employee(site=site)
        make_unknown_attendance(camera=gate, occurred_at=ago(1), state=states.DISMISSED)
        make_unknown_attendance(
            camera=gate, occurred_at=ago(1), state=states.LINKED, employee=asha
        )

        assert muster(site).strangers == 1

    def test_do_not_count_where_they_went_out(self, site: Site, gate: Camera) -> None:
        exit_camera = make_camera(site=site, direction=Camera.Direction.EXIT)
        make_unknown_attendance(camera=exit_camera, occurred_at=ago(1))
        crossed = make_unknown_attendance(camera=gate, occurred_at=ago(1))
        Passage.objects.create(
            event_id=uuid4(),
            camera=gate,
            session=crossed.session,
            track_id=crossed.track_id,
            way="out",
            occurred_at=ago(1),
        )

        assert muster(site).strangers == 0

    def test_do_not_count_for_ever(self, site: Site, gate: Camera) -> None:
        make_unknown_attendance(camera=gate, occurred_at=ago(12.1))

        assert muster(site).strangers == 0
