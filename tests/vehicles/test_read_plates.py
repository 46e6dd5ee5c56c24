"""The command that tries pictures of plates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from vehicles.plate_model import the_plate_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings


@pytest.fixture
def plates(shared: Path, settings: Settings) -> Iterator[Path]:
    """Return real photos of plates, read with the real models."""
    settings.MODELS_DIR = shared / "models"
    the_plate_model.cache_clear()
    yield shared / "samples" / "plates"
    the_plate_model.cache_clear()


def said(report: Path) -> dict[str, Any]:
    return dict(json.loads(report.read_text()))


class TestReadPlates:
    def test_tells_what_each_says_and_what_the_gate_makes_of_it(
        self, plates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report = tmp_path / "out.json"
        folder = plates / "indian" / "web_vehicles"
        call_command(
            "read_plates",
            folder / "HR26DA2330.jpg",
            folder / "DL2CAY3180.jpg",
            report=report,
        )

        first, second = said(report)["pictures"]
        (sure,), (other,) = first["plates"], second["plates"]
        assert (sure["plate"], sure["verdict"]) == ("HR26DA2330", "accepted")
        assert sure["format"] == "India"
        assert len(sure["confidences"]) == 10
        assert min(sure["confidences"]) >= said(report)["threshold"]
        assert other["as_read"] == "DL2CAY3180"
        assert (other["verdict"], other["reason"]) == ("rejected", "bad_format")
        printed = capsys.readouterr().out
        assert "HR26DA2330" in printed
        assert "no plate of this format" in printed

    def test_takes_another_format(self, plates: Path, tmp_path: Path) -> None:
        report = tmp_path / "out.json"
        call_command(
            "read_plates",
            str(plates / "indian" / "web_vehicles" / "DL2CAY3180.jpg"),
            "--format=DL[0-9]{1,2}[A-Z]{1,3}[0-9]{4}",
            f"--report={report}",
        )

        (plate,) = said(report)["pictures"][0]["plates"]
        assert (plate["plate"], plate["verdict"]) == ("DL2CAY3180", "accepted")

    @pytest.mark.parametrize("reader", ["fast-plate-ocr", "rapidocr"])
    def test_reads_with_the_reader_asked_for(
        self, plates: Path, tmp_path: Path, reader: str
    ) -> None:
        report = tmp_path / "out.json"
        picture = plates / "indian" / "plate_crops" / "MH14DT9633.png"
        call_command("read_plates", picture, reader=reader, report=report)

        assert said(report)["reader"] == reader
        texts = [each["plate"] for each in said(report)["pictures"][0]["plates"]]
        assert texts == ["MH14DT9633"]

    def test_says_what_is_wrong_with_a_picture_and_reads_the_others(
        self, plates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        text = tmp_path / "notes.jpg"
        text.write_text("no picture")
        wall = plates.parent / "photos" / "zidane.jpg"
        call_command("read_plates", text, tmp_path / "none.jpg", wall)

        told = capsys.readouterr().err
        assert "notes.jpg: Skipped: " in told
        assert "none.jpg: Skipped: it cannot be read (No such file" in told
        assert "zidane.jpg: No plate was found in it." in told

    def test_fails_when_no_picture_can_be_read(
        self, plates: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(CommandError, match="None of the pictures could be read"):
            call_command("read_plates", tmp_path / "none.jpg")

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            ("--format=[A-Z]+", "is not understood"),
            ("--report=/nowhere/out.json", "there is no folder /nowhere"),
            ("--reader=tesseract", "There is no plate reader 'tesseract'"),
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, tmp_path: Path, option: str, sentence: str
    ) -> None:
        with pytest.raises(CommandError, match=sentence.replace("[", r"\[")):
            call_command("read_plates", str(tmp_path / "a.jpg"), option)
