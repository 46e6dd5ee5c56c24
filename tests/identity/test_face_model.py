from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from identity.engines import policy_of
from identity.face_model import FaceModelMissing, load_face_model, the_face_model
from identity.rules import Policy
from streaming import weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

FINDER = "face_detection_yunet_2023mar.onnx"
EMBEDDER = "mobilefacenet_128d.onnx"


@pytest.fixture
def folder(tmp_path: Path, shared: Path) -> Path:
    """Return a folder with a finder and an embedder."""
    for name in (FINDER, EMBEDDER):
        shutil.copy(shared / "models" / name, tmp_path)
    return tmp_path


@pytest.fixture
def fresh() -> Iterator[None]:
    """Have the face model of this process loaded anew."""
    the_face_model.cache_clear()
    yield
    the_face_model.cache_clear()


class TestLoadFaceModel:
    def test_takes_what_is_there_with_the_bounds_of_the_manifest(
        self, folder: Path
    ) -> None:
        model = load_face_model(folder)

        (row,) = (row for row in weights.manifest() if row.file == EMBEDDER)
        assert row.embedding
        assert model.embedder.name == row.name == weights.face_model_name(folder)
        assert model.embedder.threshold == row.embedding.threshold
        assert model.embedder.margin == row.embedding.margin
        assert not model.is_fallback

    @pytest.mark.parametrize(
        ("gone", "wanted", "said"),
        [
            (FINDER, None, "No face finder"),
            (EMBEDDER, None, "No face model"),
            (None, "sface-2021dec", "sface-2021dec is not in .* Known are: .*dlib"),
            (None, "arcface", "arcface is not in"),
        ],
    )
    def test_says_what_is_missing(
        self, folder: Path, gone: str | None, wanted: str | None, said: str
    ) -> None:
        if gone:
            (folder / gone).unlink()

        with pytest.raises(FaceModelMissing, match=said):
            load_face_model(folder, wanted=wanted)

    @pytest.mark.parametrize("name", [FINDER, EMBEDDER])
    def test_says_when_a_file_is_damaged(self, folder: Path, name: str) -> None:
        (folder / name).write_bytes(b"half a file")

        with pytest.raises(FaceModelMissing, match=f"{name}.* damaged"):
            load_face_model(folder)

    def test_gives_dlib_by_its_name(self, tmp_path: Path) -> None:
        model = load_face_model(tmp_path, wanted=weights.DLIB)

        assert model.embedder.name == weights.DLIB


@pytest.mark.usefixtures("fresh")
class TestTheFaceModel:
    def test_is_loaded_once(self, folder: Path, settings: Settings) -> None:
        settings.MODELS_DIR = folder

        assert the_face_model() is the_face_model()
        assert not the_face_model().is_fallback

    def test_makes_do_with_dlib_and_says_so(
        self, tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.MODELS_DIR = tmp_path

        with caplog.at_level(logging.WARNING):
            model = the_face_model()

        assert model.is_fallback
        assert model.embedder.name == weights.face_model_name(tmp_path)
        (record,) = caplog.records
        assert "manage.py fetch_models" in record.message

    def test_takes_what_the_settings_say(
        self, folder: Path, settings: Settings
    ) -> None:
        settings.MODELS_DIR = folder
        settings.FACE_MODEL = EMBEDDER
        settings.FACE_THRESHOLD, settings.FACE_MARGIN = 0.61, 0.12

        assert policy_of(the_face_model().embedder) == Policy(0.61, 0.12)
