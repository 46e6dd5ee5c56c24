from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import photo_rules
from identity.photo_rules import FaceInPhoto, Limits, LookedAt, PhotoRefused
from identity.quality import (
    ENROLMENT_HEIGHT_PX,
    ENROLMENT_SHARPNESS,
    ENROLMENT_TURN,
    FaceQuality,
    is_enrollable,
)
from identity.rules import Policy

if TYPE_CHECKING:
    from random import Random

LIMITS = Limits(mib=10, megapixels=40)
POLICY = Policy(threshold=0.42, margin=0.08)
GOOD = FaceQuality(height_px=160, sharpness=30, yaw=0.05, confidence=0.95)
QUALITIES = st.builds(
    FaceQuality,
    height_px=st.floats(1, 4000),
    sharpness=st.floats(0, 100),
    yaw=st.floats(-2, 2),
    pitch=st.floats(-2, 2),
    confidence=st.floats(0.7, 1),
)


def face(quality: FaceQuality = GOOD) -> FaceInPhoto:
    return FaceInPhoto(box=(0.1, 0.1, 0.5, 0.5), quality=quality, jpeg=b"", vector=())


def looked(*faces: FaceInPhoto) -> LookedAt:
    return LookedAt(
        width_px=640, height_px=480, faces=faces, face_model="m", policy=POLICY
    )


class TestCheckFile:
    @pytest.mark.parametrize(
        ("photo", "code", "sentence"),
        [
            (b"", "empty", "The file is empty. Choose a photo."),
            (
                b"x" * (10 * 2**20 + 2**19),
                "too_many_bytes",
                "The file has 10.5 MiB; at most 10 MiB are taken. Save the photo "
                "smaller and try again.",
            ),
            (
                b"\0\0\0\x18ftypheic\0\0\0\0",
                "heic",
                "This is an HEIC photo, which cannot be read here. Save it as JPEG; an "
                "iPhone does so under Settings, Camera, Formats, Most Compatible.",
            ),
        ],
        ids=["empty", "large", "heic"],
    )
    def test_refuses(self, photo: bytes, code: str, sentence: str) -> None:
        with pytest.raises(PhotoRefused) as refused:
            photo_rules.check_file(photo, limits=LIMITS)

        assert (refused.value.code, str(refused.value)) == (code, sentence)

    def test_takes_a_file_of_exactly_the_limit(self) -> None:
        photo_rules.check_file(b"x" * 10 * 2**20, limits=LIMITS)


class TestCheckPixels:
    def test_refuses_more_than_the_limit_with_the_figures(self) -> None:
        with pytest.raises(PhotoRefused) as refused:
            photo_rules.check_pixels(width_px=10_000, height_px=5_000, limits=LIMITS)

        assert refused.value.code == "too_many_pixels"
        assert str(refused.value) == (
            "The photo has 50 megapixels (10000 x 5000); at most 40 megapixels are "
            "taken. Save it smaller and try again."
        )

    def test_takes_exactly_the_limit(self) -> None:
        photo_rules.check_pixels(width_px=8_000, height_px=5_000, limits=LIMITS)


class TestFaceToKnow:
    @pytest.mark.parametrize(
        ("faces", "code", "words"),
        [
            ([], "no_face", "No face was found"),
            ([face(), face()], "several_faces", "There are 2 faces in the photo"),
            (
                [face(replace(GOOD, height_px=79.9))],
                "too_small",
                f"The face is 79 px high; {ENROLMENT_HEIGHT_PX} px are needed",
            ),
            (
                [face(replace(GOOD, sharpness=3))],
                "blurred",
                f"blurred: its sharpness is 3.0; {ENROLMENT_SHARPNESS:.0f} is needed",
            ),
            (
                [face(replace(GOOD, yaw=-0.6))],
                "turned_away",
                f"The face is turned away by 0.60; at most {ENROLMENT_TURN:.2f}",
            ),
            (
                [face(replace(GOOD, pitch=0.5))],
                "turned_away",
                "The face is turned away by 0.50",
            ),
        ],
        ids=["none", "two", "small", "blurred", "sideways", "down"],
    )
    def test_refuses(self, faces: list[FaceInPhoto], code: str, words: str) -> None:
        with pytest.raises(PhotoRefused, match=words) as refused:
            photo_rules.face_to_know(looked(*faces))

        assert refused.value.code == code

    def test_takes_one_good_face(self) -> None:
        good = face()

        assert photo_rules.face_to_know(looked(good)) is good

    def test_ignores_who_is_far_behind(self) -> None:
        good, behind = face(), face(replace(GOOD, height_px=39))

        assert photo_rules.face_to_know(looked(good, behind)) is good

    def test_does_not_ignore_who_stands_beside(self) -> None:
        good, beside = face(), face(replace(GOOD, height_px=40))

        with pytest.raises(PhotoRefused, match="2 faces"):
            photo_rules.face_to_know(looked(good, beside))

    @given(QUALITIES)
    def test_takes_exactly_the_faces_that_are_good_enough(
        self, quality: FaceQuality
    ) -> None:
        if is_enrollable(quality):
            photo_rules.face_to_know(looked(face(quality)))
        else:
            with pytest.raises(PhotoRefused, match=r"\.$"):
                photo_rules.face_to_know(looked(face(quality)))

    @given(st.lists(QUALITIES.map(face), max_size=5), st.randoms())
    def test_does_not_care_for_the_order_of_the_faces(
        self, faces: list[FaceInPhoto], random: Random
    ) -> None:
        def outcome(order: list[FaceInPhoto]) -> object:
            try:
                return photo_rules.face_to_know(looked(*order))
            except PhotoRefused as refused:
                return refused.code

        shuffled = list(faces)
        random.shuffle(shuffled)

        assert outcome(faces) == outcome(shuffled)


class TestCheckLikeness:
    @pytest.mark.parametrize("own", [None, 0.27, 0.6, 0.998])
    def test_takes_a_face_like_the_others(self, own: float | None) -> None:
        photo_rules.check_likeness(own=own, policy=POLICY, code="E-104")

    def test_refuses_somebody_else_under_this_name(self) -> None:
        with pytest.raises(PhotoRefused, match=r"other photos of E-104.* 0\.26, 0\.27"):
            photo_rules.check_likeness(own=0.26, policy=POLICY, code="E-104")

    def test_refuses_the_same_photo_again(self) -> None:
        with pytest.raises(PhotoRefused, match="enrolled already") as refused:
            photo_rules.check_likeness(own=1.0, policy=POLICY, code="E-104")

        assert refused.value.code == "same_photo"
