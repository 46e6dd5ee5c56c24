from __future__ import annotations

import pytest

from streaming.vision.interest import Interest
from streaming.vision.pipeline import Sampler
from tests.scenes import EMPTY

FPS = 20


@pytest.fixture
def interest() -> Interest:
    return Interest(10, moves=lambda image: False)


def asked(interest: Interest, seconds: float, *, start_s: float = 0.0) -> list[float]:
    """Return the times of the pictures that are wanted."""
    times = [start_s + index / FPS for index in range(round(seconds * FPS))]
    return [each for each in times if interest.wants(each)]


class TestInterest:
    def test_is_in_the_pictures_to_analyse(self, interest: Interest) -> None:
        assert asked(interest, 1) == pytest.approx([n / 10 for n in range(10)])

    def test_is_in_all_while_somebody_watches(self, interest: Interest) -> None:
        interest.is_watched = True
        assert len(asked(interest, 1)) == FPS

    @pytest.mark.parametrize("thinned", [2, 4, 8])
    def test_leaves_out_and_counts_what_is_shed(
        self, interest: Interest, thinned: int
    ) -> None:
        interest.thinned = thinned
        wanted = asked(interest, 8)
        assert len(wanted) == 80 / thinned
        assert interest.shed == 80 - len(wanted)

    def test_counts_what_is_shed_while_somebody_watches_too(
        self, interest: Interest
    ) -> None:
        interest.thinned, interest.is_watched = 2, True
        asked(interest, 8)
        assert interest.shed == 40

    def test_agrees_with_who_sees_only_what_it_wanted(self, interest: Interest) -> None:
        interest.thinned = 4
        later = Sampler(10)
        later.thinned = 4
        assert all(later.wants(each) for each in asked(interest, 8))

    def test_wants_all_that_are_due_again_after_shedding(
        self, interest: Interest
    ) -> None:
        interest.thinned = 8
        asked(interest, 4)
        interest.thinned = 1
        asked(interest, 1, start_s=4)
        assert len(asked(interest, 1, start_s=5)) == 10

    def test_starts_over_with_a_new_connection(self, interest: Interest) -> None:
        asked(interest, 5)
        assert interest.wants(0.0)

    @pytest.mark.parametrize("moves", [True, False])
    def test_remembers_that_something_moved_while_idle(self, moves: bool) -> None:  # noqa: FBT001
        interest = Interest(10, moves=lambda image: moves)
        assert interest.wakes(EMPTY) is moves
        assert interest.was_woken is moves
