from __future__ import annotations

from datetime import UTC, datetime, timedelta

from factory_site.vision.pictures import PictureTimes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class TestPictureTimes:
    def test_know_the_last_and_since_when_they_come(self) -> None:
        times = PictureTimes()
        for seconds in (0, 10, 29, 49):
            times.note("A", after(seconds))

        assert (times.since("A"), times.last("A")) == (NOON, after(49))

    def test_begin_anew_after_a_long_break(self) -> None:
        times = PictureTimes()
        for seconds in (0, 21):
            times.note("A", after(seconds))

        assert times.since("A") == after(21)

    def test_are_told_once(self) -> None:
        times = PictureTimes()
        for code in "AB":
            times.note(code, NOON)

        assert times.take_untold(but={"B"}) == {"A": NOON}
        assert times.take_untold(but=()) == {"B": NOON}
        assert times.take_untold(but=()) == {}

    def test_are_forgotten_with_their_camera(self) -> None:
        times = PictureTimes()
        for code in "AB":
            times.note(code, NOON)

        times.forget_all_but({"B"})

        assert (times.last("A"), times.since("A")) == (None, None)
        assert times.take_untold(but=()) == {"B": NOON}
