"""Eight RTSP cameras, each behind a network that fails again and again.

A cut ends the connection and the camera is back at once; a refusal lasts 0 to 20 s; in
a stall of 6 to 20 s the connection stays and nothing comes. Measured is what everybody
sees, the camera's state in Postgres: from the fault to "not online", and from the
camera's return to "online", which a worker says of the first picture.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Final

from tests.cameras import RtspServer
from tests.proxy import Proxy

from .live import CLIPS, Footprint, clips_of, code_of, plant, wait_until
from .tables import percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psutil

    from .live import Plant
    from .tables import Row, Rows, Tables

WARM_UP_S = 30.0
PARTS = 4
"""The worker is looked at after each of so many parts of the faults."""
REST_S = (2.0, 5.0)
LOOK_EVERY_S = 0.05
NOTICE_S = 10.0
RESTORE_S = 90.0
STATES: Final = """
SELECT code, state, count(outage.id) FROM streaming_camera AS camera
LEFT JOIN streaming_cameraoutage AS outage ON outage.camera_id = camera.id
GROUP BY camera.id
"""
LENGTHS_S = {"cut": (0.0, 0.0), "refused": (0.0, 20.0), "stalled": (6.0, 20.0)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fault and its end, in seconds."""

    kind: str
    noticed_s: float | None
    """From the fault on; None where nothing was said of it."""
    restored_s: float | None
    """From the camera's return on; None where it was noticed and never undone."""


@dataclass(slots=True)
class Watch:
    """Remembers when which camera turned from online to not online, and back."""

    site: Plant
    changes: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    outages: dict[str, int] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def looking(self) -> Iterator[None]:
        stopping = threading.Event()

        def look() -> None:
            while not stopping.wait(LOOK_EVERY_S):
                self.look()

        with ThreadPoolExecutor(1) as pool:
            looker = pool.submit(look)
            try:
                yield
            finally:
                stopping.set()
                looker.result()

    def look(self) -> None:
        """Note what turned; an outage that came and went since turned both ways now."""
        rows, now_s = self.site.rows(STATES), time.monotonic()
        with self.changed:
            for code, state, outages in rows:
                changes = self.changes.setdefault(code, [])
                is_new = outages > self.outages.get(code, outages)
                self.outages[code] = outages
                for is_online in [*[False] * is_new, state == "online"]:
                    if not changes or changes[-1][1] != is_online:
                        changes.append((now_s, is_online))
            self.changed.notify_all()

    def wait_for(
        self, code: str, *, online: bool, since_s: float, until_s: float
    ) -> float | None:
        """Return when the camera turned so, see `turned_s`; None if it never did."""

        def found_s() -> float | None:
            return turned_s(self.changes[code], online=online, since_s=since_s)

        with self.changed:
            self.changed.wait_for(
                lambda: found_s() is not None, timeout=until_s - time.monotonic()
            )
            return found_s()


def turned_s(
    changes: Sequence[tuple[float, bool]], *, online: bool, since_s: float
) -> float | None:
    """Return the first time from `since_s` on at which a camera is (not) online.

    `changes` are the times at which it turned online (True) or not, in order.
    """
    by_then = [is_online for at_s, is_online in changes if at_s <= since_s]
    if by_then[-1:] == [online]:
        return since_s
    later = (at_s for at_s, is_online in changes if is_online == online)
    return next((at_s for at_s in later if at_s > since_s), None)


def run(shared: Path, *, faults: int) -> Tables:
    with ExitStack() as stack:
        site = stack.enter_context(plant(shared))
        server = stack.enter_context(RtspServer(*clips_of(shared)))
        networks = [stack.enter_context(Proxy(server.port)) for _ in CLIPS]
        site.add_cameras(
            {
                code_of(n): f"rtsp://127.0.0.1:{network.port}/cam{n}"
                for n, network in enumerate(networks)
            }
        )
        process = stack.enter_context(site.worker())
        wait_until(site.are_online, what="all cameras online")
        time.sleep(WARM_UP_S)
        outcomes: list[Outcome] = []
        states = [state_of(site, process, outcomes)]
        for part in range(PARTS):
            until = round(faults * (part + 1) / PARTS)
            outcomes += all_suffer(site, networks, range(len(outcomes), until))
            time.sleep(REST_S[1])
            states.append(state_of(site, process, outcomes))
    return {"disconnects": of_outcomes(outcomes), "disconnects: worker": states}


