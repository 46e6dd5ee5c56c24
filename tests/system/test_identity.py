"""From a camera's picture to the access log, with the real worker and its weights."""

from __future__ import annotations

import ast
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.conftest import wait_until
from tests.visits import write_visits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system, pytest.mark.weights]
PATIENCE_S = 100
RECEPTION = """
from pathlib import Path
from identity.face_model import the_face_model
from identity.faces import decode
from identity.models import Employee, FaceSample
from streaming.models import Camera, Site
site = Site.objects.create(name="Plant", slug="plant")
Camera.objects.create(
    site=site, code="CAM-MAIN", name="Main", source_url={clip!r}, tasks=["faces"]
)
employee = Employee.objects.create(site=site, code="E-104", name="Somebody")
model, image = the_face_model(), decode(Path({photo!r}).read_bytes())
(face,) = model.finder.find(image)
vector = model.embedder.embed(image, face)
FaceSample.objects.create(
    employee=employee, embedding=vector, image="a.jpg", face_model=model.embedder.name,
    quality=1, height_px=200,
)
"""
VISITS = """
SELECT log.decision, employee.code, log.track_id, log.snapshot, log.last_seen_at
       - log.occurred_at
FROM identity_accesslog log
LEFT JOIN identity_employee employee ON employee.id = log.employee_id
ORDER BY log.occurred_at, log.id
"""
USAGE = """
from identity import usage
today = usage.today()
print((today.hits, today.misses, today.calls))
"""


@pytest.fixture
def faces(shared: Path) -> Path:
    return shared / "samples" / "faces"


def make_reception(plant: Plant, clip: Path, faces: Path) -> None:
    photo = faces / "knn_examples" / "train" / "obama" / "obama2.jpg"
    plant.manage("shell", "-c", RECEPTION.format(clip=str(clip), photo=str(photo)))


def who(plant: Plant) -> list[tuple[Any, ...]]:
    """Return the visits: what was decided, and who it was."""
    return [(decision, code) for decision, code, *_ in plant.rows(VISITS)]


@pytest.fixture
def reception(empty_plant: Plant, shared: Path, faces: Path, tmp_path: Path) -> Plant:
    """Give a plant to which an employee comes, and then somebody else."""
    plant = replace(empty_plant, models=shared / "models")
    known = faces / "knn_examples" / "train" / "obama" / "obama.jpg"
    clip = write_visits(tmp_path / "visits.mp4", [known, faces / "openface/adams.jpg"])
    make_reception(plant, clip, faces)
    return plant


BOTH = [("authorized", "E-104"), ("unknown", None)]


class TestVisits:
    def test_are_recorded_once_each_with_their_picture(self, reception: Plant) -> None:
        with reception.vision() as worker:
            wait_until(reception.ended, timeout_s=PATIENCE_S)
            wait_until(lambda: len(who(reception)) == 2, timeout_s=PATIENCE_S)
            worker.send(signal.SIGTERM)
            worker.exit_code()

        assert who(reception) == BOTH
        for *_, snapshot, _lasted in reception.rows(VISITS):
            picture = reception.folder / "media" / snapshot
            assert picture.read_bytes().startswith(b"\xff\xd8")

    def test_are_recorded_once_though_the_worker_is_killed(
        self, reception: Plant
    ) -> None:
        with reception.vision() as worker:
            wait_until(lambda: bool(who(reception)), timeout_s=PATIENCE_S)
            worker.send(signal.SIGKILL)
            worker.process.wait()
        assert who(reception) == BOTH[:1]

        with reception.vision():
            wait_until(reception.ended, timeout_s=PATIENCE_S)
            wait_until(lambda: len(who(reception)) == 2, timeout_s=PATIENCE_S)

        assert who(reception) == BOTH

    def test_are_recorded_by_another_worker_when_theirs_was_killed(
        self, reception: Plant
    ) -> None:
        """The engine is away, so that the offers lie on disk until then."""
        hide = "ALTER TABLE identity_employee RENAME TO hidden"
        reception.execute(hide)
        with reception.vision() as worker:
            worker.wait_for("faces wait on disk")
            wait_until(reception.ended, timeout_s=PATIENCE_S)
            worker.send(signal.SIGKILL)
            worker.process.wait()
        reception.execute("ALTER TABLE hidden RENAME TO identity_employee")
        assert who(reception) == []

        with reception.vision("vision-2"):
            wait_until(lambda: len(who(reception)) == 2, timeout_s=PATIENCE_S)

        assert who(reception) == BOTH


class TestLongVisit:
    @pytest.mark.parametrize("ttl_s", [300, 1], ids=["cached", "expired"])
    def test_is_one_row_and_one_search_as_long_as_it_is_remembered(
        self,
        empty_plant: Plant,
        shared: Path,
        faces: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        ttl_s: int,
    ) -> None:
        monkeypatch.setenv("CACHE_TTL_SECONDS", str(ttl_s))
        monkeypatch.setenv("UNKNOWN_COOLDOWN", "2")
        plant = replace(empty_plant, models=shared / "models")
        known = faces / "knn_examples" / "train" / "obama" / "obama.jpg"
        clip = write_visits(tmp_path / "visit.mp4", [known], stays_s=9)
        make_reception(plant, clip, faces)

        with plant.vision() as worker:
            wait_until(plant.ended, timeout_s=PATIENCE_S)
            worker.send(signal.SIGTERM)
            worker.exit_code()

        ((decision, code, *_, lasted),) = plant.rows(VISITS)
        assert (decision, code) == BOTH[0]
        assert lasted.total_seconds() > 5
        printed = plant.manage("shell", "-v0", "-c", USAGE)
        hits, misses, calls = ast.literal_eval(printed)
        assert calls == 0
        if ttl_s == 300:
            assert (hits > 2, misses) == (True, 1)
        else:
            assert misses > 1
