from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.face_stage import (
    LOOKS_PER_S,
    SHY_AFTER_S,
    SNAPSHOT_HEIGHT_PX,
    WAIT_S,
    FaceStage,
)
from identity.faces import Face
from streaming.vision.types import Box, Frame, Label, Point, Track
from tests.scenes import frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from identity.pipeline import FaceOffered
    from streaming.vision.types import Image

COOLDOWN_S = 30.0
HEIGHT, WIDTH = 480, 640
ASPECT = WIDTH / HEIGHT
GRAINY: Image = np.random.default_rng(5).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
GOOD, USABLE = 0.99, 0.3
"""Confidences of faces that are worth no more waiting, and of those that are."""
LARGE, SMALL = 0.3, 0.05


def face_of(
    track: Track, *, confidence: float = GOOD, height: float = LARGE, nose: float = 0.0
) -> Face:
    """Return a face on the head of a track; a nose of 0 is seen from the front."""
    middle = (track.box.x1 + track.box.x2) / 2
    width, top = 0.8 * height / ASPECT, track.box.y1 + 0.25 * height
    box = Box(middle - width / 2, top, middle + width / 2, top + height)

    def at(x: float, y: float) -> Point:
        return Point(middle + x * width, top + y * height)

    nose_at = at(nose, 0.56)
    points = (at(-0.2, 0.4), at(0.2, 0.4), nose_at, at(-0.17, 0.75), at(0.17, 0.75))
    return Face(box, points, confidence)


def standing(
    track_id: int = 1,
    *,
    x: float = 0.3,
    confirmed: bool = True,
    label: Label = Label.PERSON,
) -> Track:
    box = Box(x - 0.15, 0.1, x + 0.15, 0.9)
    return Track(track_id, box, label, 0.9, confirmed)


@dataclass
class Faces:
    """Implements `FaceFinder`: finds what it was last told, and counts the looks."""

    there: Sequence[Face] = ()
    looks: list[float] = field(default_factory=list)
    """The share of the picture that each look was at."""

    def find(self, image: Image) -> list[Face]:
        """Find what is in a part of a picture, whose place its memory tells."""
        whole = image.base
        assert isinstance(whole, np.ndarray)
        start = address(image) - address(whole)
        top, left = start // whole.strides[0], start % whole.strides[0] // 3
        height, width = image.shape[0] / whole.shape[0], image.shape[1] / whole.shape[1]
        corner = Point(left / whole.shape[1], top / whole.shape[0])
        self.looks.append(height * width)
        return [
            inside
            for face in self.there
            if 0 < (inside := seen_from(face, corner, width, height)).box.x2 < 1
        ]


def address(image: Image) -> int:
    return int(image.__array_interface__["data"][0])


def seen_from(face: Face, corner: Point, width: float, height: float) -> Face:
    def inner(x: float, y: float) -> Point:
        return Point((x - corner.x) / width, (y - corner.y) / height)

    first, last = inner(face.box.x1, face.box.y1), inner(face.box.x2, face.box.y2)
    points = tuple(inner(point.x, point.y) for point in face.landmarks)
    return Face(Box(first.x, first.y, last.x, last.y), points, face.confidence)


@dataclass
class Visit:
    """Steps through frames at 10 a second with the faces that are to be found."""

    faces: Faces = field(default_factory=Faces)
    index: int = 0
    image: Image = field(default_factory=lambda: GRAINY)

    def __post_init__(self) -> None:
        self.stage = FaceStage(self.faces, cooldown_s=COOLDOWN_S)

    def go(
        self, seconds: float, *tracks: Track, faces: Sequence[Face] = ()
    ) -> list[FaceOffered]:
        """Show these tracks and faces for so long; return what was offered."""
        self.faces.there = faces
        offered: list[FaceOffered] = []
        for _ in range(round(seconds * 10)):
            offered += self.stage.observe(self.frame(), tracks)
            self.index += 1
        return offered

    def frame(self) -> Frame:
        return frame(self.index, image=self.image)