def all_suffer(
    site: Plant, networks: Sequence[Proxy], faults: Sequence[int]
) -> list[Outcome]:
    """Give every camera its share of the faults, all cameras at the same time."""
    watch = Watch(site)
    watch.look()
    with watch.looking(), ThreadPoolExecutor(len(networks)) as pool:
        shares = [
            pool.submit(suffer, watch, n, network, faults[n :: len(networks)])
            for n, network in enumerate(networks)
        ]
        return [outcome for share in shares for outcome in share.result()]


def suffer(
    watch: Watch, number: int, network: Proxy, faults: Sequence[int]
) -> list[Outcome]:
    """Let the faults happen one after the other; the number decides on the kind."""
    kinds = list(LENGTHS_S)
    outcomes = []
    for fault in faults:
        chance, kind = random.Random(fault), kinds[fault % len(kinds)]
        time.sleep(chance.uniform(*REST_S))
        length_s = chance.uniform(*LENGTHS_S[kind])
        outcomes.append(fail(watch, code_of(number), network, kind, length_s))
    return outcomes


def fail(
    watch: Watch, code: str, network: Proxy, kind: str, length_s: float
) -> Outcome:
    begin, end = {
        "cut": (network.cut, network.accept),
        "refused": (network.refuse, network.accept),
        "stalled": (network.stall, network.flow),
    }[kind]
    began_s = time.monotonic()
    begin()
    time.sleep(length_s)
    back_s = time.monotonic()
    end()
    noticed_s = watch.wait_for(
        code, online=False, since_s=began_s, until_s=back_s + NOTICE_S
    )
    if noticed_s is None:
        return Outcome(kind, None, 0)
    since_s = max(back_s, noticed_s)
    restored_s = watch.wait_for(
        code, online=True, since_s=since_s, until_s=since_s + RESTORE_S
    )
    return Outcome(kind, noticed_s - began_s, restored_s and restored_s - back_s)


def of_outcomes(outcomes: Sequence[Outcome]) -> Rows:
    rows = []
    for kind in [*LENGTHS_S, "all"]:
        if mine := [each for each in outcomes if kind in {each.kind, "all"}]:
            row: Row = {"fault": kind, "count": len(mine)}
            row |= spread("noticed", [each.noticed_s for each in mine])
            row |= spread("restored", [each.restored_s for each in mine])
            rows.append(row)
    return rows


def spread(what: str, every: Sequence[float | None]) -> Row:
    """Show how the seconds spread; `not` counts those where it never came."""
    seconds = [each for each in every if each is not None] or [nan]
    return {
        f"{what} p50 s": round(percentile(seconds, 50), 1),
        f"{what} p95 s": round(percentile(seconds, 95), 1),
        f"{what} max s": round(max(seconds), 1),
        f"not {what}": every.count(None),
    }


def state_of(site: Plant, process: psutil.Process, outcomes: Sequence[Outcome]) -> Row:
    """Show the worker; each fault is to leave one outage, and none that is open."""
    footprint = Footprint.of(process)
    ((outages, is_open),) = site.rows(
        "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL)"
        " FROM streaming_cameraoutage"
    )
    return {
        "faults so far": len(outcomes),
        "outages": outages,
        "open": is_open,
        "online": list(site.states().values()).count("online"),
        "RSS MiB": footprint.rss_mib,
        "USS MiB": footprint.uss_mib,
        "threads": process.num_threads(),
        "files open": process.num_fds(),
    }
