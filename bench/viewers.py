"""Viewers of one camera: what 50 cost beside 1, and what one that is stuck changes.

A real worker draws a recording of 25 pictures a second, the real web process hands them
out. The viewers read as fast as they can; the stuck one asked and never reads.
"""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .live import Footprint, plant, wait_until
from .tables import percentile
from .viewing import cpu_s, seconds_since, web

if TYPE_CHECKING:
    from pathlib import Path

    import psutil

    from .tables import Row, Tables
    from .viewing import Web

CLIP = "tud_stadtmitte.mp4"
WAYS = ((1, 0), (50, 0), (50, 1))
"""How many read, and how many are stuck."""
SETTLE_S, MEASURE_S = 8.0, 30.0
FEED = "/api/video_feed?camera=CAM-1"
PART = b"Content-Type: image/jpeg"


@dataclass(slots=True)
class Viewer:
    """One that reads; `pauses_s` are the times between its pictures."""

    pauses_s: list[float] = field(default_factory=list)
    last_s: float = 0.0
    tail: bytes = b""

    def take(self, data: bytes, now_s: float) -> None:
        data = self.tail + data
        for _ in range(data.count(PART)):
            self.pauses_s.append(now_s - self.last_s)
            self.last_s = now_s
        self.tail = data[-len(PART) + 1 :]


def run(shared: Path) -> Tables:
    with plant(shared) as site:
        clip = str(shared / "samples" / "clips" / CLIP)
        site.add_cameras({"CAM-1": clip}, loop=True)
        with site.worker() as worker, web(site) as server:
            wait_until(site.are_online, what="the camera is online")
            rows = [measured(server, worker, *way) for way in WAYS]
    return {"viewers": with_ratios(rows)}


def measured(server: Web, worker: psutil.Process, reading: int, stuck: int) -> Row:
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(stuck):
            stack.enter_context(closing(server.ask(FEED, buffer_bytes=65_536)))
        viewers = [Viewer() for _ in range(reading)]
        for viewer in viewers:
            client = stack.enter_context(closing(server.ask(FEED)))
            client.settimeout(0)
            selector.register(client, selectors.EVENT_READ, viewer)
        read_for(selector, SETTLE_S)
        for viewer in viewers:
            viewer.pauses_s.clear()
        before, began_s = [cpu_s(server.process), cpu_s(worker)], time.monotonic()
        read_for(selector, MEASURE_S)
        took_s = seconds_since(began_s)
        after = [cpu_s(server.process), cpu_s(worker)]
    shares = [(b - a) / took_s for a, b in zip(before, after, strict=True)]
    rates = sorted(len(viewer.pauses_s) / took_s for viewer in viewers)
    pauses_s = [pause for viewer in viewers for pause in viewer.pauses_s]
    return {
        "viewers": reading,
        "stuck": stuck,
        "web CPU %": round(100 * shares[0]),
        "worker CPU %": round(100 * shares[1]),
        "CPU %": round(100 * sum(shares)),
        "least fps": round(rates[0], 1),
        "median fps": round(rates[len(rates) // 2], 1),
        "pause p95 ms": round(1000 * percentile(pauses_s, 95)),
        "web RSS MiB": Footprint.of(server.process).rss_mib,
    }


def read_for(selector: selectors.BaseSelector, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while (now_s := time.monotonic()) < until_s:
        for key, _ in selector.select(until_s - now_s):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            key.data.take(client.recv(1 << 20), time.monotonic())


def with_ratios(rows: list[Row]) -> list[Row]:
    return [{**row, "x one": round(row["CPU %"] / rows[0]["CPU %"], 2)} for row in rows]
