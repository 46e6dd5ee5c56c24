"""A year of 5,000 people: what a day's work with it takes, on the embedded server.

Presence and records are drawn as the rules would have them: that working a month out
again changes nothing is one of the figures. Pages are asked for in a process that
counts queries, the stamps come from clients of a real web process. The last table is a
day of events, ten times over and shuffled, from two processes at once.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .attendance_year import PEOPLE, fill, today
from .live import ROOT, plant
from .tables import measured, percentile
from .viewing import seconds_since, web

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from .live import Plant
    from .tables import Row, Rows, Tables
    from .viewing import Web

CLIENTS = 20
STAMPS_EACH = 50
REPLAYED = 100
"""People whose day is told again and again."""
TIMES = 10
ROLE: Final = """
INSERT INTO identity_user_groups (user_id, group_id)
SELECT u.id, g.id FROM identity_user u, auth_group g
WHERE u.username = 'sam' AND g.name = 'Integrator'
"""


def run(shared: Path) -> Tables:
    with plant(shared) as site:
        filled = fill(site)
        tables: Tables = {"filled": [filled], "a day's work": inside(site, "measure")}
        with web(site) as server:
            site.database.execute(ROLE)
            tables["check-in"] = [stamped(server)]
        tables["replayed"] = [replayed(site)]
    return tables


def inside(site: Plant, *arguments: str) -> Rows:
    """Run a part of this in a process of its own, with Django and the database."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.attendance", *arguments],
        cwd=ROOT,
        env=site.env(DJANGO_SETTINGS_MODULE="factory_site.settings"),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows: Rows = json.loads(done.stdout.splitlines()[-1])
    return rows


def stamped(server: Web) -> Row:
    """Let clients stamp at once, each for people of its own, over and over."""
    numbers = [range(start, PEOPLE, CLIENTS) for start in range(1, CLIENTS + 1)]
    began_s = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        told = list(pool.map(lambda of: stamps(server, of), numbers))
    took_s = seconds_since(began_s)
    times_ms = [ms for each in told for ms, _ in each]
    codes = [code for each in told for _, code in each]
    return {
        "clients": CLIENTS,
        "stamps": len(times_ms),
        "created": codes.count(201),
        "per s": round(len(times_ms) / took_s),
        "p50 ms": round(percentile(times_ms, 50)),
        "p95 ms": round(percentile(times_ms, 95)),
        "max ms": round(max(times_ms)),
    }


def stamps(server: Web, people: Iterable[int]) -> list[tuple[float, int]]:
    """Return how long each took, in ms, and its answer."""
    client = http.client.HTTPConnection("localhost", server.port, timeout=60)
    head = {"Authorization": server.authorization, "Content-Type": "application/json"}
    found = []
    for number, _ in zip(people, range(STAMPS_EACH), strict=False):
        told = {"employee": f"E-{number}", "time": datetime.now(UTC).isoformat()}
        began_s = time.monotonic()
        client.request("POST", "/api/v1/attendance/check-in", json.dumps(told), head)
        answer = client.getresponse()
        answer.read()
        found.append((1000 * seconds_since(began_s), answer.status))
    client.close()
    return found


def replayed(site: Plant) -> Row:
    """Tell a day again from two processes; say what is there once, and what twice."""
    inside(site, "tell", "0", "1")
    before = kept(site)
    began_s = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda seed: inside(site, "tell", seed, str(TIMES)), "12"))
    return {
        "events": 2 * REPLAYED,
        "told": 2 * TIMES * 2 * REPLAYED,
        "s": round(seconds_since(began_s), 1),
        "rows more": len(kept(site)) - len(before),
        "rows changed": len(set(before) - set(kept(site))),
    }


def kept(site: Plant) -> list[tuple[Any, ...]]:
    """Return all that is stored of those people, of their keys from 1 on."""
    return [
        row
        for sql in (KEPT, TOLD)
        for row in site.database.execute(sql, [REPLAYED]).fetchall()
    ]


def tell(seed: int, times: int) -> Rows:
    """Stamp yesterday's day of some people, in another order each time."""
    from attendance.rules import Way
    from attendance.services import stamp
    from identity.models import Employee

    people = list(Employee.objects.order_by("pk")[:REPLAYED])
    midnight = datetime.combine(today() - timedelta(days=1), datetime.min.time(), UTC)
    told = [
        (who, way, midnight + timedelta(hours=hour, minutes=who.pk % 50))
        for who in people
        for way, hour in ((Way.IN, 4), (Way.OUT, 12))
    ] * times
    random.Random(seed).shuffle(told)
    for who, way, at in told:
        stamp(
            employee=who, way=way, at=at, event_id=None, by=None, now=datetime.now(UTC)
        )
    return [{"told": len(told)}]


def measure() -> Rows:
    """Do what is done every day, once each, in this process; tables are filled."""
    from attendance.closing import close_occurrences
    from attendance.days import recompute_days
    from attendance.models import AttendanceRecord
    from attendance.totals import by_employee, summarise_records
    from identity.models import Employee

    keys = list(Employee.objects.values_list("pk", flat=True))
    records = AttendanceRecord.objects.all()
    last = today() - timedelta(days=2)
    first, year = last - timedelta(days=29), last - timedelta(days=362)
    month = {"first": first, "last": last}

    def month_again() -> object:
        return recompute_days(employees=keys, **month, now=datetime.now(UTC))

    return [
        measured(
            "close what is over", lambda: close_occurrences(now=datetime.now(UTC))
        ),
        measured(
            "close, nothing is over any more",
            lambda: close_occurrences(now=datetime.now(UTC)),
        ),
        measured("recompute 30 days, all as it was", month_again),
        measured("forget 30 days", records.between(first, last).delete),
        measured("recompute 30 days, all anew", month_again),
        measured(
            "summary of a year",
            lambda: summarise_records(records, first=year, last=last),
        ),
        measured(
            "summary of a year by employee",
            lambda: len(by_employee(records, first=year, last=last)),
        ),
        *pages(first, last),
    ]


def pages(first: date, last: date) -> Rows:
    """Ask for the pages as somebody who sees all."""
    from django.test import Client

    from identity.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("root", password="a long one"))
    month = f"{last:%Y-%m}"
    period = f"from={first}&to={last}"
    asked = {
        "day board": f"/attendance?date={last}",
        "month grid, a page": f"/attendance/month?month={month}",
        "month grid as XLSX": f"/attendance/month.xlsx?month={month}",
        "payroll, the page": f"/attendance/payroll?{period}",
        "payroll as CSV": f"/attendance/payroll.csv?{period}",
        "payroll as XLSX": f"/attendance/payroll.xlsx?{period}",
        "muster": "/muster",
    }

    def ask(path: str) -> object:
        answer = client.get(path)
        size = sum(len(piece) for piece in answer)
        return f"{answer.status_code}, {size // 1024} KiB"

    # The first page of a process loads templates.
    client.get(asked["day board"])
    return [measured(what, partial(ask, path)) for what, path in asked.items()]


KEPT: Final = """
SELECT 'event', event_id::text, employee_id, way, occurred_at::text, NULL
FROM attendance_presenceevent WHERE employee_id <= %s
"""
TOLD: Final = """
SELECT 'record', attendance_date::text, employee_id, status, check_in_at::text,
       check_out_at::text
FROM attendance_attendancerecord WHERE employee_id <= %s
"""

if __name__ == "__main__":
    import django

    django.setup()
    name, *rest = sys.argv[1:]
    print(json.dumps(measure() if name == "measure" else tell(*map(int, rest))))
