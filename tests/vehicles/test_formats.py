"""What a number plate may look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.formats import (
    DIGITS,
    INDIA,
    LETTERS,
    OTHER,
    SHAPES_MAX,
    BadFormat,
    Format,
    confusion_key,
    fit,
    normalise,
)

plain = st.sampled_from(INDIA).flatmap(
    lambda each: st.from_regex(each.pattern.strip("^$"), fullmatch=True)
)


class TestNormalise:
    @pytest.mark.parametrize(
        ("written", "plate"),
        [
            ("MH 12 AB 1234", "MH12AB1234"),
            ("mh-12.ab/1234", "MH12AB1234"),
            (" \uff4d\uff48\uff11\uff12ab1234\n", "MH12AB1234"),
            ("22 bh 1234 a", "22BH1234A"),
            ("IND MH12AB1234", "INDMH12AB1234"),
            ("--- ", ""),
            ("महाराष्ट्र", ""),
        ],
    )
    def test_keeps_letters_and_digits(self, written: str, plate: str) -> None:
        assert normalise(written) == plate

    @given(st.text())
    def test_twice_is_once(self, text: str) -> None:
        assert normalise(normalise(text)) == normalise(text)

    @given(plain, st.sampled_from([" ", "-", ".", "\n", "·"]))
    def test_does_not_see_separators_and_case(self, plate: str, between: str) -> None:
        assert normalise(between.join(plate.lower())) == plate


class TestConfusionKey:
    @pytest.mark.parametrize(
        ("read", "is_shared"),
        [
            ("MH12AB1234", True),
            ("MHI2AB1234", True),
            ("MH12A81234", True),
            ("MH12AB1Z34", True),
            ("MH12AB1235", False),
            ("MH12AB123", False),
            ("NH12AB1234", False),
        ],
    )
    def test_is_shared_by_what_readers_take_for_one_another(
        self, read: str, *, is_shared: bool
    ) -> None:
        assert (confusion_key(read) == confusion_key("MH12AB1234")) is is_shared

    @given(st.integers(0, 9998))
    def test_never_takes_a_fleet_for_one_vehicle(self, number: int) -> None:
        first, second = f"MH12AB{number:04}", f"MH12AB{number + 1:04}"

        assert confusion_key(first) != confusion_key(second)


class TestFormat:
    @pytest.mark.parametrize(
        ("plate", "name"),
        [
            ("MH12AB1234", "India"),
            ("MH12A1234", "India"),
            ("22BH1234A", "India, BH series"),
            ("22BH1234AB", "India, BH series"),
            ("MH1AB1234", None),
            ("MH12ABC1234", None),
            ("MH12AB123", None),
            ("MH12AB12345", None),
            ("1212AB1234", None),
            ("22BH1234I", None),
            ("22CH1234A", None),
            ("", None),
        ],
    )
    def test_of_india_matches(self, plate: str, name: str | None) -> None:
        matching = [each.name for each in INDIA if each.matches(plate)]

        assert matching == ([name] if name else [])

    @pytest.mark.parametrize(
        ("pattern", "yes", "no"),
        [
            ("[A-Z]{3}[0-9]{3}", "ABC123", "AB123"),
            ("^DL[0-9]{1,2}C?[A-Z]{1,2}[0-9]{4}$", "DL1CAB1234", "HR1CAB1234"),
            ("[ABC][0-9A-F]{2}", "AF0", "DF0"),
            ("A{2}1", "AA1", "A1"),
        ],
    )
    def test_of_a_site_matches(self, pattern: str, yes: str, no: str) -> None:
        own = Format("Own", pattern)

        assert own.matches(yes)
        assert not own.matches(no)

    @pytest.mark.parametrize(
        ("pattern", "why"),
        [
            ("", "The pattern is empty"),
            ("^$", "The pattern is empty"),
            ("[A-Z]{2}.*", "'.*' is not understood"),
            ("(AB|CD)[0-9]", "'(AB|CD)[0-9]' is not understood"),
            ("[a-z]{2}", "'[a-z]{2}' is not understood"),
            ("[Z-A]", "[Z-A] is no set"),
            ("[0-Z]", "[0-Z] is no set"),
            ("A{3,2}", "'{3,2}' is no count"),
            ("A{99}", "'{99}' is no count"),
            ("[A-Z]{9}[0-9]{9}", "A plate has 1 to 12 letters and digits"),
            ("A?", "A plate has 1 to 12 letters and digits"),
            ("A?B?C?D?E?F?G?1", f"more than {SHAPES_MAX} shapes"),
            ("[A-Z]+", "'+' is not understood"),
        ],
    )
    def test_that_cannot_be_used_says_why(self, pattern: str, why: str) -> None:
        with pytest.raises(BadFormat) as told:
            _ = Format("Own", pattern).shapes

        assert why in str(told.value)


class TestFit:
    @pytest.mark.parametrize(
        ("read", "plate"),
        [
            ("MH12AB1234", "MH12AB1234"),
            ("MHI2ABI234", "MH12AB1234"),
            ("MH12A8I2E4", None),
            ("MH12481234", None),
            ("MH12OB1234", "MH12OB1234"),
            ("MH120B1234", "MH12OB1234"),
            ("0D05AB1234", "OD05AB1234"),
            ("MH12AB123A", None),
            ("228H1234A", "22BH1234A"),
            ("ZZ8H1Z34A", "22BH1234A"),
            ("KA01AB1Z34", "KA01AB1234"),
            ("", None),
        ],
    )
    def test_puts_right_what_the_format_decides(
        self, read: str, plate: str | None
    ) -> None:
        found = fit(read, INDIA)

        assert (found and found.text) == plate

    def test_changes_as_little_as_it_can(self) -> None:
        found = fit("MHI2AB1234", INDIA)

        assert found is not None
        assert (found.repaired, found.format.name) == (1, "India")

    def test_of_two_plates_with_as_few_changes_is_neither(self) -> None:
        letter, digit = Format("Letter", "AO[A-Z]"), Format("Digit", "A0[0-9]")

        assert fit("AO0", [letter, digit]) is None
        assert fit("AOX", [letter, digit]) is not None

    @given(plain)
    def test_leaves_a_plate_as_it_is(self, plate: str) -> None:
        found = fit(plate, INDIA)

        assert found is not None
        assert (found.text, found.repaired) == (plate, 0)

    @given(st.text(alphabet=LETTERS + DIGITS + "MHX34", min_size=8, max_size=11))
    def test_changes_confusable_characters_alone(self, text: str) -> None:
        found = fit(text, INDIA)

        if found is not None:
            assert found.format.matches(found.text)
            pairs = list(zip(text, found.text, strict=True))
            assert all(a == b or OTHER[a] == b for a, b in pairs)
            assert found.repaired == sum(a != b for a, b in pairs)
            assert confusion_key(found.text) == confusion_key(text)
