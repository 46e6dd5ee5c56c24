from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.rekognition.retries import LONGEST_DELAY_S, SPREAD, delay_s, with_retries


class Again(Exception):
    """May be tried again."""


class Never(Exception):
    """May not."""


class Service:
    """Fails with the given errors, one a call, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.slept: list[float] = []
        self.told: list[tuple[int, Exception, float]] = []

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def heard(self, attempt: int, error: Exception, delay_s: float) -> None:
        self.told.append((attempt, error, delay_s))

    def ask(self, max_retries: int = 3) -> str:
        return with_retries(
            self,
            on=(Again,),
            sleep=self.slept.append,
            jitter=lambda: 0.5,
            max_retries=max_retries,
            on_retry=self.heard,
        )


class TestDelay:
    @pytest.mark.parametrize(
        ("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (5000, 8)]
    )
    def test_doubles_up_to_8_seconds(self, attempt: int, seconds: float) -> None:
        assert delay_s(attempt, jitter=0.5) == seconds

    @given(st.integers(1, 100), st.floats(0, 1))
    def test_differs_by_a_quarter_at_most(self, attempt: int, jitter: float) -> None:
        whole = min(2.0 ** (attempt - 1), LONGEST_DELAY_S)

        found = delay_s(attempt, jitter=jitter)

        assert (1 - SPREAD) * whole <= found <= (1 + SPREAD) * whole

    @given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1))
    def test_grows_with_the_jitter(self, attempt: int, one: float, two: float) -> None:
        low, high = sorted((one, two))

        assert delay_s(attempt, jitter=low) <= delay_s(attempt, jitter=high)


class TestCall:
    def test_that_answers_is_made_once(self) -> None:
        service = Service()

        assert service.ask() == "answer"
        assert (service.calls, service.slept, service.told) == (1, [], [])

    def test_is_tried_again_after_a_longer_wait_each_time(self) -> None:
        errors = [Again("a"), Again("b"), Again("c")]
        service = Service(*errors)

        assert service.ask() == "answer"
        assert service.slept == [1, 2, 4]
        assert service.told == [
            (1, errors[0], 1),
            (2, errors[1], 2),
            (3, errors[2], 4),
        ]

    def test_is_given_up_after_the_last_retry(self) -> None:
        service = Service(*[Again(str(number)) for number in range(9)])

        with pytest.raises(Again, match="3"):
            service.ask()

        assert (service.calls, service.slept) == (4, [1, 2, 4])

    def test_is_not_tried_again_after_an_error_that_stays(self) -> None:
        service = Service(Again("a"), Never("b"))

        with pytest.raises(Never):
            service.ask()

        assert (service.calls, service.slept) == (2, [1])

    def test_is_made_once_without_retries(self) -> None:
        service = Service(Again("a"))

        with pytest.raises(Again):
            service.ask(max_retries=0)

        assert (service.calls, service.slept) == (1, [])
