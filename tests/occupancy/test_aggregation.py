"""Buckets, held against a recount of the log in plain Python."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from occupancy import aggregation, corrections, periods
from occupancy.aggregation import Done, NotRecomputed
from occupancy.counting import Step, Sums, recount
from occupancy.models import (
    Aggregation,
    AreaLine,
    DailyOccupancy,
    HourlyOccupancy,
    Kind,
    MonthlyOccupancy,
    OccupancyLog,
)
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.models import Camera
from streaming.vision.types import Label
from tests.factories import (
    make_area,
    make_camera,
    make_crossing,
    make_line,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from occupancy.models import Area, Bucket, CountingLine

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 10, 25, tzinfo=BERLIN).astimezone(UTC)
"""Of the day on which Berlin's clocks go back."""


def line_at(zone: str = "Europe/Berlin") -> CountingLine:
    return make_line(camera=make_camera(site=make_site(time_zone=zone)))


def cross(
    line: CountingLine, at: datetime, direction: Direction = Direction.IN, **values: Any
) -> None:
    record_crossing(event=make_crossing(line, direction, at=at, **values))


def sums_of(model: type[Bucket], **of: Any) -> list[Sums]:
    rows = model._default_manager.filter(**of).order_by("start")
    return [
        Sums(
            round(row.avg_occupancy, 6),
            row.max_occupancy,
            row.min_occupancy,
            row.total_entries,
            row.total_exits,
            row.closing_count,
        )
        for row in rows
    ]


def steps_of(camera: Camera) -> list[Step]:
    logs = OccupancyLog.objects.of_people().filter(camera=camera)
    return [
        Step(
            log.occurred_at,
            log.entries,
            log.exits,
            log.current_count if log.cause == "correction" else None,
        )
        for log in logs.order_by("occurred_at", "id")
    ]


def recounted(
    steps: Sequence[Step], first: datetime, last: datetime, zone: ZoneInfo = BERLIN
) -> list[Sums]:
    """Recount hour by hour from the hour of the first step to that of `last`."""
    days = (last.astimezone(zone).date() - first.astimezone(zone).date()).days + 1
    hours = [
        hour
        for day in range(days)
        for hour in periods.hours(
            first.astimezone(zone).date() + timedelta(days=day), zone
        )
        if hour[1] > first and hour[1] <= last
    ]
    return [
        replace(sums, avg_occupancy=round(sums.avg_occupancy, 6))
        for sums in recount(steps, hours, opening=0)
    ]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 30 * 3600 - 1),
        st.sampled_from([Direction.IN, Direction.OUT, 0, 3]),
    ),
    min_size=1,
    max_size=30,
)


class TestHours:
    @settings(max_examples=40, deadline=None)
    @given(steps=STEPS, runs=st.lists(st.integers(0, 31), max_size=3))
    def test_equal_a_recount_in_whatever_order_it_came_and_however_often_summed_up(
        self,
        steps: list[tuple[int, Direction | int]],
        runs: list[int],
    ) -> None:
        line, by = line_at(), make_user(f"user-{uuid4()}")
        now = MIDNIGHT + timedelta(hours=31)
        for number, (seconds, what) in enumerate(steps):
            at = MIDNIGHT + timedelta(seconds=seconds)
            if isinstance(what, Direction):
                cross(line, at, what)
            else:
                corrections.calibrate_camera(
                    camera=line.camera, count=what, reason="Counted.", by=by, at=at
                )
            if number < len(runs):
                until = MIDNIGHT + timedelta(hours=runs[number])
                aggregation.catch_up(site=line.camera.site, now=until)

        aggregation.catch_up(site=line.camera.site, now=now)

        wanted = recounted(
            steps_of(line.camera),
            MIDNIGHT + timedelta(seconds=min(at for at, _ in steps)),
            now,
        )
        assert sums_of(HourlyOccupancy, camera=line.camera) == wanted

    def test_weigh_the_count_by_time(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        cross(line, MIDNIGHT + timedelta(minutes=45))

        aggregation.catch_up(site=line.camera.site, now=MIDNIGHT + timedelta(hours=2))

        first, second = sums_of(HourlyOccupancy)
        assert first == Sums(1.25, 2, 0, 2, 0, 2)
        assert second == Sums(2, 2, 2, 0, 0, 2)

    def test_repeated_by_the_clock_are_two(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT + timedelta(hours=2, minutes=30))
        cross(line, MIDNIGHT + timedelta(hours=3, minutes=30))

        aggregation.catch_up(site=line.camera.site, now=MIDNIGHT + timedelta(hours=5))

        rows = HourlyOccupancy.objects.order_by("start")
        assert [row.start.astimezone(BERLIN).hour for row in rows] == [2, 2, 3]
        assert [row.total_entries for row in rows] == [1, 1, 0]

    def test_wait_until_they_are_over(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        site = line.camera.site

        early = aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(minutes=59))
        done = aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(hours=1))

        assert (early, done) == (Done(), Done(hours=1))

    def test_are_of_vehicles_apart(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        cross(line, MIDNIGHT, label=Label.BUS)
        cross(line, MIDNIGHT, label=Label.CAR)

        aggregation.catch_up(site=line.camera.site, now=MIDNIGHT + timedelta(hours=1))

        rows = HourlyOccupancy.objects.values_list("kind", "total_entries")
        assert dict(rows) == {Kind.PEOPLE: 1, Kind.VEHICLES: 2}

    def test_are_not_touched_at_another_site(self) -> None:
        here, there = line_at(), line_at()
        cross(here, MIDNIGHT)
        cross(there, MIDNIGHT)

        aggregation.catch_up(site=here.camera.site, now=MIDNIGHT + timedelta(hours=1))

        assert HourlyOccupancy.objects.get().camera == here.camera

    def test_are_of_the_site_at_which_the_camera_was(self) -> None:
        line, there = line_at(), make_site(time_zone="Europe/Berlin")
        here = line.camera.site
        cross(line, MIDNIGHT)
        aggregation.catch_up(site=here, now=MIDNIGHT + timedelta(hours=2))
        Camera.objects.filter(pk=line.camera_id).update(site=there)

        cross(line, MIDNIGHT + timedelta(hours=2))
        for site in (here, there):
            aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(hours=3))

        rows = HourlyOccupancy.objects.order_by("start")
        assert [row.site for row in rows] == [here, here, there]


