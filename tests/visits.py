"""Clips in which people come, stand for a while and go: photos moved over a wall."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from tests.fakes import write_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.fakes import Picture

WIDTH, HEIGHT, FPS = 1280, 720, 10
PHOTO_PX = 600
WALK_S = 1.5
GAP_S = 3.0
"""Longer than a lost track is waited for."""


def write_visits(
    path: Path, photos: Sequence[Path], *, stays_s: float = 3.0, fps: int = FPS
) -> Path:
    """Write a clip in which those of the photos come one after another."""
    people = [_photo(each) for each in photos]
    pictures = [
        picture
        for person in people
        for picture in _visit(person, stays_s=stays_s, fps=fps)
    ]
    return write_pictures(path, pictures, fps=fps)


def _photo(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    scale = PHOTO_PX / picture.shape[0]
    return cast("Picture", cv2.resize(picture, None, fx=scale, fy=scale))


def _visit(person: Picture, *, stays_s: float, fps: int) -> Iterator[Picture]:
    """Draw somebody who comes from the left, stands and goes to the right."""
    width = person.shape[1]
    middle = (WIDTH - width) / 2
    steps = np.linspace(0, 1, round(WALK_S * fps), endpoint=False)
    lefts = [-width + step * (middle + width) for step in steps]
    for number in range(round(stays_s * fps)):
        lefts.append(middle + 8 * np.sin(2 * np.pi * number / (2 * fps)))
    lefts += [middle + step * (WIDTH - middle) for step in steps]
    for left in lefts:
        yield _drawn(person, round(left))
    yield from [_wall()] * round(GAP_S * fps)


def _wall() -> Picture:
    return np.full((HEIGHT, WIDTH, 3), 150, np.uint8)


def _drawn(person: Picture, left: int) -> Picture:
    picture, width = _wall(), person.shape[1]
    first, last = max(left, 0), min(left + width, WIDTH)
    picture[HEIGHT - PHOTO_PX :, first:last] = person[:, first - left : last - left]
    return picture
