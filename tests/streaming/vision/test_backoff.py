from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.backoff import (
    LONGEST_LOGIN_S,
    LONGEST_RETRY_S,
    login_delay_s,
    retry_delay_s,
)
from streaming.vision.opening import Timeouts

RESTORED_WITHIN_S = 10.0
OPENING_S = 2.0
"""To open a camera that answers, and until its next key frame."""


class TestRetryDelay:
    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_is_capped_and_never_nothing(self, failures: int, jitter: float) -> None:
        assert 0.5 <= retry_delay_s(failures, jitter=jitter) <= LONGEST_RETRY_S

    @given(st.integers(1, 100), st.floats(0, 1))
    def test_never_shrinks_from_one_failure_to_the_next(
        self, failures: int, jitter: float
    ) -> None:
        after = retry_delay_s(failures + 1, jitter=jitter)
        assert after >= retry_delay_s(failures, jitter=jitter)

    def test_doubles_up_to_the_cap(self) -> None:
        delays = [retry_delay_s(n, jitter=1.0) for n in range(1, 5)]
        assert delays == [1, 2, 3, 3]

    def test_spreads_cameras_that_failed_together(self) -> None:
        assert retry_delay_s(9, jitter=0) == retry_delay_s(9, jitter=1) / 2

    @given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1))
    def test_lets_a_camera_that_is_back_give_pictures_in_time(
        self, failures: int, jitter: float, share: float
    ) -> None:
        hopeless_s = share * Timeouts().open_s
        delay_s = retry_delay_s(failures, jitter=jitter)
        assert hopeless_s + delay_s + OPENING_S <= RESTORED_WITHIN_S


class TestLoginDelay:
    def test_doubles_up_to_a_minute(self) -> None:
        delays = [login_delay_s(n, jitter=1.0) for n in range(1, 7)]
        assert delays == [5, 10, 20, 40, 60, 60]

    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_is_capped_and_spread_over_the_upper_half(
        self, refusals: int, jitter: float
    ) -> None:
        delay_s = login_delay_s(refusals, jitter=jitter)
        longest_s = login_delay_s(refusals, jitter=1.0)
        assert longest_s / 2 <= delay_s <= longest_s <= LONGEST_LOGIN_S

    @pytest.mark.parametrize("jitter", [0.0, 0.5])
    def test_tries_a_wrong_password_less_often_than_cameras_lock_accounts(
        self, jitter: float
    ) -> None:
        at_s = list(accumulate(login_delay_s(n, jitter=jitter) for n in range(1, 20)))
        assert 1 + sum(each <= 30 for each in at_s) <= 5
