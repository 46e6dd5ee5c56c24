"""Which vehicles are on a site, by what gates saw of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import (
    make_camera,
    make_employee,
    make_site,
    make_vehicle,
    make_vehicle_log,
)
from vehicles.models import BarrierCall, Gate
from vehicles.muster import (
    PARKED_WITHIN,
    PAST_THE_EXIT,
    SEEN_WITHIN,
    Standing,
    Trace,
    inside,
    standing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_django import DjangoAssertNumQueries

    from streaming.models import Site
    from vehicles.models import VehicleLog
    from vehicles.muster import VehicleInside

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
PLATE = "MH12AB1234"
QUERIES = 2

instants = st.integers(0, 8 * 24 * 60).map(lambda minutes: NOW - minutes * MINUTE)
recent = st.integers(0, 6 * 24 * 60).map(lambda minutes: NOW - minutes * MINUTE)
maybe = st.none() | instants


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def trace(
    came_at: datetime | None = None,
    left_at: datetime | None = None,
    *seen: datetime | None,
) -> Trace:
    """Make a trace as gates leave it: last seen at the latest of all."""
    known = [at for at in (came_at, left_at, *seen) if at]
    return Trace(seen_at=max(known), came_at=came_at, left_at=left_at)


def stands(each: Trace) -> Standing:
    return standing(each, now=NOW)


class TestStanding:
    @pytest.mark.parametrize(
        ("each", "expected"),
        [
            (trace(ago(3)), Standing.INSIDE),
            (trace(ago(80)), Standing.INSIDE),
            (trace(NOW - PARKED_WITHIN), Standing.LEFT),
            (trace(ago(8), ago(1)), Standing.LEFT),
            (trace(ago(1), ago(8)), Standing.INSIDE),
            (trace(None, ago(1)), Standing.LEFT),
            (trace(None, None, ago(1)), Standing.PERHAPS),
            (trace(None, None, NOW - SEEN_WITHIN + SECOND), Standing.PERHAPS),
            (trace(None, None, NOW - SEEN_WITHIN), Standing.LEFT),
            (trace(ago(8), ago(1), ago(1) + PAST_THE_EXIT), Standing.LEFT),
            (trace(ago(8), ago(1), ago(1) + PAST_THE_EXIT + SECOND), Standing.PERHAPS),
        ],
    )
    def test_is_told_by_the_ways_it_went(self, each: Trace, expected: Standing) -> None:
        assert stands(each) is expected

    @given(left=maybe, came=recent, seen=maybe)
    def test_is_inside_whenever_the_way_in_was_the_last(
        self, left: datetime | None, came: datetime, seen: datetime | None
    ) -> None:
        before = left and min(left, came - SECOND)

        assert stands(trace(came, before, seen)) is Standing.INSIDE

    @given(came=maybe, left=instants)
    def test_is_gone_whenever_the_way_out_was_the_last_of_all(
        self, came: datetime | None, left: datetime
    ) -> None:
        before = came and min(came, left)

        assert stands(trace(before, left)) is Standing.LEFT

    @given(came=maybe, left=maybe, seen=instants, more=instants)
    def test_is_never_taken_off_by_one_more_sighting(
        self,
        came: datetime | None,
        left: datetime | None,
        seen: datetime,
        more: datetime,
    ) -> None:
        before = stands(trace(came, left, seen))
        after = stands(trace(came, left, seen, more))

        assert before is Standing.LEFT or after is before


@pytest.fixture
def site() -> Site:
    return make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")


def gate_of(site: Site, **values: Any) -> Gate:
    return Gate.objects.create(site=site, **{"name": "North gate", **values})


def barrier_of(site: Site) -> Gate:
    return gate_of(site, name="Barrier", driver="http", address="http://192.0.2.9/")


def visit(site: Site, way: str, hours: float, **values: Any) -> VehicleLog:
    values.setdefault("gate", None)
    values.setdefault("status", "authorized")
    values.setdefault("reason", "listed")
    camera = values.pop("camera", None) or make_camera(site=site, direction=way)
    return make_vehicle_log(
        camera=camera, direction=way, occurred_at=ago(hours), **values
    )


def told(*sites: Site) -> Sequence[VehicleInside]:
    return inside(sites=sites, now=NOW)


@pytest.mark.django_db
class TestInside:
    def test_tells_whose_where_and_since_when(self, site: Site) -> None:
        asha = make_employee(site=site, code="E-104", name="Asha Rao")
        car = make_vehicle(site=site, plate_number=PLATE, employee=asha, owner="Hers")
        visit(site, "entry", 3, vehicle=car, gate=gate_of(site))
        yard = gate_of(site, name="Yard")
        newest = visit(site, "both", 1, vehicle=car, gate=yard)

        [one] = told(site)

        assert (one.plate_number, one.vehicle_type) == (PLATE, "Car")
        assert (one.employee_code, one.employee_name) == ("E-104", "Asha Rao")
        assert one.owner == "Hers"
        assert (one.since, one.seen_at) == (ago(3), ago(1))
        assert (one.gate, one.log_id) == ("Yard", newest.pk)

    def test_is_by_plate_and_forgets_those_that_drove_out(self, site: Site) -> None:
        visit(site, "entry", 3, plate_number="B2")
        visit(site, "entry", 3, plate_number="A1")
        visit(site, "entry", 3, plate_number="C3")
        visit(site, "exit", 2, plate_number="C3")

        assert [one.plate_number for one in told(site)] == ["A1", "B2"]

    def test_does_not_say_since_when_where_no_gate_can_tell(self, site: Site) -> None:
        visit(site, "none", 1)

        [one] = told(site)

        assert (one.since, one.seen_at) == (None, ago(1))

    def test_leaves_out_what_was_not_read_for_sure(self, site: Site) -> None:
        visit(site, "entry", 1, status="rejected", reason="low_confidence")

        assert not told(site)

    def test_has_whoever_came_before_midnight_for_the_night(self, site: Site) -> None:
        visit(site, "none", 20)

        assert [one.seen_at for one in told(site)] == [ago(20)]

    def test_leaves_out_plates_that_were_erased(self, site: Site) -> None:
        visit(site, "entry", 1, plate_number="")

        assert not told(site)

    def test_is_told_apart_by_site(self, site: Site) -> None:
        other = make_site(slug="other")
        visit(site, "entry", 2)
        visit(other, "entry", 3)
        visit(other, "exit", 1)

        assert [one.site_id for one in told(site, other)] == [site.pk]
        assert not told(other)

    @pytest.mark.parametrize(
        ("status", "reason", "since"),
        [
            ("authorized", "listed", ago(1)),
            ("unknown", "unlisted", None),
        ],
    )
    def test_doubts_whoever_stood_before_a_barrier_that_was_not_opened(
        self, site: Site, status: str, reason: str, since: datetime | None
    ) -> None:
        visit(site, "entry", 1, gate=barrier_of(site), status=status, reason=reason)

        assert [one.since for one in told(site)] == [since]

    @pytest.mark.parametrize("status", ["unknown", "blocked"])
    def test_has_whoever_was_let_in_by_hand(self, site: Site, status: str) -> None:
        gate = barrier_of(site)
        log = visit(site, "entry", 1, gate=gate, status=status, reason="unlisted")
        BarrierCall.objects.create(
            gate=gate, log=log, reason="Known", asked_at=ago(1), result="opened"
        )

        assert [one.since for one in told(site)] == [ago(1)]

    def test_leaves_out_the_blocked_before_a_barrier_that_stayed_shut(
        self, site: Site
    ) -> None:
        gate = barrier_of(site)
        visit(site, "entry", 1, gate=gate, status="blocked", reason="blocked")

        assert not told(site)

    @pytest.mark.parametrize(
        ("opened_at", "since"),
        [(None, []), (ago(1), [None]), (ago(0.9), [ago(1)])],
    )
    def test_leaves_out_whoever_was_refused_unless_the_barrier_opened(
        self, site: Site, opened_at: datetime | None, since: list[datetime | None]
    ) -> None:
        gate = barrier_of(site)
        denied = {"denied_at": ago(1), "denied_reason": "No papers"}
        log = visit(site, "entry", 1, gate=gate, **denied)
        if opened_at:
            BarrierCall.objects.create(
                gate=gate, log=log, asked_at=opened_at, result="opened"
            )

        assert [one.since for one in told(site)] == since

    def test_keeps_whoever_was_refused_on_the_way_out(self, site: Site) -> None:
        visit(site, "entry", 5)
        denied = {"denied_at": ago(1), "denied_reason": "Load not signed for"}
        visit(site, "exit", 1, gate=barrier_of(site), **denied)

        assert [one.since for one in told(site)] == [ago(5)]

    def test_needs_as_many_queries_for_many_as_for_one(
        self, site: Site, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        gate, camera = gate_of(site), make_camera(site=site, direction="entry")
        for number in range(20):
            owner = make_employee(site=site)
            car = make_vehicle(
                site=site, plate_number=f"MH12AB{number:04}", employee=owner
            )
            values = {"vehicle": car, "plate_number": car.plate_number}
            visit(site, "entry", 2, camera=camera, gate=gate, **values)

        with django_assert_num_queries(QUERIES):
            assert len(told(site)) == 20
