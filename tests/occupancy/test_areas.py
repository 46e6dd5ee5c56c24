from __future__ import annotations

import pytest

from occupancy.areas import AreaStays, BadDoors, Door, remove_area, save_area
from occupancy.models import Area
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.factories import make_camera, make_crossing, make_line, make_site

pytestmark = pytest.mark.django_db


class TestSaveArea:
    def test_refuses_doors_of_another_site_and_stores_nothing(self) -> None:
        site = make_site()
        ours, theirs = make_line(camera=make_camera(site=site)), make_line()

        with pytest.raises(BadDoors, match="at another site"):
            save_area(
                area=Area(site=site, name="Hall A"), doors=[Door(ours), Door(theirs)]
            )

        assert not Area.objects.exists()

    def test_leaves_doors_that_are_not_told(self) -> None:
        line = make_line()
        area = save_area(
            area=Area(site=line.camera.site, name="Hall A"), doors=[Door(line)]
        )

        area.name = "Hall B"
        save_area(area=area, fields=["name"])

        assert [door.line for door in Area.objects.get(name="Hall B").doors.all()] == [
            line
        ]


class TestRemoveArea:
    def test_leaves_one_that_was_counted_in_this_hour(self) -> None:
        line = make_line()
        area = save_area(
            area=Area(site=line.camera.site, name="Hall A"), doors=[Door(line)]
        )
        record_crossing(event=make_crossing(line, Direction.IN))

        with pytest.raises(AreaStays):
            remove_area(area=area)

        assert Area.objects.get().current_count == 1
