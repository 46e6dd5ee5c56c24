"""Who is told of zones and areas."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission

from alerts import services as alerts
from alerts.models import Alert, Kind
from factory_site import roles
from occupancy import alarms
from occupancy.capacity import Fullness
from occupancy.models import Area, AreaLine
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.factories import (
    make_alert,
    make_area,
    make_camera,
    make_crossing,
    make_line,
    make_rule,
    make_site,
    make_user,
    make_zone,
)
from tests.zones import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client
    from pytest_django import DjangoCaptureOnCommitCallbacks

    from occupancy.models import Zone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client")]
LATER = NOON + timedelta(minutes=1)
WHERE = "Hall north (CAM-HALL), 2026-03-02 12:00 IST"


@pytest.fixture
def zone() -> Zone:
    site = make_site(time_zone="Asia/Kolkata")
    camera = make_camera(site=site, code="CAM-HALL", name="Hall north")
    return make_zone(camera=camera, name="Press 4", capacity=2)


def fill(
    zone: Zone, now_is: Fullness = Fullness.RED, *, count: int = 3, at: datetime = NOON
) -> None:
    alarms.note_fullness(zone=zone, count=count, capacity=2, now_is=now_is, at=at)


def unresolved() -> list[str]:
    return list(Alert.objects.unresolved().values_list("subject", flat=True))


class TestRestrictedZone:
    def test_is_told_of_by_name_camera_and_site_time(self, zone: Zone) -> None:
        make_rule(kind=Kind.ZONE_RESTRICTED, severity="critical")
        alarms.note_entered(zone=zone, at=NOON)
        alert = Alert.objects.get()
        assert alert.text == f"Somebody is in Press 4, where nobody may be: {WHERE}."
        assert (alert.subject, alert.severity) == ("Press 4 (CAM-HALL)", "critical")

    def test_is_told_of_once_until_somebody_looked(self, zone: Zone) -> None:
        make_rule(kind=Kind.ZONE_RESTRICTED)
        for at in (NOON, LATER):
            alarms.note_entered(zone=zone, at=at)
        alerts.resolve(alert=Alert.objects.get(), at=LATER, by=make_user("guard"))
        alarms.note_entered(zone=zone, at=LATER)
        assert Alert.objects.count() == 2

    def test_is_told_of_apart_from_one_of_that_name_at_another_camera(
        self, zone: Zone
    ) -> None:
        make_rule(kind=Kind.ZONE_RESTRICTED)
        camera = make_camera(site=zone.camera.site)
        for each in (zone, make_zone(camera=camera, name=zone.name)):
            alarms.note_entered(zone=each, at=NOON)
        assert len(unresolved()) == 2

    def test_is_not_told_of_where_no_rule_asks(self, zone: Zone) -> None:
        alarms.note_entered(zone=zone, at=NOON)
        assert not Alert.objects.exists()


class TestLoitering:
    @pytest.mark.parametrize(
        ("seconds", "words"), [(45, "45 s"), (120, "2 min"), (90, "1 min 30 s")]
    )
    def test_is_told_of_with_how_long_it_was(
        self, zone: Zone, seconds: int, words: str
    ) -> None:
        make_rule(kind=Kind.ZONE_LOITERING)
        alarms.note_loitered(zone=zone, seconds=seconds, at=NOON)
        text = Alert.objects.get().text
        assert text == f"Somebody has been in Press 4 for {words}: {WHERE}."


class TestFullZone:
    def test_is_told_of_with_how_many_are_there_and_may_be(self, zone: Zone) -> None:
        make_rule(kind=Kind.ZONE_CAPACITY)
        fill(zone)
        text = Alert.objects.get().text
        assert text == f"3 people are in Press 4, where 2 may be: {WHERE}."

    @pytest.mark.parametrize("after", [Fullness.NORMAL, Fullness.AMBER])
    def test_is_over_when_it_is_less_full(self, zone: Zone, after: Fullness) -> None:
        make_rule(kind=Kind.ZONE_CAPACITY)
        fill(zone)
        fill(zone, after, count=1, at=LATER)
        alert = Alert.objects.get()
        assert (alert.state, alert.resolved_at) == (Alert.State.RESOLVED, LATER)

    def test_is_not_one_that_is_getting_full(self, zone: Zone) -> None:
        make_rule(kind=Kind.ZONE_CAPACITY)
        fill(zone, Fullness.AMBER, count=2)
        assert not Alert.objects.exists()


class TestFullArea:
    @pytest.fixture
    def area(self) -> Area:
        make_rule(kind=Kind.AREA_CAPACITY, severity="critical")
        site = make_site(time_zone="Asia/Kolkata")
        return make_area(site=site, name="Hall B", capacity=2)

    def have(self, area: Area, count: int, **values: object) -> None:
        Area.objects.filter(pk=area.pk).update(current_count=count, **values)
        alarms.note_area(area=area, at=NOON)

    def test_is_told_of_with_how_many_are_there_and_may_be(self, area: Area) -> None:
        self.have(area, 3)
        alert = Alert.objects.get()
        assert alert.text == (
            "3 people are in Hall B, where 2 may be, 2026-03-02 12:00 IST."
        )
        assert (alert.subject, alert.site) == ("Hall B", area.site)
        assert alert.camera is None

    def test_is_not_one_in_which_as_many_are_as_may_be(self, area: Area) -> None:
        self.have(area, 2)
        assert unresolved() == []

    @pytest.mark.parametrize(("count", "is_over"), [(3, False), (2, False), (1, True)])
    def test_is_over_when_one_more_may_come(
        self, area: Area, *, count: int, is_over: bool
    ) -> None:
        self.have(area, 4)
        self.have(area, count)
        assert unresolved() == ([] if is_over else ["Hall B"])
        assert Alert.objects.count() == 1

    @pytest.mark.parametrize("values", [{"capacity": None}, {"enabled": False}])
    def test_is_over_when_nobody_asks_any_more(
        self, area: Area, values: dict[str, object]
    ) -> None:
        self.have(area, 4)
        self.have(area, 4, **values)
        assert unresolved() == []

    def test_is_told_of_by_its_newest_count(self, area: Area) -> None:
        """What another crossing did meanwhile counts, not what this one saw."""
        area.current_count = 9
        self.have(area, 0)
        assert unresolved() == []

    def test_is_forgotten_when_it_is_gone(self, area: Area) -> None:
        gone = Area(pk=area.pk)
        area.delete()
        alarms.note_area(area=gone, at=NOON)
        assert unresolved() == []

    def test_is_noticed_when_somebody_crosses_a_line_at_its_door(
        self,
        area: Area,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        line = make_line(camera=make_camera(site=area.site))
        AreaLine.objects.create(area=area, line=line)
        found = []
        for direction in [Direction.IN] * 3 + [Direction.OUT] * 2:
            with django_capture_on_commit_callbacks(execute=True):
                record_crossing(event=make_crossing(line, direction))
            found.append(unresolved())
        full = ["Hall B"]
        assert found == [[], [], full, full, []]


class TestLink:
    """From an alert to the page that says how many are where."""

    @pytest.mark.parametrize(
        "kind",
        [
            Kind.ZONE_RESTRICTED,
            Kind.ZONE_LOITERING,
            Kind.ZONE_CAPACITY,
            Kind.AREA_CAPACITY,
        ],
    )
    def test_is_on_the_page_of_the_alert_and_in_the_inbox(
        self, kind: Kind, role_groups: None, client: Client
    ) -> None:
        camera = make_camera()
        alert = make_alert(kind=kind, camera=camera, subject="Hall B")
        client.force_login(make_user("sam", role=roles.SECURITY, sites=[camera.site]))
        link = f'<a href="/occupancy?site={camera.site.slug}">how many are where</a>'
        for address in ("/alerts", f"/alerts/{alert.pk}"):
            assert link in client.get(address).content.decode()

    def test_is_not_shown_to_who_may_not_open_it(self, client: Client) -> None:
        camera = make_camera()
        alert = make_alert(kind=Kind.ZONE_CAPACITY, camera=camera)
        user = make_user("ann", sites=[camera.site])
        user.user_permissions.add(Permission.objects.get(codename="view_alert"))
        client.force_login(user)
        page = client.get(f"/alerts/{alert.pk}")
        assert page.status_code == 200
        assert "/occupancy" not in page.content.decode()
