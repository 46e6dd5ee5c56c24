"""How many plates of real photos each reader gets right, and in what time.

A photo is right when the plate is among what was read in it. A wrong one is accepted
when every character is sure, the format fits and two cuts agree, and yet it is another
plate. The EU photos' labels have O in places where the plate has a digit, so they are
counted a second time with O and 0 taken for the same.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from streaming.vision.geometry import pairwise_iou
from streaming.vision.types import Box
from vehicles.formats import INDIA, Format, confusion_key, normalise
from vehicles.plate_model import RAPID, SPECIALISED, load_reader, the_finder
from vehicles.plate_trial import try_plates
from vehicles.plates import FoundPlate, PlateModel
from vehicles.rules import GatePolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from streaming.vision.types import Image
    from vehicles.plate_trial import PlateTrial
    from vehicles.plates import PlateFinder

    from .tables import Row, Tables

ANY: Final = (Format("any", "[A-Z0-9]{4,10}"),)
SAME_PLACE: Final = 0.2
"""Overlap from which a plate that was found is the one that is labelled."""


@dataclass(frozen=True, slots=True)
class Photo:
    image: Image
    plates: Sequence[str]
    box: Box | None = None
    """Of the labelled plate; None where every plate in the picture is labelled."""


class Whole:
    """Implements `PlateFinder` for pictures that are nothing but a plate."""

    name = "whole picture"

    def find(self, image: Image) -> list[FoundPlate]:
        return [FoundPlate(Box(0, 0, 1, 1), 1.0)]


def run(shared: Path) -> Tables:
    folder, models = shared / "samples" / "plates", shared / "models"
    cars = list(indian(folder / "indian" / "web_vehicles"))
    plates = list(indian(folder / "indian" / "plate_crops"))
    finder = the_finder(models)
    sets: Sequence[tuple[str, list[Photo], Sequence[Format], PlateFinder]] = (
        ("EU photos", list(european(folder)), ANY, finder),
        ("Indian vehicles, no format", cars, ANY, finder),
        ("Indian vehicles, India", cars, INDIA, finder),
        ("Indian plates, no format", plates, ANY, Whole()),
        ("Indian plates, India", plates, INDIA, Whole()),
    )
    return {
        "plates": [
            row(reader, name, photos, formats, finder, models)
            for reader in (SPECIALISED, RAPID)
            for name, photos, formats, finder in sets
        ]
    }


def row(
    reader: str,
    name: str,
    photos: Sequence[Photo],
    formats: Sequence[Format],
    finder: PlateFinder,
    models: Path,
) -> Row:
    model = PlateModel(finder, load_reader(models, reader))
    policy = GatePolicy()
    try_plates(photos[0].image, model, formats=formats, policy=policy)  # loads it
    began_s = time.perf_counter()
    found = [
        try_plates(photo.image, model, formats=formats, policy=policy)
        for photo in photos
    ]
    took_s = time.perf_counter() - began_s
    judged = list(zip(photos, found, strict=True))
    return {
        "reader": reader,
        "photos": name,
        "right": f"{sum(map(is_right, photos, found))} of {len(photos)}",
        "O as 0": sum(is_right(photo, each, alike=True) for photo, each in judged),
        "accepted": sum(each.is_sure for trials in found for each in trials),
        "wrongly": sum(wrong(photo, each) for photo, each in judged),
        "O as 0, wrongly": sum(wrong(p, each, alike=True) for p, each in judged),
        "ms a photo": round(took_s / len(photos) * 1000, 1),
    }


def is_right(
    photo: Photo, trials: Sequence[PlateTrial], *, alike: bool = False
) -> bool:
    read = {each.plate.text for each in trials if each.plate}
    return bool(said(read, alike=alike) & said(photo.plates, alike=alike))


def wrong(photo: Photo, trials: Sequence[PlateTrial], *, alike: bool = False) -> bool:
    accepted = {
        each.plate.text
        for each in labelled(photo, trials)
        if each.plate and each.is_sure
    }
    return bool(said(accepted, alike=alike) - said(photo.plates, alike=alike))


def labelled(photo: Photo, trials: Sequence[PlateTrial]) -> list[PlateTrial]:
    """Leave out plates of other vehicles, of which no label says what they are."""
    if photo.box is None:
        return list(trials)
    boxes = np.array([corners(each.found.box) for each in trials]).reshape(-1, 4)
    overlaps = pairwise_iou(boxes, np.array([corners(photo.box)]))[:, 0]
    return [
        each
        for each, overlap in zip(trials, overlaps, strict=True)
        if overlap >= SAME_PLACE
    ]


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.x1, box.y1, box.x2, box.y2


def said(texts: Sequence[str] | set[str], *, alike: bool) -> set[str]:
    return {confusion_key(each) if alike else each for each in texts}


def european(folder: Path) -> Iterator[Photo]:
    for label in sorted((folder / "openalpr_eu").glob("*.txt")):
        if label.name == "LICENSE.txt":
            continue
        name, *numbers, text = label.read_text().strip().split("\t")[:6]
        x, y, width, height = map(int, numbers)
        image = picture(label.with_name(name))
        rows, columns = image.shape[:2]
        box = Box(x / columns, y / rows, (x + width) / columns, (y + height) / rows)
        yield Photo(image, [normalise(text)], box)


def indian(folder: Path) -> Iterator[Photo]:
    with (folder / "labels.csv").open() as file:
        for name, text, *_ in list(csv.reader(file))[1:]:
            yield Photo(picture(folder / name), text.split("|"))


def picture(file: Path) -> Image:
    return np.asarray(
        cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR),
        np.uint8,
    )
