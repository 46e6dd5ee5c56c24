from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
from django.core.management import CommandError, call_command

from alerts.models import Alert
from attendance.models import AttendanceRecord, UnknownAttendance
from factory_site.management.commands import analyze_video
from factory_site.pipelines import the_recogniser
from identity.engines import the_engine
from identity.face_model import the_face_model
from identity.faces import decode
from identity.models import AccessLog
from occupancy.models import CountingLine, OccupancyLog
from streaming.vision.detectors import load_detector
from tests.factories import (
    make_assignment,
    make_camera,
    make_employee,
    make_face_sample,
    make_line,
    make_rule,
    make_zone,
)
from tests.fakes import BrightDetector, write_walk
from tests.vehicles.offers import gate_camera
from tests.visits import write_visits
from vehicles.models import Vehicle, VehicleLog
from vehicles.plate_model import the_working_plate_model
from vehicles.rules import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_django import Settings

    from identity.models import Employee
    from streaming.models import Camera

ROOT = Path(__file__).parents[2]
MIDDLE = "--line=0.5,0,0.5,1"


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> BrightDetector:
    detector = BrightDetector()
    monkeypatch.setattr(analyze_video, "the_detector", lambda: detector)
    return detector


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_walk(tmp_path / "walk.mp4", walks=2)


def analyse(clip: Path, *arguments: str) -> dict[str, Any]:
    report = clip.with_suffix(".json")
    call_command("analyze_video", str(clip), f"--report={report}", *arguments)
    return dict(json.loads(report.read_text()))


class TestAnalyzeVideo:
    def test_reports_every_frame_and_each_crossing(self, clip: Path) -> None:
        report = analyse(clip, MIDDLE, "--line=0.5,1,0.5,0")

        assert report["frames"] == report["frames_analysed"] == 80
        assert report["tracks"] >= 1
        assert [(line["in"], line["out"]) for line in report["lines"]] == [
            (2, 0),
            (0, 2),
        ]
        first, second = report["lines"][0]["crossings"]
        assert first["direction"] == second["direction"] == "in"
        assert 15 < first["frame"] < 30 < 55 < second["frame"] < 70

    def test_says_the_same_each_time(self, clip: Path) -> None:
        reports = [analyse(clip, MIDDLE) for _ in range(2)]

        assert reports[0]["lines"] == reports[1]["lines"]

    def test_analyses_fewer_frames_when_asked(self, clip: Path) -> None:
        report = analyse(clip, MIDDLE, "--detect-fps=5")

        assert report["frames"] == 80
        assert report["frames_analysed"] <= 42
        assert report["lines"][0]["in"] == 2

    def test_draws_every_frame(self, clip: Path, tmp_path: Path) -> None:
        drawn = tmp_path / "drawn.mp4"

        analyse(clip, MIDDLE, f"--annotated={drawn}", "--detect-fps=5")

        with av.open(str(drawn)) as video:
            assert sum(1 for _ in video.decode(video=0)) == 80

    @pytest.mark.django_db
    def test_records_the_crossings_of_a_camera_once(self, clip: Path) -> None:
        line = make_line()

        for _ in range(2):
            report = analyse(clip, f"--camera={line.camera.code}")

        assert report["lines"][0]["in"] == 2
        assert [log.current_count for log in OccupancyLog.objects.order_by("id")] == [
            1,
            2,
        ]

    @pytest.mark.django_db
    def test_records_them_once_though_the_line_is_renamed(self, clip: Path) -> None:
        line = make_line()
        analyse(clip, f"--camera={line.camera.code}")
        CountingLine.objects.update(name="Renamed")

        analyse(clip, f"--camera={line.camera.code}")

        assert OccupancyLog.objects.count() == 2

    @pytest.mark.django_db
    def test_reports_what_happens_in_zones_and_records_nothing_of_it(
        self, clip: Path
    ) -> None:
        right = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]
        zone = make_zone(points=right, restricted=True, capacity=1, loitering_seconds=1)
        make_rule(kind="zone_restricted")

        report = analyse(clip, f"--camera={zone.camera.code}")

        (found,) = report["zones"]
        assert (found["name"], found["most"]) == ("Queue", 1)
        first, second = found["entered"]
        assert 15 < first["frame"] < 35 < 55 < second["frame"] < 75
        assert [each["seconds"] for each in found["loitered"]] == [1, 1]
        assert [each["state"] for each in found["fullness"]] == []
        zone.refresh_from_db()
        assert zone.counted_at is None
        assert not Alert.objects.exists()

    @pytest.mark.django_db
    def test_records_when_it_happened(self, clip: Path) -> None:
        line = make_line()

        analyse(
            clip,
            f"--camera={line.camera.code}",
            "--started-at=2026-03-01T09:00+05:30",
            "--line=0.4,0,0.4,1",
        )

        first, second = OccupancyLog.objects.order_by("id")
        began_at = datetime(2026, 3, 1, 3, 30, tzinfo=UTC)
        assert began_at < first.occurred_at < began_at + timedelta(seconds=3)
        assert second.occurred_at - first.occurred_at == timedelta(seconds=4)


