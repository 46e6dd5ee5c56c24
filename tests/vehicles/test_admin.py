"""Vehicles and gates in the admin: who may see, change and block what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factory_site.roles import HR, SITE_ADMIN
from streaming.models import Camera
from tests.factories import make_camera, make_employee, make_site, make_user
from tests.races import change_before_saving
from tests.vehicles.offers import PLATE, gate_camera, offer
from vehicles.models import BarrierCall, Gate, GateCamera, PlateFormat, Vehicle
from vehicles.services import record_visit

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import Settings

    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]
VEHICLES = "admin:vehicles_vehicle_changelist"
SECRET = "http://opener:hidden-word@192.0.2.9/open"


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def site() -> Site:
    return make_site(name="Own plant", time_zone="Asia/Kolkata")


@pytest.fixture
def amir(client: Client, site: Site) -> Client:
    log_in(client, SITE_ADMIN, site)
    return client


def log_in(client: Client, role: str, site: Site) -> None:
    client.force_login(make_user("amir", role=role, sites=[site], is_staff=True))


def make_vehicle(site: Site, **values: Any) -> Vehicle:
    return Vehicle.objects.create(site=site, **{"plate_number": PLATE} | values)


def form_of(site: Site, **values: Any) -> dict[str, Any]:
    return {
        "site": site.pk,
        "plate_number": PLATE,
        "vehicle_type": "car",
        "status": "authorized",
        "reason": "",
        "owner": "",
        "employee": "",
        "valid_from_0": "",
        "valid_from_1": "",
        "valid_until_0": "",
        "valid_until_1": "",
        "notes": "",
        **values,
    }


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:vehicles_{name}", args=args)


def page(client: Client, where: str, **asked: Any) -> str:
    answer = client.get(where, asked)
    assert answer.status_code == 200
    return answer.content.decode()


class TestVehicleAdmin:
    def test_takes_a_plate_as_people_write_it_and_times_of_the_site(
        self, amir: Client, site: Site
    ) -> None:
        pass_ = {
            "status": "visitor",
            "reason": "To the stores",
            "valid_until_0": "2026-11-21",
            "valid_until_1": "18:00",
        }
        typed = form_of(site, plate_number="mh 12 ab-1234", **pass_)

        answer = amir.post(address("vehicle_add"), typed)

        assert answer.status_code == 302, answer.content.decode()
        row = Vehicle.objects.get()
        assert row.plate_number == PLATE
        assert row.valid_until == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
        assert str(row.registered_by) == "amir"
        shown = page(amir, address("vehicle_change", row.pk))
        assert 'value="2026-11-21"' in shown
        assert 'value="18:00:00"' in shown

    def test_leaves_times_that_nobody_edited(self, amir: Client, site: Site) -> None:
        ends = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
        row = make_vehicle(site, valid_until=ends)
        typed = form_of(
            site, owner="Rao", valid_until_0="2026-11-21", valid_until_1="18:00:00"
        )

        amir.post(address("vehicle_change", row.pk), typed)

        row.refresh_from_db()
        assert (row.owner, row.valid_until) == ("Rao", ends)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"status": "visitor"}, "pass ends: say until when"),
            ({"status": "blocked"}, "Say why it is blocked."),
            ({"plate_number": "- -"}, "has no letter and no digit"),
            ({"plate_number": "\u041c\u041d12AB1234"}, "letters A to Z and the digits"),
            ({"plate_number": "TAKEN1"}, "has a vehicle of that plate"),
            ({"plate_number": "mhi2 ab 1234"}, "reads MHI2AB1234 as MH12AB1234"),
        ],
    )
    def test_says_what_is_wrong(
        self, amir: Client, site: Site, values: dict[str, str], sentence: str
    ) -> None:
        make_vehicle(site, plate_number="TAKEN1")
        row = make_vehicle(site)
        typed = form_of(site, **values)

        for where in (address("vehicle_add"), address("vehicle_change", row.pk)):
            assert sentence in amir.post(where, typed).content.decode()
        row.refresh_from_db()
        assert (row.plate_number, row.status) == (PLATE, "authorized")

    def test_stays_at_its_site(self, client: Client, site: Site) -> None:
        row, other = make_vehicle(site), make_site()
        two = make_user("amir", role=SITE_ADMIN, sites=[site, other], is_staff=True)
        client.force_login(two)

        client.post(address("vehicle_change", row.pk), form_of(other, owner="Rao"))

        row.refresh_from_db()
        assert (row.site, row.owner) == (site, "Rao")

    def test_warns_of_a_plate_that_no_camera_reads(
        self, amir: Client, site: Site
    ) -> None:
        typed = form_of(site, plate_number="ABC")

        answer = amir.post(address("vehicle_add"), typed, follow=True)

        assert "No camera will ever read ABC" in answer.content.decode()
        assert Vehicle.objects.exists()

    @pytest.mark.parametrize("plate", [PLATE, "KA01ZZ9999"])
    @pytest.mark.parametrize("reason", ["", "Comes for Rao"])
    def test_keeps_a_block_that_the_page_did_not_know_of(
        self, amir: Client, site: Site, plate: str, reason: str
    ) -> None:
        row = make_vehicle(site, status="blocked", reason="Stolen")
        typed = form_of(site, owner="Rao", plate_number=plate, reason=reason)

        done = amir.post(address("vehicle_change", row.pk), typed, follow=True)

        assert "was blocked while you edited it" in done.content.decode()
        row.refresh_from_db()
        assert (row.plate_number, row.status, row.reason, row.owner) == (
            PLATE,
            "blocked",
            "Stolen",
            "Rao",
        )

    def test_forgets_no_block_with_its_vehicle(self, amir: Client, site: Site) -> None:
        blocked = make_vehicle(site, status="blocked", reason="Stolen")
        plain = make_vehicle(site, plate_number="KA01ZZ9999")

        for row in (blocked, plain):
            amir.post(address("vehicle_delete", row.pk), {"post": "yes"})
        both = {ACTION_CHECKBOX_NAME: [blocked.pk], "action": "delete_selected"}
        amir.post(reverse(VEHICLES), {**both, "post": "yes"})

        assert list(Vehicle.objects.all()) == [blocked]

    def test_keeps_what_a_guard_blocks_meanwhile(
        self, amir: Client, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = make_vehicle(site)
        change_before_saving(monkeypatch, Vehicle, status="blocked", reason="Stolen")

        amir.post(address("vehicle_change", row.pk), form_of(site, owner="Rao"))

        row.refresh_from_db()
        assert (row.owner, row.status, row.reason) == ("Rao", "blocked", "Stolen")

    @pytest.mark.parametrize("term", ["mh 12 ab-1234", "12ab", "Rao", "E-104", "Asha"])
    def test_finds_by_plate_owner_and_employee(
        self, amir: Client, site: Site, term: str
    ) -> None:
        asha = make_employee(site=site, code="E-104", name="Asha")
        make_vehicle(site, owner="Rao", employee=asha)
        make_vehicle(site, plate_number="KA01ZZ9999")

        found = page(amir, reverse(VEHICLES), q=term)

        assert PLATE in found
        assert "KA01ZZ9999" not in found

    @pytest.mark.parametrize(
        ("chosen", "plates"),
        [
            ("valid", {"NOW1", "ALWAYS1"}),
            ("expired", {"OVER1"}),
            ("coming", {"SOON1"}),
        ],
    )
    def test_filters_by_dates_and_says_them_in_words(
        self, amir: Client, site: Site, chosen: str, plates: set[str]
    ) -> None:
        now, day = timezone.now(), timedelta(days=1)
        rows = {
            "NOW1": ({"valid_from": now - day, "valid_until": now + day}, ">until 2"),
            "ALWAYS1": ({}, "until further notice"),
            "OVER1": ({"valid_until": now}, "expired 2"),
            "SOON1": ({"valid_from": now + day}, "not before 2"),
        }
        for plate, (dates, _) in rows.items():
            make_vehicle(site, plate_number=plate, **dates)

        found = page(amir, reverse(VEHICLES), dates=chosen)

        assert {plate for plate in rows if plate in found} == plates
        assert all(rows[plate][1].strip(">") in found for plate in plates)

    def test_asks_no_more_for_more_rows(self, amir: Client, site: Site) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as asked:
                page(amir, reverse(VEHICLES))
            return len(asked)

        make_vehicle(site, employee=make_employee(site=site))
        count()
        for_one = count()
        for number in range(3):
            employee = make_employee(site=site)
            make_vehicle(site, plate_number=f"KA{number}", employee=employee)

        assert count() == for_one

    def test_hides_those_of_other_sites(self, amir: Client, site: Site) -> None:
        theirs = make_vehicle(make_site())

        where = address("vehicle_change", theirs.pk)
        history = address("vehicle_history", theirs.pk)
        assert PLATE not in page(amir, reverse(VEHICLES))
        assert amir.get(where).status_code == 302
        assert amir.get(history).status_code == 404

    def test_tells_its_history(self, amir: Client, site: Site) -> None:
        row = make_vehicle(site)
        amir.post(address("vehicle_change", row.pk), form_of(site, owner="Rao"))

        assert "amir" in page(amir, address("vehicle_history", row.pk))
        old = row.history.latest().pk
        where = address("vehicle_simple_history", row.pk, old)
        assert "Rao" in page(amir, where)

    def test_shows_hr_and_lets_it_change_nothing(
        self, client: Client, site: Site
    ) -> None:
        row = make_vehicle(site, owner="Rao")
        log_in(client, HR, site)
        where = address("vehicle_change", row.pk)

        assert "Rao" in page(client, where)
        assert client.post(where, form_of(site, owner="Me")).status_code == 403
        assert 'value="block"' not in page(client, reverse(VEHICLES))


class TestBlocking:
    def act(self, client: Client, action: str, *rows: Vehicle, **more: str) -> Any:
        chosen = {ACTION_CHECKBOX_NAME: [row.pk for row in rows], "action": action}
        return client.post(reverse(VEHICLES), {**chosen, **more}, follow=True)

    def test_asks_why_then_blocks_each(self, amir: Client, site: Site) -> None:
        rows = [make_vehicle(site), make_vehicle(site, plate_number="KA01ZZ9999")]

        asked = self.act(amir, "block", *rows).content.decode()
        assert not Vehicle.objects.blocked().exists()
        assert "Block 2 vehicles?" in asked
        assert "KA01ZZ9999" in asked
        empty = self.act(amir, "block", *rows, reason=" ").content.decode()
        assert "Say why." in empty

        done = self.act(amir, "block", *rows, reason="Stolen").content.decode()
        assert "Vehicles blocked: 2." in done
        for row in rows:
            row.refresh_from_db()
            assert (row.status, row.reason) == ("blocked", "Stolen")
            assert row.history.latest().history_change_reason == "Stolen"
            assert str(row.history.latest().history_user) == "amir"

    def test_unblocks_those_that_are_blocked(self, amir: Client, site: Site) -> None:
        row = make_vehicle(site, status="blocked", reason="Stolen")
        visitor = make_vehicle(site, plate_number="KA01ZZ9999", status="visitor")

        self.act(amir, "unblock", row, visitor, reason="Found")

        row.refresh_from_db()
        visitor.refresh_from_db()
        assert (row.status, row.reason) == ("authorized", "Found")
        assert visitor.status == "visitor"
        nothing = self.act(amir, "unblock", row, reason="Again").content.decode()
        assert "Choose 1 to" in nothing

    def test_is_for_those_who_may(self, client: Client, site: Site) -> None:
        row = make_vehicle(site)
        log_in(client, HR, site)

        self.act(client, "block", row, reason="Stolen")

        assert not Vehicle.objects.blocked().exists()


class TestGateAdmin:
    def form_of(self, site: Site, *cameras: Camera, **values: Any) -> dict[str, Any]:
        inlines = {
            f"gate_cameras-{place}-{name}": value
            for place, camera in enumerate(cameras)
            for name, value in (("camera", camera.pk), ("reader", ""))
        }
        return {
            "site": site.pk,
            "name": "Main",
            "enabled": "on",
            "driver": "http",
            "address": SECRET,
            "payload": "open",
            "confidence": "0.9",
            "gate_cameras-TOTAL_FORMS": len(cameras),
            "gate_cameras-INITIAL_FORMS": 0,
            **inlines,
            **values,
        }

    def make_gate(self, site: Site) -> Gate:
        return Gate.objects.create(
            site=site, name="Main", driver="http", address=SECRET
        )

    def test_is_added_with_its_cameras(self, amir: Client, site: Site) -> None:
        camera = make_camera(site=site, tasks=["plates"])

        answer = amir.post(address("gate_add"), self.form_of(site, camera))

        assert answer.status_code == 302, answer.content.decode()
        assert GateCamera.objects.get().camera == camera
        gate = Gate.objects.get()
        assert (gate.address, gate.confidence) == (SECRET, 0.9)

    def test_takes_no_camera_that_reads_no_plates_or_is_of_another_site(
        self, client: Client, site: Site
    ) -> None:
        other = make_site()
        two = make_user("amir", role=SITE_ADMIN, sites=[site, other], is_staff=True)
        client.force_login(two)
        for camera, sentence in (
            (make_camera(site=site), "does not read plates"),
            (make_camera(site=other, tasks=["plates"]), "a camera of another site"),
        ):
            refused = client.post(address("gate_add"), self.form_of(site, camera))

            assert sentence in refused.content.decode()
        assert not Gate.objects.exists()

    def test_offers_cameras_of_own_sites(self, amir: Client, site: Site) -> None:
        make_camera(site=site, code="OWN-1")
        make_camera(code="THEIRS-1")

        shown = page(amir, address("gate_add"))

        assert "OWN-1" in shown
        assert "THEIRS-1" not in shown

    def test_never_shows_the_password(self, client: Client, site: Site) -> None:
        gate = self.make_gate(site)
        gate.name = "Renamed"
        gate.save()
        old = gate.history.latest().pk
        for role in (SITE_ADMIN, HR):
            user = make_user(f"of-{role}", role=role, sites=[site], is_staff=True)
            client.force_login(user)
            for where in (
                address("gate_changelist"),
                address("gate_change", gate.pk),
                address("gate_history", gate.pk),
                address("gate_simple_history", gate.pk, old),
            ):
                shown = page(client, where)
                assert "hidden-word" not in shown
            assert "opener:***@" in page(client, address("gate_change", gate.pk))

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("http://opener:***@192.0.2.9/open", SECRET),
            (
                "http://opener:***@192.0.2.9/gate-2",
                "http://opener:hidden-word@192.0.2.9/gate-2",
            ),
            ("http://u:p@192.0.2.8/gate", "http://u:p@192.0.2.8/gate"),
        ],
    )
    def test_keeps_the_password_of_the_same_barrier(
        self, amir: Client, site: Site, typed: str, kept: str
    ) -> None:
        gate = self.make_gate(site)

        amir.post(address("gate_change", gate.pk), self.form_of(site, address=typed))

        gate.refresh_from_db()
        assert gate.address == kept

    @pytest.mark.parametrize(
        "typed", ["http://opener:***@192.0.2.7/open", "https://opener:***@192.0.2.9/x"]
    )
    def test_never_sends_the_password_to_another_place(
        self, amir: Client, site: Site, typed: str
    ) -> None:
        gate = self.make_gate(site)

        refused = amir.post(
            address("gate_change", gate.pk), self.form_of(site, address=typed)
        )

        assert "Type the password again" in refused.content.decode()
        gate.refresh_from_db()
        assert gate.address == SECRET


class TestPlateFormatAdmin:
    @pytest.fixture
    def row(self, site: Site) -> PlateFormat:
        PlateFormat.objects.create(site=site, name="Dealer", pattern="D[0-9]{4}")
        return PlateFormat.objects.create(
            site=site, name="Fleet", pattern="[A-Z]{2}[0-9]{4}"
        )

    def test_offers_examples_to_try(self, amir: Client, row: PlateFormat) -> None:
        shown = page(amir, address("plateformat_change", row.pk))

        assert "MHI2AB1234" in shown
        assert "Also in force here: Dealer." in shown
        assert "as it stands" not in shown

    def test_says_what_becomes_of_texts(self, amir: Client, row: PlateFormat) -> None:
        where = address("plateformat_change", row.pk)

        shown = page(
            amir, where, pattern=row.pattern, texts="ab 1234\nABI234\nd-1234\nXYZ"
        )

        assert "It is a plate of Fleet as it stands." in shown
        assert "1 for I at place 3" in shown
        assert "It is a plate of Dealer as it stands." in shown
        assert "It has 3 letters and digits" in shown

    def test_tries_a_pattern_before_it_is_saved(
        self, amir: Client, row: PlateFormat
    ) -> None:
        where = address("plateformat_change", row.pk)

        shown = page(amir, where, pattern="[A-Z]{3}", texts="XYZ")

        row.refresh_from_db()
        assert "It is a plate of Fleet as it stands." in shown
        assert row.pattern == "[A-Z]{2}[0-9]{4}"
        assert "is not understood" in page(amir, where, pattern="[A-Z]+", texts="XYZ")

    def test_is_not_saved_with_a_pattern_that_is_none(
        self, amir: Client, row: PlateFormat
    ) -> None:
        where = address("plateformat_change", row.pk)
        typed = {"site": row.site_id, "name": "Fleet", "pattern": "[A-Z]+"}

        assert "is not understood" in amir.post(where, typed).content.decode()
        row.refresh_from_db()
        assert row.pattern == "[A-Z]{2}[0-9]{4}"


class TestRecords:
    @pytest.fixture
    def visit(self, site: Site, django_capture_on_commit_callbacks: Any) -> Any:
        camera = gate_camera()
        Camera.objects.filter(pk=camera.pk).update(site=site)
        Gate.objects.update(site=site, address=SECRET)
        with django_capture_on_commit_callbacks(execute=True):
            return record_visit(event=offer(camera, PLATE, PLATE))

    def test_of_visits_show_picture_and_decision(
        self, amir: Client, visit: Any
    ) -> None:
        listed = page(amir, address("vehiclelog_changelist"), q="mh 12 ab 1234")
        shown = page(amir, address("vehiclelog_change", visit.pk))

        for each in (listed, shown):
            assert PLATE in each
            assert "Not registered" in each
            assert reverse("snapshot-of-vehicle", args=[visit.pk]) in each
        assert reverse("vehicle-visit", args=[visit.pk]) in listed
        assert "0.95, asked for 0.85" in shown

    def test_of_visits_are_found_from_their_vehicle(
        self, amir: Client, site: Site, visit: Any
    ) -> None:
        vehicle = make_vehicle(site)
        where = address("vehiclelog_changelist")
        assert f"{where}?vehicle__id__exact={vehicle.pk}" in page(
            amir, address("vehicle_change", vehicle.pk)
        )

        assert PLATE not in page(amir, where, vehicle__id__exact=vehicle.pk)

    def test_of_barriers_say_who_asked_and_show_no_password(
        self, amir: Client, visit: Any
    ) -> None:
        call = BarrierCall.objects.create(
            gate=visit.gate, log=visit, asked_at=timezone.now(), result="failed"
        )
        for where in (
            address("barriercall_changelist"),
            address("barriercall_change", call.pk),
        ):
            shown = page(amir, where)
            assert "the rules" in shown
            assert "Failed" in shown
            assert "hidden-word" not in shown

    def test_ask_no_more_for_more_rows(
        self, amir: Client, visit: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        def count(name: str) -> int:
            with CaptureQueriesContext(connection) as asked:
                page(amir, address(name))
            return len(asked)

        def call() -> None:
            BarrierCall.objects.create(
                gate=visit.gate,
                log=visit,
                asked_by=guard,
                reason="Called ahead",
                asked_at=timezone.now(),
                result="opened",
            )

        guard = make_user("sam")
        call()
        lists = ("vehiclelog_changelist", "barriercall_changelist")
        for each in lists:
            count(each)
        for_one = [count(each) for each in lists]
        for number in range(2, 5):
            call()
            plate = f"MH12AB123{number}"
            record_visit(event=offer(visit.camera, plate, plate, track_id=number))

        assert [count(each) for each in lists] == for_one
