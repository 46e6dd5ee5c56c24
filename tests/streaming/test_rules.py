from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streaming.rules import outage_start, shares

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HELD = st.dictionaries(st.text("abc", min_size=1), st.integers(0, 40), min_size=1)
INSTANTS = st.integers(-600, 600).map(lambda s: NOON + timedelta(seconds=s))


class TestShares:
    @given(st.integers(0, 200), HELD)
    def test_cover_all_cameras_and_differ_by_one_at_most(
        self, cameras: int, held: dict[str, int]
    ) -> None:
        found = shares(cameras, held=held)

        assert found.keys() == held.keys()
        assert sum(found.values()) == cameras
        assert max(found.values()) - min(found.values()) <= 1

    @given(st.integers(0, 200), HELD)
    def test_stay_as_they_are_once_they_are_even(
        self, cameras: int, held: dict[str, int]
    ) -> None:
        even = shares(cameras, held=held)

        assert shares(cameras, held=even) == even

    def test_leave_the_odd_camera_where_it_is(self) -> None:
        assert shares(5, held={"a": 2, "b": 3}) == {"a": 2, "b": 3}

    def test_are_none_without_workers(self) -> None:
        assert shares(5, held={}) == {}


class TestOutageStart:
    @given(INSTANTS, st.none() | INSTANTS, st.none() | INSTANTS)
    def test_is_never_before_the_end_of_the_last_outage(
        self, at: datetime, last_frame_at: datetime | None, ended_at: datetime | None
    ) -> None:
        began = outage_start(at=at, last_frame_at=last_frame_at, last_ended_at=ended_at)

        assert ended_at is None or began >= ended_at
        assert began <= max(at, ended_at or at)

    def test_is_when_the_last_picture_came(self) -> None:
        before = NOON - timedelta(seconds=7)

        assert outage_start(at=NOON, last_frame_at=before, last_ended_at=None) == before

    def test_is_when_it_was_noticed_where_no_picture_is_known(self) -> None:
        assert outage_start(at=NOON, last_frame_at=None, last_ended_at=None) == NOON
