from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attendance import unknowns
from attendance.models import AttendanceRecord, PresenceEvent, UnknownAttendance
from attendance.rules import Way
from attendance.unknowns import (
    NotLinked,
    candidates,
    dismiss_unknown,
    follow_register,
    link_unknown,
    unlink_unknown,
)
from identity import register
from identity.models import AccessLog, Employee
from tests.factories import (
    make_assignment,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_person,
    make_user,
    make_vector,
    make_vector_like,
)
from tests.presence import cross, day, make_gate, presence, rows, see, statuses, visit
from tests.sightings import LATER, instant

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User

pytestmark = pytest.mark.django_db
STATES = UnknownAttendance.State


@pytest.fixture
def worker() -> Employee:
    """Give somebody who works from 09:00 to 17:00."""
    return make_assignment().employee


@pytest.fixture
def hr() -> User:
    return make_user("hr")


@pytest.fixture
def unknown(worker: Employee) -> UnknownAttendance:
    """Give a face that was seen at 09:05 where the worker works."""
    see(visit(make_gate(worker.site, "entry"), "09:05"))
    return UnknownAttendance.objects.get()


class TestLinkUnknown:
    def test_counts_from_when_they_were_seen(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        linked = link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        unknown.refresh_from_db()
        assert linked == unknown
        assert (unknown.state, unknown.employee) == (STATES.LINKED, worker)
        assert (unknown.decided_by, unknown.decided_at) == (hr, LATER)
        event = PresenceEvent.objects.get()
        assert (event.event_id, event.source) == (unknown.event_id, "linked")
        assert (event.recorded_by, event.way) == (hr, "in")
        assert day(worker).check_in_at == instant("09:05")
        assert day(worker).check_in == event

    def test_names_the_visit_in_the_access_log(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        log = AccessLog.objects.get()
        assert (log.employee, log.linked_by, log.linked_at) == (worker, hr, LATER)
        assert log.decision == "unknown"
        worker.refresh_from_db()
        assert worker.last_seen_at == instant("09:05")

    def test_takes_the_lines_along_that_were_crossed(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        cross(AccessLog.objects.get(), Way.IN, "09:05:10")

        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        sources = PresenceEvent.objects.order_by("occurred_at").values_list(
            "source", flat=True
        )
        assert list(sources) == ["linked", "line"]

    def test_goes_on_with_the_visit(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        see(AccessLog.objects.get(), decision="unknown", at=instant("09:07"))

        assert PresenceEvent.objects.get().last_seen_at == instant("09:07")

    def test_refuses_who_works_elsewhere_or_was_erased(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        elsewhere = make_employee(site=make_site())
        erased = make_employee(site=worker.site, status="inactive", erased_at=LATER)

        for who, sentence in [
            (elsewhere, "works at another site"),
            (erased, "was erased"),
        ]:
            with pytest.raises(NotLinked, match=sentence):
                link_unknown(unknown=unknown, employee=who, by=hr, at=LATER)

        unknown.refresh_from_db()
        assert unknown.state == STATES.OPEN
        assert AccessLog.objects.get().employee is None
        assert not PresenceEvent.objects.exists()

    def test_refuses_a_face_that_has_a_name(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        other = make_employee(site=worker.site)
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        with pytest.raises(NotLinked, match=f"This is {worker.code} already"):
            link_unknown(unknown=unknown, employee=other, by=hr, at=LATER)

    def test_names_somebody_who_has_left_since(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        Employee.objects.update(status="inactive")

        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        assert statuses(worker) == {0: "present"}


class TestUnlinkUnknown:
    def test_takes_the_presence_back(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        cross(AccessLog.objects.get(), Way.IN, "09:05:10")
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)

        unlink_unknown(unknown=unknown, by=hr, at=LATER)

        unknown.refresh_from_db()
        assert (unknown.state, unknown.employee) == (STATES.OPEN, None)
        assert not PresenceEvent.objects.exists()
        assert statuses(worker) == {0: "absent"}
        log = AccessLog.objects.get()
        assert (log.employee, log.linked_at, log.linked_by) == (None, None, None)

    def test_leaves_a_day_that_is_too_young_to_be_absent_without_a_record(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        now = instant("12:00")
        link_unknown(unknown=unknown, employee=worker, by=hr, at=now)

        unlink_unknown(unknown=unknown, by=hr, at=now)

        assert not AttendanceRecord.objects.exists()

    def test_refuses_what_nobody_said(
        self, unknown: UnknownAttendance, hr: User
    ) -> None:
        with pytest.raises(NotLinked, match="nothing to undo"):
            unlink_unknown(unknown=unknown, by=hr, at=LATER)

    def test_then_links_to_somebody_else(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        shift = worker.shift_assignments.get().shift
        other = make_assignment(shift=shift).employee
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)
        unlink_unknown(unknown=unknown, by=hr, at=LATER)

        link_unknown(unknown=unknown, employee=other, by=hr, at=LATER)

        assert (statuses(worker), statuses(other)) == ({0: "absent"}, {0: "present"})


class TestDismissUnknown:
    def test_says_that_it_is_no_employee_until_that_is_undone(
        self, unknown: UnknownAttendance, hr: User
    ) -> None:
        dismiss_unknown(unknown=unknown, by=hr, at=LATER)

        unknown.refresh_from_db()
        assert (unknown.state, unknown.decided_by) == (STATES.DISMISSED, hr)
        with pytest.raises(NotLinked, match="decided already: No employee"):
            dismiss_unknown(unknown=unknown, by=hr, at=LATER)

        unlink_unknown(unknown=unknown, by=hr, at=LATER)

        unknown.refresh_from_db()
        assert (unknown.state, unknown.decided_by) == (STATES.OPEN, None)

    def test_refuses_a_face_that_is_gone(
        self, unknown: UnknownAttendance, hr: User
    ) -> None:
        UnknownAttendance.objects.all().delete()

        with pytest.raises(NotLinked, match="no longer kept"):
            dismiss_unknown(unknown=unknown, by=hr, at=LATER)


class TestCandidates:
    def test_are_those_of_the_site_whom_it_resembles_most(
        self, unknown: UnknownAttendance, worker: Employee
    ) -> None:
        vector = make_vector(seed=1)
        AccessLog.objects.update(embedding=vector)
        near = make_employee(site=worker.site)
        for who, alike in [(worker, 0.3), (near, 0.4), (make_employee(), 0.9)]:
            make_face_sample(employee=who, embedding=make_vector_like(vector, alike))

        found = candidates(UnknownAttendance.objects.get())

        assert [who for who, _ in found] == [near, worker]
        assert [alike for _, alike in found] == pytest.approx([0.4, 0.3], abs=1e-3)

    def test_are_nobody_where_the_face_is_not_kept(
        self, unknown: UnknownAttendance
    ) -> None:
        AccessLog.objects.update(embedding=None)
        assert candidates(UnknownAttendance.objects.get()) == []

        AccessLog.objects.all().delete()
        assert candidates(UnknownAttendance.objects.get()) == []


class TestFollowRegister:
    def test_links_whom_somebody_named_there(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        stranger = make_unknown_person(site=worker.site)
        AccessLog.objects.update(unknown_person=stranger)
        named_at = instant("18:00")
        register.promote(unknown=stranger, employee=worker, by=hr, at=named_at)

        assert follow_register(now=LATER) == 1
        assert follow_register(now=LATER) == 0

        unknown.refresh_from_db()
        assert (unknown.state, unknown.employee) == (STATES.LINKED, worker)
        assert (unknown.decided_by, unknown.decided_at) == (hr, named_at)
        assert statuses(worker) == {0: "present"}

    def test_takes_back_what_was_taken_back_there(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        stranger = make_unknown_person(site=worker.site)
        AccessLog.objects.update(unknown_person=stranger)
        register.promote(unknown=stranger, employee=worker, by=hr, at=LATER)
        follow_register(now=LATER)
        register.undo_promotion(unknown=stranger, by=hr)

        assert follow_register(now=LATER) == 1

        unknown.refresh_from_db()
        assert unknown.state == STATES.OPEN
        assert not PresenceEvent.objects.exists()
        assert statuses(worker) == {0: "absent"}

    def test_leaves_what_was_linked_here(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)
        before = rows(), presence()

        assert follow_register(now=LATER) == 0
        AccessLog.objects.all().delete()
        assert follow_register(now=LATER) == 0

        assert rows()[0][:3] == before[0][0][:3]
        assert statuses(worker) == {0: "present"}

    def test_believes_who_spoke_last(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        noon, evening = instant("12:00"), instant("18:00")
        dismiss_unknown(unknown=unknown, by=hr, at=evening)
        AccessLog.objects.update(employee=worker, linked_at=noon, linked_by=hr)
        assert follow_register(now=LATER) == 0

        AccessLog.objects.update(linked_at=LATER)
        assert follow_register(now=LATER) == 1

        unknown.refresh_from_db()
        assert unknown.state == STATES.LINKED

    def test_follows_a_visit_that_was_given_another_name(
        self, unknown: UnknownAttendance, worker: Employee, hr: User
    ) -> None:
        other = make_employee(site=worker.site)
        link_unknown(unknown=unknown, employee=worker, by=hr, at=LATER)
        AccessLog.objects.update(employee=other)

        assert follow_register(now=LATER) == 1

        unknown.refresh_from_db()
        assert unknown.employee == other
        assert PresenceEvent.objects.get().employee == other

    def test_leaves_out_a_face_that_went_meanwhile(
        self,
        unknown: UnknownAttendance,
        worker: Employee,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Else nothing more would be closed by that run."""
        AccessLog.objects.update(employee=worker, linked_at=LATER)
        gone = UnknownAttendance.objects.get()
        UnknownAttendance.objects.all().delete()
        gone.pk = unknown.pk
        monkeypatch.setattr(unknowns, "_named", lambda: [gone])

        assert follow_register(now=LATER) == 0

    def test_needs_two_queries_where_there_is_nothing_to_do(
        self,
        unknown: UnknownAttendance,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_num_queries(2):
            follow_register(now=LATER)