@pytest.fixture
def visit() -> Visit:
    return Visit()


class TestOffers:
    def test_come_as_soon_as_three_good_faces_were_seen(self, visit: Visit) -> None:
        person = standing()
        (offer,) = visit.go(5, person, faces=[face_of(person)])
        assert len(offer.faces) == 3
        assert len(visit.faces.looks) == 3

    def test_say_when_the_person_came_into_view(self, visit: Visit) -> None:
        came_at = visit.frame().at
        visit.go(0.2, standing(confirmed=False))
        person = standing()
        visit.go(6, person)

        (first,) = visit.go(1, person, faces=[face_of(person)])
        (again,) = visit.go(COOLDOWN_S + 1, person, faces=[face_of(person)])

        assert first.first_seen_at == again.first_seen_at == came_at
        assert first.at > came_at + timedelta(seconds=6)

    def test_say_in_a_new_session_when_its_tracks_came(self, visit: Visit) -> None:
        person = standing()
        visit.go(1, person)
        visit.stage.forget(person.id)
        came_at = visit.frame().at

        (offer,) = visit.go(1, person, faces=[face_of(person)])

        assert offer.first_seen_at == came_at

    def test_wait_a_little_for_better_faces(self, visit: Visit) -> None:
        person = standing()
        poor = [face_of(person, confidence=USABLE)]
        assert visit.go(WAIT_S, person, faces=poor) == []
        (offer,) = visit.go(0.2, person, faces=poor)
        assert len(offer.faces) == 3

    def test_bear_the_best_faces_and_their_moment(self, visit: Visit) -> None:
        near, far = standing(x=0.3), standing(x=0.6)
        for confidence, track in [(0.3, far), (0.4, far), (0.45, near), (0.35, far)]:
            visit.go(0.2, track, faces=[face_of(track, confidence=confidence)])
        (offer,) = visit.go(2, near)

        scores = [each.quality for each in offer.faces]
        assert scores == sorted(scores, reverse=True)
        ratios = [score / scores[0] for score in scores]
        assert ratios == pytest.approx([1, 0.4 / 0.45, 0.35 / 0.45])
        assert (offer.x, offer.y) == (near.ground.x, near.ground.y)
        assert (offer.frame_index, offer.at) == (4, frame(4).at)
        assert (offer.camera, offer.session, offer.track_id) == ("CAM-1", "first", 1)

    def test_come_when_the_track_ends_though_one_face_was_seen(
        self, visit: Visit
    ) -> None:
        person = standing()
        assert visit.go(0.2, person, faces=[face_of(person)]) == []
        (offer,) = visit.stage.forget(person.id)
        assert len(offer.faces) == 1
        assert list(visit.stage.forget(person.id)) == []

    def test_come_though_the_person_is_hidden_meanwhile(self, visit: Visit) -> None:
        person = standing()
        visit.go(0.2, person, faces=[face_of(person)])
        assert len(visit.go(2)) == 1

    def test_never_come_of_a_track_without_a_face(self, visit: Visit) -> None:
        assert visit.go(4, standing()) == []
        assert list(visit.stage.forget(1)) == []

    def test_rest_and_come_again_as_long_as_the_person_stays(
        self, visit: Visit
    ) -> None:
        person = standing()
        offers = visit.go(65, person, faces=[face_of(person)])
        times = [offer.frame_index / 10 for offer in offers]
        assert len(offers) == 3
        assert all(b - a >= COOLDOWN_S for a, b in pairwise(times))
        assert len({offer.event_id for offer in offers}) == 3

    def test_are_the_same_each_time(self) -> None:
        person = standing()
        runs = [Visit().go(40, person, faces=[face_of(person)]) for _ in range(2)]
        assert runs[0] == runs[1]
        assert len(runs[0]) == 2

    def test_of_another_camera_or_session_are_others(self) -> None:
        person, ids = standing(), set()
        for session, camera in [("a", "CAM-1"), ("b", "CAM-1"), ("a", "CAM-2")]:
            stage = FaceStage(Faces([face_of(person)]), cooldown_s=COOLDOWN_S)
            shown = frame(session=session, camera=camera, image=GRAINY)
            assert list(stage.observe(shown, [person])) == []
            ids |= {offer.event_id for offer in stage.forget(person.id)}
        assert len(ids) == 3

    def test_begin_anew_with_a_session_whose_seconds_begin_anew(
        self, visit: Visit
    ) -> None:
        person = standing()
        visit.go(20, person, faces=[face_of(person)])
        visit.stage.forget(person.id)
        visit.index = 0
        assert len(visit.go(1, person, faces=[face_of(person)])) == 1


