"""Search among 50,000 vectors of 25,000 people on the embedded server.

The vectors are drawn: two of each person lie around a centre of their own, and what is
searched for is a third one. One in ten people is enrolled twice, as two. `right` is how
often the best person is that of an exact search, `double found` how often both of those
who are enrolled twice were found, and the last column by how much the similarity of the
runner-up is below that of an exact search: those who are unlike a face are all about as
far from it, and which of them comes next is of no consequence.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .live import ROOT, Plant, plant
from .tables import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from identity.rules import Ranked

    from .tables import Row, Tables

PEOPLE: Final = {"large": 22_450, "a tenth": 2_500, "small": 50}
"""Of each site."""
PHOTOS_EACH = 2
SPREAD = 0.8
"""A photo's distance from its person's centre: two of them have a cosine of 0.6."""
DOUBLES = 10
"""One in so many people is another one's double."""
SEARCHES = 300
INSERTS = 200
MODEL = "drawn"
SEED = 11


@dataclass(frozen=True, slots=True)
class Drawn:
    """The people of all sites; row n of `photos` is of person n // PHOTOS_EACH."""

    centres: NDArray[np.float32]
    photos: NDArray[np.float32]

    def rows_of(self, site: str) -> slice:
        """Return which of `photos` are of a site."""
        names = list(PEOPLE)
        before = sum(PEOPLE[name] for name in names[: names.index(site)])
        end = before + PEOPLE[site]
        return slice(before * PHOTOS_EACH, end * PHOTOS_EACH)


def run(shared: Path) -> Tables:
    drawn = draw(np.random.default_rng(SEED))
    with plant(shared) as site:
        filled = fill(site, drawn)
        # As a worker does it: in a process of its own, by the project's own code.
        done = subprocess.run(
            [sys.executable, "-m", "bench.gallery"],
            cwd=ROOT,
            env=site.env(DJANGO_SETTINGS_MODULE="factory_site.settings"),
            check=True,
            capture_output=True,
            text=True,
        )
    tables: Tables = json.loads(done.stdout.splitlines()[-1])
    return {**tables, "fill": [filled]}


def draw(rng: np.random.Generator) -> Drawn:
    centres = units(rng.normal(size=(sum(PEOPLE.values()), 128)))
    centres[1::DOUBLES] = centres[::DOUBLES]
    return Drawn(centres, around(rng, np.repeat(centres, PHOTOS_EACH, axis=0)))


def around(rng: np.random.Generator, centres: NDArray[Any]) -> NDArray[np.float32]:
    return units(centres + SPREAD * units(rng.normal(size=centres.shape)))


def units(vectors: NDArray[Any]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, np.float32)


def fill(site: Plant, drawn: Drawn) -> Row:
    """Write sites, people and photos, and the index after them: that is quicker."""
    database = site.database
    for number, (name, count) in enumerate(PEOPLE.items(), start=1):
        database.execute(SITE_SQL, [number, name, f"site-{number}"])
        database.execute(PEOPLE_SQL, [number, number, count])
    keys = [key for (key,) in site.rows("SELECT id FROM identity_employee ORDER BY id")]
    ((index,),) = site.rows(INDEX_SQL)
    database.execute("DROP INDEX face_sample_nearest")
    began_s = time.perf_counter()
    with database.cursor() as cursor, cursor.copy(PHOTO_SQL) as copy:
        for row, vector in enumerate(drawn.photos):
            key = keys[row // PHOTOS_EACH]
            copy.write_row([key, "photo.jpg", text(vector), MODEL, 0.8, 160, ""])
    copied_s = time.perf_counter()
    database.execute(index)
    indexed_s = time.perf_counter()
    database.execute("ANALYZE identity_employee, identity_facesample")
    return {
        "vectors": len(drawn.photos),
        "copy s": round(copied_s - began_s, 1),
        "index s": round(indexed_s - copied_s, 1),
    }


def text(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.6f}" for value in vector) + "]"


def searches() -> Tables:
    """Search as the recogniser does; Django is set up, the tables are filled."""
    from identity.models import Employee
    from streaming.models import Site

    rng = np.random.default_rng(SEED)
    drawn = draw(rng)
    keys = np.array(Employee.objects.order_by("pk").values_list("pk", flat=True))
    whose = np.repeat(keys, PHOTOS_EACH)
    sites = dict(Site.objects.values_list("name", "pk"))
    told = [
        searched(drawn, whose, rng, site=name, site_id=sites[name], faces=faces)
        for name in PEOPLE
        for faces in (1, 3)
    ]
    return {"search": told, "one photo more": [inserted(rng, int(keys[0]))]}


