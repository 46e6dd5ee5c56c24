from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.face_trial import Gallery, Trial
from identity.faces import unit
from identity.quality import FaceQuality
from identity.rules import Outcome, Policy
from streaming.vision.types import Box

BOX = Box(0.1, 0.2, 0.3, 0.4)
GOOD = FaceQuality(height_px=200, sharpness=30, yaw=0, confidence=1)
POLICY = Policy(threshold=0.5, margin=0.1)
EAST, NORTH = np.eye(2, dtype=np.float32)


def between(similarity: float) -> np.ndarray:
    """Return a vector that is so alike to EAST."""
    return np.array([similarity, np.sqrt(1 - similarity**2)], np.float32)


def trial(
    gallery: dict[str, list[np.ndarray]],
    *,
    vector: np.ndarray = EAST,
    quality: FaceQuality = GOOD,
) -> Trial:
    return Trial.of(vector, Gallery(gallery), POLICY, box=BOX, quality=quality)


class TestGallery:
    @given(
        st.dictionaries(
            st.sampled_from("abcdef"),
            st.lists(st.integers(0, 10_000), min_size=1, max_size=4),
        ),
        st.integers(0, 10_000),
    )
    def test_ranks_people_by_the_best_of_their_photos(
        self, seeds: dict[str, list[int]], seed: int
    ) -> None:
        def vector(seed: int) -> np.ndarray:
            return unit(np.random.default_rng(seed).normal(size=128))

        people = {name: [vector(each) for each in own] for name, own in seeds.items()}
        gallery = Gallery(people)

        ranked = gallery.nearest(vector(seed))

        found = {gallery.people[each.person]: each.similarity for each in ranked}
        expected = {
            name: max(float(one @ vector(seed)) for one in own)
            for name, own in people.items()
        }
        assert found == pytest.approx(expected, abs=1e-5)
        order = [each.similarity for each in ranked]
        assert order == sorted(order, reverse=True)

    def test_leaves_out_people_without_photos(self) -> None:
        gallery = Gallery({"asha": [], "ravi": [NORTH]})

        assert gallery.people == ["ravi"]
        assert [each.person for each in gallery.nearest(EAST)] == [0]


class TestTrial:
    def test_names_who_is_alike_enough_and_well_before_the_next(self) -> None:
        done = trial({"asha": [between(0.9)], "ravi": [between(0.3)]})

        assert (done.outcome, done.person) == (Outcome.MATCH, "asha")
        assert (done.best, done.second) == ("asha", "ravi")
        assert done.words == (
            "asha: 0.90, 0.50 is needed; 0.60 more than ravi, 0.10 is needed."
        )

    def test_names_nobody_of_two_who_are_about_equally_alike(self) -> None:
        done = trial({"asha": [between(0.9)], "ravi": [between(0.85)]})

        assert (done.outcome, done.person) == (Outcome.AMBIGUOUS, None)
        assert "asha reaches 0.90, only 0.05 more than ravi" in done.words

    def test_names_nobody_who_is_not_alike_enough(self) -> None:
        done = trial({"asha": [between(0.4)]})

        assert (done.outcome, done.person) == (Outcome.UNKNOWN, None)
        assert done.words == "Unknown: asha reaches 0.40, 0.50 is needed."

    def test_needs_no_second_person(self) -> None:
        done = trial({"asha": [between(0.9)]})

        assert done.person == "asha"
        assert done.runner_up is None
        assert done.words == "asha: 0.90, 0.50 is needed."

    def test_names_nobody_of_an_empty_gallery(self) -> None:
        done = trial({})

        assert done.outcome is Outcome.UNKNOWN
        assert done.words == "Unknown: the gallery is empty."

    def test_says_when_a_camera_would_not_have_offered_the_face(self) -> None:
        tiny = FaceQuality(height_px=20, sharpness=5, yaw=0, confidence=1)

        done = trial({"asha": [between(0.9)]}, quality=tiny)

        assert done.words.endswith("so small, blurred or turned a face.")
        assert done.as_json()["usable"] is False
