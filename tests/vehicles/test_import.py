"""Vehicles as CSV and XLSX: what a file may be, and what is told of a wrong one."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from factory_site.roles import HR, SITE_ADMIN
from identity import sheets
from tests.factories import make_employee, make_site, make_user
from tests.imports import CSV, XLSX, ImportPage, wrong, xlsx
from tests.vehicles.offers import PLATE
from vehicles.management.commands import import_vehicles
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

    from identity.models import User
    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
PAGE = ImportPage("vehicles_vehicle")
upload, confirm = PAGE.upload, PAGE.confirm


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", slug="own-plant", time_zone="Asia/Kolkata")


@pytest.fixture
def amir(site: Site, role_groups: None) -> User:
    return make_user("amir", role=SITE_ADMIN, sites=[site], is_staff=True)


@pytest.fixture
def admin(client: Client, amir: User) -> Client:
    client.force_login(amir)
    return client


def make_vehicle(site: Site, **values: Any) -> Vehicle:
    return Vehicle.objects.create(site=site, **{"plate_number": PLATE} | values)


class TestImport:
    def test_shows_every_row_before_it_writes_one(
        self, admin: Client, site: Site
    ) -> None:
        asha = make_employee(site=site, code="E-1")
        known = make_vehicle(site, owner="Rao", notes="Kept")
        table = (
            "plate,type,status,reason,owner,employee,valid_until\n"
            "mh 12 ab-1234,truck,blocked,Stolen,,E-1,2026-11-21 18:00\n"
            "KA01ZZ9999,,,,Ravi,,\n"
        )

        shown = upload(admin, table)
        before = list(Vehicle.objects.values_list("plate_number", "status"))
        done = confirm(admin, shown)

        known.refresh_from_db()
        new = Vehicle.objects.get(plate_number="KA01ZZ9999")
        assert before == [(PLATE, "authorized")]
        assert "1 new, 1 updated" in done.content.decode()
        assert (known.vehicle_type, known.status, known.reason) == (
            "truck",
            "blocked",
            "Stolen",
        )
        assert (known.owner, known.employee, known.notes) == ("", asha, "Kept")
        assert known.valid_until == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
        assert (new.site, new.status, new.owner) == (site, "authorized", "Ravi")
        assert str(new.registered_by) == "amir"
        for row in (known, new):
            change = row.history.latest()
            assert str(change.history_user) == "amir"
            assert change.history_change_reason == "Import of list.csv"

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("own-plant,,truck,,,,,", "The plate is missing."),
            ("own-plant,ABCDEFGHIJKLM,,,,,,", "1 to 12 capitals and digits"),
            ("theirs,KA1,,,,,,", "There is no site 'theirs'. Yours: own-plant."),
            ("own-plant,MHI2AB1234,,,,,,", "reads MHI2AB1234 as MH12AB1234, by"),
            ("own-plant,\u041c\u041d12AB1234,,,,,,", "letters A to Z and the digits"),
            ("own-plant,KA1,,visitor,,,,", "pass ends: say until when"),
            ("own-plant,KA1,boat,,,,,", "'boat' is no type of vehicle. Write car,"),
            ("own-plant,KA1,,blocked,,,,", "Say why it is blocked."),
            ("own-plant,KA1,,,,E-9,,", "Nobody at Own plant has the code E-9."),
            ("own-plant,KA1,,,,,05/03/26,", "no date and time that can be read in one"),
            ("own-plant,KA1,,,,,2026-03-05,2026-03-05", "It ends before it begins."),
            ("own-plant,ka-99,,,,,,", "Row 1 has KA99 too."),
            ("own-plant,BAD1,,authorized,,,,", "BAD1 is blocked. Unblock it on its"),
        ],
    )
    def test_says_what_is_wrong_with_a_row(
        self, admin: Client, site: Site, line: str, sentence: str
    ) -> None:
        make_vehicle(site, plate_number="BAD1", status="blocked", reason="Stolen")
        header = "site,plate,type,status,reason,employee,valid_from,valid_until"

        shown = upload(admin, f"{header}\nown-plant,KA99,,,,,,\n{line}\n")

        (told,) = wrong(shown).items()
        assert told[0] == 2
        assert sentence in told[1]
        assert Vehicle.objects.count() == 1

    def test_writes_no_history_where_nothing_changes(
        self, admin: Client, site: Site
    ) -> None:
        row = make_vehicle(site, status="blocked", reason="Stolen")

        done = confirm(admin, upload(admin, f"plate,status\n{PLATE},blocked\n"))

        assert "1 skipped" in done.content.decode()
        assert row.history.count() == 1

    def test_refuses_what_was_added_since_it_was_shown(
        self, admin: Client, site: Site
    ) -> None:
        shown = upload(admin, f"plate,status\n{PLATE},authorized\n")
        make_vehicle(site, status="blocked", reason="Stolen")

        done = confirm(admin, shown)

        assert "Nothing was imported" in done.content.decode()
        assert Vehicle.objects.get().status == "blocked"

    def test_goes_on_with_a_plate_from_before_a_format(
        self, admin: Client, site: Site
    ) -> None:
        odd = make_vehicle(site, plate_number="MHI2AB1234")

        confirm(admin, upload(admin, "plate,owner\nMHI2AB1234,Rao\n"))
        odd.refresh_from_db()
        assert odd.owner == "Rao"

    def test_leaves_vehicles_of_other_sites(self, admin: Client, site: Site) -> None:
        theirs = make_vehicle(make_site(), owner="Theirs")

        confirm(admin, upload(admin, f"plate,owner\n{PLATE},Ours\n"))

        theirs.refresh_from_db()
        assert theirs.owner == "Theirs"
        assert Vehicle.objects.get(site=site).owner == "Ours"

    def test_reads_what_it_exported(self, admin: Client, site: Site) -> None:
        ends = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
        make_vehicle(
            site,
            employee=make_employee(site=site, code="E-1"),
            owner="=1+1",
            status="visitor",
            valid_until=ends,
        )
        make_vehicle(make_site(), plate_number="THEIRS1")
        sent = {"format": CSV, "resource": ""}
        for name in ("site", "plate", "status", "owner", "employee", "valid_until"):
            sent[f"vehicleresource_{name}"] = "on"

        table = admin.post(reverse("admin:vehicles_vehicle_export"), sent).content

        (row,) = csv.DictReader(StringIO(table.decode("utf-8-sig")))
        assert row["valid_until"] == "2026-11-21 18:00"
        assert (row["owner"], row["employee"]) == ("'=1+1", "E-1")
        done = confirm(admin, upload(admin, table))
        assert "1 skipped" in done.content.decode()

    def test_reads_sheets(self, admin: Client, site: Site) -> None:
        until = datetime(2026, 11, 21, 18)  # noqa: DTZ001 - a cell
        table = xlsx(["plate", "valid_until"], [1234, until])

        confirm(admin, upload(admin, table, kind=XLSX))

        row = Vehicle.objects.get()
        assert row.plate_number == "1234"
        assert row.valid_until == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)

    def test_tells_where_long_files_go(
        self, admin: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sheets, "ROWS_MAX", 1)

        shown = upload(admin, "plate\nKA1\nKA2\n").content.decode()

        assert "manage.py import_vehicles" in shown

    def test_is_for_those_who_change_vehicles(self, client: Client, site: Site) -> None:
        client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))

        assert client.get(PAGE.address).status_code == 403
        assert client.get(reverse("admin:vehicles_vehicle_export")).status_code == 200


class TestCommand:
    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(import_vehicles, "BATCH", 2)
        return tmp_path / "blocked.csv"

    def run(self, file: Path, *args: str, by: str = "amir") -> tuple[str, str]:
        told, warned = StringIO(), StringIO()
        try:
            call_command(
                "import_vehicles", file, f"--by={by}", *args, stdout=told, stderr=warned
            )
        except CommandError as error:
            warned.write(str(error))
        return told.getvalue(), warned.getvalue()

    @pytest.mark.usefixtures("amir")
    def test_imports_batch_after_batch(self, file: Path, site: Site) -> None:
        known = make_vehicle(site, plate_number="KA3")
        rows = "".join(f"KA{number};blocked;Stolen\n" for number in range(5))
        file.write_text(f"\ufeffplate;status;reason\n{rows}\n;;\n")

        tried = self.run(file, "--dry-run")
        assert Vehicle.objects.count() == 1
        assert tried == ("Would import 4 new vehicles, 1 changed.\n", "")

        assert self.run(file) == ("Imported 4 new vehicles, 1 changed.\n", "")
        assert Vehicle.objects.blocked().filter(site=site).count() == 5
        change = known.history.latest()
        assert str(change.history_user) == "amir"
        assert change.history_change_reason == "Import of blocked.csv"

    @pytest.mark.usefixtures("amir")
    def test_writes_nothing_unless_every_row_is_right(self, file: Path) -> None:
        file.write_text("plate,status\nKA1,\nKA2,\nKA3\nKA1,\nKA4,blocked\n")

        _, warned = self.run(file)

        assert "Row 4: plate: Row 1 has KA1 too." in warned
        assert "Row 5: reason: Say why it is blocked." in warned
        assert "Nothing was imported: 2 rows are wrong." in warned
        assert not Vehicle.objects.exists()

    @pytest.mark.usefixtures("amir")
    def test_says_what_is_wrong_with_the_file(self, file: Path, site: Site) -> None:
        make_user("hana", role=HR, sites=[site])
        assert "cannot be read: No such file" in self.run(file)[1]
        file.write_bytes(b"plate\n\xff\xfe\n")
        assert "is no CSV in UTF-8" in self.run(file)[1]
        file.write_text(f"plate\n{'A' * 200_000}\n")
        assert "is no CSV: field larger" in self.run(file)[1]
        file.write_text("number\nKA1\n")
        assert "There is no column 'number'" in self.run(file)[1]
        assert "There is no active login 'nobody'." in self.run(file, by="nobody")[1]
        refused = self.run(file, by="hana")[1]
        assert "hana may not add and change vehicles." in refused
