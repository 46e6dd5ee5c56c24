"""Which models find and read plates."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from vehicles.plate_model import (
    EASY,
    EASY_WEIGHTS,
    RAPID,
    SPECIALISED,
    ReaderMissing,
    load_reader,
    the_finder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    the_finder.cache_clear()
    yield
    the_finder.cache_clear()


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


class TestFinder:
    def test_is_that_of_the_manifest(self, shared: Path) -> None:
        assert the_finder(shared / "models").name.startswith("yolo-v9-t-416")

    def test_is_loudly_made_do_without(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            assert the_finder(tmp_path).name == RAPID

        assert "Plates are looked for as any text" in caplog.text
