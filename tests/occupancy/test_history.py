"""What was counted, over closed buckets and the hour that goes on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from occupancy import aggregation, history
from occupancy.history import Place
from occupancy.models import AreaLine, HourlyOccupancy, Kind, MonthlyOccupancy
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.vision.types import Label
from tests.factories import make_area, make_camera, make_crossing, make_line, make_site

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from occupancy.history import Compared, Counted
    from occupancy.models import Bucket, CountingLine
    from streaming.models import Site

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 3, 11, 10, 40, tzinfo=KOLKATA)
"""A Wednesday."""
TODAY = NOW.date()
TODAY_QUERIES = 5


@pytest.fixture
def site(db: None) -> Site:
    return make_site(time_zone="Asia/Kolkata")


@pytest.fixture
def line(site: Site) -> CountingLine:
    return make_line(camera=make_camera(site=site))


@pytest.fixture
def place(line: CountingLine) -> Place:
    return Place(camera_id=line.camera_id)


def cross(line: CountingLine, at: datetime, way: str = "in", **values: Any) -> None:
    event = make_crossing(line, Direction(way), at=at.astimezone(UTC), **values)
    record_crossing(event=event)


def clock(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    return datetime(2026, 3, 11, hour, minute, tzinfo=KOLKATA) - timedelta(days=days)


def told(hours: list[Counted]) -> dict[int, tuple[int | None, int | None]]:
    """Return (entries, exits) by hour of the clock where there were any."""
    return {
        each.start.astimezone(KOLKATA).hour: (each.entries, each.exits)
        for each in hours
        if each.entries or each.exits
    }


def known(rows: list[Compared]) -> list[Compared]:
    return [row for row in rows if row.now.is_known]


class TestToday:
    def test_adds_the_hour_that_goes_on_to_those_that_are_over(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for at in (clock(8, 10), clock(8, 20), clock(10, 5)):
            cross(line, at)
        cross(line, clock(9, 30), "out")
        aggregation.catch_up(site=site, now=NOW)

        hours = history.today([place], zone=KOLKATA, now=NOW)[place]

        assert len(hours) == 11
        assert told(hours) == {8: (2, 0), 9: (0, 1), 10: (1, 0)}
        assert [hour.is_over for hour in hours[-2:]] == [True, False]
        assert (hours[8].most, hours[10].most) == (2, None)

    def test_is_the_same_before_anything_is_summed_up(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for at in (clock(0), clock(8, 59), clock(9), clock(10, 39)):
            cross(line, at)
        cross(line, clock(23, 59, days=1))

        before = told(history.today([place], zone=KOLKATA, now=NOW)[place])
        aggregation.catch_up(site=site, now=NOW)
        after = told(history.today([place], zone=KOLKATA, now=NOW)[place])

        assert before == after == {0: (1, 0), 8: (1, 0), 9: (1, 0), 10: (1, 0)}

    def test_counts_a_crossing_that_was_recorded_late(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        cross(line, clock(8, 10))
        aggregation.catch_up(site=site, now=NOW)
        cross(line, clock(8, 30))

        hours = history.today([place], zone=KOLKATA, now=NOW)[place]

        assert told(hours) == {8: (2, 0)}

    def test_takes_the_doors_of_an_area_the_way_they_lead(
        self, site: Site, line: CountingLine
    ) -> None:
        back = make_line(camera=make_camera(site=site))
        area = make_area(site=site)
        AreaLine.objects.create(area=area, line=line)
        AreaLine.objects.create(area=area, line=back, inverted=True)
        cross(line, clock(9, 5))
        cross(back, clock(10, 5))
        place = Place(area_id=area.pk)

        fresh = told(history.today([place], zone=KOLKATA, now=NOW)[place])
        aggregation.catch_up(site=site, now=clock(11))
        summed = told(history.today([place], zone=KOLKATA, now=clock(11))[place])

        assert fresh == summed == {9: (1, 0), 10: (0, 1)}

    def test_counts_people_and_vehicles_apart(
        self, line: CountingLine, place: Place
    ) -> None:
        cross(line, clock(10, 5))
        cross(line, clock(10, 6), label=Label.TRUCK)
        cross(line, clock(10, 7), label=Label.CAR)
        vehicles = Place(camera_id=line.camera_id, kind=Kind.VEHICLES)

        found = history.today([place, vehicles], zone=KOLKATA, now=NOW)

        assert told(found[place]) == {10: (1, 0)}
        assert told(found[vehicles]) == {10: (2, 0)}

    def test_shows_an_hour_twice_when_the_clock_does(self) -> None:
        site = make_site(time_zone="Europe/Berlin")
        line = make_line(camera=make_camera(site=site))
        place = Place(camera_id=line.camera_id)
        first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
        cross(line, first)
        cross(line, first.replace(fold=1))
        cross(line, first.replace(fold=1))

        now = datetime(2026, 10, 25, 23, 30, tzinfo=BERLIN)
        hours = history.today([place], zone=BERLIN, now=now)[place]

        assert len(hours) == 25
        assert [hour.entries for hour in hours[1:5]] == [0, 1, 2, 0]

    def test_needs_as_many_queries_for_many_places_as_for_one(
        self, site: Site, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        places = []
        for _ in range(10):
            line = make_line(camera=make_camera(site=site))
            area = make_area(site=site)
            AreaLine.objects.create(area=area, line=line)
            cross(line, clock(9))
            places += [Place(area_id=area.pk), Place(camera_id=line.camera_id)]

        with django_assert_num_queries(TODAY_QUERIES):
            found = history.today(places, zone=KOLKATA, now=NOW)

        assert all(told(hours) == {9: (1, 0)} for hours in found.values())


class TestByHour:
    def test_is_compared_with_the_same_hour_a_week_before(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for at in (clock(8, 1, days=7), clock(8, 2, days=7), clock(8, 5), clock(10, 5)):
            cross(line, at)
        aggregation.catch_up(site=site, now=NOW)

        rows = history.by_hour(place, site=site, first=TODAY, last=TODAY, now=NOW)

        assert len(rows) == 24
        eight, before = rows[8].now, rows[8].before
        assert (eight.entries, eight.is_over) == (1, True)
        assert before
        assert before.entries == 2
        assert rows[10].now.entries == 1
        assert not rows[10].now.is_over
        assert not rows[11].now.is_known

    def test_leaves_out_what_is_of_others(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        cross(line, clock(8))
        cross(make_line(camera=make_camera(site=site)), clock(8))
        cross(line, clock(8), label=Label.CAR)
        aggregation.catch_up(site=site, now=NOW)

        rows = history.by_hour(place, site=site, first=TODAY, last=TODAY, now=NOW)

        assert rows[8].now.entries == 1

    @pytest.mark.parametrize(
        ("on", "hours"),
        [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)],
    )
    def test_has_as_many_hours_as_the_day(self, on: date, hours: int) -> None:
        site = make_site(time_zone="Europe/Berlin")
        line = make_line(camera=make_camera(site=site))
        place = Place(camera_id=line.camera_id)
        start = datetime(on.year, on.month, on.day, tzinfo=BERLIN)
        end = start + timedelta(days=1)
        for number in range(hours):
            cross(line, start.astimezone(UTC) + timedelta(hours=number, minutes=1))
        aggregation.catch_up(site=site, now=end)

        rows = history.by_hour(
            place, site=site, first=on, last=on, now=end + timedelta(days=1)
        )

        assert [row.now.entries for row in rows] == [1] * hours

    def test_needs_few_queries(
        self,
        site: Site,
        line: CountingLine,
        place: Place,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        cross(line, clock(8))
        first = TODAY - timedelta(days=13)

        with django_assert_num_queries(TODAY_QUERIES):  # A camera has no doors.
            history.by_hour(place, site=site, first=first, last=TODAY, now=NOW)
        past = TODAY - timedelta(days=1)
        with django_assert_num_queries(1):
            history.by_hour(place, site=site, first=first, last=past, now=NOW)


class TestByDay:
    def test_ends_with_today_so_far(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for at in (clock(8, days=8), clock(8, days=1), clock(9, days=1)):
            cross(line, at)
        for at in (clock(8), clock(10, 5)):
            cross(line, at)
        aggregation.catch_up(site=site, now=NOW)
        first = TODAY - timedelta(days=1)

        yesterday, today = history.by_day(
            place, site=site, first=first, last=TODAY, now=NOW
        )

        assert (yesterday.now.entries, yesterday.now.is_over) == (2, True)
        assert yesterday.before
        assert yesterday.before.entries == 1
        assert (today.now.entries, today.now.is_over) == (2, False)
        assert today.now.most == 4

    def test_weighs_an_average_by_time(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        cross(line, clock(0))
        for _ in range(4):
            cross(line, clock(2))
        aggregation.catch_up(site=site, now=clock(4))

        (today,) = history.by_day(
            place, site=site, first=TODAY, last=TODAY, now=clock(4)
        )

        assert today.now.average == pytest.approx((1 + 1 + 5 + 5) / 4)


class TestByMonth:
    def test_goes_on_with_this_month_so_far(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for at in (clock(8, days=20), clock(8, days=3), clock(8), clock(10, 5)):
            cross(line, at)
        aggregation.catch_up(site=site, now=NOW)

        february, march = history.by_month(
            place, site=site, first=date(2026, 2, 3), last=TODAY, now=NOW
        )

        assert (february.now.entries, february.now.is_over) == (1, True)
        assert (march.now.entries, march.now.is_over) == (3, False)
        assert march.now.most == 3

    def test_is_compared_with_the_year_before(self, site: Site, place: Place) -> None:
        year_before = datetime(2025, 3, 1, tzinfo=KOLKATA)
        make_bucket(place, site, year_before, 1, model=MonthlyOccupancy, entries=77)

        (march,) = history.by_month(place, site=site, first=TODAY, last=TODAY, now=NOW)

        assert march.before
        assert march.before.entries == 77


class TestUsualWeek:
    def test_is_the_average_by_hour_and_day_of_the_sites_clock(
        self, site: Site, line: CountingLine, place: Place
    ) -> None:
        for days, inside in ((0, 4), (7, 2), (28, 90)):
            make_bucket(place, site, clock(8, days=days), inside)
        make_bucket(place, site, clock(9, days=1), 7)

        found = history.usual_week(place, site=site, last=TODAY)

        assert found == {(8, 3): 3.0, (9, 2): 7.0}


def make_bucket(
    place: Place,
    site: Site,
    start: datetime,
    inside: int,
    *,
    model: type[Bucket] = HourlyOccupancy,
    entries: int = 0,
) -> None:
    model._default_manager.create(
        site=site,
        camera_id=place.camera_id,
        start=start,
        end=start + timedelta(hours=1),
        avg_occupancy=inside,
        max_occupancy=inside,
        min_occupancy=inside,
        total_entries=entries,
        total_exits=0,
        closing_count=inside,
    )


def berlin(month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold)


class TestAWeekBefore:
    @pytest.mark.parametrize(
        ("at", "before"),
        [
            (berlin(4, 5, 1, 30), berlin(3, 29, 1, 30)),
            (berlin(4, 5, 2), None),
            (berlin(4, 5, 3), berlin(3, 29, 3)),
            (berlin(3, 29, 3), berlin(3, 22, 3)),
            (berlin(11, 1, 2), berlin(10, 25, 2)),
            (berlin(10, 25, 2, 0, fold=1), berlin(10, 18, 2)),
        ],
    )
    def test_is_when_the_clock_showed_the_same(
        self, at: datetime, before: datetime | None
    ) -> None:
        found = history.a_week_before(at, BERLIN)

        assert found == (before and before.astimezone(UTC))
