from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from identity.face_model import the_face_model
from streaming import weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def photos(shared: Path, settings: Settings) -> Iterator[Path]:
    """Return real photos of people, tried with the real face model."""
    settings.MODELS_DIR = shared / "models"
    the_face_model.cache_clear()
    yield shared / "samples" / "faces" / "knn_examples"
    the_face_model.cache_clear()


def tried(gallery: Path, *photos: Path, report: Path, **options: Any) -> dict[str, Any]:
    call_command("try_faces", *photos, gallery=gallery, report=report, **options)
    return dict(json.loads(report.read_text()))


class TestTryFaces:
    def test_names_every_known_face_and_no_other(
        self, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report = tried(
            photos / "train",
            photos / "test" / "obama_and_biden.jpg",
            photos.parent / "openface" / "adams.jpg",
            report=tmp_path / "out.json",
        )

        together, alone = (photo["faces"] for photo in report["photos"])
        assert [face["person"] for face in together] == ["biden", "obama", None]
        assert [face["decision"] for face in together] == ["match", "match", "unknown"]
        assert [face["person"] for face in alone] == [None]
        first = together[0]
        assert first["similarity"] > report["threshold"] > first["runner_up_similarity"]
        assert first["runner_up"] in report["gallery"]
        assert report["gallery"]["obama"] == 2
        printed = capsys.readouterr().out
        assert "obama_and_biden.jpg" in printed
        assert "unknown, under 0.45" in printed

    def test_takes_the_face_model_that_is_named(
        self, photos: Path, tmp_path: Path
    ) -> None:
        report = tried(
            photos / "train",
            photos / "test" / "obama1.jpg",
            report=tmp_path / "out.json",
            engine=weights.DLIB,
        )

        assert report["face_model"] == weights.DLIB
        assert report["photos"][0]["faces"][0]["person"] == "obama"

    def test_says_what_is_wrong_with_photos_and_goes_on(
        self, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        gallery, empty = tmp_path / "gallery", tmp_path / "empty.png"
        shutil.copytree(photos / "train" / "obama", gallery / "obama")
        for name in ("obama", "nobody"):
            (gallery / name).mkdir(exist_ok=True)
        shutil.copy(
            photos / "test" / "kit_with_rose.jpg", gallery / "obama" / "two.jpg"
        )
        shutil.copy(photos / "test" / "obama1.jpg", gallery / "loose.jpg")
        (gallery / "nobody" / "notes.txt").write_text("no photo")
        cv2.imwrite(str(empty), np.zeros((90, 90, 3), np.uint8))
        tiny = gallery / "tiny" / "tiny.png"
        tiny.parent.mkdir()
        photo = cv2.imread(str(photos / "train" / "biden" / "biden.jpg"))
        assert photo is not None
        cv2.imwrite(str(tiny), cv2.resize(photo, None, fx=0.12, fy=0.12))

        report = tried(
            gallery,
            empty,
            tmp_path / "gone.jpg",
            photos / "test" / "obama1.jpg",
            report=tmp_path / "out.json",
        )

        said = {Path(each["photo"]).name: each["words"] for each in report["remarks"]}
        assert "2 faces" in said["two.jpg"]
        assert "no person's folder" in said["loose.jpg"]
        assert "no photo" in said["notes.txt"]
        assert "Used, though" in said["tiny.png"]
        assert said["empty.png"] == "No face was found in it."
        assert "No such file" in said["gone.jpg"]
        assert report["gallery"] == {"obama": 2, "tiny": 1}
        assert report["photos"][0]["faces"] == []
        assert report["photos"][1]["faces"][0]["person"] == "obama"
        assert "gone.jpg" in capsys.readouterr().err

    def test_refuses_when_nothing_can_be_done(
        self, photos: Path, tmp_path: Path
    ) -> None:
        photo, gone = photos / "test" / "obama1.jpg", tmp_path / "gone.jpg"

        with pytest.raises(CommandError, match="There is no folder"):
            call_command("try_faces", photo, gallery=tmp_path / "nowhere")
        with pytest.raises(CommandError, match="no photo to compare with"):
            call_command("try_faces", photo, gallery=tmp_path)
        with pytest.raises(CommandError, match="None of the photos"):
            call_command("try_faces", gone, gallery=photos / "train")
        with pytest.raises(CommandError, match="Known are"):
            call_command("try_faces", photo, gallery=photos / "train", engine="x")

    def test_needs_no_database(
        self, photos: Path, shared: Path, tmp_path: Path
    ) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "VAR_DIR": str(tmp_path),
            "MODELS_DIR": str(shared / "models"),
        }
        train, photo = photos / "train", photos / "test" / "obama1.jpg"

        done = subprocess.run(
            [sys.executable, "manage.py", "try_faces", f"--gallery={train}", photo],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert "obama" in done.stdout