def hall_of(*lines: CountingLine, inverted: bool = False) -> Area:
    area = make_area(site=lines[0].camera.site)
    for line in lines:
        AreaLine.objects.create(area=area, line=line, inverted=inverted)
    return area


class TestAreas:
    def test_add_up_their_doors(self) -> None:
        front = line_at()
        back = make_line(camera=make_camera(site=front.camera.site))
        area = hall_of(front, back)
        cross(front, MIDNIGHT)
        cross(back, MIDNIGHT + timedelta(minutes=30))
        cross(back, MIDNIGHT + timedelta(minutes=45), Direction.OUT)

        aggregation.catch_up(site=area.site, now=MIDNIGHT + timedelta(hours=1))

        assert sums_of(HourlyOccupancy, area=area) == [Sums(1.25, 2, 0, 2, 1, 1)]

    def test_take_a_line_that_leads_out_the_other_way(self) -> None:
        line = line_at()
        area = hall_of(line, inverted=True)
        cross(line, MIDNIGHT, Direction.OUT)

        aggregation.catch_up(site=area.site, now=MIDNIGHT + timedelta(hours=1))

        assert sums_of(HourlyOccupancy, area=area) == [Sums(1, 1, 0, 1, 0, 1)]

    def test_begin_anew_at_a_correction(self) -> None:
        line = line_at()
        area = hall_of(line)
        cross(line, MIDNIGHT)
        corrections.calibrate_area(
            area=area,
            count=5,
            reason="Counted at the door.",
            by=make_user("sam"),
            at=MIDNIGHT + timedelta(minutes=30),
        )

        aggregation.catch_up(site=area.site, now=MIDNIGHT + timedelta(hours=1))

        assert sums_of(HourlyOccupancy, area=area) == [Sums(3, 5, 0, 1, 0, 5)]

    @pytest.mark.parametrize("labels", [[Label.CAR], [Label.CAR, Label.PERSON]])
    def test_begin_anew_at_a_correction_where_vehicles_pass_too(
        self, labels: list[Label]
    ) -> None:
        line = line_at()
        area = hall_of(line)
        for label in labels:
            cross(line, MIDNIGHT, label=label)
        corrections.calibrate_area(
            area=area,
            count=5,
            reason="Counted at the door.",
            by=make_user("sam"),
            at=MIDNIGHT + timedelta(minutes=30),
        )

        aggregation.catch_up(site=area.site, now=MIDNIGHT + timedelta(hours=1))

        people = HourlyOccupancy.objects.get(area=area, kind=Kind.PEOPLE)
        assert (people.max_occupancy, people.closing_count) == (5, 5)


