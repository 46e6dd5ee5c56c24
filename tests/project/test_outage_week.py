"""A camera's outages laid over its last seven days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory_site.outage_week import (
    BAR_MIN_SHARE,
    Period,
    local_days,
    outage_week,
)

KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)  # Berlin lost an hour on the 29th.
instants = st.integers(0, 14 * 86_400).map(lambda s: NOW - timedelta(seconds=s))


@st.composite
def periods(draw: st.DrawFn) -> list[Period]:
    """Draw periods before now that do not overlap."""
    found = sorted(draw(st.sets(instants, max_size=20)))
    pairs = zip(found[::2], found[1::2], strict=False)
    return [Period(start, end) for start, end in pairs]


class TestLocalDays:
    def test_are_seven_and_end_with_today(self) -> None:
        days = local_days(now=NOW, zone=KOLKATA)

        assert [day.start.day for day in days] == [25, 26, 27, 28, 29, 30, 31]

    def test_know_the_day_on_which_the_clocks_change(self) -> None:
        hours = [day.seconds / 3600 for day in local_days(now=NOW, zone=BERLIN)]

        assert hours == [24, 24, 24, 24, 23, 24, 24]


class TestOutageWeek:
    def test_splits_an_outage_over_midnight(self) -> None:
        midnight = datetime(2026, 3, 30, tzinfo=KOLKATA)
        outage = Period(midnight - timedelta(hours=1), midnight + timedelta(hours=2))

        days = outage_week([outage], now=NOW, zone=KOLKATA).days

        assert [day.out_s / 3600 for day in days] == [0, 0, 0, 0, 1, 2, 0]
        assert days[4].bars[0].start_s == 23 * 3600
        assert days[5].bars[0].start_s == 0

    def test_draws_a_short_outage_wide_enough_to_be_seen(self) -> None:
        outage = Period(NOW - timedelta(seconds=2), NOW)

        today = outage_week([outage], now=NOW, zone=KOLKATA).days[-1]

        assert today.out_s == 2
        assert today.bars[0].length_s == pytest.approx(BAR_MIN_SHARE * 86_400)

    @given(outages=periods(), zone=st.sampled_from([KOLKATA, BERLIN]))
    def test_loses_no_second_and_counts_none_twice(
        self, outages: list[Period], zone: ZoneInfo
    ) -> None:
        week = outage_week(outages, now=NOW, zone=zone)

        whole = Period(local_days(now=NOW, zone=zone)[0].start, NOW)
        shared = [part for one in outages if (part := one.within(whole))]
        assert week.out.total_seconds() == sum(part.seconds for part in shared)

    @given(outages=periods(), zone=st.sampled_from([KOLKATA, BERLIN]))
    def test_draws_bars_inside_the_day_that_never_touch(
        self, outages: list[Period], zone: ZoneInfo
    ) -> None:
        for day in outage_week(outages, now=NOW, zone=zone).days:
            ends = [0.0, *(bar.start_s + bar.length_s for bar in day.bars)]
            assert ends[-1] <= day.length_s + 1e-6
            for bar, end in zip(day.bars, ends, strict=False):
                assert bar.start_s > end or end == 0
                assert bar.length_s >= BAR_MIN_SHARE * day.length_s - 1e-6
