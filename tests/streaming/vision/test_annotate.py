from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.vision.annotate import NotEncoded, annotate, encode_jpeg
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.plans import ZonePlan
from streaming.vision.types import Box, Label, Point, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streaming.vision.types import Image

PERSON = Box(0.4, 0.4, 0.6, 0.9)
DOWN = NamedLine("Door", Line(Point(0.5, 0.1), Point(0.5, 0.9)))
ZONE = ZonePlan(
    id=3,
    name="Queue",
    corners=(Point(0.2, 0.3), Point(0.8, 0.3), Point(0.8, 0.9), Point(0.2, 0.9)),
)


def grey(width: int = 640, height: int = 360) -> Image:
    return np.full((height, width, 3), 128, np.uint8)


def track(
    box: Box = PERSON, *, label: Label = Label.PERSON, confirmed: bool = True
) -> Track:
    return Track(7, box, label, 0.87, confirmed)


def changed(picture: Image) -> NDArray[np.bool_]:
    """Tell which pixels were drawn on."""
    return np.asarray((picture != 128).any(axis=2))


class TestAnnotate:
    def test_leaves_the_picture_it_is_given_alone(self) -> None:
        picture = grey()
        drawn = annotate(picture, [track()], lines=[DOWN], camera="Gate")
        assert (picture == 128).all()
        assert changed(drawn).any()

    def test_draws_nothing_where_there_is_nothing(self) -> None:
        assert not changed(annotate(grey(), [])).any()

    def test_draws_the_box_where_the_track_is(self) -> None:
        marked = changed(annotate(grey(), [track()]))
        left, right = round(0.4 * 639), round(0.6 * 639)
        assert marked[200, left]
        assert marked[200, right]
        assert not marked[200, left + 10 : right - 10].any()
        assert not marked[:, : left - 10].any()

    def test_tells_people_from_vehicles_by_colour_and_text(self) -> None:
        person = annotate(grey(), [track()])
        bus = annotate(grey(), [track(label=Label.BUS)])
        column = round(0.4 * 639)
        assert person[250, column].tolist() != bus[250, column].tolist()

    def test_labels_only_confirmed_tracks(self) -> None:
        top = round(0.4 * 359) - 6
        assert changed(annotate(grey(), [track()]))[:top].any()
        assert not changed(annotate(grey(), [track(confirmed=False)]))[:top].any()

    def test_writes_the_note_of_a_track(self) -> None:
        plain = changed(annotate(grey(), [track()]))
        noted = changed(annotate(grey(), [track()], notes={7: "KA01AB1234"}))
        assert noted.sum() > plain.sum()
        other = changed(annotate(grey(), [track()], notes={8: "KA01AB1234"}))
        assert (other == plain).all()

    def test_marks_the_side_of_a_line_that_is_in(self) -> None:
        down = changed(annotate(grey(), [], lines=[NamedLine("", DOWN.line)]))
        up = changed(annotate(grey(), [], lines=[NamedLine("", DOWN.line.flipped())]))
        middle = slice(120, 240)
        assert down[middle, 330:].sum() > down[middle, :310].sum() == 0
        assert up[middle, :310].sum() > up[middle, 330:].sum() == 0

    def test_draws_lines_and_zones_in_their_colours(self) -> None:
        """A colour that nobody knows is the usual one."""
        drawn = [
            annotate(grey(), [], lines=[NamedLine("", DOWN.line, colour=colour)])
            for colour in ("blue", "red", "", "mauve")
        ]
        on_line = [picture[60, round(0.5 * 639)].tolist() for picture in drawn]
        assert len({*map(tuple, on_line)}) == 3
        assert on_line[2] == on_line[3]
        zones = [
            annotate(grey(), [], zones=[replace(ZONE, colour=colour)])
            for colour in ("blue", "red")
        ]
        on_edge = [picture[250, round(0.2 * 639)].tolist() for picture in zones]
        assert on_edge == on_line[:2]

    def test_draws_only_the_outline_of_a_zone_and_its_name(self) -> None:
        marked = changed(annotate(grey(), [], zones=[ZONE]))
        assert marked[250, [round(0.2 * 639), round(0.8 * 639)]].all()
        assert not marked[120:300, 200:440].any()
        assert marked[round(0.3 * 359) - 8, round(0.2 * 639) + 4]

    def test_writes_how_many_are_in_a_zone_where_that_is_known(self) -> None:
        plain = changed(annotate(grey(), [], zones=[ZONE]))
        told = changed(annotate(grey(), [], zones=[ZONE], counts={3: 0}))
        other = changed(annotate(grey(), [], zones=[ZONE], counts={4: 0}))
        assert told.sum() > plain.sum()
        assert (other == plain).all()

    def test_writes_the_panel_for_a_named_camera_only(self) -> None:
        with_panel = annotate(grey(), [], camera="Gate 1", time="14:32:05", fps=24.8)
        assert changed(with_panel)[:20, :100].all()
        assert not changed(annotate(grey(), [], time="14:32:05", fps=24.8)).any()

    @pytest.mark.parametrize("width", [320, 640, 1280, 1920])
    def test_writes_letters_that_can_be_read_at_any_size(self, width: int) -> None:
        drawn = annotate(grey(width, width * 9 // 16), [], camera="HHHHH")
        rows = np.flatnonzero(drawn.min(axis=2).max(axis=1) > 230)
        letter_px = rows[rows < drawn.shape[0] // 10].size
        assert letter_px >= max(7, drawn.shape[0] // 60)

    @given(x=st.floats(-0.5, 1.5), y=st.floats(-0.5, 1.5), text=st.text(max_size=20))
    def test_survives_whatever_it_is_given(self, x: float, y: float, text: str) -> None:
        box = Box(x - 0.2, y - 0.2, x + 0.2, y + 0.2)
        line = NamedLine(text, Line(Point(x, y), Point(y + 2, x)))
        zone = replace(ZONE, name=text, corners=(*ZONE.corners, Point(x, y)))
        drawn = annotate(
            grey(160, 90),
            [track(box)],
            lines=[line],
            zones=[zone],
            counts={3: 12},
            notes={7: text},
            camera=text,
        )
        assert drawn.shape == (90, 160, 3)


class TestEncodeJpeg:
    def test_gives_a_jpeg_of_the_picture(self) -> None:
        data = encode_jpeg(annotate(grey(), [track()]))
        back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert back is not None
        assert back.shape == (360, 640, 3)

    def test_shrinks_but_never_grows(self) -> None:
        for max_width, width in ((320, 320), (2000, 640), (None, 640)):
            data = np.frombuffer(encode_jpeg(grey(), max_width=max_width), np.uint8)
            back = cv2.imdecode(data, cv2.IMREAD_COLOR)
            assert back is not None
            assert back.shape[:2] == (width * 9 // 16, width)

    def test_gets_larger_with_the_quality(self) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
        assert len(encode_jpeg(noise, quality=30)) < len(encode_jpeg(noise, quality=90))

    def test_refuses_a_picture_of_nothing(self) -> None:
        with pytest.raises(NotEncoded):
            encode_jpeg(np.zeros((0, 0, 3), np.uint8))
