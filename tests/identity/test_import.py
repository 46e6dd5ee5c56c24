"""Employees as CSV and XLSX: what a file may be, and what is told of a wrong one."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

import openpyxl
import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from factory_site.roles import HR, SECURITY
from identity.admin.importing import SmallXLSX
from identity.models import Employee
from identity.sheets import FORMULA_STARTS, ROWS_MAX
from tests.factories import (
    make_department,
    make_employee,
    make_face_sample,
    make_site,
    make_user,
)
from tests.imports import CSV, XLSX, ImportPage, wrong, xlsx
from tests.races import change_before_saving

if TYPE_CHECKING:
    from django.test import Client

    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
PAGE = ImportPage("identity_employee")
upload, confirm = PAGE.upload, PAGE.confirm


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", slug="own-plant")


@pytest.fixture
def hr(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


class TestImport:
    def test_shows_every_row_before_it_writes_one(self, hr: Client, site: Site) -> None:
        make_department(site=site, name="Press shop")
        known = make_employee(site=site, code="E-1", name="Asha", email="a@x.com")
        table = (
            "code,name,email,department,status,may_enter\n"
            "E-1,Asha Rao,,Press shop,inactive,no\n"
            "E-2,Ravi,ravi@example.com,,,\n"
        )

        shown = upload(hr, table)
        before = list(Employee.objects.values_list("code", "name"))
        done = confirm(hr, shown)

        known.refresh_from_db()
        new = Employee.objects.get(code="E-2")
        assert before == [("E-1", "Asha")]
        assert "1 new, 1 updated" in done.content.decode()
        assert (known.name, known.email, str(known.department)) == (
            "Asha Rao",
            None,
            "Press shop",
        )
        assert (known.status, known.is_authorized) == ("inactive", False)
        assert (new.site, new.status, new.is_authorized) == (site, "active", True)
        assert new.created_by
        assert new.created_by.username == "hana"
        change = known.history.latest()
        assert (change.history_user.username, change.history_change_reason) == (
            "hana",
            "Import of list.csv",
        )

    def test_leaves_what_is_not_in_the_file(
        self, hr: Client, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        department = make_department(site=site)
        seen_at = timezone.now()
        kept = make_employee(
            site=site, code="E-1", department=department, notes="N", email="a@x.com"
        )
        shown = upload(hr, "code,name\nE-1,New\n")
        change_before_saving(monkeypatch, Employee, last_seen_at=seen_at)
        confirm(hr, shown)

        kept.refresh_from_db()
        assert (kept.name, kept.department) == ("New", department)
        assert (kept.notes, kept.email, kept.last_seen_at) == ("N", "a@x.com", seen_at)

    def test_writes_no_history_where_nothing_changes(
        self, hr: Client, site: Site
    ) -> None:
        employee = make_employee(site=site, code="E-1", name="Asha")

        done = confirm(hr, upload(hr, "code,name\nE-1,Asha\n"))

        assert "1 skipped" in done.content.decode()
        assert employee.history.count() == 1

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("E-9,,,,,", "This field cannot be blank."),
            (",Ravi,,,,", "The code is missing."),
            ("E-8,Ravi,,,,", "Row 1 has the code E-8 too."),
            ("e 9,Ravi,,,,", "Use capitals, digits and dashes: E-104."),
            ("E-9,Ravi,nowhere,,,", "Enter a valid email address."),
            ("E-9,Ravi,taken@x.com,,,", "Somebody has this e-mail address."),
            (
                "E-9,Ravi,,Paint,,",
                "There is no department 'Paint' at Own plant. Add it first.",
            ),
            (
                "E-9,Ravi,,Their shop,,",
                "There is no department 'Their shop' at Own plant. Add it first.",
            ),
            ("E-9,Ravi,,,gone,", "'gone' is no status. Write active or inactive."),
            ("E-9,Ravi,,,,maybe", "'maybe' is neither yes nor no."),
            (
                "E-77,Ravi,,,,",
                "E-77 is taken: by another site, or by somebody erased.",
            ),
            (
                "E-78,Ravi,,,,",
                "E-78 is taken: by another site, or by somebody erased.",
            ),
        ],
    )
    def test_names_what_is_wrong_with_a_row_and_writes_none(
        self, hr: Client, site: Site, line: str, sentence: str
    ) -> None:
        make_employee(code="E-77")
        make_employee(
            site=site, code="E-78", status="inactive", erased_at=timezone.now()
        )
        make_department(name="Their shop")
        make_employee(site=site, code="E-7", email="taken@x.com")
        before = Employee.objects.count()
        head = "code,name,email,department,status,may_enter\nE-8,Right,,,,\n"

        shown = upload(hr, f"{head}{line}\n")

        assert wrong(shown) == {2: sentence}
        assert sentence.split("'")[0] in shown.content.decode()
        assert Employee.objects.count() == before

    def test_gives_the_file_back_with_what_is_wrong_with_each_row(
        self, hr: Client, site: Site
    ) -> None:
        shown = upload(hr, "code,name,status\nE-1,=A1,\nE-2,B,gone\n")

        file = hr.get(shown.context["error_file"])
        table = file.content.decode("utf-8-sig")
        mended = table.replace("gone", "active")
        again = upload(hr, mended)

        assert "Download the rows with their errors" in shown.content.decode()
        assert list(csv.reader(StringIO(table))) == [
            ["code", "name", "status", "errors"],
            ["E-1", "'=A1", "", ""],
            [
                "E-2",
                "B",
                "gone",
                "status: 'gone' is no status. Write active or inactive.",
            ],
        ]
        assert "confirm_form" in again.context

    @pytest.mark.parametrize(
        ("slug", "sentence"),
        [
            ("their-plant", "There is no site 'their-plant'. Yours: own-plant."),
            ("nowhere", "There is no site 'nowhere'. Yours: own-plant."),
        ],
    )
    def test_refuses_sites_that_are_not_the_users(
        self, hr: Client, site: Site, slug: str, sentence: str
    ) -> None:
        make_site(slug="their-plant")

        assert wrong(upload(hr, f"site,code,name\n{slug},E-1,A\n")) == {1: sentence}

    def test_moves_nobody_into_a_department_of_the_site_they_left(
        self, client: Client, site: Site
    ) -> None:
        sites = [site, make_site(slug="second")]
        client.force_login(make_user("hana", role=HR, sites=sites, is_staff=True))
        department = make_department(site=site, name="Press shop")
        make_employee(site=site, code="E-1", department=department)

        shown = upload(client, "code,site\nE-1,second\n")

        assert wrong(shown) == {1: "Press shop is a department of another site."}

    def test_moves_nobody_whose_photos_are_of_the_site_they_left(
        self, client: Client, site: Site
    ) -> None:
        sites = [site, make_site(slug="second")]
        client.force_login(make_user("hana", role=HR, sites=sites, is_staff=True))
        make_face_sample(employee=make_employee(site=site, code="E-1"))

        (sentence,) = wrong(upload(client, "code,site\nE-1,second\n")).values()

        assert sentence.startswith("There are photos of them")

    def test_asks_for_the_site_of_those_who_have_two(
        self, client: Client, site: Site
    ) -> None:
        sites = [site, make_site(slug="second")]
        client.force_login(make_user("hana", role=HR, sites=sites, is_staff=True))

        unsaid = upload(client, "code,name\nE-1,A\n")
        said = upload(client, "code,site,name\nE-1,second,A\n")
        confirm(client, said)

        assert wrong(unsaid) == {1: "Say at which site they work."}
        assert Employee.objects.get().site == sites[1]

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("name\nAsha\n", "The column &#x27;code&#x27; is missing"),
            ("code,name,salary\nE-1,A,9\n", "There is no column &#x27;salary&#x27;."),
            ("code\nE-\xff".encode("latin-1"), "cannot be read as CSV"),
            (xlsx(["code", "name"], ["E-1", "A"]), "cannot be read as CSV"),
            ("", "empty"),
            ("code\n" + "E-1\n" * 5001, "At most 5000 rows at once"),
            ("x" * (5 * 2**20 + 1), "at most 5 MiB"),
        ],
    )
    def test_names_what_is_wrong_with_a_whole_file(
        self, hr: Client, site: Site, content: str | bytes, sentence: str
    ) -> None:
        shown = upload(hr, content)

        page = shown.content.decode()
        assert sentence in page
        assert "Traceback" not in page
        assert "confirm_form" not in shown.context

    def test_reads_semicolons_and_the_mark_of_excel(
        self, hr: Client, site: Site
    ) -> None:
        shown = upload(hr, "\ufeffcode;name\nE-1;Müller, Jörg\n")
        confirm(hr, shown)

        assert Employee.objects.get().name == "Müller, Jörg"

    def test_reads_xlsx_with_numbers_for_codes(self, hr: Client, site: Site) -> None:
        table = xlsx(["code", "name", "may_enter"], [104, "Asha", True], [None] * 3)
        shown = upload(hr, table, kind=XLSX)
        confirm(hr, shown)

        employee = Employee.objects.get()
        assert (employee.code, employee.is_authorized) == ("104", True)

    def test_reads_the_rows_around_a_million_blank_ones(self) -> None:
        """Excel keeps them where one cell at the end of the sheet has something."""
        book = openpyxl.Workbook()
        for line in (["code", "name"], ["E-1", "A"]):
            book.active.append(line)
        book.active.cell(row=1_048_576, column=1, value="E-2")
        packed = BytesIO()
        book.save(packed)

        rows = SmallXLSX().create_dataset(packed.getvalue())

        assert rows.headers == ["code", "name"]
        assert list(rows) == [("E-1", "A"), ("E-2", None)]

    def test_reads_no_more_rows_than_show_that_they_are_too_many(self) -> None:
        codes: list[list[object]] = [[number] for number in range(ROWS_MAX + 9)]

        rows = SmallXLSX().create_dataset(xlsx(["code"], *codes))

        assert len(rows) == ROWS_MAX + 1

    def test_refuses_what_is_no_xlsx(self, hr: Client, site: Site) -> None:
        shown = upload(hr, "code,name\n", kind=XLSX)

        assert "cannot be read as XLSX" in shown.content.decode()

    def test_writes_nothing_where_a_row_became_wrong_meanwhile(
        self, hr: Client, site: Site
    ) -> None:
        department = make_department(site=site, name="Press shop")
        shown = upload(hr, "code,name,department\nE-1,A,\nE-2,B,Press shop\n")
        department.delete()

        page = confirm(hr, shown).content.decode()

        assert "Nothing was imported" in page
        assert not Employee.objects.exists()

    def test_asks_for_the_file_again_once_it_is_forgotten(
        self, hr: Client, site: Site
    ) -> None:
        shown = upload(hr, "code,name\nE-1,A\n")
        cache.clear()

        page = confirm(hr, shown).content.decode()

        assert "Upload it again" in page
        assert not Employee.objects.exists()

    @pytest.mark.parametrize("route", ["import", "process_import", "export"])
    def test_is_not_for_a_role_without_the_permissions(
        self, client: Client, site: Site, route: str
    ) -> None:
        sam = make_user("sam", sites=[site], is_staff=True)
        client.force_login(sam)

        page = client.post(reverse(f"admin:identity_employee_{route}"))

        assert page.status_code == 403

    def test_is_not_for_those_who_may_only_look(
        self, client: Client, site: Site
    ) -> None:
        client.force_login(make_user("sam", role=SECURITY, sites=[site], is_staff=True))

        assert client.get(PAGE.address).status_code == 403
        assert upload(client, "code,name\nE-1,A\n").status_code == 403


class TestExport:
    def export(self, client: Client, kind: str) -> bytes:
        address = reverse("admin:identity_employee_export")
        answer = client.post(address, {"format": kind, "resource": ""})
        assert answer.status_code == 200
        return bytes(answer.content)

    def test_holds_own_sites_alone_and_can_be_imported_again(
        self, hr: Client, site: Site
    ) -> None:
        department = make_department(site=site, name="Press shop")
        make_employee(site=site, code="E-1", name="Jörg", department=department)
        make_employee(site=site, code="E-2", name="B", status="inactive")
        make_employee(code="E-THEIRS")

        content = self.export(hr, CSV)
        again = confirm(hr, upload(hr, content))

        table = list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))
        assert [row["code"] for row in table] == ["E-1", "E-2"]
        assert table[0] == {
            "site": "own-plant",
            "code": "E-1",
            "name": "Jörg",
            "email": "",
            "department": "Press shop",
            "status": "active",
            "may_enter": "yes",
            "notes": "",
        }
        assert "2 skipped" in again.content.decode()

    @pytest.mark.parametrize("kind", [CSV, XLSX])
    def test_holds_no_formula(self, hr: Client, site: Site, kind: str) -> None:
        formula = '=HYPERLINK("http://192.0.2.1/","x")'
        department = make_department(site=site, name="@SUM(A1)")
        employee = make_employee(
            site=site, name=formula, notes="-1+1", department=department
        )

        content = self.export(hr, kind)
        if kind == CSV:
            (row,) = csv.DictReader(StringIO(content.decode("utf-8-sig")))
            cells: list[str] = list(row.values())
        else:
            sheet = openpyxl.load_workbook(BytesIO(content)).active
            cells = [str(cell.value) for cell in sheet[2]]
            assert "f" not in {cell.data_type for cell in sheet[2]}
        again = confirm(hr, upload(hr, content, kind=kind))

        assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
        assert "1 skipped" in again.content.decode()
        employee.refresh_from_db()
        assert employee.name == formula
