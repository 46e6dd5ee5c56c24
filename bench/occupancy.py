"""Ten million crossings of 30 days: summing up, looking back, forgetting, listing.

Drawn in SQL on the embedded server: 20 cameras with a line each, half of them the
doors of one hall, the others of another. `bare SQL` is the least that could give the
same numbers: entries and exits by camera and hour, and nothing of how many were inside.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from .live import ROOT, plant
from .tables import measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .tables import Row, Rows, Tables

CAMERAS = 20
DAYS = 30
ROWS = 10_000_000
ZONE: Final = "Asia/Kolkata"
NOW: Final = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
"""Midnight in India."""
FIRST: Final = NOW - timedelta(days=DAYS)


def run(shared: Path) -> Tables:
    with plant(shared) as site:
        done = subprocess.run(
            [sys.executable, "-m", "bench.occupancy"],
            cwd=ROOT,
            env=site.env(
                DJANGO_SETTINGS_MODULE="factory_site.settings",
                OCCUPANCY_LOG_DAYS=str(DAYS - 1),
            ),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    tables: Tables = json.loads(done.stdout.splitlines()[-1])
    return tables


def fill() -> Row:
    """Write the crossings, each camera's evenly spread and as often in as out."""
    from django.db import connection

    from occupancy.models import Area, AreaLine, CountingLine
    from streaming.models import Camera, Site

    began_s = time.perf_counter()
    site = Site.objects.create(name="Plant", slug="plant", time_zone=ZONE)
    halls = [Area.objects.create(site=site, name=f"Hall {name}") for name in "AB"]
    for number in range(CAMERAS):
        code = f"CAM-{number}"
        camera = Camera.objects.create(
            site=site, code=code, name=code, source_url="rtsp://192.0.2.1/"
        )
        line = CountingLine.objects.create(
            camera=camera, name="Door", x1=0.5, y1=0, x2=0.5, y2=1
        )
        AreaLine.objects.create(area=halls[number % 2], line=line)
    each = ROWS // CAMERAS
    step = timedelta(days=DAYS) / each
    with connection.cursor() as cursor:
        cursor.execute(
            LOGS, {"first": FIRST, "step": step.total_seconds(), "each": each}
        )
        for statement in (MARKS, ANALYZE):
            cursor.execute(statement, {"first": FIRST})
        cursor.execute(SIZE)
        count, size = cursor.fetchone()
    return {
        "cameras": CAMERAS,
        "areas": len(halls),
        "days": DAYS,
        "crossings": count,
        "MiB": size,
        "written s": round(time.perf_counter() - began_s),
    }


def measure() -> Tables:
    """Do it once each, in this process; the log is filled and nothing summed up."""
    from occupancy import aggregation, retention
    from occupancy.models import Aggregation
    from streaming.models import Site

    site = Site.objects.get()

    def catch_up() -> object:
        return aggregation.catch_up(site=site, now=NOW)

    def last_day_again() -> object:
        return aggregation.recompute(site=site, since=NOW - timedelta(days=1), now=NOW)

    work = [
        measured("back-fill of 30 days", catch_up),
        measured("one day", last_day_again),
        measured("bare SQL of one day", lambda: bare(NOW - timedelta(days=1))),
        measured("bare SQL of 30 days", lambda: bare(FIRST)),
        measured("a run with nothing to do", catch_up),
        *pages(),
        measured(
            "forget the oldest day",
            lambda: retention.forget_old(now=NOW),
        ),
    ]
    assert Aggregation.objects.filter(until=NOW).count() == Aggregation.objects.count()
    return {"work": work}


def bare(since: datetime) -> object:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BARE, [since, NOW])
        return f"{len(cursor.fetchall())} rows"


def pages() -> Rows:
    """Ask for the page and the lists as somebody who sees all."""
    from django.test import Client

    from identity.models import User
    from occupancy.models import OccupancyLog

    client = Client()
    client.force_login(User.objects.create_superuser("sum", "sum@example.com", "x"))

    def get(path: str, **query: Any) -> Callable[[], object]:
        def ask() -> object:
            response = client.get(path, query, headers={"host": "localhost"})
            if response.status_code != 200:
                raise RuntimeError(f"{path}: {response.status_code}")
            return f"{len(response.content) // 1024} KiB"

        return ask

    middle = OccupancyLog.objects.filter(occurred_at__gte=NOW - timedelta(days=15))
    at = middle.order_by("occurred_at")[0].occurred_at
    position = urlencode({"p": at.isoformat()})
    cursor = base64.b64encode(position.encode()).decode()
    logs, day = "/api/v1/occupancy/logs", "%Y-%m-%d"
    last = (NOW - timedelta(days=1)).strftime(day)
    weeks = {"from": (NOW - timedelta(days=13)).strftime(day), "to": last}
    month = {"from": FIRST.strftime(day), "to": last}
    get("/occupancy")()  # templates are read once
    return [
        measured("occupancy page", get("/occupancy")),
        measured("history page, hours of 14 days", get(HISTORY, by="hour", **weeks)),
        measured("history page, days of 30 days", get(HISTORY, by="day", **month)),
        measured("API list, first page", get(logs)),
        measured("API list, 5 million rows in", get(logs, cursor=cursor)),
        measured("API hourly, first page", get("/api/v1/occupancy/hourly")),
    ]


HISTORY: Final = "/occupancy/history"
LOGS: Final = """
INSERT INTO occupancy_occupancylog (event_id, camera_id, line_id, cause, kind, label,
    track_id, entries, exits, current_count, is_drift, reason, occurred_at, recorded_at)
SELECT gen_random_uuid(), line.camera_id, line.id, 'crossing', 'people', 'person', n,
    (n + 1) %% 2, n %% 2, (n + 1) %% 2, false, '', at, at
FROM generate_series(0, %(each)s - 1) AS n, occupancy_countingline AS line,
LATERAL (
    SELECT %(first)s + n * %(step)s * INTERVAL '1 s' + line.id * INTERVAL '13 ms' AS at
) AS drawn
ORDER BY at
"""
MARKS: Final = """
INSERT INTO occupancy_aggregation (site_id, camera_id, area_id, kind, until)
SELECT site_id, id, NULL, 'people', %(first)s FROM streaming_camera
UNION ALL SELECT site_id, NULL, id, 'people', %(first)s FROM occupancy_area
"""
ANALYZE: Final = "ANALYZE"
SIZE: Final = """
SELECT count(*), pg_total_relation_size('occupancy_occupancylog') / 1048576
FROM occupancy_occupancylog
"""
BARE: Final = """
SELECT camera_id, date_trunc('hour', occurred_at), sum(entries), sum(exits)
FROM occupancy_occupancylog WHERE occurred_at >= %s AND occurred_at < %s GROUP BY 1, 2
"""

if __name__ == "__main__":
    import django

    django.setup()
    tables = {"filled": [fill()], **measure()}
    print(json.dumps(tables))
