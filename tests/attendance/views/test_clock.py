"""Times that people type by the clock of a site."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from attendance.views.clock import Clock, IsoDate
from streaming.models import Site

BERLIN = Site(name="Berlin", slug="berlin", time_zone="Europe/Berlin")
MONDAY = date(2026, 3, 2)


def typed(on: str, time: str, which: str = "", *, shown: Clock | None = None) -> Clock:
    values = {"came_on": on, "came_time": time, "came_which": which}
    return Clock.read("came", values, shown=shown or Clock("came"), site=BERLIN)


class TestClock:
    @pytest.mark.parametrize("time", ["08:05", "8:05", "08:05:00"])
    def test_is_the_time_of_the_site(self, time: str) -> None:
        clock = typed("2026-03-02", time)

        assert clock.at == datetime(2026, 3, 2, 7, 5, tzinfo=UTC)
        assert not clock.error

    def test_is_none_without_a_time(self) -> None:
        assert typed("2026-03-02", " ") == Clock("came", on="2026-03-02")

    @pytest.mark.parametrize(
        ("on", "time", "error"),
        [
            ("2026-03-02", "25:00", "Write the time"),
            ("2026-03-02", "noon", "Write the time"),
            ("2026-03-02", "08:05+01:00", "Write the time"),
            ("02/03/2026", "08:05", "Write the date"),
            ("", "08:05", "Write the date"),
            ("1026-03-02", "08:05", "Write the date"),
            ("9999-12-31", "23:59", "Write the date"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, on: str, time: str, error: str
    ) -> None:
        clock = typed(on, time)

        assert clock.error.startswith(error)
        assert (clock.on, clock.time, clock.at) == (on, time, None)

    def test_refuses_a_time_that_the_clock_change_skips(self) -> None:
        clock = typed("2026-03-29", "02:30")

        assert "there was no 02:30" in clock.error
        assert clock.at is None

    def test_asks_which_of_two_where_a_time_comes_twice(self) -> None:
        clock = typed("2026-10-25", "02:30")

        assert "came twice" in clock.error
        assert clock.comes_twice

    @pytest.mark.parametrize(("which", "hour"), [("first", 0), ("second", 1)])
    def test_takes_the_one_that_is_meant(self, which: str, hour: int) -> None:
        clock = typed("2026-10-25", "02:30", which)

        assert clock.at == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        shown = Clock.of("came", clock.at, default_on=MONDAY, site=BERLIN)
        assert (shown.time, shown.which) == ("02:30", which)

    def test_stays_the_instant_that_it_was_where_nobody_touched_it(self) -> None:
        at = datetime(2026, 3, 2, 7, 5, 31, 250, tzinfo=UTC)
        shown = Clock.of("came", at, default_on=MONDAY, site=BERLIN)

        assert typed("2026-03-02", "08:05", shown=shown).at == at
        assert typed("2026-03-02", "08:06", shown=shown).at == at.replace(
            minute=6, second=0, microsecond=0
        )

    def test_is_offered_on_the_most_likely_date(self) -> None:
        clock = Clock.of("left", None, default_on=MONDAY, site=BERLIN)

        assert (clock.on, clock.time) == ("2026-03-02", "")


class TestIsoDate:
    def test_is_a_date_in_an_address(self) -> None:
        assert IsoDate().to_python("2026-03-02") == MONDAY
        assert IsoDate().to_url(MONDAY) == "2026-03-02"

    def test_is_none_that_never_comes(self) -> None:
        with pytest.raises(ValueError, match="day is out of range"):
            IsoDate().to_python("2026-02-30")
