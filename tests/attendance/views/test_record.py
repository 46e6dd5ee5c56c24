"""The page of a day and its forms, as a browser gets them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from attendance import claims, corrections, days
from attendance.models import AttendanceRecord, CorrectionRequest, PresenceEvent
from identity.models import AccessLog
from tests.factories import (
    make_access_log,
    make_assignment,
    make_employee,
    make_presence,
    make_record,
    make_shift,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from attendance.models import Shift
    from identity.models import Employee
    from streaming.models import Camera

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
PAGE = "/attendance/E-104/2026-03-02"
PAGE_QUERIES_MAX = 32


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    kolkata = ZoneInfo("Asia/Kolkata")
    at = datetime.combine(MONDAY, time(hour, minute, second), kolkata)
    return at.astimezone(UTC)


@pytest.fixture
def day(asha: Employee) -> Shift:
    shift = make_shift(site=asha.site, shift_name="Early")
    make_assignment(employee=asha, shift=shift)
    return shift


@pytest.fixture
def late(asha: Employee, gate: Camera, day: Shift) -> AttendanceRecord:
    """Give the record of somebody who was recognised at the gate at 09:22:31."""
    at = local(9, 22, 31)
    log = make_access_log(
        employee=asha, camera=gate, occurred_at=at, snapshot="snapshots/known/x.jpg"
    )
    make_presence(
        employee=asha,
        camera=gate,
        occurred_at=at,
        source="face",
        access_log=log,
        similarity=0.71,
        threshold=0.45,
    )
    return worked_out(asha)


def worked_out(person: Employee) -> AttendanceRecord:
    keys = [person.pk]
    days.recompute_days(employees=keys, first=MONDAY, last=MONDAY, now=timezone.now())
    return AttendanceRecord.objects.get(employee=person, attendance_date=MONDAY)


def log_of(record: AttendanceRecord) -> AccessLog:
    return AccessLog.objects.get(presence_events=record.check_in)


def form(**changed: Any) -> dict[str, Any]:
    """Return the correction as a browser sends it."""
    values = {
        "what": "here",
        "came_on": "2026-03-02",
        "came_time": "09:00",
        "left_on": "2026-03-02",
        "left_time": "17:30",
        "reason": "The foreman saw them.",
    }
    return {f"correct-{name}": value for name, value in {**values, **changed}.items()}


class TestDay:
    def test_shows_what_it_was_and_the_proof(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        log = log_of(late)

        page = hr.get(PAGE)

        told = text(page)
        assert "Asha Rao E-104" in told
        assert "LATE in 09:22 out not seen" in told
        assert "Shift Early, 09:00 to 17:00, 10 min grace" in told
        assert "Late 22 min" in told
        assert "To review: no exit was seen" in told
        assert "Recognised at Gate 1Similarity 0.71, needed 0.45" in told
        assert f'src="/access/{log.pk}/picture"' in page.content.decode()
        assert f'href="/access/{log.pk}"' in page.content.decode()

    def test_says_how_it_came_about(self, hr: Client, late: AttendanceRecord) -> None:
        told = text(hr.get(PAGE))

        assert "How this came about" in told
        assert "09:22:31 recognised at Gate 1" in told

    def test_says_that_a_picture_is_no_longer_kept(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        log_of(late).delete()

        told = text(hr.get(PAGE))

        assert "Picture no longer kept" in told
        assert "Similarity 0.71, needed 0.45" in told

    def test_shows_whose_face_it_was_that_crossed_a_line(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        PresenceEvent.objects.update(source="line", similarity=None, threshold=None)

        told = text(hr.get(PAGE))

        assert "Crossed the line at Gate 1Similarity 0.70, needed 0.42" in told

    def test_names_who_stamped_where_no_camera_saw_it(
        self, hr: Client, asha: Employee, day: Shift
    ) -> None:
        terminal = make_user("terminal-1")
        make_presence(employee=asha, occurred_at=local(9), recorded_by=terminal)
        worked_out(asha)

        told = text(hr.get(PAGE))

        assert "Stamped by terminal-1" in told
        assert "Picture no longer kept" not in told

    def test_exists_for_a_day_without_a_record(
        self, hr: Client, asha: Employee
    ) -> None:
        told = text(hr.get(PAGE))

        assert "No shift" in told
        assert "Enter what the worker says" not in told

    def test_is_expected_on_a_day_to_come(
        self, hr: Client, asha: Employee, day: Shift
    ) -> None:
        on = asha.site.local(timezone.now()).date() + timedelta(days=30)

        told = text(hr.get(f"/attendance/E-104/{on}"))

        assert "Expected" in told
        assert "Correct this day" not in told

    def test_leads_to_the_days_beside_it(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        page = hr.get(PAGE).content.decode()

        assert 'href="/attendance/E-104/2026-03-01"' in page
        assert 'href="/attendance/E-104/2026-03-03"' in page
        assert 'href="/attendance?date=2026-03-02"' in page
        assert 'href="/people/E-104"' in page

    @pytest.mark.parametrize(
        "address",
        [
            "/attendance/E-900/2026-03-02",
            "/attendance/E-1/2026-03-02",
            "/attendance/E-104/2026-02-30",
            "/attendance/E-104/today",
        ],
    )
    def test_is_not_found_for_others(
        self, hr: Client, asha: Employee, address: str
    ) -> None:
        make_employee(code="E-900")

        assert hr.get(PAGE).status_code == 200
        assert hr.get(address).status_code == 404

    def test_needs_the_permission(self, security: Client, asha: Employee) -> None:
        assert security.get(PAGE).status_code == 403

    def test_shows_no_picture_and_no_form_to_those_who_may_not(
        self, client: Client, late: AttendanceRecord
    ) -> None:
        viewer = make_user("viewer", sites=[late.employee.site])
        seeing = Permission.objects.get(codename="view_attendancerecord")
        viewer.user_permissions.add(seeing)
        client.force_login(viewer)

        page = client.get(PAGE)

        assert "LATE" in text(page)
        assert "/picture" not in page.content.decode()
        assert "<textarea" not in page.content.decode()
        for action in ("correct", "rules", "request"):
            assert client.post(f"{PAGE}/{action}").status_code == 403

    def test_needs_few_queries_however_much_was_said(
        self,
        hr: Client,
        late: AttendanceRecord,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for minute in range(8):
            corrections.correct_day(
                employee=late.employee,
                on=MONDAY,
                status=None,
                check_in_at=local(9, minute),
                check_out_at=None,
                reason=f"Reason {minute}",
                by=make_user(f"hr-{minute}"),
                at=timezone.now(),
            )
            CorrectionRequest.objects.create(
                record=late, made_at=timezone.now(), text="x", state="declined"
            )

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            told = text(hr.get(PAGE))

        assert "Reason 7" in told


class TestCorrecting:
    def test_is_seen_in_the_history(self, hr: Client, late: AttendanceRecord) -> None:
        page = hr.post(f"{PAGE}/correct", form(), follow=True)

        told = text(page)
        assert page.redirect_chain == [(PAGE, 302)]
        assert "The day is corrected." in told
        assert "Present in 09:00 out 17:30" in told
        assert "A person gave this time" in told
        assert "hana Status: Late &rarr;became Present" in told
        assert "In: 02 Mar 09:22:31 &rarr;became 02 Mar 09:00:00" in told
        assert "Out: none &rarr;became 02 Mar 17:30:00" in told
        assert "The foreman saw them." in told

    def test_confirms_what_was_to_be_reviewed(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        values = form(came_time="09:22", left_time="")
        page = hr.post(f"{PAGE}/correct", values, follow=True)

        told = text(page)
        assert "Confirmed as it was: Late" in told
        assert "To review" not in told

    def test_tells_what_the_rules_would_say(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        told = text(hr.post(f"{PAGE}/correct", form(), follow=True))

        assert "Without the correction the rules would say: Late, in 09:22" in told

    def test_leaves_a_time_that_nobody_touched_at_its_second(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        hr.post(f"{PAGE}/correct", form(came_time="09:22"))

        late.refresh_from_db()
        assert late.check_in_at == local(9, 22, 31)
        assert late.check_in is not None
        assert late.check_out_at == local(17, 30)

    def test_offers_the_end_of_a_night_on_the_next_day(
        self, hr: Client, asha: Employee
    ) -> None:
        night = make_shift(site=asha.site, start_time=time(22), end_time=time(6))
        make_assignment(employee=asha, shift=night)

        page = hr.get(PAGE).content.decode()

        assert re.search(r'name="correct-left_on" value="2026-03-03"', page)
        assert re.search(r'name="correct-came_on" value="2026-03-02"', page)

    @pytest.mark.parametrize(
        ("what", "status", "late_minutes"),
        [("here", "late", 22), ("excused", "present", 0), ("absent", "absent", 0)],
    )
    def test_takes_what_is_chosen(
        self,
        hr: Client,
        late: AttendanceRecord,
        what: str,
        status: str,
        late_minutes: int,
    ) -> None:
        values = form(what=what, came_time="09:22")

        assert hr.post(f"{PAGE}/correct", values).status_code == 302
        late.refresh_from_db()
        assert (late.status, late.late_minutes) == (status, late_minutes)

    @pytest.mark.parametrize(
        ("excused", "chosen"), [(True, "excused"), (False, "here")]
    )
    def test_offers_first_what_was_said_of_lateness(
        self, hr: Client, late: AttendanceRecord, *, excused: bool, chosen: str
    ) -> None:
        if excused:
            hr.post(f"{PAGE}/correct", form(what="excused", came_time="09:22"))

        page = hr.get(PAGE).content.decode()
        (radio,) = re.findall(r'<input type="radio"[^>]*checked[^>]*>', page)
        assert f'value="{chosen}"' in radio

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"reason": " "}, "This field is required."),
            ({"left_time": "08:00"}, claims.EXIT_FIRST),
            ({"came_time": ""}, claims.NO_ARRIVAL),
            ({"came_time": "9 am"}, "Write the time as 08:05."),
            ({"left_on": "3.3.2026"}, "Write the date as 2026-11-21."),
            ({"what": ""}, "This field is required."),
            ({"reason": "x" * 1001}, "at most 1000 characters"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self,
        hr: Client,
        late: AttendanceRecord,
        changed: dict[str, str],
        sentence: str,
    ) -> None:
        values = form(**changed)

        page = hr.post(f"{PAGE}/correct", values)

        assert page.status_code == 422
        assert sentence in text(page)
        markup = page.content.decode()
        for name in ("came_time", "came_on", "left_time", "left_on"):
            typed = values[f"correct-{name}"]
            assert re.search(f'name="correct-{name}"[^>]* value="{typed}"', markup)
        assert values["correct-reason"] in markup
        late.refresh_from_db()
        assert not late.is_corrected

    def test_asks_which_of_two_times_is_meant(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        site = late.employee.site
        site.time_zone = "Europe/Berlin"
        site.save()
        night = make_shift(site=site, start_time=time(22), end_time=time(6))
        late.employee.shift_assignments.update(shift=night)
        address = "/attendance/E-104/2026-10-24/correct"
        values = form(
            came_on="2026-10-24",
            came_time="22:00",
            left_on="2026-10-25",
            left_time="02:30",
        )

        page = hr.post(address, values)
        assert "02:30 came twice" in text(page)
        assert 'name="correct-left_which"' in page.content.decode()
        hr.post(address, {**values, "correct-left_which": "second"})

        made = AttendanceRecord.objects.get(attendance_date=date(2026, 10, 24))
        assert made.check_out_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        assert made.worked_minutes == 330

    def test_answers_the_request_that_waits(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        asked = CorrectionRequest.objects.create(
            record=late, made_at=timezone.now(), text="I was on leave."
        )

        hr.post(f"{PAGE}/correct", form(what="on_leave", answers="on"))

        asked.refresh_from_db()
        late.refresh_from_db()
        assert asked.state == "accepted"
        assert asked.correction == late.corrections.get()
        assert late.status == "on_leave"


class TestGivingBack:
    def test_has_the_rules_decide_again(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        hr.post(f"{PAGE}/correct", form())

        page = hr.post(f"{PAGE}/rules", {"back-reason": "Wrong person."}, follow=True)

        told = text(page)
        assert "The rules decide this day again." in told
        assert "Given back to the rules: Present" in told
        late.refresh_from_db()
        assert late.status == "late"

    def test_says_that_a_reason_is_missing(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        hr.post(f"{PAGE}/correct", form())

        page = hr.post(f"{PAGE}/rules", {"back-reason": ""})

        assert page.status_code == 422
        assert "This field is required." in text(page)

    def test_is_offered_only_where_somebody_corrected(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        assert "Give it back" not in text(hr.get(PAGE))
        page = hr.post(f"{PAGE}/rules", {"back-reason": "x"})
        assert page.status_code == 422

    def test_says_that_somebody_gave_it_back_meanwhile(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        page = hr.post(f"{PAGE}/rules", {"back-reason": "It was Ravi."})

        assert page.status_code == 422
        assert corrections.NO_CORRECTION in text(page)
        assert ">It was Ravi.</textarea>" in page.content.decode()

    def test_is_not_found_without_a_record(self, hr: Client, asha: Employee) -> None:
        assert hr.post(f"{PAGE}/rules", {"back-reason": "x"}).status_code == 404


class TestAsking:
    FORM = {"ask-text": "I was there at nine.", "ask-came_time": "09:00"}

    def test_keeps_what_the_worker_says(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        values = {**self.FORM, "ask-came_on": "2026-03-02"}

        told = text(hr.post(f"{PAGE}/request", values, follow=True))

        assert "The request waits for an answer." in told
        assert "I was there at nine." in told
        assert "Says: came 09:00" in told
        asked = late.requests.get()
        assert (asked.check_in_at, asked.check_out_at) == (local(9), None)

    def test_says_that_somebody_asked_meanwhile_and_keeps_what_was_typed(
        self, hr: Client, late: AttendanceRecord
    ) -> None:
        CorrectionRequest.objects.create(
            record=late, made_at=timezone.now(), text="I was ill."
        )

        page = hr.post(f"{PAGE}/request", self.FORM | {"ask-came_on": "2026-03-02"})

        assert page.status_code == 422
        assert corrections.WAITING in text(page)
        assert ">I was there at nine.</textarea>" in page.content.decode()

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"ask-text": ""}, "This field is required."),
            ({"ask-came_on": "x"}, "Write the date"),
            ({"ask-came_on": "2099-03-02"}, claims.FUTURE),
        ],
    )
    def test_says_what_is_wrong(
        self,
        hr: Client,
        late: AttendanceRecord,
        changed: dict[str, str],
        sentence: str,
    ) -> None:
        values = {**self.FORM, "ask-came_on": "2026-03-02", **changed}

        page = hr.post(f"{PAGE}/request", values)

        assert page.status_code == 422
        assert sentence in text(page)
        assert 'value="09:00"' in page.content.decode()
        assert not late.requests.exists()

    def test_needs_the_permission(self, security: Client, asha: Employee) -> None:
        assert security.post(f"{PAGE}/request", self.FORM).status_code == 403

    def test_is_not_found_of_another_site(self, hr: Client) -> None:
        make_record(employee=make_employee(code="E-900"), attendance_date=MONDAY)

        address = "/attendance/E-900/2026-03-02/request"
        assert hr.post(address, self.FORM).status_code == 404
