"""The muster list as a browser gets it, without its scripts, and as CSV."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from factory_site.roles import SECURITY, permission
from identity.erasure import erase
from tests.factories import (
    make_access_log,
    make_camera,
    make_department,
    make_employee,
    make_presence,
    make_record,
    make_site,
    make_unknown_attendance,
    make_user,
    make_vehicle,
    make_vehicle_log,
)
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Camera, Site

pytestmark = [
    pytest.mark.django_db,
    # Files are streamed for ASGI, which this client is not.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]

PAGE_QUERIES_MAX = 20
CLOCK = r"(?:\d+ \w+ )?\d\d:\d\d"
"""As pages write it: with its date shortly after midnight."""


def come(person: Employee, camera: Camera, *, minutes_ago: float = 4) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    make_presence(employee=person, camera=camera, occurred_at=at)


class TestMuster:
    def test_answers_in_its_first_line(
        self, security: Client, gate: Camera, site: Site
    ) -> None:
        for _ in range(2):
            come(make_employee(site=site), gate)
        leaver = make_employee(site=site, status="inactive")
        make_access_log(employee=leaver, camera=gate, decision="unauthorized")
        make_unknown_attendance(camera=gate)

        page = text(security.get("/muster"))

        assert "2 inside, 1 perhaps left, 1 unknown face" in page
        assert "Count one head more" in page

    def test_says_who_by_department_seen_where_and_when(
        self, security: Client, gate: Camera, site: Site, asha: Employee
    ) -> None:
        asha.department = make_department(site=site, name="Stores")
        asha.save()
        come(asha, gate)

        page = text(security.get("/muster"))

        assert "Stores 1" in page
        assert re.search(rf"Asha Rao E-104 Gate 1 {CLOCK} 4.minutes ago since", page)

    def test_tells_that_it_errs_on_the_side_of_too_many(self, security: Client) -> None:
        page = text(security.get("/muster"))

        assert "Rather too many than too few" in page
        assert "or when nothing was seen of them for 24 hours" in page

    def test_shows_security_no_lateness(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        come(asha, gate)
        now = timezone.now()
        make_record(
            employee=asha,
            status="late",
            late_minutes=17,
            check_in_at=now,
            end_at=now + timedelta(hours=8),
        )

        page = text(security.get("/muster"))

        assert "Asha Rao" in page
        assert "ate" not in re.sub(r"[Gg]ate", "", page.split("inside", 1)[1])

    def test_is_of_one_site_where_one_is_chosen(
        self, client: Client, gate: Camera, site: Site, asha: Employee
    ) -> None:
        other = make_site(name="Other plant", slug="other")
        client.force_login(make_user("two", role=SECURITY, sites=[site, other]))
        come(asha, gate)

        assert "1 inside" in text(client.get("/muster?site=main"))
        assert "0 inside" in text(client.get("/muster?site=other"))
        assert "1 inside" in text(client.get("/muster?site=nowhere"))

    def test_hides_other_sites(self, security: Client, site: Site) -> None:
        make_presence(employee=make_employee(name="Elsewhere"))

        page = text(security.get("/muster"))

        assert "0 inside" in page
        assert "Elsewhere" not in page
        assert "Nobody is known to be inside" in page

    def test_says_that_no_site_is_assigned(
        self, client: Client, role_groups: None
    ) -> None:
        client.force_login(make_user("lost", role=SECURITY))

        assert "No site is assigned to your login" in text(client.get("/muster"))

    def test_is_renewed_by_what_the_login_may_watch(
        self, security: Client, site: Site
    ) -> None:
        page = security.get("/muster").text

        assert 'data-topics="identity.accesslog vehicles.vehiclelog"' in page

    def test_needs_as_many_queries_for_many_people_as_for_one(
        self,
        security: Client,
        gate: Camera,
        site: Site,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            department = make_department(site=site)
            person = make_employee(site=site, department=department)
            come(person, gate)
            drive_in(gate, person=person)

        with django_assert_max_num_queries(PAGE_QUERIES_MAX):
            assert "20 inside" in text(security.get("/muster"))


def drive_in(camera: Camera, *, person: Employee | None = None, **values: Any) -> None:
    """Have a vehicle come four minutes ago by a gate for the way in."""
    car = make_vehicle(site=camera.site, employee=person, **values)
    make_vehicle_log(
        camera=camera,
        vehicle=car,
        plate_number=car.plate_number,
        vehicle_type=car.vehicle_type,
        direction="entry",
        occurred_at=timezone.now() - timedelta(minutes=4),
    )


class TestVehicles:
    def test_stand_with_their_drivers_gate_and_time(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        come(asha, gate)
        drive_in(gate, person=asha, plate_number="MH12AB1234")
        drive_in(gate, plate_number="KA01X7", owner="Hill Haulage", vehicle_type="bus")

        page = text(security.get("/muster"))

        assert "1 inside, 0 perhaps left, 0 unknown faces, 2 vehicles" in page
        assert "Asha Rao E-104, vehicle MH12AB1234 " in page
        assert re.search(
            rf"KA 01 X 7 Bus Hill Haulage Gate 1 {CLOCK} 4.minutes ago since", page
        )
        assert "MH 12 AB 1234 Car E-104 Asha Rao Gate 1" in page

    def test_point_out_a_driver_whom_nobody_saw(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        drive_in(gate, person=asha)
        assert "Asha Rao not on this list" in text(security.get("/muster"))

        come(asha, gate)
        assert "not on this list" not in text(security.get("/muster"))

    def test_have_lines_of_their_own_in_the_file(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        come(asha, gate)
        drive_in(gate, person=asha, plate_number="MH12AB1234")
        drive_in(gate, plate_number="KA01X7", owner="=1+1")

        response: Any = security.get("/muster.csv")
        text = b"".join(response).decode("utf-8-sig")
        person, haulage, hers = csv.DictReader(io.StringIO(text))

        assert (person["standing"], person["vehicle"]) == ("inside", "MH12AB1234")
        assert (hers["standing"], hers["code"]) == ("vehicle on site", "E-104")
        assert (haulage["name"], haulage["vehicle"]) == ("'=1+1", "KA01X7")
        assert (haulage["camera"], haulage["minutes ago"]) == ("Gate 1", "4")

    def test_are_hidden_from_who_may_not_see_gates(
        self, client: Client, gate: Camera, site: Site
    ) -> None:
        drive_in(gate, plate_number="MH12AB1234")
        musterer = make_user("warden", sites=[site])
        musterer.user_permissions.add(permission("attendance.view_muster"))
        client.force_login(musterer)

        page = text(client.get("/muster"))

        assert "ehicle" not in page
        assert "MH 12" not in page

    def test_of_somebody_erased_are_gone(
        self, security: Client, gate: Camera, asha: Employee
    ) -> None:
        drive_in(gate, person=asha)
        assert "1 vehicle" in text(security.get("/muster"))

        erase(employee=asha, by=None, at=timezone.now())
        assert "0 vehicles" in text(security.get("/muster"))

    def test_of_other_sites_are_hidden(self, security: Client, site: Site) -> None:
        drive_in(make_camera(direction="entry"), owner="Elsewhere")

        page = text(security.get("/muster"))

        assert "0 vehicles" in page
        assert "Elsewhere" not in page


class TestCsv:
    def test_has_a_line_per_head(
        self, security: Client, gate: Camera, site: Site
    ) -> None:
        come(make_employee(site=site, code="E-1", name="=1+1"), gate)
        make_unknown_attendance(camera=gate)

        response: Any = security.get("/muster.csv")
        text = b"".join(response).decode("utf-8-sig")
        heading, person, unknown = csv.reader(io.StringIO(text))

        told = dict(zip(heading, person, strict=True))
        assert told["site"] == "Main plant"
        assert (told["code"], told["name"]) == ("E-1", "'=1+1")
        assert (told["standing"], told["camera"]) == ("inside", "Gate 1")
        assert told["minutes ago"] == "4"
        assert told["last seen"].endswith("+05:30")
        assert unknown[:2] == ["Main plant", "1 unknown face"]
        assert response["Content-Disposition"].startswith('attachment; filename="mus')

    def test_is_refused_as_the_page_is(self, client: Client, site: Site) -> None:
        client.force_login(make_user("nobody", sites=[site]))

        assert client.get("/muster").status_code == 403
        assert client.get("/muster.csv").status_code == 403
