from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from identity.rules import Outcome, Policy, Ranked, decide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    Votes = list[list[Ranked]]

# Few values, so that ties and exact margins come up often.
similarities = st.one_of(
    st.integers(-2, 10).map(lambda tenths: tenths / 10),
    st.floats(-1, 1, allow_subnormal=False),
)
policies = st.builds(
    Policy,
    threshold=st.integers(5, 95).map(lambda hundredths: hundredths / 100),
    margin=st.integers(0, 30).map(lambda hundredths: hundredths / 100),
)
people = st.integers(1, 4)


def best_first(ranked: Sequence[Ranked]) -> list[Ranked]:
    return sorted(ranked, key=lambda each: -each.similarity)


faces = st.dictionaries(people, similarities, max_size=4).map(
    lambda found: best_first([Ranked(*each) for each in found.items()])
)
visits = st.lists(faces, max_size=5)


@st.composite
def whole_visits(draw: st.DrawFn) -> Votes:
    """Draw a visit whose faces were compared with everybody, so that many match."""
    count = draw(st.integers(1, 3))
    values = st.lists(similarities, min_size=count, max_size=count)
    rows = draw(st.lists(values, min_size=1, max_size=5))
    return [best_first([Ranked(*each) for each in enumerate(row)]) for row in rows]


any_visits = st.one_of(visits, whole_visits())


class TestDecide:
    @given(any_visits, policies, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_faces_or_gallery(
        self, votes: Votes, policy: Policy, random: Random
    ) -> None:
        shuffled = [random.sample(face, len(face)) for face in votes]
        random.shuffle(shuffled)

        assert decide(shuffled, policy) == decide(votes, policy)

    @given(any_visits, policies)
    def test_always_has_its_figures(self, votes: Votes, policy: Policy) -> None:
        verdict = decide(votes, policy)
        listed = {each.person for face in votes for each in face}

        assert verdict.votes == len(votes)
        assert (verdict.person is not None) == (verdict.outcome is Outcome.MATCH)
        assert (verdict.similarity is not None) == (len(listed) >= 1)
        assert (verdict.runner_up is not None) == (len(listed) >= 2)
        if verdict.similarity is not None and verdict.runner_up is not None:
            assert verdict.similarity >= verdict.runner_up

    @given(any_visits, policies)
    def test_names_only_who_has_threshold_margin_and_majority(
        self, votes: Votes, policy: Policy
    ) -> None:
        verdict = decide(votes, policy)
        if verdict.person is None or verdict.similarity is None:
            return
        naming = [
            face
            for face in votes
            if face
            and face[0].person == verdict.person
            and face[0].similarity >= policy.threshold
        ]

        assert verdict.similarity >= policy.threshold - 1e-9
        assert 2 * len(naming) > len(votes)
        if verdict.runner_up is not None:
            lead = verdict.similarity - verdict.runner_up
            assert lead >= policy.margin - 1e-9

    @given(st.integers(0, 5), policies)
    def test_says_unknown_of_an_empty_gallery(self, count: int, policy: Policy) -> None:
        assert decide([[]] * count, policy).outcome is Outcome.UNKNOWN

    @given(
        policies.filter(lambda policy: policy.margin > 0),
        st.lists(st.floats(0, 1), min_size=1, max_size=5),
        st.floats(0, 0.99),
    )
    def test_says_ambiguous_of_two_within_the_margin(
        self, policy: Policy, above: list[float], share: float
    ) -> None:
        votes = [
            best_first(
                [
                    Ranked(1, policy.threshold + more),
                    Ranked(2, policy.threshold + more - share * policy.margin),
                ]
            )
            for more in above
        ]

        assert decide(votes, policy).outcome is Outcome.AMBIGUOUS

    @given(any_visits, policies, st.floats(0, 1))
    def test_adds_no_match_by_a_higher_threshold(
        self, votes: Votes, policy: Policy, more: float
    ) -> None:
        higher = replace(policy, threshold=policy.threshold + more)
        person = decide(votes, higher).person

        assert person is None or decide(votes, policy).person == person

    @given(any_visits, policies, st.floats(0, 1))
    def test_adds_no_match_by_a_wider_margin(
        self, votes: Votes, policy: Policy, more: float
    ) -> None:
        wider = replace(policy, margin=policy.margin + more)
        person = decide(votes, wider).person

        assert person is None or decide(votes, policy).person == person

    @given(any_visits, policies, faces)
    def test_adds_no_match_by_a_face_that_is_like_nobody(
        self, votes: Votes, policy: Policy, face: list[Ranked]
    ) -> None:
        assume(all(each.similarity < policy.threshold for each in face))
        person = decide([*votes, face], policy).person

        assert person is None or decide(votes, policy).person == person

    @given(any_visits, policies, st.data(), st.floats(0, 1))
    def test_names_nobody_for_being_less_alike(
        self, votes: Votes, policy: Policy, data: st.DataObject, less: float
    ) -> None:
        assume(any(votes))
        number = data.draw(
            st.sampled_from([number for number, face in enumerate(votes) if face])
        )
        lowered = data.draw(st.sampled_from(votes[number]))
        rest = [each for each in votes[number] if each != lowered]
        changed = replace(lowered, similarity=lowered.similarity - less)
        face = best_first([*rest, changed])
        weaker = [*votes[:number], face, *votes[number + 1 :]]
        person = decide(weaker, policy).person

        assert person != lowered.person or decide(votes, policy).person == person
