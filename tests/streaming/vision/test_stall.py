from __future__ import annotations

import pytest

from streaming.vision.decoding import LONGEST_BLINK_S, Reading
from streaming.vision.stall import OPENED_WITHIN_S, STALLED_AFTER_S, StallRule


@pytest.fixture
def rule() -> StallRule:
    return StallRule(opened_s=100.0)


class TestStallRule:
    def test_waits_for_a_camera_that_is_slow_to_answer(self, rule: StallRule) -> None:
        reading = Reading()
        assert not rule.is_stalled(reading, now_s=99.9 + OPENED_WITHIN_S)
        assert rule.is_stalled(reading, now_s=100.0 + OPENED_WITHIN_S)

    def test_waits_for_the_first_key_frame_of_a_camera_that_has_few(
        self, rule: StallRule
    ) -> None:
        reading = Reading(frames_read=1)
        assert not rule.is_stalled(reading, now_s=100.5)
        assert not rule.is_stalled(reading, now_s=99.9 + OPENED_WITHIN_S)
        assert rule.is_stalled(reading, now_s=100.0 + OPENED_WITHIN_S)

    def test_waits_for_the_first_picture_of_a_camera_that_answered_late(
        self, rule: StallRule
    ) -> None:
        reading, at_s = Reading(frames_read=1), 100.0 + OPENED_WITHIN_S - 1
        assert not rule.is_stalled(reading, now_s=at_s)
        assert not rule.is_stalled(reading, now_s=at_s + STALLED_AFTER_S - 0.1)
        assert rule.is_stalled(reading, now_s=at_s + STALLED_AFTER_S)

    def test_finds_one_soon_after_the_first_picture_too(self, rule: StallRule) -> None:
        reading = Reading(frames_read=1, decoded_at_s=7.0)
        assert not rule.is_stalled(reading, now_s=101.0)
        assert not rule.is_stalled(reading, now_s=100.9 + STALLED_AFTER_S)
        assert rule.is_stalled(reading, now_s=101.0 + STALLED_AFTER_S)

    def test_is_not_fooled_by_packets_that_nobody_can_decode(
        self, rule: StallRule
    ) -> None:
        reading = Reading(frames_read=1, decoded_at_s=7.0)
        rule.is_stalled(reading, now_s=101.0)
        reading.frames_read = 1000
        assert rule.is_stalled(reading, now_s=101.0 + STALLED_AFTER_S)

    def test_leaves_a_reader_that_idles_time_to_give_what_it_kept(
        self, rule: StallRule
    ) -> None:
        reading = Reading(frames_read=1, decoded_at_s=7.0, is_idle=True)
        rule.is_stalled(reading, now_s=101.0)
        assert not rule.is_stalled(reading, now_s=101.0 + STALLED_AFTER_S)
        at_s = 101.0 + STALLED_AFTER_S + LONGEST_BLINK_S
        assert rule.is_stalled(reading, now_s=at_s)
