"""The place in a list, as it stands in the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from identity.views.filters import Cursor, day_of

instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone comes with it
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
almost = st.builds(
    "{}_{}".format,
    st.one_of(st.datetimes(), st.datetimes(timezones=st.timezones()), st.text()),
    st.one_of(st.integers(), st.text()),
)
"""Looks like an address of ours, of years and with numbers that none of ours has."""


class TestCursor:
    @given(instants, st.integers(min_value=1, max_value=2**63 - 1))
    def test_is_read_as_it_was_written(self, at: datetime, pk: int) -> None:
        assert Cursor.of(str(Cursor(at, pk))) == Cursor(at, pk)

    @example("0001-01-01T00:00:00+05:30_1")
    @given(st.one_of(st.text(), almost))
    def test_takes_any_text_without_a_fault(self, text: str) -> None:
        found = Cursor.of(text)

        assert found is None or Cursor.of(str(found)) == found


class TestDay:
    @given(st.dates(datetime(2000, 1, 1).date(), datetime(2100, 12, 31).date()))  # noqa: DTZ001
    def test_is_read_as_browsers_write_it(self, day: object) -> None:
        assert day_of(str(day)) == day

    @given(st.text())
    def test_takes_any_text_without_a_fault(self, text: str) -> None:
        day = day_of(text)
        assert day is None or 2000 <= day.year <= 2100
