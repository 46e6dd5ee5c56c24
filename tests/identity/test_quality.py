from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from identity.quality import FaceQuality, is_enrollable, is_usable

shares = st.floats(0, 1)
turns = st.floats(-2, 2)
qualities = st.builds(
    FaceQuality,
    height_px=st.floats(0, 2000),
    sharpness=st.floats(0, 100),
    yaw=turns,
    confidence=shares,
    pitch=turns,
)
GOOD = FaceQuality(height_px=200, sharpness=30, yaw=0, confidence=1)


class TestFaceQuality:
    @given(qualities)
    def test_scores_from_0_to_1(self, quality: FaceQuality) -> None:
        assert 0 <= quality.score <= 1

    @given(qualities, st.floats(1, 4), shares)
    def test_never_scores_lower_for_a_larger_sharper_or_straighter_face(
        self, quality: FaceQuality, more: float, less: float
    ) -> None:
        better = [
            replace(quality, height_px=quality.height_px * more),
            replace(quality, sharpness=quality.sharpness * more),
            replace(quality, yaw=quality.yaw * less, pitch=quality.pitch * less),
        ]

        for each in better:
            assert each.score >= quality.score
            assert is_usable(each) >= is_usable(quality)
            assert is_enrollable(each) >= is_enrollable(quality)

    @given(qualities)
    def test_treats_left_and_right_alike(self, quality: FaceQuality) -> None:
        assert replace(quality, yaw=-quality.yaw).score == quality.score

    def test_is_full_for_a_large_sharp_frontal_face(self) -> None:
        assert GOOD.score == 1


class TestIsUsable:
    @given(qualities)
    def test_holds_for_all_that_somebody_may_be_enrolled_by(
        self, quality: FaceQuality
    ) -> None:
        assert is_usable(quality) or not is_enrollable(quality)

    def test_refuses_what_is_small_blurred_or_turned_away(self) -> None:
        bad = [
            replace(GOOD, height_px=39),
            replace(GOOD, sharpness=12),
            replace(GOOD, yaw=-0.7),
            replace(GOOD, pitch=0.7),
        ]

        assert is_usable(GOOD)
        assert not any(is_usable(each) for each in bad)


class TestIsEnrollable:
    def test_asks_more_than_a_camera_is_asked(self) -> None:
        bad = [
            replace(GOOD, height_px=79),
            replace(GOOD, sharpness=15),
            replace(GOOD, yaw=-0.4),
            replace(GOOD, pitch=0.4),
        ]

        assert is_enrollable(GOOD)
        assert all(is_usable(each) for each in bad)
        assert not any(is_enrollable(each) for each in bad)
