"""500 sockets on one live topic: how soon each hears of a row, and is cut off.

The time is from publishing in Redis to receipt by the client, all on this machine: the
client's own work for 500 sockets is in it.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streaming.live import channel_name

from .live import plant
from .tables import percentile
from .viewing import cpu_s, seconds_since, web

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .live import Plant
    from .tables import Row, Tables
    from .viewing import Web

SOCKETS = (1, 100, 500)
MESSAGES = 60
EVERY_S = 0.5
AT_ONCE = 25
TOPIC = "occupancy.occupancylog"
CLIP = "persons_one_by_one.mp4"
CUT_WITHIN_S = 75.0
ROW = {
    "id": 1,
    "event_id": "3f0c0b1e-6f0e-4d62-9f3e-0d1d5e1f7a2b",
    "camera": 1,
    "camera_code": "CAM-1",
    "line": 1,
    "line_name": "Main door",
    "occurred_at": "2026-03-01T12:00:00.123456Z",
    "direction": "in",
    "entries": 1,
    "exits": 0,
    "current_count": 14,
    "is_drift": False,
}


def run(shared: Path) -> Tables:
    with plant(shared) as site:
        clip = str(shared / "samples" / "clips" / CLIP)
        site.add_cameras({"CAM-1": clip})
        with web(site) as server:
            rows = [asyncio.run(measured(site, server, many)) for many in SOCKETS]
    return {"sockets": rows}


async def measured(site: Plant, server: Web, many: int) -> Row:
    async with AsyncExitStack() as stack:
        began_s = time.monotonic()
        sockets = await subscribed(stack, server, many)
        connected_s = seconds_since(began_s)
        delays_s: list[float] = []
        hearing = [asyncio.create_task(hear(one, delays_s)) for one in sockets]
        before_s, began_s = cpu_s(server.process), time.monotonic()
        await asyncio.to_thread(publish, site)
        await asyncio.sleep(1)
        share = (cpu_s(server.process) - before_s) / seconds_since(began_s)
        cut_s = await cut_off(site, hearing) if many == max(SOCKETS) else None
        for task in hearing:
            task.cancel()
    return {
        "sockets": many,
        "all open s": round(connected_s, 1),
        "heard": f"{len(delays_s)} of {many * MESSAGES}",
        "p50 ms": round(1000 * percentile(delays_s, 50)),
        "p95 ms": round(1000 * percentile(delays_s, 95)),
        "max ms": round(1000 * max(delays_s)),
        "web CPU %": round(100 * share),
        "all cut s": "" if cut_s is None else round(cut_s, 1),
    }


async def subscribed(
    stack: AsyncExitStack, server: Web, many: int
) -> list[ClientConnection]:
    """Open sockets on the topic, some at a time as browsers do."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> ClientConnection:
        async with places:
            socket = await stack.enter_async_context(
                connect(
                    f"ws://localhost:{server.port}/ws/live/",
                    additional_headers={"Authorization": server.authorization},
                    compression=None,
                    open_timeout=60,
                    ping_interval=None,
                )
            )
            await socket.send(json.dumps({"subscribe": [TOPIC]}))
            assert "subscribed" in json.loads(await socket.recv())
            return socket

    return await asyncio.gather(*(one() for _ in range(many)))


async def hear(socket: ClientConnection, delays_s: list[float]) -> None:
    try:
        while True:
            message = json.loads(await socket.recv())
            delays_s.append(time.monotonic() - message["data"]["sent_s"])
    except ConnectionClosed:
        return


def publish(site: Plant) -> None:
    ((site_id,),) = site.rows("SELECT id FROM streaming_site")
    channel = channel_name(topic=TOPIC, site_id=site_id)
    for _ in range(MESSAGES):
        row = {"topic": TOPIC, "data": {**ROW, "sent_s": time.monotonic()}}
        site.redis.publish(channel, json.dumps(row))
        time.sleep(EVERY_S)


async def cut_off(site: Plant, hearing: Sequence[asyncio.Task[None]]) -> float:
    """Take the role away; return how long until the last socket was closed."""
    site.database.execute("DELETE FROM identity_user_groups")
    began_s = time.monotonic()
    async with asyncio.timeout(CUT_WITHIN_S):
        await asyncio.gather(*hearing)
    return seconds_since(began_s)
