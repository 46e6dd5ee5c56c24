"""analyze_matches over 11,570 seen faces of 20 people, as a site runs it.

The vectors are drawn: each person's photos and seen faces lie around a centre of their
own, so that the distributions look like those of a face model on poor pictures.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from .live import ROOT, Plant, plant

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .tables import Tables

SEEN = 11_570
PEOPLE = 20
PHOTOS_EACH = 3
SEED = 7
COUNTS_SQL: Final = """
SELECT concat_ws(', ', (SELECT count(*) FROM identity_employee),
                 (SELECT count(*) FROM identity_facesample),
                 (SELECT count(*) FROM identity_accesslog),
                 (SELECT count(*) FROM identity_unknownperson))
"""


def run(shared: Path) -> Tables:
    output = ROOT / "bench" / "results" / "matches.png"
    output.parent.mkdir(exist_ok=True)
    output.unlink(missing_ok=True)
    with plant(shared) as site:
        fill(site)
        before = counts(site)
        began_s = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "manage.py", "analyze_matches", "--output", str(output)],
            cwd=ROOT,
            env=site.env(),
            check=True,
            capture_output=True,
            text=True,
        )
        took_s = time.perf_counter() - began_s
        after = counts(site)
    print(done.stdout)
    return {
        "matches": [
            {
                "seen faces": SEEN,
                "people": PEOPLE,
                "whole command s": round(took_s, 1),
                "PNG bytes": output.stat().st_size,
                "rows before": before,
                "rows after": after,
            }
        ]
    }


def counts(site: Plant) -> str:
    """Return how many people, photos, visits and strangers there are."""
    ((line,),) = site.rows(COUNTS_SQL)
    return str(line)


def fill(site: Plant) -> None:
    """Write people, photos and visits, quicker than row by row."""
    rng = np.random.default_rng(SEED)
    centres = units(rng.normal(size=(PEOPLE, 128)))
    of_photos = np.repeat(np.arange(PEOPLE), PHOTOS_EACH)
    of_seen = rng.integers(0, PEOPLE, SEEN)
    site.add_cameras({"CAM-1": "rtsp://192.0.2.1/"})
    database = site.database
    database.execute(PEOPLE_SQL, [PEOPLE])
    with database.cursor() as cursor:
        cursor.executemany(
            PHOTO_SQL,
            [
                (text(vector), f"E-{person}")
                for person, vector in zip(
                    of_photos, around(rng, centres[of_photos], 0.6), strict=True
                )
            ],
        )
        cursor.executemany(
            SEEN_SQL,
            [
                (number, text(vector), f"E-{person}")
                for number, (person, vector) in enumerate(
                    zip(of_seen, around(rng, centres[of_seen], 1.0), strict=True)
                )
            ],
        )


def units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(
        vectors, axis=1, keepdims=True
    )
    return scaled


def around(
    rng: np.random.Generator, centres: NDArray[np.float64], spread: float
) -> NDArray[np.float64]:
    """Draw vectors of unit length around centres, some farther away than others."""
    far = spread * rng.lognormal(0, 0.3, (len(centres), 1))
    return units(centres + far * units(rng.normal(size=centres.shape)))


def text(vector: NDArray[np.float64]) -> str:
    return "[" + ",".join(f"{value:.6f}" for value in vector) + "]"


PEOPLE_SQL: Final = """
INSERT INTO identity_employee
       (site_id, code, name, status, is_authorized, notes, created_at)
SELECT (SELECT min(id) FROM streaming_site), 'E-' || n, 'Person ' || n, 'active', true,
       '', now()
FROM generate_series(0, %s - 1) n
"""
PHOTO_SQL: Final = """
INSERT INTO identity_facesample
       (employee_id, image, embedding, face_model, quality, height_px, external_face_id)
SELECT id, 'photo.jpg', %s, 'drawn', 0.8, 160, ''
FROM identity_employee WHERE code = %s
"""
SEEN_SQL: Final = """
INSERT INTO identity_accesslog
       (event_id, camera_id, employee_id, decision, similarity, runner_up, threshold,
        margin, engine, votes, session, track_id, direction, x, y, embedding,
        face_model, quality, snapshot, snapshot_bytes, flagged, notes, occurred_at,
        last_seen_at, recorded_at)
SELECT gen_random_uuid(), (SELECT min(id) FROM streaming_camera), id, 'authorized', 0.6,
       0.1, 0.42, 0.08, 'local', 1, 'bench', %s, 'none', 0.5, 0.5, %s, 'drawn',
       0.8, '', 0, false, '', now(), now(), now()
FROM identity_employee WHERE code = %s
"""