def searched(
    drawn: Drawn,
    whose: NDArray[Any],
    rng: np.random.Generator,
    *,
    site: str,
    site_id: int,
    faces: int,
) -> Row:
    """Search `SEARCHES` times for visits of so many faces, at one site."""
    from identity.gallery import nearest_of_each

    rows = drawn.rows_of(site)
    photos, owners = drawn.photos[rows], whose[rows]
    times_ms, checks = [], []
    for row in rng.integers(rows.start, rows.stop, SEARCHES):
        person = row // PHOTOS_EACH
        vectors = around(rng, np.repeat(drawn.centres[[person]], faces, axis=0))
        began_s = time.perf_counter()
        found = nearest_of_each(vectors.tolist(), site_id=site_id, face_model=MODEL)
        times_ms.append(1000 * (time.perf_counter() - began_s))
        is_double = person % DOUBLES < 2
        checks += [
            checked(ranked, exact(vector, photos, owners), is_double=is_double)
            for vector, ranked in zip(vectors, found, strict=True)
        ]
    doubles = [check for check in checks if check.is_double]
    too_low = [check.too_low for check in checks if check.is_right]
    return {
        "site": site,
        "vectors of it": len(photos),
        "of all": len(drawn.photos),
        "faces": faces,
        "p50 ms": round(percentile(times_ms, 50), 2),
        "p95 ms": round(percentile(times_ms, 95), 2),
        "max ms": round(max(times_ms), 2),
        "right": share(check.is_right for check in checks),
        "double found": share(check.are_both for check in doubles),
        "runner-up too low p95": round(percentile(too_low, 95), 3),
    }


@dataclass(frozen=True, slots=True)
class Check:
    """One search beside an exact one."""

    is_double: bool
    is_right: bool
    are_both: bool
    too_low: float


def checked(
    found: Sequence[Ranked], best: Sequence[tuple[int, float]], *, is_double: bool
) -> Check:
    people = [each.person for each in found]
    runner_up = found[1].similarity if len(found) > 1 else 0.0
    return Check(
        is_double=is_double,
        is_right=people[0] == best[0][0],
        are_both=set(people) == {person for person, _ in best},
        too_low=best[1][1] - runner_up,
    )


def share(flags: Iterable[bool]) -> float:
    told = list(flags)
    return round(sum(told) / len(told), 4)


def exact(
    vector: NDArray[np.float32], photos: NDArray[np.float32], owners: NDArray[Any]
) -> list[tuple[int, float]]:
    """Return the best two people by comparing with every photo."""
    similarities = photos @ vector
    best: dict[int, float] = {}
    for row in np.argsort(similarities)[::-1][: 2 * PHOTOS_EACH]:
        best.setdefault(int(owners[row]), float(similarities[row]))
    return list(best.items())[:2]


def inserted(rng: np.random.Generator, person: int) -> Row:
    from identity.models import FaceSample

    times_ms = []
    for vector in units(rng.normal(size=(INSERTS, 128))):
        began_s = time.perf_counter()
        FaceSample.objects.create(
            employee_id=person,
            image="photo.jpg",
            embedding=vector.tolist(),
            face_model=MODEL,
            quality=0.8,
            height_px=160,
        )
        times_ms.append(1000 * (time.perf_counter() - began_s))
    return {
        "inserts": INSERTS,
        "p50 ms": round(percentile(times_ms, 50), 2),
        "p95 ms": round(percentile(times_ms, 95), 2),
    }


SITE_SQL: Final = """
INSERT INTO streaming_site (id, name, slug, time_zone) VALUES (%s, %s, %s, 'UTC')
"""
PEOPLE_SQL: Final = """
INSERT INTO identity_employee
       (site_id, code, name, status, is_authorized, notes, created_at)
SELECT %s, 'E-' || %s || '-' || n, 'Person', 'active', true, '', now()
FROM generate_series(1, %s) n
"""
PHOTO_SQL: Final = """
COPY identity_facesample
     (employee_id, image, embedding, face_model, quality, height_px, external_face_id)
FROM STDIN
"""

INDEX_SQL: Final = "SELECT pg_get_indexdef('face_sample_nearest'::regclass)"

if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(searches()))
