from __future__ import annotations

from datetime import UTC, datetime

import pytest

from occupancy.models import AreaLine, OccupancyLog
from occupancy.rules import Direction
from occupancy.services import current_count, live_occupancy, record_crossing
from streaming.models import Camera
from streaming.vision.types import Label
from tests.factories import (
    make_area,
    make_camera,
    make_crossing,
    make_line,
    make_site,
)

pytestmark = pytest.mark.django_db


class TestRecordCrossing:
    def test_counts_who_goes_in_and_out(self) -> None:
        line = make_line()

        for direction in (Direction.IN, Direction.IN, Direction.OUT):
            record_crossing(event=make_crossing(line, direction))

        rows = OccupancyLog.objects.order_by("id")
        assert [row.current_count for row in rows] == [1, 2, 1]
        assert [row.direction for row in rows] == ["in", "in", "out"]

    def test_stores_an_event_once_however_often_it_is_delivered(self) -> None:
        event = make_crossing(make_line(), Direction.IN)

        assert record_crossing(event=event) is not None
        assert record_crossing(event=event) is None

        assert OccupancyLog.objects.count() == 1

    def test_marks_an_exit_from_an_empty_place_as_drift(self) -> None:
        log = record_crossing(event=make_crossing(make_line(), Direction.OUT))

        assert log is not None
        assert (log.current_count, log.is_drift, log.exits) == (0, True, 1)

    def test_finds_a_camera_that_was_renamed_meanwhile(self) -> None:
        line = make_line()
        event = make_crossing(line, Direction.IN)
        Camera.objects.filter(pk=line.camera_id).update(code="CAM-RENAMED")

        log = record_crossing(event=event)

        assert log is not None
        assert log.camera_id == line.camera_id

    def test_counts_vehicles_apart_from_people(self) -> None:
        line = make_line()
        record_crossing(event=make_crossing(line, Direction.IN))

        log = record_crossing(
            event=make_crossing(line, Direction.IN, label=Label.TRUCK)
        )

        assert log is not None
        assert (log.kind, log.label, log.current_count) == ("vehicles", "truck", 1)
        assert current_count(line.camera) == 1

    def test_counts_into_and_out_of_the_areas_whose_door_it_is(self) -> None:
        line = make_line()
        hall, yard = (make_area(site=line.camera.site) for _ in range(2))
        AreaLine.objects.create(area=hall, line=line)
        AreaLine.objects.create(area=yard, line=line, inverted=True)

        for direction in (Direction.IN, Direction.IN, Direction.OUT):
            record_crossing(event=make_crossing(line, direction))

        hall.refresh_from_db()
        yard.refresh_from_db()
        assert (hall.current_count, hall.drift) == (1, 0)
        assert (yard.current_count, yard.drift) == (1, 2)

    def test_adds_up_the_doors_of_two_cameras_at_once(self) -> None:
        site = make_site()
        area = make_area(site=site)
        front, back = (make_line(camera=make_camera(site=site)) for _ in range(2))
        for line in (front, back):
            AreaLine.objects.create(area=area, line=line)

        record_crossing(event=make_crossing(front, Direction.IN))
        record_crossing(event=make_crossing(back, Direction.IN))
        record_crossing(event=make_crossing(back, Direction.OUT))

        area.refresh_from_db()
        assert area.current_count == 1

    def test_counts_on_where_an_area_is_switched_off(self) -> None:
        line = make_line()
        area = make_area(site=line.camera.site, enabled=False)
        AreaLine.objects.create(area=area, line=line)

        record_crossing(event=make_crossing(line, Direction.IN))

        area.refresh_from_db()
        assert area.current_count == 1

    def test_leaves_areas_to_people(self) -> None:
        line = make_line()
        area = make_area(site=line.camera.site)
        AreaLine.objects.create(area=area, line=line)

        record_crossing(event=make_crossing(line, Direction.IN, label=Label.CAR))

        area.refresh_from_db()
        assert area.current_count == 0

    def test_counts_each_camera_by_itself(self) -> None:
        here, there = make_line(), make_line()
        record_crossing(event=make_crossing(here, Direction.IN))

        log = record_crossing(event=make_crossing(there, Direction.IN))

        assert log is not None
        assert log.current_count == 1

    def test_refuses_a_line_that_is_gone(self) -> None:
        event = make_crossing(make_line(), Direction.IN, line_id=0)

        with pytest.raises(Camera.DoesNotExist):
            record_crossing(event=event)

        assert not OccupancyLog.objects.exists()


class TestLiveOccupancy:
    def test_counts_from_the_sites_own_midnight(self) -> None:
        site = make_site(time_zone="Asia/Kolkata")
        line = make_line()
        line.camera.site = site
        line.camera.save()
        before_midnight = datetime(2026, 3, 1, 18, 29, tzinfo=UTC)
        after_midnight = datetime(2026, 3, 1, 18, 31, tzinfo=UTC)
        for at in (before_midnight, after_midnight):
            record_crossing(event=make_crossing(line, Direction.IN, at=at))

        rows = live_occupancy(cameras=[line.camera], now=after_midnight)

        assert [(row.entries, row.exits, row.current_count) for row in rows] == [
            (1, 0, 2)
        ]

    def test_gives_zeros_to_a_camera_without_records(self) -> None:
        camera = make_line().camera

        (row,) = live_occupancy(cameras=[camera], now=datetime.now(UTC))

        assert (row.entries, row.exits, row.current_count) == (0, 0, 0)

    def test_asks_the_database_twice_however_many_the_cameras(
        self, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        cameras = [make_line().camera for _ in range(5)]

        with django_assert_num_queries(2):  # type: ignore[operator]
            live_occupancy(cameras=cameras, now=datetime.now(UTC))
