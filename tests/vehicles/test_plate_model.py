"""Which models find and read plates."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Never

import pytest

from vehicles.plate_model import (
    EASY,
    EASY_WEIGHTS,
    RAPID,
    SPECIALISED,
    ReaderMissing,
    load_reader,
    makes_do,
    the_finder,
    the_working_plate_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

FINDER_FILE = "yolo-v9-t-416-license-plates-end2end1.onnx"
READER_FILE = "cct_xs_v2_global.onnx"
CONFIG_FILE = "cct_xs_v2_global_plate_config.yaml"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    for cached in (the_finder, the_working_plate_model):
        cached.cache_clear()
    yield
    for cached in (the_finder, the_working_plate_model):
        cached.cache_clear()


class TestReader:
    def test_is_the_specialised_one_where_its_weights_are(self, shared: Path) -> None:
        assert load_reader(shared / "models").name == SPECIALISED
        assert load_reader(shared / "models", RAPID).name == RAPID

    def test_is_the_one_inside_a_package_where_there_are_none(
        self, tmp_path: Path
    ) -> None:
        assert load_reader(tmp_path).name == RAPID

    def test_needs_its_settings_too(self, shared: Path, tmp_path: Path) -> None:
        shutil.copy(shared / "models" / "cct_xs_v2_global.onnx", tmp_path)

        assert load_reader(tmp_path).name == RAPID

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("tesseract", "There is no plate reader 'tesseract'. Known: "),
            (SPECIALISED, "Run manage.py fetch_models."),
            (EASY, f"{EASY_WEIGHTS}, are not in"),
        ],
    )
    def test_that_cannot_be_had_says_what_to_do(
        self, tmp_path: Path, name: str, sentence: str
    ) -> None:
        with pytest.raises(ReaderMissing, match=sentence):
            load_reader(tmp_path, name)


class TestWorkingModel:
    @pytest.mark.parametrize("wanted", ["", SPECIALISED, RAPID])
    def test_is_the_one_asked_for(
        self, shared: Path, settings: Settings, wanted: str
    ) -> None:
        settings.MODELS_DIR = shared / "models"

        model = the_working_plate_model(wanted)

        assert model is not None
        assert model.reader.name == (wanted or SPECIALISED)
        assert not makes_do(model, wanted=wanted)

    @pytest.mark.parametrize("wanted", [EASY, "tesseract"])
    def test_is_loudly_the_next_one(
        self,
        shared: Path,
        settings: Settings,
        caplog: pytest.LogCaptureFixture,
        wanted: str,
    ) -> None:
        settings.MODELS_DIR = shared / "models"

        model = the_working_plate_model(wanted)

        assert model is not None
        assert model.reader.name == SPECIALISED
        assert makes_do(model, wanted=wanted)
        assert "read by the next reader" in caplog.text

    @pytest.mark.parametrize("file", [FINDER_FILE, READER_FILE, CONFIG_FILE])
    def test_makes_do_without_a_file_that_is_damaged(
        self,
        shared: Path,
        settings: Settings,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        file: str,
    ) -> None:
        for each in (FINDER_FILE, READER_FILE, CONFIG_FILE):
            (tmp_path / each).symlink_to(shared / "models" / each)
        (tmp_path / file).unlink()
        (tmp_path / file).write_bytes(b"half of a file")
        settings.MODELS_DIR = tmp_path

        model = the_working_plate_model("")

        assert model is not None
        assert RAPID in {model.reader.name, model.finder.name}
        assert makes_do(model, wanted="")
        assert "fails" in caplog.text

    def test_is_none_where_no_reader_works(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object) -> Never:
            raise OSError("damaged")

        monkeypatch.setattr("vehicles.plate_model.load_reader", fail)

        assert the_working_plate_model("") is None
        assert makes_do(None, wanted="")
        assert "no plate is read" in caplog.text


class TestFinder:
    def test_is_that_of_the_manifest(self, shared: Path) -> None:
        assert the_finder(shared / "models").name.startswith("yolo-v9-t-416")

    def test_is_loudly_made_do_without(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            assert the_finder(tmp_path).name == RAPID

        assert "Plates are looked for as any text" in caplog.text
