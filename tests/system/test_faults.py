"""After a fault the log equals that of a run without one."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from persistqueue.sqlackqueue import AckStatus

from factory_site import embedded
from factory_site.embedded_servers import Postgres
from tests.system.conftest import stop, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system, pytest.mark.weights]
CLIP_S, PATIENCE_S = 7, 60
NOT_RECORDED = (
    f"SELECT count(*) FROM ack_queue_default WHERE status < {AckStatus.acked}"
)
SWITCH_OFF = "from streaming.models import Camera; Camera.objects.update(enabled=False)"


@dataclass
class Analysis:
    """What an analysis of the recording finds, at the rate of the live camera."""

    clip: Path
    crossings: list[tuple[Any, ...]] = field(default_factory=list)

    def assert_log_is_whole(self, plant: Plant) -> None:
        """Compare what was recorded live with it, and the counts with one another."""
        live = plant.crossings()
        if not self.crossings:
            self._add_nothing(plant)
            self.crossings = live
        assert live == self.crossings
        count = 0
        for *_, entries, exits, current in live:
            count = max(count + entries - exits, 0)
            assert current == count

    def _add_nothing(self, plant: Plant) -> None:
        """Analyse; it makes the same events, so it adds none to a log that is whole."""
        live = plant.crossings()
        report = plant.folder / "report.json"
        arguments = ["--camera=CAM-MAIN", "--detect-fps=10", f"--report={report}"]
        plant.manage("analyze_video", str(self.clip), *arguments)
        lines = json.loads(report.read_text())["lines"]
        assert len(live) == sum(line["in"] + line["out"] for line in lines) > 4
        assert plant.crossings() == live


@pytest.fixture(scope="module")
def analysis(shared: Path) -> Analysis:
    """Give the analysis, which is made once: plants begin as the same copy."""
    return Analysis(shared / "samples" / "clips" / "tud_stadtmitte.mp4")


def left_on_disk(plant: Plant) -> int:
    """Return how many events of vision-1 are not recorded."""
    queue = plant.folder / "queue" / "vision-1" / "data.db"
    with closing(sqlite3.connect(queue)) as connection:
        (left,) = connection.execute(NOT_RECORDED).fetchone()
    return int(left)


def is_recorded(plant: Plant) -> bool:
    """Whether the recording was played to its end and its events are all recorded."""
    return plant.ended() and left_on_disk(plant) == 0


class TestKilledWorker:
    def test_loses_and_doubles_nothing(self, plant: Plant, analysis: Analysis) -> None:
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            time.sleep(CLIP_S / 2)
            worker.send(signal.SIGKILL)
            worker.process.wait()

        with plant.vision():
            wait_until(lambda: is_recorded(plant), timeout_s=PATIENCE_S)

        analysis.assert_log_is_whole(plant)

    @pytest.mark.parametrize("name", ["vision-1", "vision-2"])
    def test_leaves_its_events_to_the_next_one(
        self, plant: Plant, analysis: Analysis, name: str
    ) -> None:
        """The next one runs no camera, so it has no events but those on disk."""
        postgres = Postgres.under(plant.folder)
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            stop(postgres)
            worker.wait_for("Postgres does not answer")
            worker.wait_for("CAM-MAIN is ended")
            worker.send(signal.SIGKILL)
            worker.process.wait()
        assert left_on_disk(plant) > 0
        embedded.revive(postgres)
        before = len(plant.crossings())
        plant.manage("shell", "-c", SWITCH_OFF)

        with plant.vision(name):
            wait_until(lambda: left_on_disk(plant) == 0, timeout_s=PATIENCE_S)

        assert len(plant.crossings()) > before
        analysis.assert_log_is_whole(plant)


class TestStoppedPostgres:
    def test_loses_and_doubles_nothing(self, plant: Plant, analysis: Analysis) -> None:
        postgres = Postgres.under(plant.folder)
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            time.sleep(CLIP_S / 3)
            stop(postgres)
            worker.wait_for("Postgres does not answer")
            time.sleep(CLIP_S)
            embedded.revive(postgres)
            worker.wait_for("Postgres answers again")
            wait_until(lambda: is_recorded(plant), timeout_s=PATIENCE_S)

        analysis.assert_log_is_whole(plant)
