"""After a fault the log equals that of a run without one."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from factory_site import embedded
from factory_site.embedded_servers import Postgres
from tests.system.conftest import stop, wait_until

if TYPE_CHECKING:
    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system, pytest.mark.weights]
CLIP_S, PATIENCE_S = 7, 60
SWITCH_OFF = "from streaming.models import Camera; Camera.objects.update(enabled=False)"


def assert_log_is_whole(plant: Plant) -> None:
    """Compare with an analysis of the same recording at the same rate.

    It makes the same events, so it adds nothing, and the counts follow one another.
    """
    live = plant.crossings()
    report = plant.folder / "report.json"
    clip = "tud_stadtmitte.mp4"
    source = plant.manage(
        "shell",
        "-v0",
        "-c",
        "from streaming.models import Camera; print(Camera.objects.get().source_url)",
    ).strip()
    assert source.endswith(clip)
    plant.manage(
        "analyze_video",
        source,
        "--camera=CAM-MAIN",
        "--detect-fps=10",
        f"--report={report}",
    )
    lines = json.loads(report.read_text())["lines"]
    assert len(live) == sum(line["in"] + line["out"] for line in lines) > 4
    assert plant.crossings() == live
    count = 0
    for *_, entries, exits, current in live:
        count = max(count + entries - exits, 0)
        assert current == count


class TestKilledWorker:
    def test_loses_and_doubles_nothing(self, plant: Plant) -> None:
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            time.sleep(CLIP_S / 2)
            worker.send(signal.SIGKILL)
            worker.process.wait()

        with plant.vision():
            wait_until(plant.ended, timeout_s=PATIENCE_S)

        assert_log_is_whole(plant)

    @pytest.mark.parametrize("name", ["vision-1", "vision-2"])
    def test_leaves_its_events_to_the_next_one(self, plant: Plant, name: str) -> None:
        """The next one runs no camera, so it has no events but those on disk."""
        postgres = Postgres.under(plant.folder)
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            stop(postgres)
            worker.wait_for("Postgres does not answer")
            worker.wait_for("CAM-MAIN is ended")
            worker.send(signal.SIGKILL)
            worker.process.wait()
        embedded.revive(postgres)
        before = len(plant.crossings())
        plant.manage("shell", "-c", SWITCH_OFF)

        with plant.vision(name):
            wait_until(lambda: len(plant.crossings()) > before, timeout_s=PATIENCE_S)
            time.sleep(1)

        assert_log_is_whole(plant)


class TestStoppedPostgres:
    def test_loses_and_doubles_nothing(self, plant: Plant) -> None:
        postgres = Postgres.under(plant.folder)
        with plant.vision() as worker:
            worker.wait_for("CAM-MAIN is online")
            time.sleep(CLIP_S / 3)
            stop(postgres)
            worker.wait_for("Postgres does not answer")
            time.sleep(CLIP_S)
            embedded.revive(postgres)
            worker.wait_for("Postgres answers again")
            wait_until(plant.ended, timeout_s=PATIENCE_S)

        assert_log_is_whole(plant)
