"""How soon a plate is looked up among 100,000 blocked ones.

The plates are drawn, all of one site. Run by itself, once the register is filled, it
looks them up by the project's own code, in a process of its own as a worker does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from vehicles.formats import OTHER

from .live import ROOT, plant
from .tables import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .tables import Row

BLOCKED: Final = 100_000
LOOKUPS: Final = 2_000
SEED: Final = 11


def blocked_list(shared: Path) -> Sequence[Row]:
    """Fill a register with blocked vehicles; return how soon one is looked up."""
    with plant(shared) as site:
        site.database.execute(SITE_SQL)
        now = datetime.now(UTC)
        with site.database.cursor() as cursor, cursor.copy(VEHICLE_SQL) as copy:
            for plate in drawn(BLOCKED):
                copy.write_row([1, plate, "blocked", "Drawn", "car", "", "", now])
        site.database.execute("ANALYZE vehicles_vehicle")
        done = subprocess.run(
            [sys.executable, "-m", "bench.gate_register"],
            cwd=ROOT,
            env=site.env(DJANGO_SETTINGS_MODULE="factory_site.settings"),
            check=True,
            capture_output=True,
            text=True,
        )
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


def drawn(count: int) -> list[str]:
    """Return so many different Indian plates, the same each time."""
    rng = np.random.default_rng(SEED)
    plates: dict[str, None] = {}
    while len(plates) < count:
        letters = "".join(chr(65 + each) for each in rng.integers(0, 26, 4))
        district, number = rng.integers(0, 100), rng.integers(0, 10_000)
        plates[f"{letters[:2]}{district:02}{letters[2:]}{number:04}"] = None
    return list(plates)


def lookups() -> Sequence[Row]:
    """Look plates up as the gate does; Django is set up, the register is filled."""
    from vehicles.models import Vehicle, VehicleLog
    from vehicles.plate_check import check_plate

    plates = drawn(BLOCKED + LOOKUPS)
    there, others = plates[: BLOCKED : BLOCKED // LOOKUPS], plates[BLOCKED:]
    unknown, register = VehicleLog.Status.UNKNOWN, Vehicle.objects

    def exact(plate: str) -> str:
        found = register.bearing(plate, site_id=1)
        return found.plate_number if found else ""

    def possible(plate: str) -> str:
        found = register.possible_match(plate, site_id=1, status=unknown)
        return found.plate_number if found else ""

    def checked(plate: str) -> str:
        found = check_plate(
            text=plate,
            confidences=[1.0] * len(plate),
            site_id=1,
            gate=None,
            at=datetime.now(UTC),
        )
        return found.vehicle.plate_number if found.vehicle else ""

    alike = [misread(each) for each in there]
    return [
        looked_up("exactly this plate", exact, there),
        looked_up("exactly this plate, none", exact, others),
        looked_up("possible match", possible, alike),
        looked_up("possible match, none", possible, others),
        looked_up("all that a gate decides by", checked, there),
    ]


def misread(plate: str) -> str:
    """Return a plate with every letter and digit as what it is taken for."""
    return "".join(OTHER.get(each, each) for each in plate)


def looked_up(what: str, look_up: Callable[[str], str], plates: Sequence[str]) -> Row:
    times_ms, found = [], 0
    for plate in plates:
        began_s = time.perf_counter()
        found += bool(look_up(plate))
        times_ms.append(1000 * (time.perf_counter() - began_s))
    return {
        "what": what,
        "lookups": len(plates),
        "found": found,
        "p50 ms": round(percentile(times_ms, 50), 2),
        "p95 ms": round(percentile(times_ms, 95), 2),
        "max ms": round(max(times_ms), 2),
    }


SITE_SQL: Final = """
INSERT INTO streaming_site (id, name, slug, time_zone)
VALUES (1, 'Plant', 'plant', 'UTC')
"""
VEHICLE_SQL: Final = """
COPY vehicles_vehicle
     (site_id, plate_number, status, reason, vehicle_type, owner, notes, created_at)
FROM STDIN
"""

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(lookups()))