class TestDaysAndMonths:
    def test_equal_their_hours_weighted_by_their_length(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        cross(line, MIDNIGHT + timedelta(hours=20), Direction.OUT)
        end = datetime(2026, 11, 1, tzinfo=BERLIN)

        done = aggregation.catch_up(site=line.camera.site, now=end)

        assert done == Done(hours=7 * 24 + 1, days=7, months=1)
        first = DailyOccupancy.objects.order_by("start")[0]
        assert (first.start, first.end - first.start) == (MIDNIGHT, timedelta(hours=25))
        assert first.avg_occupancy == pytest.approx(20 / 25)
        month = MonthlyOccupancy.objects.get()
        assert month.start == datetime(2026, 10, 1, tzinfo=BERLIN)
        assert (month.total_entries, month.total_exits) == (1, 1)
        assert month.avg_occupancy == pytest.approx(20 / (7 * 24 + 1))

    def test_wait_until_they_are_over(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)

        aggregation.catch_up(site=line.camera.site, now=MIDNIGHT + timedelta(hours=24))

        assert not DailyOccupancy.objects.exists()
        assert HourlyOccupancy.objects.count() == 24


class TestCatchUp:
    def test_changes_nothing_when_it_runs_again(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        now = MIDNIGHT + timedelta(hours=3)
        aggregation.catch_up(site=line.camera.site, now=now)
        rows = HourlyOccupancy.objects.order_by("start")
        before = list(rows.values())

        assert aggregation.catch_up(site=line.camera.site, now=now) == Done()
        again = aggregation.recompute(site=line.camera.site, since=MIDNIGHT, now=now)

        assert again == Done(hours=3)
        assert list(rows.values()) == before

    def test_makes_up_for_runs_that_were_missed(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        cross(line, MIDNIGHT + timedelta(hours=30), Direction.OUT)

        done = aggregation.catch_up(
            site=line.camera.site, now=MIDNIGHT + timedelta(hours=50)
        )

        assert done == Done(hours=50, days=2)

    def test_takes_in_what_was_recorded_late(self) -> None:
        line = line_at()
        site = line.camera.site
        cross(line, MIDNIGHT)
        aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(hours=4))

        cross(line, MIDNIGHT + timedelta(hours=1))
        done = aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(hours=4))

        assert done == Done(hours=3)
        rows = HourlyOccupancy.objects.order_by("start")
        assert [row.closing_count for row in rows] == [1, 2, 2, 2]

    def test_of_one_camera_leaves_the_others_of_its_site(self) -> None:
        here = line_at()
        there = make_line(camera=make_camera(site=here.camera.site))
        for line in (here, there):
            cross(line, MIDNIGHT)
        now = MIDNIGHT + timedelta(hours=4)
        aggregation.catch_up(site=here.camera.site, now=now)

        cross(here, MIDNIGHT + timedelta(hours=1))

        assert aggregation.catch_up(site=here.camera.site, now=now) == Done(hours=3)


class TestRecompute:
    def test_refuses_what_is_still_to_come(self) -> None:
        site = make_site()

        with pytest.raises(NotRecomputed, match="still to come"):
            aggregation.recompute(
                site=site, since=MIDNIGHT + timedelta(hours=1), now=MIDNIGHT
            )

    def test_refuses_what_is_no_longer_kept(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT)
        Aggregation.objects.update(kept_from=MIDNIGHT + timedelta(hours=2))

        with pytest.raises(NotRecomputed, match="Before 2026-10-25 02:00"):
            aggregation.recompute(
                site=line.camera.site,
                since=MIDNIGHT,
                now=MIDNIGHT + timedelta(hours=9),
            )

    @pytest.mark.parametrize("runs", [[], [12]])
    def test_leaves_the_hours_before_the_first_crossing_unknown(
        self, runs: list[int]
    ) -> None:
        line = line_at()
        site = line.camera.site
        cross(line, MIDNIGHT + timedelta(hours=10))
        for hours in runs:
            aggregation.catch_up(site=site, now=MIDNIGHT + timedelta(hours=hours))

        done = aggregation.recompute(
            site=site, since=MIDNIGHT, now=MIDNIGHT + timedelta(hours=12)
        )

        assert done == Done(hours=2)
        assert HourlyOccupancy.objects.count() == 2

    def test_takes_in_what_the_doors_of_a_new_area_counted_before(self) -> None:
        line = line_at()
        cross(line, MIDNIGHT + timedelta(hours=10))
        aggregation.catch_up(site=line.camera.site, now=MIDNIGHT + timedelta(hours=12))
        area = hall_of(line)
        cross(line, MIDNIGHT + timedelta(hours=12))

        aggregation.recompute(
            site=area.site, since=MIDNIGHT, now=MIDNIGHT + timedelta(hours=13)
        )

        rows = HourlyOccupancy.objects.filter(area=area).order_by("start")
        assert [row.total_entries for row in rows] == [1, 0, 1]

    def test_does_not_go_behind_what_is_kept_for_a_late_record_either(self) -> None:
        line = line_at()
        now = MIDNIGHT + timedelta(hours=9)
        cross(line, MIDNIGHT)
        aggregation.catch_up(site=line.camera.site, now=now)
        kept_from = MIDNIGHT + timedelta(hours=5)
        Aggregation.objects.update(kept_from=kept_from)

        cross(line, MIDNIGHT + timedelta(hours=1))

        assert Aggregation.objects.get().until == kept_from
