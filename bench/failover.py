"""Two vision workers share eight cameras; one is killed with SIGKILL.

On real RTSP cameras: how long until the other one shows pictures of all of them. With
recordings played once: whether the crossings equal those of a run without a fault. A
killed process sees nothing more, so on live cameras there is nothing to compare.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from tests.cameras import RtspServer

from .live import CLIPS, clips_of, code_of, plant, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from .live import Plant
    from .tables import Rows, Tables

KILLED, OTHER = "vision-1", "vision-2"
SETTLE_S = 5.0
RUN_S = 300.0
RECORDINGS = (
    "tud_stadtmitte.mp4",
    "pets_300f_768x576.mp4",
    "tud_stadtmitte.mp4",
    "cars_from_above.mp4",
    "tud_stadtmitte.mp4",
    "car_UP32MW0479.mp4",
    "tud_stadtmitte.mp4",
    "worker_zone.mp4",
)
Crossing = tuple[str, str, int, int, int, int]
"""Camera, line, frame, track, entries, exits."""


def run(shared: Path, *, repeats: int) -> Tables:
    return {
        "failover: live cameras": live(shared, repeats),
        "failover: recordings": recordings(shared, repeats),
    }


def live(shared: Path, repeats: int) -> Rows:
    with plant(shared) as site, RtspServer(*clips_of(shared)) as server:
        site.add_cameras(
            {code_of(n): f"rtsp://{server.host}/cam{n}" for n in range(len(CLIPS))}
        )
        return [{"run": n + 1, **taken_over(site)} for n in range(repeats)]


def taken_over(site: Plant) -> dict[str, float]:
    """Return how long the survivor needs, in seconds since the kill."""
    with site.worker(OTHER), site.worker(KILLED) as victim:
        half = len(CLIPS) // 2
        wait_until(lambda: len(shown_by(site, KILLED)) >= half, what="an even spread")
        time.sleep(SETTLE_S)
        orphans = held_by(site, KILLED)
        before = Counter(shown_by(site, OTHER))
        victim.kill()
        first_s, all_s = (
            wait_until(partial(has, site, before, orphans, number), what="a take-over")
            for number in (1, len(orphans))
        )
    return {
        "cameras of the killed": len(orphans),
        "first s": round(first_s, 1),
        "all s": round(first_s + all_s, 1),
    }


def held_by(site: Plant, worker: str) -> set[str]:
    rows = site.rows("SELECT code, lease_holder FROM streaming_camera")
    return {code for code, holder in rows if holder == worker}


def shown_by(site: Plant, worker: str) -> list[str]:
    """Return the cameras whose pictures came, as often as the worker's log says so."""
    return re.findall(r"(\S+) is online", site.log(worker).read_text())


def has(site: Plant, before: Counter[str], orphans: set[str], number: int) -> bool:
    """Whether the survivor has shown so many of the orphans since `before`."""
    new = Counter(shown_by(site, OTHER)) - before
    return len(orphans & set(new)) >= number


def recordings(shared: Path, repeats: int) -> Rows:
    folder = shared / "samples" / "clips"
    with plant(shared) as site:
        site.add_cameras(
            {code_of(n): str(folder / name) for n, name in enumerate(RECORDINGS)}
        )
        with site.worker(OTHER):
            wait_until(lambda: is_over(site), what="the end", timeout_s=RUN_S)
        whole = crossings(site)
        return [{"run": n + 1, **compared(site, whole)} for n in range(repeats)]


def compared(site: Plant, whole: Counter[Crossing]) -> dict[str, float]:
    """Kill one worker in the middle of a run, and compare with the `whole`."""
    site.database.execute("DELETE FROM occupancy_occupancylog")
    site.database.execute("UPDATE streaming_camera SET state = 'unknown'")
    with site.worker(OTHER), site.worker(KILLED) as victim:
        third = whole.total() // 3
        wait_until(lambda: crossings(site).total() >= third, what="the middle")
        orphans = held_by(site, KILLED)
        victim.kill()
        took_s = wait_until(lambda: is_over(site), what="the end", timeout_s=RUN_S)
    found = crossings(site)
    return {
        "cameras of the killed": len(orphans),
        "s to the end": round(took_s),
        "crossings": found.total(),
        "without a fault": whole.total(),
        "lost": (whole - found).total(),
        "doubled": (found - whole).total(),
    }


def crossings(site: Plant) -> Counter[Crossing]:
    return Counter(
        site.rows(
            "SELECT camera.code, line.name, frame_index, track_id, entries, exits"
            " FROM occupancy_occupancylog AS log"
            " JOIN streaming_camera AS camera ON camera.id = log.camera_id"
            " JOIN occupancy_countingline AS line ON line.id = log.line_id"
        )
    )


def is_over(site: Plant) -> bool:
    return set(site.states().values()) == {"ended"}
