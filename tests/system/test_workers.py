"""Two vision workers share the cameras, and one takes over when the other ends."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from factory_site import embedded
from factory_site.embedded_servers import Postgres
from tests.cameras import NoRtspServer, RtspServer
from tests.fakes import write_walk
from tests.system.conftest import stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.system.conftest import Plant

pytestmark = pytest.mark.system
CODES = [f"CAM-{number}" for number in range(8)]
LINES = (0.3, 0.5, 0.7)
WALKS, WALK_S = 4, 3.0
PATIENCE_S = 90
PROMISE_S, OPENING_S = 15, 10
CAMERAS = """
from streaming.models import Camera, Site
from occupancy.models import CountingLine
site = Site.objects.create(name="Plant", slug="plant")
for code, source in {!r}.items():
    camera = Camera.objects.create(
        site=site, code=code, name=code, source_url=source, enabled=False
    )
    for x in {!r}:
        CountingLine.objects.create(camera=camera, name=str(x), x1=x, y1=0, x2=x, y2=1)
"""
ENABLE = "from streaming.models import Camera; Camera.objects.update(enabled=True)"
CROSSINGS = """
SELECT camera.code, line.name, log.frame_index, log.track_id, log.entries, log.exits,
       log.occurred_at
FROM occupancy_occupancylog log
JOIN occupancy_countingline line ON line.id = log.line_id
JOIN streaming_camera camera ON camera.id = log.camera_id
ORDER BY camera.code, log.id
"""


def make_cameras(plant: Plant, sources: dict[str, str]) -> None:
    plant.manage("shell", "-c", CAMERAS.format(sources, LINES))


def held(plant: Plant) -> Counter[str]:
    """Return how many cameras each worker holds, by its name."""
    rows = plant.rows(
        "SELECT lease_holder FROM streaming_camera WHERE lease_until > now()"
    )
    return Counter(name for (name,) in rows)


def states(plant: Plant) -> Counter[str]:
    return Counter(
        state for (state,) in plant.rows("SELECT state FROM streaming_camera")
    )


def start_together(plant: Plant) -> None:
    """Switch the cameras on when both workers are known: each then takes its half."""
    workers = "SELECT name FROM streaming_visionworker"
    wait_until(lambda: len(plant.rows(workers)) == 2, timeout_s=PATIENCE_S)
    plant.manage("shell", "-c", ENABLE)
    wait_until(lambda: sorted(held(plant).values()) == [4, 4], timeout_s=PATIENCE_S)


def crossings(plant: Plant) -> dict[str, list[tuple[Any, ...]]]:
    """Return the crossings of each camera: line, frame, track, entries, exits."""
    found: dict[str, list[tuple[Any, ...]]] = {code: [] for code in CODES}
    for code, *crossing, _ in plant.rows(CROSSINGS):
        found[code].append(tuple(crossing))
    return found


class TestRecordings:
    def test_are_counted_whole_and_once_though_a_worker_is_killed(
        self, empty_plant: Plant, tmp_path: Path
    ) -> None:
        plant = empty_plant
        clip = write_walk(tmp_path / "walk.mp4", walks=WALKS, seconds=WALK_S)
        make_cameras(plant, dict.fromkeys(CODES, str(clip)))
        with (
            plant.vision("vision-1", bright=True) as one,
            plant.vision("vision-2", bright=True),
        ):
            start_together(plant)
            time.sleep(WALKS * WALK_S / 2)
            one.send(signal.SIGKILL)
            wait_until(
                lambda: states(plant) == {"ended": len(CODES)}, timeout_s=PATIENCE_S
            )

        counted = crossings(plant)
        plant.manage(
            "analyze_video",
            str(clip),
            f"--camera={CODES[0]}",
            "--detect-fps=10",
            bright=True,
        )
        assert crossings(plant) == counted
        assert len(counted[CODES[0]]) == WALKS * len(LINES)
        assert all(rows == counted[CODES[0]] for rows in counted.values())


@pytest.fixture
def live_plant(empty_plant: Plant, tmp_path: Path) -> Iterator[Plant]:
    """Give a plant with eight RTSP cameras that never end."""
    clip = write_walk(tmp_path / "walk.mp4", seconds=WALK_S)
    try:
        with RtspServer(*[f"{code}={clip}" for code in CODES]) as cameras:
            sources = {code: f"rtsp://{cameras.host}/{code}" for code in CODES}
            make_cameras(empty_plant, sources)
            yield empty_plant
    except NoRtspServer as error:
        pytest.skip(str(error))


def came_online_after(plant: Plant, at: datetime, codes: Sequence[str]) -> bool:
    rows = plant.rows("SELECT code, state, state_since FROM streaming_camera")
    return all(
        state == "online" and since > at for code, state, since in rows if code in codes
    )


class TestLiveCameras:
    @pytest.mark.parametrize(
        "number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name
    )
    def test_are_taken_over_and_nothing_is_counted_twice(
        self, live_plant: Plant, number: signal.Signals
    ) -> None:
        plant = live_plant
        with (
            plant.vision("vision-1", bright=True) as one,
            plant.vision("vision-2", bright=True),
        ):
            start_together(plant)
            wait_until(
                lambda: states(plant) == {"online": len(CODES)}, timeout_s=PATIENCE_S
            )
            time.sleep(WALK_S)
            theirs = plant.rows(
                "SELECT code FROM streaming_camera WHERE lease_holder = 'vision-1'"
            )
            codes = [code for (code,) in theirs]
            ((ended_at,),) = plant.rows("SELECT now()")
            one.send(number)
            wait_until(
                lambda: came_online_after(plant, ended_at, codes), timeout_s=PATIENCE_S
            )
            assert held(plant) == {"vision-2": len(CODES)}
            ((last_at,),) = plant.rows("SELECT max(state_since) FROM streaming_camera")
            took_s = (last_at - ended_at).total_seconds()
            sys.stdout.write(f"{number.name}: {len(codes)} moved in {took_s:.1f} s\n")
            time.sleep(2 * WALK_S)

        assert took_s < PROMISE_S + OPENING_S
        assert_counted_once(plant)

    def test_stay_with_their_workers_though_postgres_is_away_for_long(
        self, live_plant: Plant
    ) -> None:
        plant, terms = live_plant, "SELECT code, lease_term FROM streaming_camera"
        postgres = Postgres.under(plant.folder)
        with (
            plant.vision("vision-1", bright=True),
            plant.vision("vision-2", bright=True),
        ):
            start_together(plant)
            wait_until(
                lambda: states(plant) == {"online": len(CODES)}, timeout_s=PATIENCE_S
            )
            before = sorted(plant.rows(terms))
            away_at = datetime.now(UTC)
            stop(postgres)
            time.sleep(PROMISE_S)
            back_at = datetime.now(UTC)
            embedded.revive(postgres)
            wait_until(lambda: all_counted_after(plant, back_at), timeout_s=PATIENCE_S)
            time.sleep(PROMISE_S)
            assert sorted(plant.rows(terms)) == before

        assert_counted_once(plant)
        meanwhile = {
            (code, line)
            for code, line, *_, at in plant.rows(CROSSINGS)
            if away_at < at < back_at
        }
        assert len(meanwhile) == len(CODES) * len(LINES)


def all_counted_after(plant: Plant, instant: datetime) -> bool:
    """Whether every line was crossed, and that recorded, after the instant."""
    last = [max(at) for at in times_of_crossings(plant).values()]
    return len(last) == len(CODES) * len(LINES) and min(last) > instant


def times_of_crossings(plant: Plant) -> dict[tuple[str, str], list[datetime]]:
    """Return when somebody crossed, by camera and line."""
    found: dict[tuple[str, str], list[datetime]] = {}
    for code, line, *_, at in plant.rows(CROSSINGS):
        found.setdefault((code, line), []).append(at)
    return found


def assert_counted_once(plant: Plant) -> None:
    """A line is crossed once a walk: two rows that are closer are one crossing."""
    times = times_of_crossings(plant)
    assert len(times) == len(CODES) * len(LINES)
    for at in times.values():
        gaps_s = [(b - a).total_seconds() for a, b in pairwise(sorted(at))]
        assert min(gaps_s, default=WALK_S) > WALK_S / 2
