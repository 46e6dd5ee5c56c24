"""Eight cameras over real RTSP, one vision worker, for as long as `--minutes` says.

Shows whether the pictures per second are held, what is left out, and whether the
process grows. The first seconds, in which cameras open and weights are loaded, are not
measured.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

import psutil

from tests.cameras import RtspServer

from .live import CLIPS, Footprint, clips_of, code_of, plant, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from streaming.workers import WorkerStatus

    from .live import Plant
    from .tables import Row, Rows, Tables

WARM_UP_S = 30.0
EVERY_S = 5.0
PARTS = 4
"""Into so many parts the time is cut where the worker is shown."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What there was to see at one time."""

    at_s: float
    status: WorkerStatus
    footprint: Footprint
    crossings: Mapping[str, int]
    machine_percent: float
    """Share of all cores in use since the moment before, cameras included."""


def run(shared: Path, *, minutes: float) -> Tables:
    with plant(shared) as site, RtspServer(*clips_of(shared)) as server:
        site.add_cameras(
            {code_of(n): f"rtsp://{server.host}/cam{n}" for n in range(len(CLIPS))}
        )
        with site.worker() as process:
            wait_until(site.are_online, what="all cameras online")
            time.sleep(WARM_UP_S)
            moments = watched(site, process, seconds=minutes * 60)
    return {"soak: cameras": of_cameras(moments), "soak: worker": of_worker(moments)}


def watched(site: Plant, process: psutil.Process, *, seconds: float) -> list[Moment]:
    psutil.cpu_percent()
    until_s = time.monotonic() + seconds
    moments = [looked_at(site, process)]
    while time.monotonic() < until_s:
        time.sleep(min(EVERY_S, max(until_s - time.monotonic(), 0)))
        moments.append(looked_at(site, process))
    return moments


def looked_at(site: Plant, process: psutil.Process) -> Moment:
    """Wait for the worker's next report and look at everything then."""
    before = site.workers()
    wait_until(lambda: site.workers() != before, what="a report of the worker")
    (status,) = site.workers().values()
    counts = site.rows(
        "SELECT code, count(log.id) FROM streaming_camera AS camera"
        " LEFT JOIN occupancy_occupancylog AS log ON log.camera_id = camera.id"
        " GROUP BY code"
    )
    return Moment(
        time.monotonic(),
        status,
        Footprint.of(process),
        dict(counts),
        psutil.cpu_percent(),
    )


def of_cameras(moments: Sequence[Moment]) -> Rows:
    return [of_camera(number, moments) for number in range(len(CLIPS))]


def of_camera(number: int, moments: Sequence[Moment]) -> Row:
    code, clip = code_of(number), CLIPS[number]
    first, last = moments[0], moments[-1]
    every = [moment.status.cameras[code] for moment in moments]
    start, end = every[0], every[-1]
    seconds = last.at_s - first.at_s
    return {
        "camera": code,
        "clip": clip.name,
        "fps of it": clip.fps,
        "fps in": round((end.frames_read - start.frames_read) / seconds, 2),
        "analysed/s": round(fmean(stats.fps_analysed for stats in every), 2),
        "detected/s": round((end.frames_analysed - start.frames_analysed) / seconds, 2),
        "dropped": end.dropped - start.dropped,
        "shed": end.shed - start.shed,
        "corrupt": end.corrupt_packets - start.corrupt_packets,
        "latency ms": round(fmean(stats.latency_ms for stats in every)),
        "worst ms": round(max(stats.latency_ms for stats in every)),
        "opened": end.connects,
        "idle %": round(100 * fmean(stats.is_idle for stats in every)),
        "crossings": last.crossings[code] - first.crossings[code],
    }


def of_worker(moments: Sequence[Moment]) -> Rows:
    steps = [round(part * (len(moments) - 1) / PARTS) for part in range(PARTS + 1)]
    parts = [moments[begin : end + 1] for begin, end in pairwise(steps)]
    return [of_part(part, moments[0].at_s) for part in parts if len(part) > 1]


def of_part(part: Sequence[Moment], began_s: float) -> Row:
    """Show the worker over a part of the time, its memory at the end of it."""
    first, last = part[0], part[-1]
    from_minute, to_minute = ((each.at_s - began_s) / 60 for each in (first, last))
    seconds = last.at_s - first.at_s
    cpu_s = last.footprint.cpu_s - first.footprint.cpu_s
    return {
        "minutes": f"{from_minute:.1f} to {to_minute:.1f}",
        "RSS MiB": last.footprint.rss_mib,
        "USS MiB": last.footprint.uss_mib,
        "most USS MiB": max(moment.footprint.uss_mib for moment in part),
        "CPU % of a core": round(100 * cpu_s / seconds),
        "machine CPU %": round(fmean(moment.machine_percent for moment in part[1:])),
        "busy %": round(100 * fmean(moment.status.busy for moment in part)),
        "queued": last.status.queued,
        "failed": last.status.failed,
        "left out": last.status.stale,
    }