@pytest.fixture
def reception(
    shared: Path,
    detector: BrightDetector,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Camera]:
    """Give a camera that recognises people, with the real detector and face model."""
    settings.MODELS_DIR = shared / "models"
    people = load_detector(settings.MODELS_DIR / "yolo11n_int8_openvino_model")
    monkeypatch.setattr(analyze_video, "the_detector", lambda: people)
    for cached in (the_face_model, the_engine, the_recogniser):
        cached.cache_clear()
    yield make_camera(tasks=["faces"])
    for cached in (the_face_model, the_engine, the_recogniser):
        cached.cache_clear()


def enrol(employee: Employee, photo: Path) -> None:
    model, image = the_face_model(), decode(photo.read_bytes())
    (face,) = model.finder.find(image)
    vector = model.embedder.embed(image, face)
    make_face_sample(
        employee=employee, embedding=vector, face_model=model.embedder.name
    )


@pytest.fixture
def visits(reception: Camera, shared: Path, tmp_path: Path) -> Path:
    """Give a clip in which E-104, who has a shift from 09:00, comes, and a stranger."""
    faces = shared / "samples" / "faces"
    employee = make_employee(site=reception.site, code="E-104")
    make_assignment(employee=employee)
    enrol(employee, faces / "knn_examples" / "train" / "obama" / "obama2.jpg")
    shown = [
        faces / "knn_examples/train/obama/obama.jpg",
        faces / "openface/adams.jpg",
    ]
    return write_visits(tmp_path / "visits.mp4", shown)


