"""Decisions in words, by table."""

from __future__ import annotations

from typing import Any

import pytest

from identity.models import AccessLog
from identity.views import proof


def log(**values: Any) -> AccessLog:
    """Make a row that is in no database."""
    defaults = {"engine": "local", "threshold": 0.42, "margin": 0.08}
    measured = {"similarity": 0.713, "runner_up": 0.118}
    return AccessLog(**defaults | measured | values)


class TestFigures:
    @pytest.mark.parametrize(
        ("values", "measured", "distance"),
        [
            (
                {},
                "similarity 0.71, needed 0.42",
                "next best 0.12, had to be 0.08 lower",
            ),
            (
                {
                    "threshold": 85.0,
                    "margin": 4.0,
                    "similarity": 99.12,
                    "runner_up": 85.5,
                },
                "similarity 99.1 %, needed 85.0 %",
                "next best 85.5 %, had to be 4.0 % lower",
            ),
            (
                {"similarity": None, "runner_up": None},
                "similarity none, needed 0.42",
                "no other person was near enough to be named by the engine",
            ),
        ],
    )
    def test_are_on_the_scale_of_the_engine(
        self, values: dict[str, Any], measured: str, distance: str
    ) -> None:
        assert proof.measured(log(**values)) == measured
        assert proof.distance(log(**values)) == distance


class TestRule:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"decision": "authorized"}, "this person may enter"),
            ({"decision": "unauthorized"}, "not allowed to enter"),
            ({"decision": "ambiguous"}, "Two enrolled people fit"),
            ({"decision": "unknown", "similarity": None}, "nobody to compare with"),
            (
                {"decision": "unknown", "similarity": None, "engine": "rekognition"},
                "nobody at all like this face",
            ),
            (
                {"decision": "unknown", "similarity": None, "votes": 0},
                "No face of this visit could be compared",
            ),
            ({"decision": "unknown", "similarity": 0.41}, "was similar enough, so no"),
            ({"decision": "unknown", "similarity": 0.42}, "not in most of them"),
        ],
    )
    def test_is_told(self, values: dict[str, Any], words: str) -> None:
        assert words in proof.rule(log(**values))


class TestQuality:
    @pytest.mark.parametrize(
        ("score", "word"),
        [(1.0, "good"), (0.6, "good"), (0.59, "fair"), (0.35, "fair"), (0.0, "poor")],
    )
    def test_is_a_word(self, score: float, word: str) -> None:
        assert proof.quality_word(score) == word
