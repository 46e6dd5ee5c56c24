"""The page on which lines and zones are drawn, and what its form stores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission

from factory_site.roles import SITE_ADMIN
from occupancy.drawing import Drawing
from occupancy.models import CountingLine, Zone
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.factories import (
    make_camera,
    make_crossing,
    make_line,
    make_site,
    make_user,
    make_zone,
)

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from streaming.models import Camera

pytestmark = pytest.mark.django_db

PAGE = "/cameras/CAM-HALL/draw"
SQUARE = "0.1 0.1\r\n0.4 0.1\r\n0.4 0.4\r\n0.1 0.4\r\n"
NEW_LINE = {
    "id": "",
    "name": "Back door",
    "x1": "0.2",
    "y1": "0.5",
    "x2": "0.8",
    "y2": "0.5",
    "colour": "green",
    "enabled": "on",
}
NEW_ZONE = {
    "id": "",
    "name": "Press 4",
    "points": SQUARE,
    "colour": "red",
    "enabled": "on",
    "amber_percent": "80",
}


@pytest.fixture
def camera(role_groups: None) -> Camera:
    site = make_site(name="Main plant", time_zone="Asia/Kolkata")
    return make_camera(site=site, code="CAM-HALL", name="Hall A east")


@pytest.fixture
def admin(client: Client, camera: Camera) -> Client:
    client.force_login(make_user("ravi", role=SITE_ADMIN, sites=[camera.site]))
    return client


def sent(camera: Camera, **changes: dict[str, Any]) -> dict[str, str]:
    """Return what a browser sends of the page, with fields of some forms changed.

    `lines_0={"name": "Door"}` changes a form; one that is not there is added.
    """
    drawing = Drawing(camera)
    data: dict[str, str] = {}
    for group in drawing.groups():
        stored = len(group.initial_forms)
        more = [name for name in changes if name.startswith(group.prefix)]
        last = max([stored, *(int(name.rsplit("_")[-1]) + 1 for name in more)])
        data |= {
            f"{group.prefix}-INITIAL_FORMS": str(stored),
            f"{group.prefix}-TOTAL_FORMS": str(last),
        }
        for form in group.initial_forms:
            for bound in form:
                value = bound.field.prepare_value(bound.value())
                if value not in (None, False):
                    data[bound.html_name] = "on" if value is True else str(value)
    for name, fields in changes.items():
        for field, value in fields.items():
            key = f"{name.replace('_', '-')}-{field}"
            if value is None:
                data.pop(key, None)
            else:
                data[key] = value
    return data


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


class TestPage:
    def test_shows_what_is_drawn_and_a_still_without_scripts(
        self, admin: Client, camera: Camera
    ) -> None:
        make_line(camera=camera, name="North door")
        make_zone(camera=camera, name="Press 4")
        make_line(name="Elsewhere")

        page = admin.get(PAGE).content.decode()

        assert 'value="North door"' in page
        assert 'value="Press 4"' in page
        assert "Elsewhere" not in page
        assert 'src="/api/video_feed/picture?camera=CAM-HALL"' in page
        assert 'x1="0.5000" y1="0.0000" x2="0.5000" y2="1.0000"' in page
        assert "0.3333 0.3333" in page

    def test_is_not_found_at_another_site(self, admin: Client) -> None:
        make_camera(code="CAM-ELSEWHERE")

        assert admin.get("/cameras/CAM-ELSEWHERE/draw").status_code == 404
        assert admin.post("/cameras/CAM-ELSEWHERE/draw").status_code == 404

    def test_says_so_where_no_picture_comes(
        self, admin: Client, camera: Camera
    ) -> None:
        assert "No picture comes" not in text(admin.get(PAGE))
        camera.state = "offline"
        camera.save()

        assert "No picture comes from this camera now." in text(admin.get(PAGE))

    def test_needs_every_permission_that_it_uses(
        self, client: Client, camera: Camera
    ) -> None:
        user = make_user("lena", sites=[camera.site])
        some = Permission.objects.filter(
            content_type__app_label="occupancy",
            codename__in=["change_countingline", "change_zone"],
        )
        user.user_permissions.set(some)
        client.force_login(user)

        assert client.get(PAGE).status_code == 403

    def test_asks_no_more_for_more_that_is_drawn(
        self,
        admin: Client,
        camera: Camera,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(10):
            make_line(camera=camera, name=f"Line {number}")
            make_zone(camera=camera, name=f"Zone {number}")

        with django_assert_max_num_queries(14):
            admin.get(PAGE)

    def test_is_linked_from_the_page_of_its_camera_for_those_who_may(
        self, admin: Client, client: Client, camera: Camera
    ) -> None:
        assert PAGE in admin.get("/cameras/CAM-HALL").content.decode()

        client.force_login(make_user("asha", role="Security", sites=[camera.site]))
        assert PAGE not in client.get("/cameras/CAM-HALL").content.decode()


class TestSave:
    def test_stores_lines_and_zones(self, admin: Client, camera: Camera) -> None:
        data = sent(camera, lines_0=NEW_LINE, zones_0=NEW_ZONE)

        page = admin.post(PAGE, data)

        assert page["Location"] == PAGE
        line, zone = CountingLine.objects.get(), Zone.objects.get()
        assert (line.camera, line.name, line.colour) == (camera, "Back door", "green")
        assert (line.x1, line.y1, line.x2, line.y2) == (0.2, 0.5, 0.8, 0.5)
        assert zone.points == [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.1, 0.4]]
        assert (zone.capacity, zone.amber_percent, zone.enabled) == (None, 80, True)

    def test_changes_nothing_that_was_not_changed(
        self, admin: Client, camera: Camera
    ) -> None:
        line = make_line(camera=camera, x1=1 / 3)
        zone = make_zone(camera=camera)
        data = sent(camera)
        Zone.objects.update(live_count=5)

        assert admin.post(PAGE, data).status_code == 302

        zone.refresh_from_db()
        assert CountingLine.objects.get(pk=line.pk).x1 == 1 / 3
        assert (zone.points[0], zone.live_count) == ([1 / 3, 1 / 3], 5)
        assert zone.history.count() == 1

    def test_writes_what_was_changed_and_leaves_the_count(
        self, admin: Client, camera: Camera, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        zone = make_zone(camera=camera)
        save = Zone.save

        def count_and_save(row: Zone, **values: Any) -> None:
            Zone.objects.update(live_count=7)
            save(row, **values)

        monkeypatch.setattr(Zone, "save", count_and_save)
        data = sent(camera, zones_0={"points": SQUARE, "capacity": "4"})

        admin.post(PAGE, data)

        zone.refresh_from_db()
        assert (zone.points[0], zone.capacity, zone.live_count) == ([0.1, 0.1], 4, 7)

    def test_skips_numbers_of_what_was_taken_away_before_it_was_saved(
        self, admin: Client, camera: Camera
    ) -> None:
        data = sent(camera, lines_3=NEW_LINE)

        assert admin.post(PAGE, data).status_code == 302
        assert CountingLine.objects.get().name == "Back door"

    def test_deletes_what_never_counted_and_gives_its_name_away(
        self, admin: Client, camera: Camera
    ) -> None:
        old = make_line(camera=camera, name="Back door")
        data = sent(camera, lines_0={"DELETE": "on"}, lines_1=NEW_LINE)

        assert admin.post(PAGE, data).status_code == 302
        assert CountingLine.objects.get().pk != old.pk

    def test_refuses_to_delete_what_has_counted(
        self, admin: Client, camera: Camera
    ) -> None:
        line = make_line(camera=camera)
        record_crossing(event=make_crossing(line, Direction.IN))
        data = sent(camera, lines_0={"DELETE": "on"}, zones_0=NEW_ZONE)

        page = admin.post(PAGE, data)

        assert page.status_code == 422
        assert "It has counted, so it stays." in text(page)
        assert CountingLine.objects.get() == line
        assert not Zone.objects.exists()

    def test_deletes_nothing_where_something_else_is_wrong(
        self, admin: Client, camera: Camera
    ) -> None:
        line = make_line(camera=camera)
        wrong = {**NEW_ZONE, "points": "0 0"}
        data = sent(camera, lines_0={"DELETE": "on"}, zones_0=wrong)

        page = admin.post(PAGE, data)

        assert page.status_code == 422
        assert CountingLine.objects.get() == line

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"lines_0": {**NEW_LINE, "y1": "1.5"}}, "between 0 and 1"),
            ({"lines_0": {**NEW_LINE, "x2": "0.2"}}, "The line has no length"),
            ({"lines_0": {**NEW_LINE, "x2": "right"}}, "Enter a number"),
            ({"lines_0": {**NEW_LINE, "name": ""}}, "This field is required"),
            ({"zones_0": {**NEW_ZONE, "points": "0 0\n1 1"}}, "corners, not 2"),
            (
                {"zones_0": {**NEW_ZONE, "points": "0 0\n1 1\n1 0\n0 1"}},
                "crosses itself",
            ),
            ({"zones_0": {**NEW_ZONE, "points": "0 0\n1 x\n1 0"}}, "Corner 2 is not"),
            ({"zones_0": {**NEW_ZONE, "points": "0 0\n1 0\n1 nan"}}, "Corner"),
            ({"zones_0": {**NEW_ZONE, "restricted_from": "22:00"}}, "both times"),
            ({"zones_0": {**NEW_ZONE, "capacity": "0"}}, "greater than or equal to 1"),
            (
                {"lines_0": NEW_LINE, "lines_1": {**NEW_LINE, "y1": "0.6"}},
                "Another one here has this name.",
            ),
        ],
    )
    def test_says_what_is_wrong_and_loses_nothing(
        self,
        admin: Client,
        camera: Camera,
        changes: dict[str, dict[str, str]],
        sentence: str,
    ) -> None:
        good = {"lines_5": {**NEW_LINE, "name": "Side door"}}
        data = sent(camera, **good, **changes)

        page = admin.post(PAGE, data)

        assert page.status_code == 422
        assert sentence in text(page).replace("&#x27;", "'")
        assert "All that you drew is still here." in text(page)
        assert 'value="Side door"' in page.content.decode()
        for fields in changes.values():
            assert fields["name"] in page.content.decode()
        assert not CountingLine.objects.exists()
        assert not Zone.objects.exists()

    def test_asks_again_where_somebody_else_saved_meanwhile(
        self, admin: Client, camera: Camera
    ) -> None:
        line = make_line(camera=camera)
        mine = sent(camera, lines_0={"x1": "0.2"})
        CountingLine.objects.update(y2=0.9)

        refused = admin.post(PAGE, mine)

        assert refused.status_code == 422
        assert "Somebody else changed it meanwhile" in text(refused)
        assert 'value="0.2"' in refused.content.decode()
        version = re.search(
            r'name="lines-0-version" value="(\w+)"', refused.content.decode()
        )
        assert version
        again = admin.post(PAGE, mine | {"lines-0-version": version[1]})
        line.refresh_from_db()
        assert (again.status_code, line.x1, line.y2) == (302, 0.2, 1.0)

    def test_says_that_somebody_else_deleted_it(
        self, admin: Client, camera: Camera
    ) -> None:
        make_line(camera=camera)
        mine = sent(camera, lines_0={"x1": "0.2"})
        CountingLine.objects.all().delete()

        refused = admin.post(PAGE, mine)
        gone = admin.post(PAGE, mine | {"lines-0-DELETE": "on"})

        assert "Main door : Somebody else deleted it meanwhile." in text(refused)
        assert gone.status_code == 302
        assert not CountingLine.objects.exists()

    def test_takes_no_line_of_another_camera(
        self, admin: Client, camera: Camera
    ) -> None:
        make_line(camera=camera)
        theirs = make_line(name="Theirs")
        data = sent(camera, lines_0={"id": str(theirs.pk), "x1": "0.2"})

        assert admin.post(PAGE, data).status_code == 422
        theirs.refresh_from_db()
        assert theirs.x1 == 0.5

    def test_takes_so_many_and_no_more(self, admin: Client, camera: Camera) -> None:
        many = {
            f"lines_{number}": {**NEW_LINE, "name": f"Line {number}"}
            for number in range(51)
        }

        refused = admin.post(PAGE, sent(camera, **many))
        del many["lines_0"]

        assert "at most 50" in text(refused)
        assert "Nothing is saved yet." in text(refused)
        assert admin.post(PAGE, sent(camera, **many)).status_code == 302
        assert CountingLine.objects.count() == 50
