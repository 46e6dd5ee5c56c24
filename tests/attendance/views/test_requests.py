"""What workers ask for, as a browser gets it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from attendance import corrections
from attendance.models import CorrectionRequest
from tests.factories import make_assignment, make_employee, make_record, make_shift
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from attendance.models import AttendanceRecord
    from identity.models import Employee

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 4, tzinfo=UTC)
PAGE = "/attendance/requests"
PAGE_QUERIES_MAX = 16


@pytest.fixture
def absent(asha: Employee) -> AttendanceRecord:
    shift = make_shift(site=asha.site)
    make_assignment(employee=asha, shift=shift)
    return make_record(
        employee=asha, shift=shift, attendance_date=MONDAY, status="absent"
    )


def ask(record: AttendanceRecord, **values: Any) -> CorrectionRequest:
    defaults = {
        "record": record,
        "made_at": NOW,
        "text": "I was there.",
        "check_in_at": record.start_at,
        "check_out_at": record.end_at,
    }
    return CorrectionRequest.objects.create(**defaults | values)


class TestInbox:
    def test_shows_what_waits_first_against_what_is_recorded(
        self, hr: Client, absent: AttendanceRecord
    ) -> None:
        ask(absent, state="declined", text="An old one.", answered_at=NOW, answer="No.")
        ask(absent)

        told = text(hr.get(PAGE))

        assert "1 request waiting" in told
        assert "E-104 Asha Rao Mon 2 March 2026 ABSENT Recorded: nobody came" in told
        assert "Says: came 14:30 left 22:30" in told
        assert told.index("I was there.") < told.index("An old one.")
        assert "Declined by somebody" in told

    def test_says_what_it_is_for_where_nothing_waits(self, hr: Client) -> None:
        assert "No request is waiting" in text(hr.get(PAGE))

    def test_shows_those_of_the_own_sites(
        self, hr: Client, absent: AttendanceRecord
    ) -> None:
        ask(make_record(employee=make_employee()), text="Elsewhere.")

        assert "Elsewhere." not in text(hr.get(PAGE))

    def test_needs_the_permission(self, security: Client) -> None:
        assert security.get(PAGE).status_code == 403

    def test_offers_no_answer_to_those_who_may_only_ask(
        self, integrator: Client, absent: AttendanceRecord
    ) -> None:
        asked = ask(absent)

        assert "Decline" not in text(integrator.get(PAGE))
        assert integrator.post(f"{PAGE}/{asked.pk}").status_code == 403

    def test_needs_as_many_queries_for_many_as_for_one(
        self,
        hr: Client,
        absent: AttendanceRecord,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for days in range(10):
            on = MONDAY + timedelta(days=days + 1)
            one = make_employee(site=absent.employee.site)
            ask(make_record(employee=one, attendance_date=on))
            ask(absent, state="declined", answered_at=NOW)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            assert "10 requests waiting" in text(hr.get(PAGE))


class TestAnswer:
    def test_corrects_the_day_in_place(
        self, hr: Client, absent: AttendanceRecord
    ) -> None:
        asked = ask(absent)
        form = {"decision": "accepted", "answer-answer": "", "next": "list"}

        page = hr.post(f"{PAGE}/{asked.pk}", form, follow=True)

        assert page.redirect_chain == [(PAGE, 302)]
        assert "corrected as the worker says" in text(page)
        assert "Accepted by hana" in text(page)
        absent.refresh_from_db()
        assert absent.status == "present"

    def test_says_why_the_day_stays(self, hr: Client, absent: AttendanceRecord) -> None:
        asked = ask(absent)
        form = {"decision": "declined", "answer-answer": "The gate was open."}

        page = hr.post(f"{PAGE}/{asked.pk}", {**form, "next": "list"}, follow=True)

        assert "Declined by hana" in text(page)
        assert "The gate was open." in text(page)

    def test_needs_words_to_decline(self, hr: Client, absent: AttendanceRecord) -> None:
        asked = ask(absent)

        page = hr.post(f"{PAGE}/{asked.pk}", {"decision": "declined"})

        assert page.status_code == 422
        assert "the worker is told" in text(page)
        asked.refresh_from_db()
        assert asked.state == "open"

    def test_keeps_what_was_typed_when_it_is_refused(
        self, hr: Client, absent: AttendanceRecord
    ) -> None:
        asked = ask(absent, check_in_at=None, check_out_at=None)
        form = {"decision": "accepted", "answer-answer": "You are right."}

        page = hr.post(f"{PAGE}/{asked.pk}", form)

        assert page.status_code == 422
        assert "names no time" in text(page)
        assert ">You are right.</textarea>" in page.content.decode()

    def test_says_that_somebody_answered_meanwhile(
        self, hr: Client, absent: AttendanceRecord
    ) -> None:
        asked = ask(absent, state="declined", answered_at=NOW)

        page = hr.post(f"{PAGE}/{asked.pk}", {"decision": "accepted"})

        assert page.status_code == 422
        assert corrections.ANSWERED in text(page)

    @pytest.mark.parametrize(
        ("was", "address"),
        [("day", "/attendance/E-104/2026-03-02"), ("list", PAGE), ("//x.org/", PAGE)],
    )
    def test_leads_back_to_where_the_form_was(
        self, hr: Client, absent: AttendanceRecord, was: str, address: str
    ) -> None:
        form = {"decision": "accepted", "next": was}

        page = hr.post(f"{PAGE}/{ask(absent).pk}", form)

        assert page["Location"] == address

    def test_is_not_found_of_another_site(self, hr: Client) -> None:
        asked = ask(make_record(employee=make_employee()))

        page = hr.post(f"{PAGE}/{asked.pk}", {"decision": "accepted"})

        assert page.status_code == 404
