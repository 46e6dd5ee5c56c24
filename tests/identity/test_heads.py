from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.heads import owners
from streaming.vision.types import Box

ASPECT = 16 / 9


def person(x: float, top: float, height: float, *, width: float | None = None) -> Box:
    """Return the box of somebody, by the middle of its top."""
    half = (0.4 * height / ASPECT if width is None else width) / 2
    return Box(x - half, top, x + half, top + height)


def face(x: float, y: float, height: float) -> Box:
    """Return a face by its centre."""
    half = 0.8 * height / ASPECT / 2
    return Box(x - half, y - height / 2, x + half, y + height / 2)


STANDING = person(0.3, 0.1, 0.8)
THEIR_FACE = face(0.3, 0.16, 0.08)
BEHIND = person(0.36, 0.12, 0.7)
FACE_BEHIND = face(0.37, 0.18, 0.07)


@pytest.mark.parametrize(
    ("faces", "people", "expected"),
    [
        pytest.param([], [STANDING], {}, id="no face"),
        pytest.param([THEIR_FACE], [], {}, id="nobody followed"),
        pytest.param([THEIR_FACE], [STANDING], {0: 0}, id="from head to foot"),
        pytest.param(
            [face(0.5, 0.5, 0.5)],
            [person(0.5, 0.1, 0.9, width=0.6)],
            {0: 0},
            id="head and shoulders",
        ),
        pytest.param(
            [face(0.25, 0.3, 0.2)],
            [person(0.5, 0.15, 0.85, width=0.7)],
            {0: 0},
            id="an arm held out makes the box wide",
        ),
        pytest.param(
            [face(0.3, 0.24, 0.08)],
            [STANDING],
            {0: 0},
            id="a raised arm makes the box high",
        ),
        pytest.param([face(0.3, 0.7, 0.08)], [STANDING], {}, id="at the knees"),
        pytest.param([face(0.6, 0.16, 0.08)], [STANDING], {}, id="beside the box"),
        pytest.param([face(0.3, 0.05, 0.08)], [STANDING], {}, id="above the box"),
        pytest.param([face(0.31, 0.2, 0.03)], [STANDING], {}, id="far behind"),
        pytest.param(
            [THEIR_FACE, FACE_BEHIND],
            [STANDING, BEHIND],
            {0: 0, 1: 1},
            id="two who overlap",
        ),
        pytest.param(
            [FACE_BEHIND, THEIR_FACE],
            [STANDING, BEHIND],
            {1: 0, 0: 1},
            id="in any order",
        ),
        pytest.param(
            [FACE_BEHIND], [STANDING, BEHIND], {0: 1}, id="the front one looks away"
        ),
        pytest.param(
            [THEIR_FACE, face(0.31, 0.2, 0.08)],
            [STANDING],
            {0: 0},
            id="two faces and one box",
        ),
        pytest.param(
            [face(0.5, 0.45, 0.06), face(0.5, 0.2, 0.1)],
            [person(0.5, 0.12, 0.85), person(0.5, 0.4, 0.55)],
            {0: 1, 1: 0},
            id="a child in front",
        ),
    ],
)
def test_faces_belong_to_those_whose_heads_they_are_on(
    faces: list[Box], people: list[Box], expected: dict[int, int]
) -> None:
    assert owners(faces, people, aspect=ASPECT) == expected


shares = st.floats(0.05, 0.95)
crowd = st.lists(st.builds(person, shares, shares, shares), max_size=6)
looks = st.lists(st.builds(face, shares, shares, st.floats(0.02, 0.5)), max_size=6)


@given(looks, crowd)
def test_nobody_has_two_faces_and_no_face_two_owners(
    faces: list[Box], people: list[Box]
) -> None:
    whose = owners(faces, people, aspect=ASPECT)

    assert len(set(whose.values())) == len(whose)
    assert set(whose) <= set(range(len(faces)))
    for index, owner in whose.items():
        middle = (faces[index].x1 + faces[index].x2) / 2
        assert people[owner].x1 <= middle <= people[owner].x2
