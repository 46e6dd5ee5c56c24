from __future__ import annotations

import pytest

from identity.models import AccessLog
from identity.rules import (
    Outcome,
    Policy,
    Ranked,
    Standing,
    Verdict,
    decide,
    kept_s,
    standing,
)

ANNA, BERT, CARL = 1, 2, 3
POLICY = Policy(threshold=0.5, margin=0.1)
MATCH, UNKNOWN, AMBIGUOUS = Outcome.MATCH, Outcome.UNKNOWN, Outcome.AMBIGUOUS


def face(**similarities: float) -> list[Ranked]:
    people = {"anna": ANNA, "bert": BERT, "carl": CARL}
    ranked = [Ranked(people[name], value) for name, value in similarities.items()]
    return sorted(ranked, key=lambda each: -each.similarity)


NOBODY = face(carl=0.3, bert=0.2)


class TestDecide:
    @pytest.mark.parametrize(
        ("votes", "outcome", "person"),
        [
            ([face(anna=0.8, bert=0.2)], MATCH, ANNA),
            ([face(anna=0.8)], MATCH, ANNA),
            ([face(anna=0.5, bert=0.39)], MATCH, ANNA),
            ([face(anna=0.49, bert=0.2)], UNKNOWN, None),
            ([face(anna=0.8, bert=0.71)], AMBIGUOUS, None),
            ([face(anna=0.8, bert=0.8)], AMBIGUOUS, None),
            ([face(anna=0.55, bert=0.48)], AMBIGUOUS, None),
            ([], UNKNOWN, None),
            ([[]], UNKNOWN, None),
            ([[], []], UNKNOWN, None),
        ],
        ids=str,
    )
    def test_judges_one_face_by_threshold_and_margin(
        self, votes: list[list[Ranked]], outcome: Outcome, person: int | None
    ) -> None:
        verdict = decide(votes, POLICY)

        assert (verdict.outcome, verdict.person) == (outcome, person)

    def test_is_content_with_exactly_threshold_and_margin(self) -> None:
        policy = Policy(threshold=0.5, margin=0.25)

        assert decide([face(anna=0.5, bert=0.25)], policy).person == ANNA

    def test_names_a_person_whom_more_than_half_of_the_faces_name(self) -> None:
        sure = face(anna=0.9, bert=0.1)

        assert decide([sure, sure, NOBODY], POLICY).person == ANNA
        assert decide([sure, NOBODY], POLICY).outcome is UNKNOWN
        assert decide([sure, sure, NOBODY, NOBODY], POLICY).outcome is UNKNOWN

    def test_counts_a_face_without_any_list_as_unknown(self) -> None:
        sure = face(anna=0.9, bert=0.1)

        assert decide([sure, sure, []], POLICY).person == ANNA
        assert decide([sure, []], POLICY).outcome is UNKNOWN

    def test_names_nobody_whose_faces_are_below_the_threshold_on_the_whole(
        self,
    ) -> None:
        just, far = face(anna=0.5, bert=0.1), face(anna=0.2, bert=0.1)

        assert decide([just, just, just], POLICY).outcome is MATCH
        assert decide([just, just, far], POLICY).outcome is UNKNOWN

    def test_names_nobody_when_faces_are_split_between_two(self) -> None:
        one, other = face(anna=0.9, bert=0.1), face(bert=0.9, anna=0.1)

        assert decide([one, other], POLICY).outcome is AMBIGUOUS
        assert decide([one, one, other, other], POLICY).outcome is AMBIGUOUS

    def test_hears_a_face_that_speaks_for_another(self) -> None:
        one, other = face(anna=0.65, bert=0.5), face(bert=0.9, anna=0.5)

        assert decide([one, one, one], POLICY).person == ANNA
        assert decide([one, one, other], POLICY).outcome is AMBIGUOUS

    def test_names_nobody_by_a_tie_in_whatever_order_it_comes(self) -> None:
        tie, clear = face(anna=0.8, bert=0.8), face(anna=0.9, bert=0.3)

        for told in (tie, tie[::-1]):
            assert decide([told, clear], POLICY).outcome is AMBIGUOUS

    def test_lets_no_poor_face_tip_the_balance_between_two(self) -> None:
        close = face(anna=0.8, bert=0.75)
        poor = face(anna=0.45, bert=0.0)

        assert decide([close, close], POLICY).outcome is AMBIGUOUS
        assert decide([close, close, poor], POLICY).outcome is AMBIGUOUS

    def test_takes_who_is_not_listed_as_no_less_alike_than_the_last_who_is(
        self,
    ) -> None:
        verdict = decide([face(anna=0.8, bert=0.2), face(anna=0.8, carl=0.6)], POLICY)

        assert verdict.person == ANNA
        assert verdict.similarity == pytest.approx(0.8)
        # Bert is as alike to the second face as Carl, as far as one can know.
        assert verdict.runner_up == pytest.approx((0.2 + 0.6) / 2)

    def test_tells_what_it_rests_on(self) -> None:
        verdict = decide([face(anna=0.9, bert=0.1), face(anna=0.7, bert=0.3)], POLICY)

        assert verdict == Verdict(MATCH, ANNA, 0.8, 0.2, 2)

    def test_tells_the_best_also_of_a_stranger(self) -> None:
        verdict = decide([face(anna=0.3, bert=0.2)], POLICY)

        assert verdict == Verdict(UNKNOWN, None, 0.3, 0.2, 1)

    def test_tells_no_figures_where_nobody_was_compared(self) -> None:
        assert decide([[]], POLICY) == Verdict(UNKNOWN, None, None, None, 1)
        assert decide([], POLICY) == Verdict(UNKNOWN, None, None, None, 0)

    def test_takes_the_best_of_a_persons_photos(self) -> None:
        twice = [Ranked(ANNA, 0.9), Ranked(BERT, 0.7), Ranked(ANNA, 0.65)]

        assert decide([twice], POLICY).person == ANNA


class TestStanding:
    @pytest.mark.parametrize(
        ("outcome", "may_enter", "expected"),
        [
            (MATCH, True, Standing.AUTHORIZED),
            (MATCH, False, Standing.UNAUTHORIZED),
            (UNKNOWN, True, Standing.UNKNOWN),
            (UNKNOWN, False, Standing.UNKNOWN),
            (AMBIGUOUS, True, Standing.AMBIGUOUS),
            (AMBIGUOUS, False, Standing.AMBIGUOUS),
        ],
    )
    def test_lets_in_only_who_was_recognised_and_may_enter(
        self,
        outcome: Outcome,
        may_enter: bool,  # noqa: FBT001
        expected: Standing,
    ) -> None:
        verdict = Verdict(outcome, ANNA if outcome is MATCH else None, 0.9, 0.1, 1)

        assert standing(verdict, may_enter=may_enter) is expected

    def test_has_the_words_of_the_row(self) -> None:
        assert list(Standing) == AccessLog.Decision.values


class TestKept:
    def test_keeps_who_was_recognised_longer_than_who_was_not(self) -> None:
        kept = {each: kept_s(each, known_s=300, unknown_s=30) for each in Standing}

        assert kept == {
            Standing.AUTHORIZED: 300,
            Standing.UNAUTHORIZED: 300,
            Standing.UNKNOWN: 30,
            Standing.AMBIGUOUS: 30,
        }
