"""A visit's decision in words."""

from __future__ import annotations

import pytest

from tests.vehicles.views.conftest import CONFIDENCES, PLATE
from vehicles.models import VehicleLog
from vehicles.views import proof


def a_visit(*reads: tuple[str, float], **values: object) -> VehicleLog:
    """Make an unstored visit of reads; each with how sure its worst character was."""
    rows = [
        {"frame": n, "text": text, "confidences": [least, *CONFIDENCES[1 : len(text)]]}
        for n, (text, least) in enumerate(reads)
    ]
    defaults = {"reads": rows, "threshold": 0.85, "as_read": PLATE}
    return VehicleLog(**defaults | {"plate_number": PLATE} | values)


class TestRule:
    @pytest.mark.parametrize("reason", VehicleLog.Reason.values)
    def test_has_a_sentence_for_every_reason(self, reason: str) -> None:
        told = proof.rule(VehicleLog(reason=reason, ocr_confidence=0.5, threshold=0.85))

        assert told.endswith(".")


class TestReads:
    def test_name_the_one_that_decided(self) -> None:
        log = a_visit((PLATE, 0.86), (PLATE, 0.9), ("KA01", 0.9), ocr_confidence=0.9)

        assert [each.is_deciding for each in proof.reads(log)] == [False, True, False]

    def test_mark_what_was_too_low(self) -> None:
        [read] = proof.reads(a_visit((PLATE, 0.84), ocr_confidence=0.84))

        assert [each.is_low for each in read.characters] == [True] + 9 * [False]
        assert (read.least, read.most) == (0.84, 0.99)

    def test_are_none_where_nothing_was_read(self) -> None:
        assert proof.deciding(a_visit(as_read="")) is None


class TestRepairs:
    def test_are_what_the_format_put_right(self) -> None:
        log = a_visit(as_read="MHI2A81234")

        assert proof.repairs(log) == [
            proof.Repair(3, "I", "1"),
            proof.Repair(6, "8", "B"),
        ]

    @pytest.mark.parametrize(
        "values", [{"named_at": "2026-03-02"}, {"as_read": "MH12"}]
    )
    def test_are_none_where_a_person_said_it(self, values: dict[str, str]) -> None:
        assert proof.repairs(a_visit(**{"as_read": "MHI2AB1234", **values})) == []


class TestGuess:
    @pytest.mark.parametrize(
        ("values", "guess"),
        [
            ({}, PLATE),
            ({"plate_number": ""}, "MHI2"),
            ({"plate_number": "", "as_read": ""}, "KA01"),
            ({"plate_number": "", "as_read": "", "reads": []}, ""),
        ],
    )
    def test_is_the_best_of_what_was_read(
        self, values: dict[str, object], guess: str
    ) -> None:
        log = a_visit(("KA01", 0.5), **({"as_read": "MHI2"} | values))

        assert proof.guess(log) == guess
