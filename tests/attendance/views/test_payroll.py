"""Payroll as a browser gets it, and its files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import time_machine

from attendance import payroll as lines_of
from attendance.models import CorrectionRequest
from attendance.models.days import Review
from attendance.views import payroll, sheets
from factory_site.roles import HR
from identity.views.filters import NO_DATE, NO_ORDER
from tests.factories import (
    make_assignment,
    make_department,
    make_employee,
    make_record,
    make_shift,
    make_site,
    make_user,
)
from tests.pages import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Site

pytestmark = [
    pytest.mark.django_db,
    # Files are streamed for ASGI, which this client is not.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]

MARCH = "from=2026-03-01&to=2026-03-31"
PAGE_QUERIES_MAX = 18


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 4, 1, 6, tzinfo=UTC)):
        yield


def table(client: Client, query: str = MARCH) -> list[dict[str, str]]:
    response: Any = client.get(f"/attendance/payroll.csv?{query}")
    assert response.status_code == 200
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def day(asha: Employee) -> None:
    """Give Asha a day in March."""
    make_record(
        employee=asha,
        shift=make_shift(site=asha.site, shift_name="Early"),
        status="late",
        is_settled=True,
        check_in_at=datetime(2026, 3, 2, 9, 17, tzinfo=UTC),
        check_out_at=datetime(2026, 3, 2, 18, 0, tzinfo=UTC),
        late_minutes=17,
        worked_minutes=523,
        overtime_minutes=60,
    )


class TestPayroll:
    def test_is_of_the_last_month_where_nothing_is_asked_for(
        self, hr: Client, asha: Employee, day: None
    ) -> None:
        make_record(employee=asha, attendance_date=date(2026, 4, 1))

        page = hr.get("/attendance/payroll")

        assert "Payroll: 1 day of 1 person, 8:43 h worked, 1:00 h overtime" in text(
            page
        )
        assert 'value="2026-03-01"' in page.text
        assert 'value="2026-03-31"' in page.text

    def test_shows_the_first_lines_by_the_clock_of_the_site(
        self, hr: Client, day: None
    ) -> None:
        page = text(hr.get(f"/attendance/payroll?{MARCH}"))

        assert "Asha Rao E-104 Mon 2 Mar Early 14:30 14:47 23:30 523 17 60 Late" in page

    def test_says_that_nothing_is_open(self, hr: Client, day: None) -> None:
        page = text(hr.get(f"/attendance/payroll?{MARCH}"))

        assert "Every day is settled" in page

    def test_warns_of_all_that_may_still_change_it(
        self, hr: Client, asha: Employee, day: None
    ) -> None:
        make_record(
            employee=asha,
            attendance_date=date(2026, 4, 1),
            reviews=[Review.MISSING_CHECK_OUT],
        )
        record = make_record(
            employee=asha, attendance_date=date(2026, 4, 2), status="unverified"
        )
        CorrectionRequest.objects.create(
            record=record, made_at=datetime(2026, 4, 2, tzinfo=UTC), text="I was here."
        )

        page = text(hr.get("/attendance/payroll?from=2026-03-01&to=2026-04-30"))

        assert "The period is not over: it ends on 30 Apr 2026." in page
        assert "2 days are not settled" in page
        assert "1 day is unverified" in page
        assert "1 day is flagged for review" in page
        assert "1 request waits for an answer" in page

    def test_warns_of_who_has_no_line_of_the_last_date(
        self, hr: Client, asha: Employee, day: None
    ) -> None:
        make_assignment(employee=asha)
        make_assignment()

        page = hr.get(f"/attendance/payroll?{MARCH}")

        assert "1 person has no line of 31 Mar 2026 yet" in text(page)
        assert "Every day is settled" not in text(page)
        assert 'href="/attendance?date=2026-03-31"' in page.text

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("from=2026-03-31&to=2026-03-01", NO_ORDER),
            ("from=march&to=2026-03-01", NO_DATE),
            ("from=2026-03-01&to=9999-01-01", NO_DATE),
            ("from=2025-01-01&to=2026-01-02", payroll.TOO_LONG),
        ],
    )
    def test_refuses_a_period_with_a_sentence(
        self, hr: Client, day: None, query: str, sentence: str
    ) -> None:
        page = hr.get(f"/attendance/payroll?{query}")
        file = hr.get(f"/attendance/payroll.csv?{query}", follow=True)

        for answer in (page, file):
            assert answer.status_code == 400
            assert sentence in text(answer)
            assert "payroll.csv" not in answer.text

    def test_takes_a_whole_year(self, hr: Client, day: None) -> None:
        query = "from=2025-04-01&to=2026-04-01"

        assert hr.get(f"/attendance/payroll?{query}").status_code == 200

    def test_says_that_there_is_no_day(self, hr: Client, site: Site) -> None:
        page = hr.get(f"/attendance/payroll?{MARCH}")

        assert "There is no day in this period" in text(page)
        assert "payroll.csv" not in page.text

    def test_needs_as_many_queries_for_many_days_as_for_one(
        self,
        hr: Client,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            person = make_employee(site=site, department=make_department(site=site))
            make_record(employee=person, shift=make_shift(site=site))

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            assert hr.get(f"/attendance/payroll?{MARCH}").status_code == 200


class TestCsv:
    def test_has_a_line_per_employee_and_day(self, hr: Client, day: None) -> None:
        (line,) = table(hr)

        assert tuple(line) == lines_of.COLUMNS
        assert line == {
            "code": "E-104",
            "name": "Asha Rao",
            "department": "",
            "site": "Main plant",
            "date": "2026-03-02",
            "weekday": "Mon",
            "shift": "Early",
            "planned start": "2026-03-02T14:30:00+05:30",
            "planned end": "2026-03-02T22:30:00+05:30",
            "in": "2026-03-02T14:47:00+05:30",
            "out": "2026-03-02T23:30:00+05:30",
            "worked minutes": "523",
            "late minutes": "17",
            "early minutes": "0",
            "overtime minutes": "60",
            "status": "Late",
            "leave": "",
            "unscheduled": "",
            "flagged": "",
            "corrected": "",
        }

    def test_holds_no_formula(self, hr: Client, site: Site) -> None:
        make_record(employee=make_employee(site=site, name="@SUM(1)"))

        assert table(hr)[0]["name"] == "'@SUM(1)"

    def test_is_narrowed_to_a_department_and_a_site(
        self, hr: Client, site: Site, day: None
    ) -> None:
        stores = make_department(site=site, name="Stores")
        make_record(employee=make_employee(site=site, code="E-2", department=stores))

        assert [line["code"] for line in table(hr, f"{MARCH}&department=Stores")] == [
            "E-2"
        ]
        assert table(hr, f"{MARCH}&site=elsewhere") == []

    def test_is_of_the_users_own_sites(self, client: Client, day: None) -> None:
        client.force_login(make_user("other", role=HR, sites=[make_site()]))

        assert table(client) == []

    def test_is_sent_in_pieces(
        self, hr: Client, site: Site, day: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("attendance.views.downloads.PIECE", 10)

        response: Any = hr.get(f"/attendance/payroll.csv?{MARCH}")
        pieces = list(response)

        assert {len(piece) for piece in pieces[:-1]} == {10}
        assert sum(map(len, pieces)) == int(response["Content-Length"])
        assert response["Cache-Control"] == "no-store"


class TestXlsx:
    def sheet(self, client: Client) -> Any:
        response: Any = client.get(f"/attendance/payroll.xlsx?{MARCH}")
        return openpyxl.load_workbook(io.BytesIO(b"".join(response)))["Payroll"]

    def test_has_typed_cells(self, hr: Client, site: Site, day: None) -> None:
        make_record(
            employee=make_employee(site=site, code="E-2", name="=1+1\x0b"),
            unscheduled=True,
        )

        heading, first, second = self.sheet(hr).iter_rows()
        told = dict(zip((cell.value for cell in heading), first, strict=True))

        assert told["date"].value == datetime(2026, 3, 2)  # noqa: DTZ001 - of a cell
        assert told["in"].value == datetime(2026, 3, 2, 14, 47)  # noqa: DTZ001
        assert (told["worked minutes"].value, told["leave"].value) == (523, None)
        assert (second[1].value, second[1].data_type) == ("'=1+1", "s")
        assert second[-3].value == "yes"

    def test_says_when_it_would_be_too_long(
        self, hr: Client, day: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sheets, "ROWS_MAX", 0)

        response = hr.get(f"/attendance/payroll.xlsx?{MARCH}", follow=True)

        assert payroll.TOO_MANY in text(response)


class TestPermission:
    @pytest.mark.parametrize("name", ["payroll", "payroll.csv", "payroll.xlsx"])
    def test_is_to_see_attendance(
        self, security: Client, site: Site, name: str
    ) -> None:
        assert security.get(f"/attendance/{name}").status_code == 403

    def test_is_enough(self, integrator: Client, day: None) -> None:
        assert len(table(integrator)) == 1
