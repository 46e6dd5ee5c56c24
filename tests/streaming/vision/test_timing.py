from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.timing import Lateness, TimeLine

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class TestTimeLine:
    def test_follows_the_stamps(self) -> None:
        line = TimeLine(0.1, is_live=True)
        stamps = [7.0, 7.1, 7.3]
        seconds = [line.read(stamp, at_s=90 + stamp * 2) for stamp in stamps]
        assert [round(each, 6) for each in seconds] == [0.0, 0.1, 0.3]

    def test_takes_the_arrival_where_a_live_stamp_is_missing(self) -> None:
        line = TimeLine(0.1, is_live=True)
        assert [line.read(None, at_s=at_s) for at_s in (5.0, 5.5, 6.5)] == [0, 0.5, 1.5]

    def test_takes_the_interval_where_a_recording_lacks_a_stamp(self) -> None:
        line = TimeLine(0.25, is_live=False)
        assert [line.read(None, at_s=at_s) for at_s in (5.0, 5.5, 6.5)] == [
            0,
            0.25,
            0.5,
        ]

    def test_goes_on_where_a_camera_sets_its_clock(self) -> None:
        line = TimeLine(0.1, is_live=True)
        read = [(10.0, 1.0), (10.5, 1.5), (9000.0, 2.0), (9000.5, 2.5), (3.0, 3.0)]
        seconds = [line.read(stamp, at_s=at_s) for stamp, at_s in read]
        assert seconds == [0.0, 0.5, 1.0, 1.5, 2.0]

    @given(
        st.lists(
            st.tuples(st.one_of(st.none(), st.floats(-1e6, 1e6)), st.floats(0.001, 9)),
            max_size=30,
        ),
        st.booleans(),
    )
    def test_never_runs_back(
        self,
        read: list[tuple[float | None, float]],
        is_live: bool,  # noqa: FBT001
    ) -> None:
        line = TimeLine(0.04, is_live=is_live)
        now_s, seconds = 0.0, []
        for stamp_s, passed_s in read:
            now_s += passed_s
            seconds.append(line.read(stamp_s, at_s=now_s))
        assert all(earlier < later for earlier, later in pairwise(seconds))


class TestLateness:
    def test_leaves_alone_what_comes_in_time(self) -> None:
        lateness = Lateness()
        for seconds in (0.0, 0.1, 0.25):
            assert lateness.arrival(at(9 + seconds), seconds, is_kept=False) == at(
                9 + seconds
            )
        assert not lateness.is_late

    def test_tells_when_pictures_came_that_were_read_late(self) -> None:
        lateness = Lateness()
        lateness.arrival(at(0.0), 0.0, is_kept=False)
        lateness.arrival(at(0.5), 0.5, is_kept=True)
        # Decoding what was kept took until 1.1.
        came = [
            lateness.arrival(at(read), seconds, is_kept=False)
            for read, seconds in [(1.1, 0.6), (1.15, 0.7), (1.2, 0.8)]
        ]
        assert came == [at(0.6), at(0.7), at(0.8)]
        assert lateness.is_late

    def test_ends_when_it_is_caught_up(self) -> None:
        lateness = Lateness()
        lateness.arrival(at(0.0), 0.0, is_kept=False)
        lateness.arrival(at(0.5), 0.5, is_kept=True)
        lateness.arrival(at(1.1), 0.6, is_kept=False)
        assert lateness.arrival(at(1.2), 1.19, is_kept=False) == at(1.19)
        assert not lateness.is_late
        assert lateness.arrival(at(1.9), 1.2, is_kept=False) == at(1.9)

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), max_size=30))
    def test_never_runs_back_nor_into_the_future(
        self, read: list[tuple[bool, int]]
    ) -> None:
        lateness = Lateness()
        now_s, before = 0.0, START
        for number, (is_kept, passed) in enumerate(read):
            now_s += passed / 100
            came = lateness.arrival(at(now_s), number / 10, is_kept=is_kept)
            assert before <= came <= at(now_s)
            before = came