class TestWhoseFace:
    def test_is_every_persons_own_and_not_only_the_largest(self, visit: Visit) -> None:
        left, right = standing(1, x=0.25), standing(2, x=0.7)
        faces = [face_of(left), face_of(right, height=0.2)]
        offers = visit.go(1, left, right, faces=faces)
        heights = {each.track_id: each.faces[0].height_px for each in offers}
        assert heights == {1: round(LARGE * HEIGHT), 2: round(0.2 * HEIGHT)}

    def test_is_not_given_to_the_neighbour_of_one_who_rests(self, visit: Visit) -> None:
        first = standing(1, x=0.3)
        assert len(visit.go(1, first, faces=[face_of(first)])) == 1
        close = standing(2, x=0.4)
        assert visit.go(4, first, close, faces=[face_of(first)]) == []

    def test_is_not_that_of_a_track_not_believed_yet_or_of_no_person(
        self, visit: Visit
    ) -> None:
        unsure, car = standing(confirmed=False), standing(2, label=Label.CAR)
        assert visit.go(4, unsure, car, faces=[face_of(unsure)]) == []
        assert visit.faces.looks == []

    @pytest.mark.parametrize(
        "values", [{"height": SMALL}, {"nose": 0.5}], ids=["small", "turned away"]
    )
    def test_is_none_where_it_tells_nobody_apart(
        self, visit: Visit, values: dict[str, float]
    ) -> None:
        person = standing()
        assert visit.go(4, person, faces=[face_of(person, **values)]) == []


class TestLooks:
    def test_are_so_many_a_second_at_most(self, visit: Visit) -> None:
        visit.go(4, standing())
        assert len(visit.faces.looks) == 4 * LOOKS_PER_S

    def test_are_shared_by_all_who_need_a_face(self, visit: Visit) -> None:
        visit.go(4, standing(1), standing(2, x=0.7))
        assert len(visit.faces.looks) == 4 * LOOKS_PER_S

    def test_are_only_where_the_heads_of_those_are_who_need_a_face(
        self, visit: Visit
    ) -> None:
        left, right = standing(1, x=0.2), standing(2, x=0.8)
        visit.go(0.1, left)
        visit.go(4, left, right, faces=[face_of(left)])
        alone, both, *_, last = visit.faces.looks
        assert alone == pytest.approx(0.39 * 0.57, abs=0.02)
        assert both == pytest.approx(0.99 * 0.57, abs=0.02)
        assert last == pytest.approx(alone, abs=0.02)

    def test_become_fewer_when_no_face_is_seen(self, visit: Visit) -> None:
        visit.go(SHY_AFTER_S + 0.1, standing())
        visit.faces.looks.clear()
        visit.go(10, standing())
        assert len(visit.faces.looks) == 10

    def test_become_more_when_another_comes(self, visit: Visit) -> None:
        visit.go(20, standing())
        visit.faces.looks.clear()
        visit.go(4, standing(), standing(2, x=0.7))
        assert len(visit.faces.looks) == pytest.approx(4 * LOOKS_PER_S, abs=1)

    def test_are_none_while_everybody_rests_or_nobody_is_there(
        self, visit: Visit
    ) -> None:
        person = standing()
        visit.go(1, person, faces=[face_of(person)])
        visit.faces.looks.clear()
        visit.go(10, person, faces=[face_of(person)])
        visit.go(10)
        assert visit.faces.looks == []


