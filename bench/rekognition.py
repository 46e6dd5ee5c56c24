"""Two vision workers identify 200 visits by a Rekognition that throttles and fails,
with and without an outage of its own; one of them is killed meanwhile.

Real workers, Postgres and Redis; Rekognition is a server that speaks its protocol and
compares real faces. What it saw of the requests, and when, is what counts.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cv2
import msgspec

from identity.face_model import load_face_model
from identity.faces import crop
from identity.pipeline import FaceCrop, FaceOffered
from streaming.event_queue import EventQueue
from tests.rekognition_server import faces_of, rekognition_server

from .live import plant, wait_until
from .tables import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from identity.faces import FaceModel
    from streaming.vision.types import Image
    from tests.rekognition_server import RekognitionServer

    from .live import Plant
    from .tables import Row, Tables

VISITS = 200
THROTTLED, FAILING = 0.30, 0.10
OUTAGES_S = (0.0, 5.0)
RUN_S = 600.0
WORKERS = ("vision-1", "vision-2")
LIMIT = 5
CAMERA = "CAM-GATE"
STRANGERS = ("adams.jpg", "carell.jpg", "clapton-1.jpg", "lennon-1.jpg", "lennon-2.jpg")
PLANT = """
import json
from pathlib import Path
from django.core.files.base import ContentFile
from identity.face_model import the_face_model
from identity.faces import decode, main_face
from identity.models import Employee, FaceSample
from streaming.models import Camera, Site
site = Site.objects.create(name="Plant", slug="plant")
Camera.objects.create(
    site=site, code={camera!r}, name="Gate", source_url="rtsp://10.0.0.1/",
    enabled=False,
)
model = the_face_model()
for file in sorted(Path({folder!r}).glob("*.jpg")):
    jpeg = file.read_bytes()
    image = decode(jpeg)
    vector = model.embedder.embed(image, main_face(model.finder.find(image)))
    person = Employee.objects.create(site=site, code=file.stem, name=file.stem)
    sample = FaceSample(
        employee=person, embedding=vector.tolist(), face_model=model.embedder.name,
        quality=0.8, height_px=160,
    )
    sample.image.save(f"faces/{{file.stem}}.jpg", ContentFile(jpeg))
"""
Person = str | None
"""An employee's code; None for a stranger."""


def run(shared: Path) -> Tables:
    model = load_face_model(shared / "models")
    enrolled, probes = people(shared / "samples" / "faces", model)
    with plant(shared) as site, rekognition_server(faces_of(model)) as server:
        env = settings_of(server)
        enrol(site, enrolled, env)
        server.faults.throttled, server.faults.failing = THROTTLED, FAILING
        runs = [
            identified(site, server, env, probes, outage_s=outage_s)
            for outage_s in OUTAGES_S
        ]
    return {
        "rekognition: visits": [one for one, _ in runs],
        "rekognition: requests": [other for _, other in runs],
    }


def settings_of(server: RekognitionServer) -> dict[str, str]:
    return {
        "FACE_ENGINE": "rekognition",
        "REKOGNITION_ENDPOINT_URL": server.url,
        "REKOGNITION_REGION": "eu-west-1",
        "MAX_REKOGNITION_CALLS_PER_SECOND": str(LIMIT),
        "AWS_ACCESS_KEY_ID": "AKIABENCHBENCHBENCH0",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-bench",
    }


def people(
    folder: Path, model: FaceModel
) -> tuple[dict[str, bytes], list[tuple[Person, bytes]]]:
    """Return a photo to enrol of each employee, and faces to recognise with whose."""
    enrolled: dict[str, bytes] = {}
    probes: list[tuple[Person, bytes]] = []
    for person in sorted((folder / "knn_examples" / "train").iterdir()):
        code = person.name.upper().replace("_", "-")
        for file in sorted(person.iterdir()):
            image = cv2.imread(str(file))
            face = face_of(image, model)
            if face is None:
                continue
            if code not in enrolled:
                enrolled[code] = face
            probes += [(code, one) for one in seen_again(image, model)]
    for name in STRANGERS:
        image = cv2.imread(str(folder / "openface" / name))
        probes += [(None, one) for one in seen_again(image, model)]
    return enrolled, probes


def face_of(image: Image | Any, model: FaceModel) -> bytes | None:
    """Cut the face out of a picture, as JPEG; None unless there is exactly one."""
    faces = model.finder.find(image)
    if len(faces) != 1:
        return None
    return bytes(cv2.imencode(".jpg", crop(image, faces[0].box))[1])


def seen_again(image: Image | Any, model: FaceModel) -> list[bytes]:
    """Return the face as other pictures may show it: mirrored, darker, lighter."""
    ways = (
        image,
        cv2.flip(image, 1),
        cv2.convertScaleAbs(image, alpha=0.7),
        cv2.convertScaleAbs(image, alpha=1.1, beta=15),
    )
    return [face for way in ways if (face := face_of(way, model))]


