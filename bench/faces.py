"""How well faces tell people apart: real photos, whole, small, blurred and compressed.

Known people are compared with other photos of theirs, strangers with people who are not
they. Photos of known people are whole, as at enrolment; what is compared with them may
be as a camera far away gives it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from identity.face_model import load_face_model
from identity.face_trial import Gallery
from identity.faces import crop, decode, main_face, measure
from identity.quality import is_usable
from identity.rules import Outcome, Policy, decide
from streaming.vision.annotate import encode_jpeg
from streaming.weights import DLIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from identity.faces import FaceModel, Vector
    from streaming.vision.types import Box, Image

    from .tables import Tables

    Camera = Callable[[Image, Box], Image]
    """Gives a face with what is around it, as a camera would see it."""

NAMES: Final[Mapping[str, Sequence[str]]] = {
    "alex_lacamoire1.jpg": ["alex_lacamoire"],
    "johnsnow_test1.jpg": ["kit_harington"],
    "kit_with_rose.jpg": ["rose_leslie", "kit_harington"],
    "obama1.jpg": ["obama"],
    "obama_and_biden.jpg": ["biden", "obama", "a child"],
    "longoria-cooper.jpg": ["longoria", "cooper"],
}
"""Who is in the photos that are not named after one person, from left to right."""
JPEG_QUALITY: Final = 60
SMALL_PX: Final = 48
HEIGHTS_PX: Final = (24, 32, 40, 48, 64, 80, 112)
BLURS_PX: Final = (0.0, 1.0, 2.0)
"""Standard deviation of a Gaussian, in pixels of the camera."""
TIMES: Final = 30


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled face, and the picture it is in."""

    who: str
    image: Image
    box: Box
    vector: Vector


@dataclass(frozen=True, slots=True)
class Probe:
    """A face as a camera saw it; without a vector where it was not found again."""

    photo: int
    who: str
    vector: Vector | None
    usable: bool


def run(shared: Path) -> Tables:
    models = {
        "local": load_face_model(shared / "models"),
        "dlib": load_face_model(shared / "models", wanted=DLIB),
    }
    files = sorted((shared / "samples" / "faces").rglob("*.jp*g"))
    cameras: dict[str, Camera] = {
        "whole": lambda image, _: image,
        f"{SMALL_PX} px, JPEG {JPEG_QUALITY}": partial(far, height_px=SMALL_PX),
    }
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for model in models.values():
        album = labelled(files, model)
        for name, camera in cameras.items():
            what = {"model": model.embedder.name, "seen": name}
            probes = seen(album, model, camera)
            tables["pairs"].append(what | pairs(album, probes, model))
            tables["open set"].append(what | open_set(album, probes, model))
    model = models["local"]
    album = labelled(files, model)
    tables["quality"] = list(by_quality(album, model))
    tables["cost"] = [cost(files[0], each) for each in models.values()]
    return dict(tables)


def labelled(files: Iterable[Path], model: FaceModel) -> list[Photo]:
    """Return the faces of photos with their names; fail where they do not fit."""
    album = []
    for file in files:
        own = file.parent.name if file.parent.parent.name == "train" else ""
        names = NAMES.get(file.name) or [own or file.stem.partition("-")[0]]
        image = decode(file.read_bytes())
        faces = sorted(model.finder.find(image), key=lambda face: face.box.x1)
        for face, who in zip(faces, names, strict=True):
            vector = model.embedder.embed(image, face)
            album.append(Photo(who, image, face.box, vector))
    return album


