"""Try who is recognised in photos, with a folder of known people."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.markup import escape
from rich.table import Table

from identity.engines import policy_of
from identity.face_model import FaceModelMissing, load_face_model, the_face_model
from identity.face_trial import Gallery, Trial
from identity.face_work import pixels
from identity.faces import measure
from identity.photo_rules import BYSTANDER, PhotoRefused, check_face
from identity.rules import Outcome
from streaming.command_line import console, new_file_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser
    from rich.console import Console

    from identity.faces import Face, FaceModel, Vector
    from identity.rules import Policy
    from streaming.vision.types import Image


class Command(BaseCommand):
    help = (
        "Say for every face in the photos who of the gallery it is, if anybody, and "
        "why: with the face model and the rules of the cameras. Needs no database, and "
        "stores nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--gallery",
            required=True,
            type=Path,
            metavar="DIR",
            help="One folder for each person, with photos of that person alone.",
        )
        parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
        parser.add_argument(
            "--engine",
            metavar="NAME",
            help="Face model: a name of streaming/weights.toml, or dlib-resnet-v1. "
            "Without it, that of the cameras.",
        )
        parser.add_argument("--report", type=new_file_argument, metavar="OUT.json")

    def handle(
        self,
        *,
        gallery: Path,
        photos: Sequence[Path],
        engine: str | None,
        report: Path | None,
        **_: Any,
    ) -> None:
        trials = Trials(model_for(engine))
        known = trials.enrol(gallery)
        trials.run(known, photos)
        if report:
            report.write_text(json.dumps(trials.as_json(), indent=1) + "\n")
        trials.show(console(), console(stderr=True))
        if not trials.looked_at:
            raise CommandError("None of the photos could be read.")


def model_for(engine: str | None) -> FaceModel:
    """Load the face model named, else that of the cameras."""
    if engine is None:
        return the_face_model()
    try:
        return load_face_model(settings.MODELS_DIR, wanted=engine)
    except FaceModelMissing as error:
        raise CommandError(str(error)) from error


@dataclass(slots=True)
class Trials:
    """What was found in the photos, and what was wrong with some."""

    model: FaceModel
    people: dict[str, int] = field(default_factory=dict)
    """How many photos of each person are compared with."""
    looked_at: dict[Path, list[Trial]] = field(default_factory=dict)
    remarks: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        return policy_of(self.model.embedder)

    def enrol(self, folder: Path) -> Gallery:
        """Read the gallery; raise CommandError when there is nobody in it."""
        if not folder.is_dir():
            raise CommandError(
                f"There is no folder {folder}. Give one that has a folder of photos "
                "for each person."
            )
        vectors: dict[str, list[Vector]] = defaultdict(list)
        for path in sorted(folder.rglob("*")):
            if path.parent == folder and path.is_file():
                self.remark(path, "Skipped: it lies in no person's folder.")
            elif path.is_file() and (vector := self._enrolled(path)) is not None:
                vectors[path.relative_to(folder).parts[0]].append(vector)
        if not vectors:
            wrong = "".join(f"\n{path}: {words}" for path, words in self.remarks)
            raise CommandError(f"There is no photo to compare with in {folder}.{wrong}")
        self.people = {name: len(known) for name, known in sorted(vectors.items())}
        return Gallery(vectors)

    def _enrolled(self, path: Path) -> Vector | None:
        image = self._image(path)
        if image is None:
            return None
        faces = foreground(self.model.finder.find(image))
        if len(faces) != 1:
            found = f"there are {len(faces)} faces" if faces else "no face was found"
            self.remark(path, f"Skipped: {found} in it, and one is needed.")
            return None
        try:
            check_face(measure(image, faces[0]))
        except PhotoRefused as refusal:
            self.remark(path, f"Used, though nobody could be enrolled by it: {refusal}")
        return self.model.embedder.embed(image, faces[0])

    def run(self, gallery: Gallery, photos: Sequence[Path]) -> None:
        """Try every face of every photo, from left to right."""
        for path in photos:
            image = self._image(path)
            if image is None:
                continue
            faces = sorted(self.model.finder.find(image), key=lambda each: each.box.x1)
            if not faces:
                self.remark(path, "No face was found in it.")
            self.looked_at[path] = [
                Trial.of(
                    self.model.embedder.embed(image, face),
                    gallery,
                    self.policy,
                    box=face.box,
                    quality=measure(image, face),
                )
                for face in faces
            ]

    def _image(self, path: Path) -> Image | None:
        try:
            return pixels(path.read_bytes())
        except PhotoRefused as refusal:
            self.remark(path, f"Skipped: {refusal}")
        except OSError as error:
            self.remark(path, f"Skipped: it cannot be read ({error.strerror}).")
        return None

    def remark(self, path: Path, words: str) -> None:
        self.remarks.append((path, words))

    def as_json(self) -> dict[str, Any]:
        return {
            "face_model": self.model.embedder.name,
            "threshold": self.policy.threshold,
            "margin": self.policy.margin,
            "gallery": self.people,
            "photos": [
                {"photo": str(path), "faces": [trial.as_json() for trial in trials]}
                for path, trials in self.looked_at.items()
            ],
            "remarks": [
                {"photo": str(path), "words": words} for path, words in self.remarks
            ],
        }

    def show(self, out: Console, errors: Console) -> None:
        """Print the decisions for people, and what was wrong to the error stream."""
        photos = sum(self.people.values())
        out.print(
            f"{self.model.embedder.name}, threshold {self.policy.threshold:.2f}, "
            f"margin {self.policy.margin:.2f}; {len(self.people)} people in the "
            f"gallery, {photos} photos",
            highlight=False,
        )
        table = Table("Photo", "Face", "Best", "Next", "Decision")
        for path, trials in self.looked_at.items():
            for trial in trials:
                table.add_row(escape(path.name), *map(escape, cells(trial)))
        if table.row_count:
            out.print(table)
        for path, words in self.remarks:
            errors.print(
                f"{path}: {words}", highlight=False, markup=False, soft_wrap=True
            )


def foreground(faces: Sequence[Face]) -> list[Face]:
    """Leave out those far in the background, as enrolment does."""
    tallest = max((face.box.height for face in faces), default=0.0)
    return [face for face in faces if face.box.height >= BYSTANDER * tallest]


def cells(trial: Trial) -> list[str]:
    decisions = {
        Outcome.MATCH: trial.best or "",
        Outcome.UNKNOWN: f"unknown, under {trial.policy.threshold:.2f}",
        Outcome.AMBIGUOUS: f"ambiguous, less than {trial.policy.margin:.2f} apart",
    }
    box, height_px = trial.box, trial.quality.height_px
    return [
        f"{height_px:.0f} px at {box.x1:.2f}, {box.y1:.2f}",
        _scored(trial.best, trial.similarity),
        _scored(trial.second, trial.runner_up),
        decisions[trial.outcome],
    ]


def _scored(name: str | None, similarity: float | None) -> str:
    return "-" if name is None or similarity is None else f"{name} {similarity:.2f}"
