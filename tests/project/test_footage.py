from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from factory_site.demo import footage, scenery
from factory_site.demo.cutouts import PicturesMissing, people, picture_path, visitors
from factory_site.demo.footage import (
    TRUCK_PLATE,
    ClipTruth,
    NoDemoClips,
    Scene,
    clips_from,
    compose,
    gate_scene,
    reception_scene,
    write_yard_clip,
    yard_scene,
)
from factory_site.demo.vehicle import number_plate, truck
from streaming.vision.detectors import load_detector
from streaming.vision.types import Frame, Label
from vehicles.formats import INDIA
from vehicles.plate_model import load_reader, the_finder
from vehicles.plates import PlateModel
from vehicles.rules import GatePolicy, refusal
from vehicles.voting import fused, vote

if TYPE_CHECKING:
    from pathlib import Path

    from factory_site.demo.cutouts import Image

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def moving_share(picture: Image, background: Image) -> float:
    """Return the share of pixels that are not background."""
    apart = cv2.absdiff(picture, background).max(axis=2)
    return float((apart > 40).mean())


@pytest.fixture
def short_scenes(monkeypatch: pytest.MonkeyPatch) -> list[Scene]:
    """Let `compose` make three clips of a fifth of a second."""

    def still() -> Image:
        return np.full((scenery.HEIGHT, scenery.WIDTH, 3), 120, np.uint8)

    scenes = [
        Scene(name, 0.2, still, (), ClipTruth(ins=3, outs=1))
        for name in ("yard", "gate", "reception")
    ]
    monkeypatch.setattr(footage, "yard_scene", lambda: scenes[0])
    monkeypatch.setattr(footage, "gate_scene", lambda: scenes[1])
    monkeypatch.setattr(footage, "reception_scene", lambda: scenes[2])
    return scenes


class TestScene:
    @pytest.mark.parametrize(
        "scene",
        [yard_scene(), gate_scene(), reception_scene()],
        ids=lambda s: s.name,
    )
    def test_is_empty_at_both_ends_and_not_between(self, scene: Scene) -> None:
        background = scene.background()
        shares = [moving_share(f, background) for f in scene.frames(step=50)]
        last = list(scene.frames(step=scene.frame_count - 1))[-1]
        assert shares[0] < 0.0005
        assert moving_share(last, background) < 0.0005
        assert max(shares) > 0.02

    def test_is_drawn_the_same_each_time(self) -> None:
        once, again = (
            next(itertools.islice(yard_scene().frames(step=99), 1, 2)) for _ in "ab"
        )
        assert np.array_equal(once, again)

    def test_of_the_yard_has_more_people_in_than_out(self) -> None:
        assert yard_scene().truth == ClipTruth(ins=7, outs=5)

    def test_of_the_gate_says_the_plate(self) -> None:
        assert gate_scene().truth.plates == ("KA01AB1234",)