def far(image: Image, box: Box, *, height_px: int, blur_px: float = 0.0) -> Image:
    """Return the face and its surroundings so small, blurred, and compressed."""
    part = crop(image, box, around=1.0)
    scale = min(1.0, height_px / (box.height * image.shape[0]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if blur_px:
        small = cv2.GaussianBlur(small, (0, 0), blur_px)
    return decode(encode_jpeg(np.asarray(small, np.uint8), quality=JPEG_QUALITY))


def seen(album: Sequence[Photo], model: FaceModel, camera: Camera) -> list[Probe]:
    """Return what a camera makes of every photo."""
    probes = []
    for number, photo in enumerate(album):
        image = camera(photo.image, photo.box)
        if image is photo.image:
            probes.append(Probe(number, photo.who, photo.vector, usable=True))
            continue
        face = main_face(model.finder.find(image))
        vector = model.embedder.embed(image, face) if face else None
        usable = face is not None and is_usable(measure(image, face))
        probes.append(Probe(number, photo.who, vector, usable))
    return probes


def pairs(
    album: Sequence[Photo], probes: Sequence[Probe], model: FaceModel
) -> dict[str, object]:
    """Compare every face seen with every other photo."""
    same, other = similarities(album, probes)
    threshold = model.embedder.threshold
    return {
        "same": len(same),
        "least": round(min(same), 2),
        "mean": round(mean(same), 2),
        "strangers": len(other),
        "most": round(max(other), 2),
        "deviation": round(float(np.std(other)), 3),
        "TAR without FA": percent(each > max(other) for each in same),
        "threshold": threshold,
        "TAR": percent(each >= threshold for each in same),
        "FA": sum(each >= threshold for each in other),
    }


def similarities(
    album: Sequence[Photo], probes: Sequence[Probe]
) -> tuple[list[float], list[float]]:
    """Return those of a person with other photos of theirs, and with strangers'."""
    same: list[float] = []
    other: list[float] = []
    for probe in probes:
        for number, photo in enumerate(album):
            if probe.vector is None or number == probe.photo:
                continue
            alike = float(probe.vector @ photo.vector)
            (same if photo.who == probe.who else other).append(alike)
    return same, other


def open_set(
    album: Sequence[Photo], probes: Sequence[Probe], model: FaceModel
) -> dict[str, object]:
    """Enrol half of the people, in every way there is, and show everybody."""
    policy = Policy(model.embedder.threshold, model.embedder.margin)
    people = sorted({photo.who for photo in album})
    counts: dict[str, int] = defaultdict(int)
    ways = list(combinations(people, len(people) // 2))
    for staff in ways:
        for probe in probes:
            known = probe.who in staff
            others = [p for n, p in enumerate(album) if n != probe.photo]
            if known and all(photo.who != probe.who for photo in others):
                continue
            kind = "staff" if known else "stranger"
            counts[kind] += 1
            counts[f"{kind} {judged(probe, others, staff, policy)}"] += 1
    return {
        "ways": len(ways),
        "staff": counts["staff"],
        "named": share(counts["staff right"], counts["staff"]),
        "misnamed": counts["staff wrong"],
        "ambiguous": counts["staff ambiguous"],
        "not found": counts["staff not found"],
        "strangers": counts["stranger"],
        "strangers named": counts["stranger wrong"],
    }


def judged(
    probe: Probe, others: Sequence[Photo], staff: Sequence[str], policy: Policy
) -> str:
    if probe.vector is None:
        return "not found"
    vectors: dict[str, list[Vector]] = {name: [] for name in staff}
    for photo in others:
        if photo.who in vectors:
            vectors[photo.who].append(photo.vector)
    gallery = Gallery(vectors)
    verdict = decide([gallery.nearest(probe.vector)[:2]], policy)
    if verdict.outcome is not Outcome.MATCH or verdict.person is None:
        return verdict.outcome.value
    return "right" if gallery.people[verdict.person] == probe.who else "wrong"


def by_quality(album: Sequence[Photo], model: FaceModel) -> Iterator[dict[str, object]]:
    """Say what smaller and blurred faces are still good for."""
    for blur_px in BLURS_PX:
        for height_px in HEIGHTS_PX:
            camera = partial(far, height_px=height_px, blur_px=blur_px)
            probes = seen(album, model, camera)
            same, other = similarities(album, probes)
            own = [
                float(probe.vector @ album[probe.photo].vector)
                for probe in probes
                if probe.vector is not None
            ]
            yield {
                "height px": height_px,
                "blur px": blur_px,
                "found": percent(probe.vector is not None for probe in probes),
                "usable": percent(probe.usable for probe in probes),
                "like itself": round(mean(own), 2),
                "TAR": percent(each >= model.embedder.threshold for each in same),
                "strangers most": round(max(other), 2),
                "among themselves": round(most_among(probes), 2),
            }


def most_among(probes: Sequence[Probe]) -> float:
    """Return how alike two strangers are at most, both seen by the camera."""
    return max(
        float(a.vector @ b.vector)
        for a, b in combinations(probes, 2)
        if a.who != b.who and a.vector is not None and b.vector is not None
    )


def cost(file: Path, model: FaceModel) -> dict[str, object]:
    """Measure what one picture of a camera and one face take of a core."""
    image = decode(file.read_bytes())
    face = model.finder.find(image)[0]
    frame = np.asarray(cv2.resize(image, (1920, 1080)), np.uint8)
    cut = far(image, face.box, height_px=112)
    return {
        "model": model.embedder.name,
        "find in 1920x1080 CPU ms": timed(lambda: model.finder.find(frame)),
        "find in a crop CPU ms": timed(lambda: model.finder.find(cut)),
        "measure CPU ms": timed(lambda: measure(frame, face)),
        "embed CPU ms": timed(lambda: model.embedder.embed(frame, face)),
    }


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of all cores together, whatever else they do."""
    work()
    took_s = []
    for _ in range(TIMES):
        began_s = time.process_time()
        work()
        took_s.append(time.process_time() - began_s)
    return round(1000 * median(took_s), 1)


def percent(said: Iterable[bool]) -> float:
    answers = list(said)
    return share(sum(answers), len(answers))


def share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)
