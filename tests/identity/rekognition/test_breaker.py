from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.rekognition.breaker import (
    FAILURES,
    REST_S,
    WINDOW_S,
    Breaker,
    State,
    opened,
)

instants = st.floats(0, 1e9, allow_nan=False)


def failed(*instants: float) -> Breaker:
    breaker = Breaker()
    for now in instants:
        breaker = breaker.after_failure(now=now, reason="It does not answer.")
    return breaker


class TestClosed:
    def test_lets_every_call_through(self) -> None:
        assert Breaker().state(now=0) is State.CLOSED
        assert Breaker().may_call(now=0)

    def test_opens_at_the_fifth_failure_in_a_row(self) -> None:
        assert failed(0, 1, 2, 3).state(now=4) is State.CLOSED
        assert failed(0, 1, 2, 3, 4).state(now=4) is State.OPEN

    def test_says_why_it_opened(self) -> None:
        assert failed(0, 1, 2, 3, 4).reason == "It does not answer."

    def test_counts_failures_that_are_told_out_of_order(self) -> None:
        assert failed(4, 3, 2, 1, 0).state(now=4) is State.OPEN

    def test_forgets_failures_after_a_minute(self) -> None:
        assert failed(0, 1, 2, 3, WINDOW_S).state(now=WINDOW_S) is State.CLOSED
        assert failed(1, 1, 2, 3, WINDOW_S).state(now=WINDOW_S) is State.OPEN

    @given(st.lists(instants, min_size=FAILURES))
    def test_never_keeps_more_than_it_needs(self, at: list[float]) -> None:
        assert len(failed(*at).failed_at) < FAILURES


class TestOpen:
    def test_lets_nothing_through_for_half_a_minute(self) -> None:
        breaker = opened(now=100, reason="")

        assert not breaker.may_call(now=100)
        assert not breaker.may_call(now=100 + REST_S - 0.001)
        assert breaker.may_call(now=100 + REST_S)

    def test_is_not_prolonged_by_calls_that_began_before(self) -> None:
        breaker = opened(now=100, reason="").after_failure(now=110, reason="late")

        assert breaker == opened(now=100, reason="")

    def test_does_not_last_for_ever_when_the_clock_was_wrong(self) -> None:
        assert opened(now=10_000, reason="").may_call(now=100)


class TestHalfOpen:
    @pytest.fixture
    def trying(self) -> Breaker:
        return opened(now=0, reason="").with_trial(now=REST_S)

    def test_lets_one_call_through(self, trying: Breaker) -> None:
        assert trying.state(now=REST_S) is State.HALF_OPEN
        assert not trying.may_call(now=REST_S)

    def test_lets_nobody_else_through_who_looked_at_the_clock_before(
        self, trying: Breaker
    ) -> None:
        assert not trying.may_call(now=REST_S - 0.01)

    def test_opens_again_when_that_fails(self, trying: Breaker) -> None:
        again = trying.after_failure(now=REST_S + 1, reason="still")

        assert again == opened(now=REST_S + 1, reason="still")

    def test_tries_again_when_nobody_told_how_that_ended(self, trying: Breaker) -> None:
        assert trying.may_call(now=2 * REST_S)

    @given(instants, instants)
    def test_comes_of_any_open_breaker_in_time(self, at: float, later: float) -> None:
        breaker = opened(now=at, reason="")

        assert breaker.may_call(now=at + REST_S + later)