class TestCutouts:
    def test_are_two_standing_people(self) -> None:
        for person in people():
            height, width = person.alpha.shape
            assert height > 2 * width
            assert 0.35 < person.alpha.mean() < 0.75

    def test_of_visitors_are_two_people_from_the_chest_up(self) -> None:
        for person in visitors():
            height, width = person.alpha.shape
            assert 0.7 < height / width < 1.5
            assert 0.35 < person.alpha.mean() < 0.75

    def test_refuse_to_go_on_without_the_picture(self) -> None:
        with pytest.raises(PicturesMissing, match=r"Install requirements\.txt"):
            picture_path("absent.jpg")

    def test_refuse_to_go_on_without_the_package(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(PicturesMissing, match="DEMO_FOOTAGE"):
            picture_path("bus.jpg")


class TestTruck:
    def test_carries_its_plate(self) -> None:
        image = truck("KA01AB1234").image
        plate = number_plate("KA01AB1234", width_px=200)
        best = cv2.matchTemplate(image, plate, cv2.TM_SQDIFF_NORMED).min()
        assert best < 0.001

    def test_shows_another_plate_for_another_text(self) -> None:
        first = number_plate("KA01AB1234", width_px=200)
        assert not np.array_equal(first, number_plate("KA01AB1235", width_px=200))


@pytest.mark.usefixtures("short_scenes")
class TestCompose:
    def test_writes_all_clips(self, tmp_path: Path) -> None:
        clips = compose(tmp_path / "new" / "folder")
        assert [clip.name for clip in clips] == ["yard", "gate", "reception"]
        with av.open(clips[0].path) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == (1280, 720)
            assert stream.average_rate == footage.FPS
            assert sum(1 for _ in container.decode(stream)) == 5

    def test_leaves_no_half_written_file(self, tmp_path: Path) -> None:
        compose(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "gate.mp4",
            "reception.mp4",
            "yard.mp4",
        ]

    def test_keeps_clips_of_the_same_recipe(self, tmp_path: Path) -> None:
        before = [clip.path.stat().st_mtime_ns for clip in compose(tmp_path)]
        assert [clip.path.stat().st_mtime_ns for clip in compose(tmp_path)] == before

    def test_composes_again_after_another_recipe(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = [clip.path.stat().st_mtime_ns for clip in compose(tmp_path)]
        monkeypatch.setattr(footage, "RECIPE", "another")
        after = [clip.path.stat().st_mtime_ns for clip in compose(tmp_path)]
        assert all(new > old for old, new in zip(before, after, strict=True))

    def test_replaces_a_broken_file(self, tmp_path: Path) -> None:
        (tmp_path / "yard.mp4").write_text("cut off")
        compose(tmp_path)
        with av.open(tmp_path / "yard.mp4") as container:
            assert container.streams.video

    def test_tells_how_far_it_is(self, tmp_path: Path) -> None:
        told: list[tuple[str, int, int]] = []
        compose(tmp_path, progress=lambda *step: told.append(step))
        assert told[0] == ("yard", 1, 5)
        assert told[-1] == ("reception", 5, 5)

    def test_tells_the_truth_of_a_clip_it_has_written(self, tmp_path: Path) -> None:
        assert write_yard_clip(tmp_path / "yard.mp4") == ClipTruth(ins=3, outs=1)


class TestClipsFrom:
    def test_lists_recordings_by_name(self, tmp_path: Path) -> None:
        for name in ("b.MP4", "a.mkv", "notes.txt", "c.avi"):
            (tmp_path / name).touch()
        clips = clips_from(tmp_path)
        assert [clip.name for clip in clips] == ["a", "b", "c"]
        assert {clip.truth for clip in clips} == {None}

    def test_refuses_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NoDemoClips, match="holds no recording"):
            clips_from(tmp_path)

    def test_refuses_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NoDemoClips, match="is not a folder"):
            clips_from(tmp_path / "absent")


def as_frame(image: Image) -> Frame:
    return Frame("yard", "session", 0, START, 0.0, image)


@pytest.fixture(scope="module")
def labels(shared: Path) -> dict[str, list[list[Label]]]:
    """Detect in a frame a second of the real scenes."""
    detector = load_detector(shared / "models" / "yolo11n_int8_openvino_model")
    seen: dict[str, list[list[Label]]] = {}
    for scene in (yard_scene(), gate_scene(), reception_scene()):
        frames = list(scene.frames(step=25))
        found = detector.detect([as_frame(image) for image in frames])
        seen[scene.name] = [[hit.label for hit in hits] for hits in found]
    return seen


@pytest.mark.weights
class TestWhatADetectorSees:
    def test_is_people_in_the_yard(self, labels: dict[str, list[list[Label]]]) -> None:
        flat = list(itertools.chain.from_iterable(labels["yard"]))
        assert set(flat) == {Label.PERSON}
        assert len(flat) > 60

    def test_is_each_visitor_at_the_reception_alone(
        self, labels: dict[str, list[list[Label]]]
    ) -> None:
        hits = labels["reception"]
        for second in (4, 5, 6, 7, 16, 17, 18, 19):
            assert hits[second] == [Label.PERSON]

    def test_is_a_vehicle_at_the_gate_while_it_waits(
        self, labels: dict[str, list[list[Label]]]
    ) -> None:
        for hits in labels["gate"][5:14]:
            assert {Label.BUS, Label.TRUCK, Label.CAR} & set(hits)

    def test_is_the_plate_of_the_vehicle_that_waits(self, shared: Path) -> None:
        models = shared / "models"
        model = PlateModel(the_finder(models), load_reader(models))
        reads = []
        for index in (250, 300):
            scene = gate_scene().frames(step=index)
            picture = next(itertools.islice(scene, 1, 2))
            (found,) = model.finder.find(picture)
            said = model.reads(picture, found, frame_index=index)
            reads.append(fused(said, INDIA))

        plate = vote([read for read in reads if read], INDIA)

        assert plate is not None
        assert plate.text == TRUCK_PLATE
        assert refusal(plate, GatePolicy()) is None
