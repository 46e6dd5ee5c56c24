"""Counts set right by hand, and every night by the site's own clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from occupancy import aggregation, corrections
from occupancy.corrections import DAILY, NotCorrected
from occupancy.models import (
    Area,
    AreaCorrection,
    AreaLine,
    HourlyOccupancy,
    OccupancyLog,
)
from occupancy.rules import Direction
from occupancy.services import current_count, record_crossing
from tests.factories import (
    make_area,
    make_camera,
    make_crossing,
    make_line,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from identity.models import User
    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db
INDIA = ZoneInfo("Asia/Kolkata")
THREE = datetime(2026, 3, 3, 3, tzinfo=INDIA)
EVENING = THREE - timedelta(hours=8)


@pytest.fixture
def sam() -> User:
    return make_user("sam")


@pytest.fixture
def line() -> CountingLine:
    return make_line(camera=make_camera(site=make_site(time_zone="Asia/Kolkata")))


def hall(line: CountingLine) -> Area:
    area = make_area(site=line.camera.site)
    AreaLine.objects.create(area=area, line=line)
    return area


def come(line: CountingLine, at: datetime, *, times: int = 1) -> None:
    for _ in range(times):
        record_crossing(event=make_crossing(line, Direction.IN, at=at))


class TestCalibrate:
    def test_sets_a_cameras_count_with_who_and_why(
        self, line: CountingLine, sam: User
    ) -> None:
        come(line, EVENING)

        row = corrections.calibrate_camera(
            camera=line.camera, count=7, reason=" Counted. ", by=sam, at=THREE
        )

        assert current_count(line.camera) == 7
        assert (row.cause, row.reason, row.corrected_by) == (
            "correction",
            "Counted.",
            sam,
        )
        come(line, THREE)
        assert current_count(line.camera) == 8

    def test_sets_an_areas_count_and_keeps_what_it_was(
        self, line: CountingLine, sam: User
    ) -> None:
        area = hall(line)
        come(line, EVENING)
        for _ in range(3):
            record_crossing(event=make_crossing(line, Direction.OUT, at=EVENING))

        row = corrections.calibrate_area(
            area=area, count=4, reason="Counted.", by=sam, at=THREE
        )

        area.refresh_from_db()
        assert (area.current_count, area.drift) == (4, 0)
        assert (row.before, row.drift, row.corrected_by) == (0, 2, sam)

    @pytest.mark.parametrize(
        ("count", "reason", "sentence"),
        [
            (-1, "Counted.", "whole number from 0"),
            (1_000_001, "Counted.", "whole number from 0"),
            (3, "  ", "Say why"),
            (3, "a" * 201, "longer than 200"),
        ],
    )
    def test_refuses_with_a_sentence_and_stores_nothing(
        self, line: CountingLine, sam: User, count: int, reason: str, sentence: str
    ) -> None:
        area = hall(line)

        with pytest.raises(NotCorrected, match=sentence):
            corrections.calibrate_area(
                area=area, count=count, reason=reason, by=sam, at=THREE
            )
        with pytest.raises(NotCorrected, match=sentence):
            corrections.calibrate_camera(
                camera=line.camera, count=count, reason=reason, by=sam, at=THREE
            )

        assert not AreaCorrection.objects.exists()
        assert not OccupancyLog.objects.exists()


class TestDaily:
    def test_sets_counts_to_zero_at_three_by_the_sites_clock(
        self, line: CountingLine
    ) -> None:
        area = hall(line)
        come(line, EVENING, times=3)
        site = line.camera.site

        early = corrections.correct_daily(site=site, now=THREE - timedelta(seconds=1))
        done = corrections.correct_daily(site=site, now=THREE)

        area.refresh_from_db()
        assert (early, done) == (0, 2)
        assert (current_count(line.camera), area.current_count) == (0, 0)
        assert AreaCorrection.objects.get().before == 3
        assert OccupancyLog.objects.filter(reason=DAILY).count() == 1

    def test_is_done_once_however_often_it_runs(self, line: CountingLine) -> None:
        hall(line)
        come(line, EVENING)
        corrections.correct_daily(site=line.camera.site, now=THREE)

        again = [
            corrections.correct_daily(
                site=line.camera.site, now=THREE + timedelta(hours=hours)
            )
            for hours in (1, 23)
        ]

        assert again == [0, 0]

    def test_that_was_missed_is_made_up_for_and_keeps_who_came_since(
        self, line: CountingLine
    ) -> None:
        area = hall(line)
        come(line, EVENING, times=3)
        come(line, THREE + timedelta(hours=2), times=2)

        corrections.correct_daily(site=line.camera.site, now=THREE + timedelta(hours=5))

        area.refresh_from_db()
        assert (current_count(line.camera), area.current_count) == (2, 2)

    def test_equals_a_recount_where_somebody_came_while_it_ran(
        self, line: CountingLine
    ) -> None:
        area, now = hall(line), THREE + timedelta(hours=5)
        come(line, EVENING, times=3)
        come(line, now + timedelta(seconds=1))

        corrections.correct_daily(site=area.site, now=now)

        aggregation.catch_up(site=area.site, now=now + timedelta(hours=1))
        hour = HourlyOccupancy.objects.filter(start=now)
        assert list(hour.values_list("closing_count", flat=True)) == [1, 1]
        assert current_count(line.camera) == 1

    def test_keeps_what_was_said_by_hand_since(
        self, line: CountingLine, sam: User
    ) -> None:
        area = hall(line)
        come(line, EVENING, times=3)
        for calibrate in (
            lambda **said: corrections.calibrate_camera(camera=line.camera, **said),
            lambda **said: corrections.calibrate_area(area=area, **said),
        ):
            calibrate(count=5, reason="Counted.", by=sam, at=THREE + timedelta(hours=1))

        corrections.correct_daily(site=line.camera.site, now=THREE + timedelta(hours=5))

        area.refresh_from_db()
        assert (current_count(line.camera), area.current_count) == (5, 5)

    def test_leaves_cameras_that_count_nothing(self, line: CountingLine) -> None:
        come(line, EVENING)
        off = make_camera(site=line.camera.site, enabled=False)
        come(make_line(camera=off), EVENING)

        assert corrections.correct_daily(site=line.camera.site, now=THREE) == 1

    def test_sets_an_area_that_is_switched_off_to_zero_too(
        self, line: CountingLine
    ) -> None:
        area = hall(line)
        Area.objects.update(enabled=False)
        come(line, EVENING)

        corrections.correct_daily(site=area.site, now=THREE)

        area.refresh_from_db()
        assert area.current_count == 0

    def test_begins_with_the_first_night(self, line: CountingLine) -> None:
        come(line, THREE + timedelta(hours=6))

        done = corrections.correct_daily(
            site=line.camera.site, now=THREE + timedelta(hours=7)
        )

        assert done == 0
