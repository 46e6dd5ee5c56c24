from __future__ import annotations

import pytest

from occupancy.areas import BadDoors, Door, save_area
from occupancy.models import Area
from tests.factories import make_camera, make_line, make_site

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