@pytest.mark.weights
@pytest.mark.django_db
class TestIdentities:
    def test_are_told_of_each_visit_and_nothing_is_recorded(
        self, reception: Camera, visits: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reports = [
            analyse(visits, f"--camera={reception.code}", "--detect-fps=10")
            for _ in range(2)
        ]

        known, stranger = reports[0]["identities"]
        assert (known["decision"], known["employee"]) == ("authorized", "E-104")
        assert (stranger["decision"], stranger["employee"]) == ("unknown", None)
        assert known["similarity"] > 0.5 > 0.3 > stranger["similarity"]
        assert known["frame"] < 60 < stranger["frame"]
        assert reports[0]["identities"] == reports[1]["identities"]
        assert not AccessLog.objects.exists()
        assert "E-104" in capsys.readouterr().out

    def test_are_recorded_as_if_seen_live_where_that_is_wanted(
        self, reception: Camera, visits: Path, settings: Settings, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = tmp_path / "media"
        reception.tasks = ["faces", "attendance"]
        reception.save()
        told = analyse(visits, f"--camera={reception.code}", "--detect-fps=10")
        wanted = ("--record", "--started-at=2026-03-02T09:05+05:30")

        reports = [
            analyse(visits, f"--camera={reception.code}", "--detect-fps=10", *wanted)
            for _ in range(2)
        ]

        assert [each["identities"] for each in reports] == [told["identities"]] * 2
        known, stranger = AccessLog.objects.order_by("occurred_at")
        day = AttendanceRecord.objects.get()
        assert day.check_in is not None
        assert day.check_in.access_log == known
        assert (day.attendance_date, day.status) == (date(2026, 3, 2), "present")
        began_at = datetime(2026, 3, 2, 3, 35, tzinfo=UTC)
        assert began_at < day.check_in.occurred_at < began_at + timedelta(seconds=2)
        assert day.check_in.occurred_at < known.occurred_at
        assert UnknownAttendance.objects.get().access_log == stranger


@pytest.fixture
def gate(
    shared: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Camera]:
    """Give a camera at a gate, with the real detector and plate reader."""
    settings.MODELS_DIR, settings.MEDIA_ROOT = shared / "models", tmp_path / "media"
    vehicles = load_detector(settings.MODELS_DIR / "yolo11n_int8_openvino_model")
    monkeypatch.setattr(analyze_video, "the_detector", lambda: vehicles)
    the_working_plate_model.cache_clear()
    yield gate_camera()
    the_working_plate_model.cache_clear()


@pytest.mark.weights
@pytest.mark.django_db
class TestPlates:
    def car(self, shared: Path, tmp_path: Path, plate: str) -> Path:
        """Copy a clip to where its report may lie beside it."""
        clips = shared / "samples" / "clips"
        return Path(shutil.copy(clips / f"car_{plate}.mp4", tmp_path))

    @pytest.mark.parametrize("plate", ["JH10BP8513", "UP32MW0479"])
    def test_are_told_of_each_vehicle_and_nothing_is_recorded(
        self,
        gate: Camera,
        shared: Path,
        tmp_path: Path,
        plate: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        clip = self.car(shared, tmp_path, plate)

        report = analyse(clip, f"--camera={gate.code}", "--detect-fps=10")

        (sure,) = [each for each in report["plates"] if each["decision"] != "rejected"]
        assert (sure["text"], sure["as_read"]) == (plate, plate)
        assert (sure["decision"], sure["reason"]) == ("unknown", "unlisted")
        assert sure["confidence"] >= CONFIDENCE
        assert 1 <= sure["frame"] <= report["frames"]
        assert plate in capsys.readouterr().out
        assert not VehicleLog.objects.exists()

    def test_are_recorded_once_where_that_is_wanted(
        self, gate: Camera, shared: Path, tmp_path: Path
    ) -> None:
        clip = self.car(shared, tmp_path, "UP32MW0479")
        vehicle = Vehicle.objects.create(site=gate.site, plate_number="UP32MW0479")
        told = analyse(clip, f"--camera={gate.code}", "--detect-fps=10")
        wanted = ("--record", "--started-at=2026-03-02T09:05+05:30")

        reports = [
            analyse(clip, f"--camera={gate.code}", "--detect-fps=10", *wanted)
            for _ in range(2)
        ]

        assert [each["plates"] for each in reports] == [told["plates"]] * 2
        log = VehicleLog.objects.exclude(status="rejected").get()
        assert (log.vehicle, log.status, log.opens) == (vehicle, "authorized", True)
        began_at = datetime(2026, 3, 2, 3, 35, tzinfo=UTC)
        assert began_at <= log.occurred_at < began_at + timedelta(seconds=10)


class TestRefusals:
    def refusal(self, *arguments: str) -> str:
        with pytest.raises(CommandError) as raised:
            call_command("analyze_video", *arguments, stderr=StringIO())
        return str(raised.value)

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("0.5,0,0.5,0", "has no length"),
            ("0.5,0,0.5", "is not four numbers"),
            ("a,b,c,d", "is not four numbers"),
            ("0.5,0,0.5,2", "leaves the picture"),
        ],
    )
    def test_name_what_is_wrong_with_a_line(
        self, clip: Path, line: str, sentence: str
    ) -> None:
        assert sentence in self.refusal(str(clip), f"--line={line}")

    def test_name_a_missing_file(self) -> None:
        assert "/nowhere/clip.mp4 does not exist" in self.refusal("/nowhere/clip.mp4")

    def test_name_a_file_that_is_no_video(self, tmp_path: Path) -> None:
        text = tmp_path / "notes.mp4"
        text.write_text("not a video")

        assert "is not a video" in self.refusal(str(text), MIDDLE)

    @pytest.mark.django_db
    def test_name_an_unknown_camera(self, clip: Path) -> None:
        make_camera(code="CAM-MAIN")

        sentence = self.refusal(str(clip), "--camera=CAM-NONE")

        assert "CAM-NONE" in sentence

    def test_name_a_folder_that_is_missing_before_anything_is_done(
        self, clip: Path, detector: BrightDetector
    ) -> None:
        sentence = self.refusal(str(clip), "--report=/nowhere/r.json")

        assert "no folder /nowhere" in sentence
        assert detector.batches == []

    @pytest.mark.parametrize(
        ("told", "missing"),
        [
            (["--started-at=2026-03-02T09:05+05:30"], "at which camera"),
            (["--camera=CAM-MAIN"], "when the recording began"),
            (["--camera=CAM-MAIN", "--started-at=2126-03-02T09:05Z"], "in the future"),
        ],
    )
    def test_name_what_is_needed_to_record(
        self, clip: Path, detector: BrightDetector, told: list[str], missing: str
    ) -> None:
        assert missing in self.refusal(str(clip), "--record", *told)
        assert detector.batches == []

    def test_name_an_instant_without_a_zone(self, clip: Path) -> None:
        sentence = self.refusal(str(clip), "--started-at=2026-03-01T09:00")

        assert "2026-03-01T09:00+05:30" in sentence

    def test_name_a_rate_that_makes_no_sense(self, clip: Path) -> None:
        assert "more than 0" in self.refusal(str(clip), "--detect-fps=0")


class TestWithoutDatabase:
    def test_counts_lines(self, clip: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.json"

        done = run_alone([str(clip), MIDDLE, f"--report={report}"], tmp_path)

        assert done.returncode == 0, done.stderr
        assert json.loads(report.read_text())["frames"] == 80


def run_alone(
    arguments: Sequence[str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with no server anywhere."""
    return subprocess.run(
        [sys.executable, "manage.py", "analyze_video", *arguments],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(folder / "var")},
        capture_output=True,
        text=True,
        check=False,
    )
