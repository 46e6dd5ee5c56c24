"""The plates of real vehicles in real recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streaming.vision.detectors import load_detector
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.sources import open_source
from streaming.vision.types import Group
from tests.scenes import START
from vehicles.formats import INDIA
from vehicles.plate_model import load_reader, the_finder
from vehicles.plate_stage import PlateStage
from vehicles.plates import PlateModel
from vehicles.rules import GatePolicy, refusal
from vehicles.voting import vote

if TYPE_CHECKING:
    from pathlib import Path

    from vehicles.pipeline import PlateOffered


def offered(clip: Path, models: Path) -> list[PlateOffered]:
    model = PlateModel(the_finder(models), load_reader(models))
    stage = PlateStage(model, formats=INDIA, policy=GatePolicy())
    source = open_source(str(clip), camera="CAM-1", clock=lambda: START, realtime=False)
    pipeline = CameraPipeline([stage])
    detector = load_detector(models / "yolo11n_int8_openvino_model")
    events = [
        event for each in analyse(source, detector, pipeline) for event in each.events
    ]
    return [*events, *pipeline.finish()]


def is_sure(event: PlateOffered) -> bool:
    return refusal(vote(event.reads, INDIA), GatePolicy()) is None


@pytest.mark.weights
class TestRealVehicle:
    @pytest.mark.parametrize("plate", ["JH10BP8513", "UP32MW0479"])
    def test_is_one_visit_with_its_plate(self, shared: Path, plate: str) -> None:
        clip = shared / "samples" / "clips" / f"car_{plate}.mp4"

        sure = [event for event in offered(clip, shared / "models") if is_sure(event)]
        (event,) = sure
        found = vote(event.reads, INDIA)
        assert found is not None
        assert found.text == plate
        assert event.label.group is Group.VEHICLES
        assert event.snapshot
        assert event.plate

    def test_without_a_plate_in_sight_is_told_of_too(self, shared: Path) -> None:
        clip = shared / "samples" / "clips" / "person_bicycle_car.mp4"

        (event,) = offered(clip, shared / "models")
        assert event.reads == ()
        assert event.snapshot
