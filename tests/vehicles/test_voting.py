"""One plate out of several reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.formats import INDIA, Format
from vehicles.voting import PlateRead, vote

if TYPE_CHECKING:
    from random import Random

ANY = (Format("Any", "[A-Z0-9]{2,10}"),)


def read(text: str, *confidences: float, frame: int = 0) -> PlateRead:
    """Return a read whose every character, or each in turn, is so sure."""
    each = confidences if len(confidences) > 1 else confidences * len(text)
    return PlateRead(frame, text, tuple(each) or (0.9,) * len(text))


texts = st.sampled_from(["MH12AB1234", "MH12AB1235", "MHI2AB1234", "MH12AB123", "X-1"])
reads = st.lists(
    st.builds(
        lambda text, frame, sure: PlateRead(frame, text, tuple(sure[: len(text)])),
        texts,
        st.integers(0, 99),
        st.lists(st.floats(0.01, 1), min_size=10, max_size=10),
    ),
    min_size=1,
    max_size=6,
)


class TestVote:
    @pytest.mark.parametrize(
        ("said", "plate", "agreeing"),
        [
            (["MH12AB1234"], "MH12AB1234", 1),
            (["MH12AB1234", "MH12AB1234"], "MH12AB1234", 2),
            (["MH12AB1234", "MHI2ABI234"], "MH12AB1234", 2),
            (["MH12AB1234", "MH12AB1235", "MH12AB1234"], "MH12AB1234", 2),
            (["MH12AB123", "MH12AB1234", "MH12AB1234"], "MH12AB1234", 2),
            (["MH 12-AB 1234", "mh12ab1234"], "MH12AB1234", 2),
            (["AB12CD34", "AX12CD34", "AB12CY34"], "AB12CD34", 1),
        ],
    )
    def test_takes_what_most_reads_say(
        self, said: list[str], plate: str, agreeing: int
    ) -> None:
        found = vote([read(text) for text in said], INDIA)

        assert found is not None
        assert (found.text, found.agreeing, found.total) == (plate, agreeing, len(said))

    def test_takes_the_surer_character(self) -> None:
        sure = read("AB1", 0.9, 0.9, 0.9)
        unsure = read("AB7", 0.9, 0.9, 0.5)

        found = vote([sure, unsure], ANY)
        assert found is not None
        assert found.text == "AB1"

    def test_decides_by_the_agreeing_read_whose_worst_character_is_best(self) -> None:
        bright = read("AB1", 0.99, 0.99, 0.6, frame=1)
        even = read("AB1", 0.8, 0.8, 0.8, frame=2)

        found = vote([bright, even], ANY)
        assert found is not None
        assert found.deciding == even
        assert found.confidence == 0.8

    def test_without_a_read_that_says_it_decides_nothing(self) -> None:
        found = vote([read("AX1"), read("BX2"), read("AY2")], ANY)

        assert found is not None
        assert (found.text, found.agreeing, found.deciding) == ("AX2", 0, None)

    @pytest.mark.parametrize("said", [[], [read("")], [read("--")]])
    def test_of_no_text_is_none(self, said: list[PlateRead]) -> None:
        assert vote(said, INDIA) is None

    def test_never_mixes_two_plates_of_a_fleet(self) -> None:
        first, second = read("MH12AB1234"), read("MH12AB1235")

        one, other = vote([first, first], INDIA), vote([second, second], INDIA)
        assert one is not None
        assert other is not None
        assert one.text != other.text

    @given(reads, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order(
        self, said: list[PlateRead], random: Random
    ) -> None:
        shuffled = list(said)
        random.shuffle(shuffled)

        assert vote(shuffled, INDIA) == vote(said, INDIA)

    @given(reads, st.floats(0.01, 1))
    def test_stays_when_one_more_agrees(
        self, said: list[PlateRead], sure: float
    ) -> None:
        found = vote(said, INDIA)
        assert found is not None
        more = PlateRead(100, found.text, (sure,) * len(found.text))

        again = vote([*said, more], INDIA)
        assert again is not None
        assert again.text == found.text
        assert again.agreeing == found.agreeing + 1
        assert again.confidence >= found.confidence
