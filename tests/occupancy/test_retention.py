"""Old crossings go when they are summed up, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from occupancy import aggregation, retention
from occupancy.models import Aggregation, HourlyOccupancy, OccupancyLog
from occupancy.retention import Forgotten
from occupancy.rules import Direction
from occupancy.services import current_count, record_crossing
from tests.factories import make_camera, make_crossing, make_line, make_site

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 3, 12, 20, tzinfo=UTC)


def seen(*ages: timedelta) -> OccupancyLog:
    line = make_line()
    for age in ages:
        record_crossing(event=make_crossing(line, Direction.IN, at=NOW - age))
    return OccupancyLog.objects.latest("pk")


class TestForgetOld:
    def test_deletes_what_is_older_than_it_is_kept(self) -> None:
        log = seen(timedelta(days=40), timedelta(days=31), timedelta(days=29))
        aggregation.catch_up(site=log.camera.site, now=NOW)

        assert retention.forget_old(now=NOW) == Forgotten(crossings=2, waiting=0)

        assert OccupancyLog.objects.get() == log
        assert HourlyOccupancy.objects.order_by("start")[0].total_entries == 1

    def test_keeps_what_is_not_summed_up(self) -> None:
        seen(timedelta(days=40))

        assert retention.forget_old(now=NOW) == Forgotten(crossings=0, waiting=1)

        assert OccupancyLog.objects.count() == 1

    def test_leaves_counts_and_sums_as_they_were(self) -> None:
        log = seen(timedelta(days=40), timedelta(days=1))
        site, line = log.camera.site, log.line
        assert line is not None
        aggregation.catch_up(site=site, now=NOW)
        before = list(HourlyOccupancy.objects.values())
        retention.forget_old(now=NOW)

        record_crossing(
            event=make_crossing(line, Direction.IN, at=NOW - timedelta(days=35))
        )
        aggregation.catch_up(site=site, now=NOW)

        assert current_count(log.camera) == 3
        kept_from = Aggregation.objects.get().kept_from
        assert kept_from is not None
        known = [row for row in before if row["start"] < kept_from]
        assert list(HourlyOccupancy.objects.values())[: len(known)] == known

    def test_takes_each_site_by_its_own(self) -> None:
        here, there = seen(timedelta(days=40)), seen(timedelta(days=40))
        aggregation.catch_up(site=here.camera.site, now=NOW)

        done = retention.forget_old(now=NOW)

        assert done == Forgotten(crossings=1, waiting=1)
        assert OccupancyLog.objects.get() == there

    def test_of_a_site_without_cameras_is_nothing(self) -> None:
        make_camera(site=make_site())

        assert retention.forget_old(now=NOW) == Forgotten(crossings=0, waiting=0)
