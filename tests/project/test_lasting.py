"""Lengths of time in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from factory_site.templatetags.lasting import lasting


class TestLasting:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (222, "3 min 42 s"),
            (1_825, "30 min 25 s"),
            (3_605, "1 h"),
            (4_320, "1 h 12 min"),
            (190_000, "2 d 4 h"),
        ],
    )
    def test_writes_the_two_largest_units(self, seconds: float, words: str) -> None:
        assert lasting(timedelta(seconds=seconds)) == words