def enrol(site: Plant, photos: dict[str, bytes], env: dict[str, str]) -> None:
    folder = site.folder / "enrolled"
    folder.mkdir()
    for code, jpeg in photos.items():
        (folder / f"{code}.jpg").write_bytes(jpeg)
    script = PLANT.format(camera=CAMERA, folder=str(folder))
    site.manage("shell", "-c", script)
    site.manage("index_faces", **env)


def offer(site: Plant, probes: Sequence[tuple[Person, bytes]]) -> dict[str, Person]:
    """Put the visits into the workers' queues; return who each is, by event id."""
    expected: dict[str, Person] = {}
    queues = [EventQueue(site.folder / "queue-faces" / name) for name in WORKERS]
    for number in range(VISITS):
        person, jpeg = probes[number % len(probes)]
        event = FaceOffered(
            event_id=uuid4(),
            camera=CAMERA,
            session="bench",
            track_id=number,
            at=datetime.now(UTC),
            x=0.5,
            y=0.9,
            faces=(FaceCrop(jpeg, 0.8, 160),),
            snapshot=jpeg,
        )
        envelope = {"kind": "FaceOffered", "event": event, "camera": CAMERA}
        queues[number % len(queues)].put(msgspec.json.encode(envelope).decode())
        expected[str(event.event_id)] = person
    for queue in queues:
        queue.close()
    return expected


def identified(
    site: Plant,
    server: RekognitionServer,
    env: dict[str, str],
    probes: Sequence[tuple[Person, bytes]],
    *,
    outage_s: float,
) -> tuple[Row, Row]:
    """Identify all visits; return what became of them, and of the requests."""
    site.database.execute("TRUNCATE identity_accesslog, identity_unknownperson")
    site.redis.flushdb()
    server.calls.clear()
    expected = offer(site, probes)
    took_s = worked(site, server, env, outage_s=outage_s)
    outage = {"outage s": round(outage_s)}
    return (
        outage | visits(site, expected, took_s),
        outage | requests(site, server),
    )


def worked(
    site: Plant, server: RekognitionServer, env: dict[str, str], *, outage_s: float
) -> float:
    """Run the workers until all visits have a row; return the seconds it took."""
    one, other = WORKERS
    began_s = time.monotonic()
    with site.worker(one, **env):
        with site.worker(other, **env) as victim:
            wait_until(lambda: rows(site) >= VISITS // 4, what="a quarter")
            outage = threading.Thread(target=be_out, args=[server, outage_s])
            outage.start()
            wait_until(lambda: rows(site) >= VISITS // 2, what="half")
            victim.kill()
        with site.worker(other, **env):
            wait_until(lambda: rows(site) >= VISITS, what="all visits", timeout_s=RUN_S)
    outage.join()
    return time.monotonic() - began_s


def be_out(server: RekognitionServer, seconds: float) -> None:
    server.faults.is_down = seconds > 0
    time.sleep(seconds)
    server.faults.is_down = False


def rows(site: Plant) -> int:
    ((count,),) = site.rows("SELECT count(*) FROM identity_accesslog")
    return int(count)


def visits(site: Plant, expected: dict[str, Person], took_s: float) -> Row:
    found = site.rows(
        "SELECT event_id::text, track_id, engine, decision, code, recorded_at"
        " FROM identity_accesslog AS log"
        " LEFT JOIN identity_employee AS person ON person.id = log.employee_id"
    )
    named = {event: code for event, _, _, _, code, _ in found}
    tracks = {track for _, track, *_ in found}
    return {
        "visits": VISITS,
        "s": round(took_s),
        "rows": len(found),
        "lost": len(expected.keys() - named.keys()),
        "doubled": len(found) - len(tracks),
        "by rekognition": sum(row[2] == "rekognition" for row in found),
        "by local": sum(row[2] == "local" for row in found),
        "named right": sum(
            code is not None and named.get(event) == code
            for event, code in expected.items()
        ),
        "employees": sum(code is not None for code in expected.values()),
        "named wrong": sum(
            named.get(event) not in {None, code} for event, code in expected.items()
        ),
    }


def requests(site: Plant, server: RekognitionServer) -> Row:
    """Return what the server saw, and what the workers counted."""
    told = server.told()
    at_s = sorted(call.at_s for call in server.calls)
    (key,) = site.redis.keys("identity:usage:*")
    kinds = ("calls", "retries", "fallbacks")
    counted = site.redis.hmget(key, kinds)
    ours = {kind: int(n or 0) for kind, n in zip(kinds, counted, strict=True)}
    return {
        "requests": len(at_s),
        "answered": told["ok"],
        "throttled": told["ThrottlingException"],
        "failed": told["InternalServerError"],
        "in the outage": told["closed"],
        "most in any second": most_in_a_second(at_s),
        "limit": LIMIT,
        "p95 in a second": percentile(
            [sum(start <= at < start + 1 for at in at_s) for start in at_s], 95
        ),
        **ours,
        "USD": round(0.001 * ours["calls"], 3),
    }


def most_in_a_second(at_s: Sequence[float]) -> int:
    """Return how many requests the fullest second has, wherever it begins."""
    return max(sum(start <= at < start + 1 for at in at_s) for start in at_s)
