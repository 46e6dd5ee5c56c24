"""The roster and the records in the admin: what HR does, sees and may not."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Holiday,
    Leave,
    PresenceEvent,
    Shift,
    ShiftAssignment,
    UnknownAttendance,
)
from factory_site.roles import HR, INTEGRATOR
from tests.factories import (
    make_assignment,
    make_camera,
    make_department,
    make_employee,
    make_shift,
    make_site,
    make_user,
)
from tests.imports import ImportPage

if TYPE_CHECKING:
    from django.test import Client

    from identity.models import Employee
    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
PUT = "admin:attendance_shiftassignment_put_on_shift"
TODAY = date(2026, 3, 2)


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", time_zone="Asia/Kolkata")


@pytest.fixture
def hr(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


def text(page: Any) -> str:
    return str(page.content.decode())


def address(model: str, page: str, *keys: object) -> str:
    return reverse(f"admin:attendance_{model}_{page}", args=keys)


def listed(client: Client, model: str, **query: str) -> str:
    return text(client.get(address(model, "changelist"), query))


def shift_form(site: Site, **changed: object) -> dict[str, object]:
    return {
        "site": site.pk,
        "shift_name": "Night",
        "start_time": "22:00",
        "end_time": "06:00",
        "grace_period_minutes": 10,
        "weekly_off_days": ["sat", "sun"],
        "is_active": "on",
        **changed,
    }


def make_record(employee: Employee, **values: Any) -> AttendanceRecord:
    start_at = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    defaults = {
        "attendance_date": TODAY,
        "plan": "work",
        "status": "late",
        "start_at": start_at,
        "end_at": start_at + timedelta(hours=8),
        "closes_at": start_at + timedelta(hours=12),
        "check_in_at": start_at + timedelta(minutes=20),
        "check_out_at": start_at + timedelta(hours=7),
        "late_minutes": 20,
        "worked_minutes": 400,
        "reviews": ["early_exit"],
    }
    return AttendanceRecord.objects.create(employee=employee, **defaults | values)


def make_event(employee: Employee, **values: Any) -> PresenceEvent:
    at = values.pop("at", datetime(2026, 3, 2, 16, 50, tzinfo=UTC))
    defaults = {
        "event_id": uuid4(),
        "source": "face",
        "way": "in",
        "occurred_at": at,
        "last_seen_at": at,
    }
    return PresenceEvent.objects.create(employee=employee, **defaults | values)


class TestShiftAdmin:
    def test_says_in_words_what_was_entered(self, hr: Client, site: Site) -> None:
        page = hr.post(address("shift", "add"), shift_form(site), follow=True)

        shift = Shift.objects.get()
        assert "Night: 22:00 to 06:00 the next day, 8 h, 10 min grace." in text(page)
        assert (shift.start_time, shift.weekly_off_days) == (time(22), ["sat", "sun"])
        form = text(hr.get(address("shift", "change", shift.pk)))
        assert "Weekly off: Saturday, Sunday." in form
        assert 'value="22:00"' in form
        assert shift.history.latest().history_user.username == "hana"

    @pytest.mark.parametrize(
        ("changed", "is_said"),
        [({"grace_period_minutes": 20}, True), ({"shift_name": "Night B"}, False)],
    )
    def test_says_that_past_days_keep_their_times(
        self,
        hr: Client,
        site: Site,
        changed: dict[str, object],
        is_said: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        hr.post(address("shift", "add"), shift_form(site))
        change = address("shift", "change", Shift.objects.get().pk)

        page = hr.post(change, shift_form(site, **changed), follow=True)

        assert ("keep the times they had; the new" in text(page)) == is_said

    def test_tells_how_many_are_on_it_today(self, hr: Client, site: Site) -> None:
        shift = make_shift(site=site)
        make_assignment(shift=shift)
        make_assignment(shift=shift)
        make_assignment(shift=shift, ends_on=date(2020, 2, 1))

        page = listed(hr, "shift")

        assert ">2<" in page.replace("\n", "").replace(" ", "")

    def test_is_made_at_own_sites_alone(self, hr: Client, site: Site) -> None:
        hr.post(address("shift", "add"), shift_form(make_site()))

        assert not Shift.objects.exists()

    def test_stays_at_its_site_while_somebody_is_on_it(
        self, hr: Client, site: Site
    ) -> None:
        second = make_site(name="Second plant")
        get_user_model().objects.get().sites.add(second)
        free, taken = make_shift(site=site), make_shift(site=site)
        make_assignment(shift=taken)

        for shift in (free, taken):
            form = shift_form(second, shift_name=shift.shift_name)
            hr.post(address("shift", "change", shift.pk), form)

        free.refresh_from_db()
        taken.refresh_from_db()
        assert (free.site, taken.site) == (second, site)

    def test_stays_while_somebody_is_on_it(self, hr: Client, site: Site) -> None:
        row = make_assignment(shift=make_shift(site=site))

        hr.post(address("shift", "delete", row.shift_id), {"post": "yes"})

        assert Shift.objects.exists()


class TestShiftAssignmentAdmin:
    def form(self, employee: Employee, shift: Shift, **more: object) -> dict[str, Any]:
        return {
            "employee": employee.pk,
            "shift": shift.pk,
            "starts_on": TODAY,
            "ends_on": "",
            **more,
        }

    def test_works_out_the_days_that_it_touches(self, hr: Client, site: Site) -> None:
        employee, shift = make_employee(site=site), make_shift(site=site)
        at = timezone.now() - timedelta(days=9)
        make_event(employee, at=at)
        since = site.local(timezone.now()).date() - timedelta(days=4)

        page = hr.post(
            address("shiftassignment", "add"),
            self.form(employee, shift, starts_on=since),
            follow=True,
        )

        row = ShiftAssignment.objects.get()
        assert "5 days are being worked out anew." in text(page)
        assert row.created_by
        assert row.created_by.username == "hana"

        gone = address("shiftassignment", "delete", row.pk)
        page = hr.post(gone, {"post": "yes"}, follow=True)
        assert "5 days are being worked out anew." in text(page)

    def test_works_out_those_of_rows_that_are_deleted_together(
        self, hr: Client, site: Site
    ) -> None:
        rows = [make_assignment(shift=make_shift(site=site)) for _ in range(2)]
        for row in rows:
            make_event(row.employee, at=timezone.now())
        form = {
            "action": "delete_selected",
            "_selected_action": [row.pk for row in rows],
            "post": "yes",
        }

        page = hr.post(address("shiftassignment", "changelist"), form, follow=True)

        assert "days are being worked out anew." in text(page)
        assert not ShiftAssignment.objects.exists()

    def test_says_what_to_do_where_two_overlap(self, hr: Client, site: Site) -> None:
        row = make_assignment(shift=make_shift(site=site))
        form = self.form(row.employee, make_shift(site=site))

        page = hr.post(address("shiftassignment", "add"), form)

        assert "End that one first, or choose other dates." in text(page)
        assert ShiftAssignment.objects.count() == 1

    def test_takes_nobody_who_left_and_no_shift_that_is_over(
        self, hr: Client, site: Site
    ) -> None:
        open_, over = make_shift(site=site), make_shift(site=site, is_active=False)
        here = make_employee(site=site)
        left = make_employee(site=site, status="inactive")

        pages = [
            text(hr.post(address("shiftassignment", "add"), self.form(who, shift)))
            for who, shift in [(left, open_), (here, over)]
        ]

        assert f"Not active: {left.code}." in pages[0]
        assert "is not active: nobody is put on it any more." in pages[1]
        assert not ShiftAssignment.objects.exists()

    def test_lets_whoever_left_be_taken_off(self, hr: Client, site: Site) -> None:
        row = make_assignment(shift=make_shift(site=site, is_active=False))
        type(row.employee).objects.update(status="inactive")
        form = self.form(row.employee, row.shift, ends_on=TODAY)

        hr.post(
            address("shiftassignment", "change", row.pk),
            {**form, "starts_on": row.starts_on},
        )

        row.refresh_from_db()
        assert row.ends_on == TODAY

    def test_takes_nobody_of_another_site(self, hr: Client, site: Site) -> None:
        form = self.form(make_employee(), make_shift(site=site))

        page = hr.post(address("shiftassignment", "add"), form)

        assert "valid choice" in text(page)
        assert not ShiftAssignment.objects.exists()

    @pytest.mark.parametrize(
        ("when", "code"), [("now", "E-NOW"), ("future", "E-SOON"), ("past", "E-GONE")]
    )
    def test_is_found_by_when_it_holds(
        self, hr: Client, site: Site, when: str, code: str
    ) -> None:
        shift = make_shift(site=site)
        today = site.local(timezone.now()).date()
        dates = {"E-NOW": (0, 1), "E-SOON": (1, None), "E-GONE": (-9, 0)}
        for each, (first, end) in dates.items():
            make_assignment(
                shift=shift,
                employee=make_employee(site=site, code=each),
                starts_on=today + timedelta(days=first),
                ends_on=None if end is None else today + timedelta(days=end),
            )

        page = listed(hr, "shiftassignment", when=when)

        assert [each for each in dates if each in page] == [code]

    def test_shows_its_history_by_the_sites_clock(self, hr: Client, site: Site) -> None:
        row = make_assignment(shift=make_shift(site=site))

        page = hr.get(address("shiftassignment", "history", row.pk))

        assert page.status_code == 200


class TestPutOnShift:
    @pytest.fixture
    def shift(self, site: Site) -> Shift:
        return make_shift(site=site, shift_name="Late")

    def ask(self, client: Client, shift: Shift, **more: object) -> Any:
        form = {
            "shift": shift.pk,
            "starts_on": "2026-03-02",
            "ends_on": "",
            "codes": "",
        }
        return client.post(reverse(PUT), {**form, **more})

    def confirm(self, client: Client, shown: Any) -> Any:
        told = shown.context_data
        form: dict[str, list[str]] = {"seen": [told["seen"]]}
        for name, value in told["posted"]:
            form.setdefault(name, []).append(value)
        return client.post(reverse(PUT), form, follow=True)

    def test_shows_what_would_happen_and_then_does_it(
        self, hr: Client, site: Site, shift: Shift
    ) -> None:
        stores, line = make_department(site=site), make_department(site=site)
        asha = make_employee(department=stores, code="E-1", name="Asha")
        make_employee(department=stores, code="E-2")
        make_employee(department=stores, code="E-3", status="inactive")
        make_employee(department=line, code="E-4")
        make_employee(site=site, code="E-5")
        early = make_shift(site=site, shift_name="Early")
        make_assignment(employee=asha, shift=early)

        shown = self.ask(hr, shift, departments=[stores.pk], codes="E-5,\nE-1")
        before = ShiftAssignment.objects.count()
        done = self.confirm(hr, shown)

        assert "E-1 Asha" in text(shown)
        assert "Ends Early 09:00-17:00 on 2026-03-02." in text(shown)
        assert "E-3" not in text(shown)
        assert before == 1
        rows = shift.assignments.order_by("employee__code")
        assert [row.employee.code for row in rows] == ["E-1", "E-2", "E-5"]
        assert {row.created_by.username for row in rows if row.created_by} == {"hana"}
        assert "Put on Late: 3 people." in text(done)

    def test_shows_it_again_where_something_changed_meanwhile(
        self, hr: Client, site: Site, shift: Shift
    ) -> None:
        asha = make_employee(site=site, code="E-1")
        shown = self.ask(hr, shift, codes="E-1")
        make_assignment(employee=asha, shift=make_shift(site=site))

        again = self.confirm(hr, shown)

        assert "nothing was written yet" in text(again)
        assert not shift.assignments.exists()
        self.confirm(hr, again)
        assert shift.assignments.exists()

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({}, "Choose a department, or write who is put on it."),
            ({"codes": "E-1 E-99"}, "Nobody at your sites has the code E-99."),
            ({"codes": "E-THEIRS"}, "Nobody at your sites has the code E-THEIRS."),
            ({"codes": "E-8"}, "Not active: E-8. Leave them out."),
            (
                {"codes": "E-1", "ends_on": "2026-03-02"},
                "The period ends before it starts.",
            ),
            ({"codes": "E-1", "starts_on": ""}, "This field is required."),
        ],
    )
    def test_says_what_is_missing(
        self,
        hr: Client,
        site: Site,
        shift: Shift,
        more: dict[str, object],
        sentence: str,
    ) -> None:
        make_employee(site=site, code="E-1")
        make_employee(site=site, code="E-8", status="inactive")
        make_employee(code="E-THEIRS")

        page = self.ask(hr, shift, **more)

        assert sentence in text(page)
        assert not ShiftAssignment.objects.exists()

    def test_offers_nothing_of_another_site(self, hr: Client, shift: Shift) -> None:
        theirs = make_shift(shift_name="Theirs")
        department = make_department(name="Their stores")

        page = text(hr.get(reverse(PUT)))
        refused = self.ask(hr, theirs, departments=[department.pk])

        assert "Late" in page
        assert "Theirs" not in page
        assert "Their stores" not in page
        assert "valid choice" in text(refused)

    def test_is_not_for_those_who_may_only_look(
        self, client: Client, site: Site, shift: Shift
    ) -> None:
        ines = make_user("ines", role=INTEGRATOR, sites=[site], is_staff=True)
        client.force_login(ines)

        assert client.get(reverse(PUT)).status_code == 403
        assert self.ask(client, shift, codes="E-1").status_code == 403


class TestLeaveAdmin:
    def test_says_both_last_days(self, hr: Client, site: Site) -> None:
        employee = make_employee(site=site)
        form = {
            "employee": employee.pk,
            "kind": "sick",
            "starts_on": "2026-03-02",
            "ends_on": "2026-03-05",
            "notes": "",
        }

        page = hr.post(address("leave", "add"), form, follow=True)

        said = "On leave 2026-03-02 to 2026-03-04, both included: 3 days."
        assert said in text(page)
        assert "2026-03-04" in listed(hr, "leave")
        assert Leave.objects.get().created_by


class TestHolidayAdmin:
    def test_is_made_at_own_sites_alone(self, hr: Client, site: Site) -> None:
        form = {"holiday_date": "2026-08-15", "name": "Independence Day"}

        hr.post(address("holiday", "add"), {**form, "site": make_site().pk})
        hr.post(address("holiday", "add"), {**form, "site": site.pk})

        assert [row.site for row in Holiday.objects.all()] == [site]
        assert "Saturday" in listed(hr, "holiday")

    def test_works_out_the_day_of_everybody_there(self, hr: Client, site: Site) -> None:
        people = [make_employee(site=site), make_employee(site=site)]
        today = site.local(timezone.now()).date()
        make_event(people[0], at=timezone.now())
        form = {"holiday_date": today, "name": "Strike", "site": site.pk}

        page = hr.post(address("holiday", "add"), form, follow=True)

        assert "2 days are being worked out anew." in text(page)


class TestRecordAdmin:
    def test_answers_who_was_late_by_the_sites_clock(
        self, hr: Client, site: Site
    ) -> None:
        asha = make_employee(site=site, code="E-1", name="Asha")
        make_record(asha, corrected_at=timezone.now())

        page = listed(hr, "attendancerecord")

        for told in ("E-1 Asha", "Late", "22:20", "05:00 +1 d", ">20<", "6:40"):
            assert told in page.replace("\n", ""), told
        assert "Left early" in page
        assert "by a person" in page
        assert reverse("attendance-day", args=["E-1", TODAY]) in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"review": "any"}, 1),
            ({"review": "exit_only"}, 0),
            ({"corrected": "no"}, 1),
            ({"corrected": "yes"}, 0),
            ({"status__exact": "late"}, 1),
        ],
    )
    def test_is_found_by_what_is_to_look_at(
        self, hr: Client, site: Site, query: dict[str, str], found: int
    ) -> None:
        make_record(make_employee(site=site, code="E-1"))

        assert ("E-1 " in listed(hr, "attendancerecord", **query)) == bool(found)


class TestReadOnly:
    @pytest.fixture
    def rows(self, site: Site) -> dict[str, Any]:
        """One row of each table, with what a list shows of it."""
        employee = make_employee(site=site, code="E-1")
        record = make_record(employee)
        hana = make_user("hari", sites=[site])
        return {
            "attendancerecord": record,
            "attendancecorrection": AttendanceCorrection.objects.create(
                record=record,
                made_by=hana,
                made_at=timezone.now(),
                reason="Forgot the gate.",
                before={"status": "absent", "check_in_at": None, "check_out_at": None},
                after={"status": "late", "check_in_at": "2026-03-02T16:50:00+00:00"},
            ),
            "correctionrequest": CorrectionRequest.objects.create(
                record=record, made_by=hana, made_at=timezone.now(), text="I was here."
            ),
            "presenceevent": make_event(employee, camera=make_camera(site=site)),
            "unknownattendance": UnknownAttendance.objects.create(
                event_id=uuid4(),
                camera=make_camera(site=site),
                session="s",
                track_id=1,
                occurred_at=timezone.now(),
                last_seen_at=timezone.now(),
            ),
        }

    def test_tables_are_shown_and_never_written(
        self, hr: Client, rows: dict[str, Any]
    ) -> None:
        for model, row in rows.items():
            assert hr.get(address(model, "changelist")).status_code == 200
            assert hr.get(address(model, "change", row.pk)).status_code == 200
            assert hr.get(address(model, "add")).status_code == 403
            gone = hr.post(address(model, "delete", row.pk), {"post": "yes"})
            assert gone.status_code == 403

    def test_corrections_say_what_was_and_what_is(
        self, hr: Client, rows: dict[str, Any]
    ) -> None:
        page = listed(hr, "attendancecorrection")

        assert "Absent" in page
        assert "Late, in 22:20" in page
        assert "Forgot the gate." in page

    def test_requests_and_faces_lead_to_where_they_are_answered(
        self, hr: Client, rows: dict[str, Any]
    ) -> None:
        face = rows["unknownattendance"]

        assert reverse("attendance-requests") in listed(hr, "correctionrequest")
        page = reverse("attendance-unknown-face", args=[face.pk])
        assert page in listed(hr, "unknownattendance")

    @pytest.mark.parametrize(
        "model",
        [
            "shift",
            "shiftassignment",
            "holiday",
            "leave",
            "attendancerecord",
            "attendancecorrection",
            "correctionrequest",
            "presenceevent",
            "unknownattendance",
        ],
    )
    def test_lists_ask_no_more_for_more_rows(
        self, hr: Client, site: Site, model: str
    ) -> None:
        self.fill(site, 1)
        hr.get(address(model, "changelist"))
        with CaptureQueriesContext(connection) as for_one:
            hr.get(address(model, "changelist"))
        self.fill(site, 3)

        with CaptureQueriesContext(connection) as for_four:
            hr.get(address(model, "changelist"))

        assert len(for_four) == len(for_one)
        assert not [
            each["sql"]
            for each in for_four
            if f'FROM "attendance_{model}"' in each["sql"]
            and ("source_url" in each["sql"] or "embedding" in each["sql"])
        ]

    def fill(self, site: Site, number: int) -> None:
        user = make_user(f"u{Shift.objects.count()}")
        for place in range(number):
            department = make_department(site=site)
            employee = make_employee(department=department)
            make_assignment(employee=employee, created_by=user)
            on = date(2026, 1, 1) + timedelta(days=Holiday.objects.count())
            Holiday.objects.create(site=site, holiday_date=on, name="X")
            Leave.objects.create(
                employee=employee, starts_on=TODAY, ends_on=TODAY + timedelta(days=1)
            )
            record = make_record(employee, shift=Shift.objects.latest("pk"))
            said = {"record": record, "made_by": user, "made_at": timezone.now()}
            AttendanceCorrection.objects.create(
                **said, reason="X", before={"status": "absent"}, after={}
            )
            CorrectionRequest.objects.create(**said, text="X", answered_by=user)
            camera = make_camera(site=site)
            make_event(employee, camera=camera, recorded_by=user)
            UnknownAttendance.objects.create(
                event_id=uuid4(),
                camera=camera,
                session="s",
                track_id=place,
                occurred_at=timezone.now(),
                last_seen_at=timezone.now(),
                employee=employee,
                state="linked",
                decided_by=user,
            )


class TestImport:
    def upload(self, client: Client, model: str, content: str) -> Any:
        return ImportPage(f"attendance_{model}").upload(client, content)

    def test_of_assignments_is_shown_then_written_and_worked_out(
        self, hr: Client, site: Site
    ) -> None:
        employee = make_employee(site=site, code="E-1")
        make_shift(site=site, shift_name="Early")
        make_assignment(employee=employee, shift=make_shift(site=site))
        make_event(employee, at=timezone.now())
        today = site.local(timezone.now()).date()

        shown = self.upload(
            hr, "shiftassignment", f"employee,shift,from\nE-1,Early,{today}\n"
        )
        before = ShiftAssignment.objects.count()
        done = ImportPage("attendance_shiftassignment").confirm(hr, shown)

        assert f"Ends {make_words(employee)} on {today}." in text(shown)
        assert before == 1
        assert ShiftAssignment.objects.count() == 2
        assert "1 new" in text(done)
        assert "1 day is being worked out anew." in text(done)

    def test_offers_the_rows_with_their_errors(self, hr: Client, site: Site) -> None:
        make_employee(site=site, code="E-1")
        shown = self.upload(
            hr,
            "leave",
            "employee,from,until\nE-1,2026-03-02,2026-03-03\nE-9,02/03/2026,\n",
        )

        file = hr.get(shown.context["error_file"])

        assert "Download the rows with their errors" in text(shown)
        assert file["Content-Disposition"] == 'attachment; filename="leave-errors.csv"'
        right, wrong = csv.DictReader(StringIO(file.content.decode("utf-8-sig")))
        assert right["errors"] == ""
        assert "Nobody at your sites has the code E-9." in wrong["errors"]
        assert "02/03/2026" in wrong["errors"]
        assert not Leave.objects.exists()

    def test_shows_the_rows_with_errors_to_nobody_else(
        self, hr: Client, client: Client, site: Site
    ) -> None:
        shown = self.upload(hr, "leave", "employee,from,until\nE-9,2026-03-02,\n")
        place = shown.context["error_file"]

        client.force_login(make_user("other", role=HR, sites=[site], is_staff=True))
        theirs = client.get(place, follow=True)
        client.force_login(make_user("i", role=INTEGRATOR, sites=[site], is_staff=True))

        assert "Upload it again" in text(theirs)
        assert client.get(place).status_code == 403

    @pytest.mark.parametrize("model", ["shiftassignment", "leave", "holiday"])
    def test_is_not_for_those_who_may_only_look(
        self, client: Client, site: Site, model: str
    ) -> None:
        ines = make_user("ines", role=INTEGRATOR, sites=[site], is_staff=True)
        client.force_login(ines)

        assert client.get(address(model, "import")).status_code == 403
        assert client.get(address(model, "export")).status_code == 200

    @pytest.mark.parametrize("model", ["shiftassignment", "leave", "holiday"])
    def test_of_an_export_changes_nothing(
        self, hr: Client, site: Site, model: str
    ) -> None:
        row = make_assignment(shift=make_shift(site=site), starts_on=TODAY)
        dates = {"starts_on": TODAY, "ends_on": TODAY + timedelta(days=1)}
        Leave.objects.create(employee=row.employee, **dates)
        Holiday.objects.create(site=site, holiday_date=TODAY, name="Holi")
        make_assignment()
        form = {"format": "0", "resource": ""}

        content = hr.post(address(model, "export"), form).content.decode("utf-8-sig")
        shown = self.upload(hr, model, content)

        assert len(content.splitlines()) == 2
        assert shown.context["result"].totals["skip"] == 1


def make_words(employee: Employee) -> str:
    return str(employee.shift_assignments.order_by("starts_on")[0].shift)
