from __future__ import annotations

import pytest

from streaming.vision.rates import Rates


class TestRates:
    def test_are_zero_at_first(self) -> None:
        assert Rates(10).sample(5.0, 100, 7) == (0.0, 0.0)

    def test_are_those_since_the_first_sample_until_the_window_is_full(self) -> None:
        rates = Rates(10)
        rates.sample(0.0, 0, 0)

        assert rates.sample(2.0, 50, 10) == (25.0, 5.0)

    def test_forget_what_is_longer_ago_than_the_window(self) -> None:
        rates = Rates(3)
        counted = [0, 100, 110, 120, 130]
        told = [rates.sample(float(s), count) for s, count in enumerate(counted)]

        assert told[-1] == pytest.approx((10.0,))

    def test_are_zero_when_asked_twice_at_once(self) -> None:
        rates = Rates(1)
        rates.sample(1.0, 5)

        assert rates.sample(1.0, 9) == (0.0,)