class TestPictures:
    def test_show_the_face_with_half_its_size_around_it(self, visit: Visit) -> None:
        person = standing(x=0.5)
        face = face_of(person, height=0.2)
        (offer,) = visit.go(1, person, faces=[face])
        height, width = decoded(offer.faces[0].jpeg).shape[:2]
        assert height == pytest.approx(2 * face.box.height * HEIGHT, abs=2)
        assert width == pytest.approx(2 * face.box.width * WIDTH, abs=2)

    def test_show_nobody_elses_face(self, visit: Visit) -> None:
        visit.image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        visit.image[::2] = 0
        person, nearer = standing(1, x=0.3), standing(2, x=0.46)
        small, large = face_of(person, height=0.2), face_of(nearer, height=0.3)
        offers = visit.go(1, person, nearer, faces=[large, small])

        (offer,) = (each for each in offers if each.track_id == 1)
        face = decoded(offer.faces[0].jpeg)
        height, width = face.shape[:2]
        own = face[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
        assert own.std() > 50
        assert face[height // 2 :, -5:].std() < 10

    def test_are_large_enough_for_every_engine(self, visit: Visit) -> None:
        person = standing(x=0.5)
        (offer,) = visit.go(2, person, faces=[face_of(person, height=0.1)])
        assert min(decoded(offer.faces[0].jpeg).shape[:2]) == 80

    def test_are_no_larger_than_needed(self, visit: Visit) -> None:
        visit.image = np.repeat(np.repeat(GRAINY, 4, axis=0), 4, axis=1)
        person = standing()
        (offer,) = visit.go(2, person, faces=[face_of(person, height=0.5)])
        assert decoded(offer.faces[0].jpeg).shape[1] <= 448
        assert decoded(offer.snapshot).shape[0] == SNAPSHOT_HEIGHT_PX

    def test_show_the_person_with_some_room(self, visit: Visit) -> None:
        person = standing(x=0.5)
        (offer,) = visit.go(1, person, faces=[face_of(person)])
        height, width = decoded(offer.snapshot).shape[:2]
        assert height == pytest.approx((0.08 + 0.8 + 0.08) * HEIGHT, abs=2)
        assert width == pytest.approx(0.36 * WIDTH, abs=2)


def decoded(jpeg: bytes) -> Image:
    return cast("Image", cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 9.0),
            st.booleans(),
            st.sampled_from([None, SMALL, 0.1, LARGE]),
            st.sampled_from([USABLE, GOOD]),
        ),
        max_size=60,
    )
)
def test_whoever_shows_a_usable_face_is_offered_and_not_too_often(
    steps: list[tuple[float, bool, float | None, float]],
) -> None:
    """Frames come at any distance, with or without the person and the face."""
    person, faces = standing(), Faces()
    stage, seconds, offers, usable = FaceStage(faces, cooldown_s=COOLDOWN_S), 0.0, [], 0
    for index, (passed_s, is_seen, height, confidence) in enumerate(steps):
        seconds += passed_s
        before = len(faces.looks)
        shown = face_of(person, height=height or LARGE, confidence=confidence)
        faces.there = [shown] if height else []
        now = frame(index, seconds=seconds, image=GRAINY)
        made = list(stage.observe(now, [person] if is_seen else []))
        offers += [(seconds, offer) for offer in made]
        usable += len(faces.looks) > before and height in (0.1, LARGE)
    offers += [(seconds, offer) for offer in stage.forget(person.id)]

    assert bool(offers) == bool(usable)
    assert all(1 <= len(offer.faces) <= 3 for _, offer in offers)
    at = [offer.at for _, offer in offers]
    assert at == sorted(at)
    told = [seconds for seconds, _ in offers]
    assert all(
        b.at.timestamp() - frame(seconds=a).at.timestamp() >= COOLDOWN_S - 1e-3
        for a, (_, b) in zip(told, offers[1:], strict=False)
    )
    assert len({offer.event_id for _, offer in offers}) == len(offers)
