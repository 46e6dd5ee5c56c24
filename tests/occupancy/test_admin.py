"""The admin of what is drawn and what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from factory_site.roles import SITE_ADMIN
from occupancy.models import (
    Area,
    CountingLine,
    DailyOccupancy,
    HourlyOccupancy,
    MonthlyOccupancy,
    Zone,
)
from tests.factories import (
    make_area,
    make_bucket,
    make_camera,
    make_line,
    make_site,
    make_user,
    make_zone,
)

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(role_groups: None) -> CountingLine:
    site = make_site(time_zone="Asia/Kolkata")
    return make_line(camera=make_camera(site=site, code="CAM-HALL"), name="Main door")


@pytest.fixture
def admin(client: Client, line: CountingLine) -> Client:
    user = make_user("amir", role=SITE_ADMIN, sites=[line.camera.site], is_staff=True)
    client.force_login(user)
    return client


def page_of(row: Any) -> str:
    return reverse(
        f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk]
    )


def doors(area: Area, *lines: CountingLine) -> dict[str, Any]:
    """Return what a browser sends of an area's page, with new doors."""
    return {
        "site": area.site_id,
        "name": area.name,
        "amber_percent": 80,
        "enabled": "on",
        "doors-TOTAL_FORMS": len(lines),
        "doors-INITIAL_FORMS": 0,
    } | {f"doors-{number}-line": line.pk for number, line in enumerate(lines)}


class TestDrawn:
    def test_lead_to_the_picture(self, admin: Client, line: CountingLine) -> None:
        for row in (line, make_zone(camera=line.camera)):
            assert "/cameras/CAM-HALL/draw" in admin.get(page_of(row)).content.decode()

    def test_stay_at_their_camera(self, admin: Client, line: CountingLine) -> None:
        other = make_camera(site=line.camera.site)
        ends = {"x1": 0.5, "y1": 0, "x2": 0.5, "y2": 0.9}
        data = {"camera": other.pk, "name": "Back door", "colour": "red", **ends}

        admin.post(page_of(line), data)

        row = CountingLine.objects.get()
        assert (row.camera, row.name, row.y2) == (line.camera, "Back door", 0.9)

    def test_zones_are_written_without_their_count(
        self, admin: Client, line: CountingLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        zone = make_zone(camera=line.camera)
        save = Zone.save

        def count_and_save(row: Zone, **values: Any) -> None:
            Zone.objects.update(live_count=7)
            save(row, **values)

        monkeypatch.setattr(Zone, "save", count_and_save)
        points = "0.1 0.1\n0.4 0.1\n0.4 0.4"
        good = {"name": "Queue", "points": points, "colour": "red", "amber_percent": 80}

        bad = admin.post(page_of(zone), {**good, "points": "0 0\n1 1"})
        admin.post(page_of(zone), good)

        zone.refresh_from_db()
        assert "3 to 50 corners, not 2" in bad.content.decode()
        assert (len(zone.points), zone.colour, zone.live_count) == (3, "red", 7)


class TestAreas:
    def test_have_doors_of_their_own_site(
        self, admin: Client, line: CountingLine
    ) -> None:
        area = make_area(site=line.camera.site)

        admin.post(page_of(area), doors(area, line))

        assert [door.line for door in area.doors.all()] == [line]

    def test_refuse_the_door_of_another_site(
        self, admin_client: Client, line: CountingLine
    ) -> None:
        area = make_area(site=line.camera.site)
        theirs = make_line(name="Their door")

        page = admin_client.post(page_of(area), doors(area, theirs))

        assert "is at another site than the area" in page.content.decode()
        assert not area.doors.exists()

    def test_are_deleted_while_nothing_was_counted_and_not_later(
        self, admin: Client, line: CountingLine
    ) -> None:
        fresh, counted = (make_area(site=line.camera.site) for _ in range(2))
        make_bucket(HourlyOccupancy, area=counted)

        for area, offered in ((fresh, 200), (counted, 403)):
            address = reverse("admin:occupancy_area_delete", args=[area.pk])
            assert admin.get(address).status_code == offered
            admin.post(address, {"post": "yes"})

        assert Area.objects.get() == counted

    def test_keep_who_changed_them(self, admin: Client, line: CountingLine) -> None:
        area = make_area(site=line.camera.site, name="Hall A")

        admin.post(page_of(area), {**doors(area), "name": "Hall B", "capacity": 9})

        area.refresh_from_db()
        change = area.history.latest()
        assert (area.name, area.capacity) == ("Hall B", 9)
        assert change.history_user.username == "amir"


class TestBuckets:
    @pytest.mark.parametrize(
        ("model", "begins"),
        [
            (HourlyOccupancy, "2026-03-02 13:30 IST"),
            (DailyOccupancy, "2026-03-02"),
            (MonthlyOccupancy, "2026-03"),
        ],
    )
    def test_tell_when_they_begin_by_the_clock_of_their_site(
        self, admin: Client, line: CountingLine, model: Any, begins: str
    ) -> None:
        make_bucket(model, camera=line.camera)
        name = model._meta.model_name

        listed = admin.get(reverse(f"admin:occupancy_{name}_changelist"))

        assert f">{begins}<" in listed.content.decode()
        assert admin.get(page_of(model.objects.get())).status_code == 200
