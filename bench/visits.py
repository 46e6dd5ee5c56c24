"""Visits of a minute before one camera: what they take, how often they are compared.

Photos are moved over a wall, so that people stay as long as they are told to. The
worker, Postgres and Redis are real, and so are the times: the cache expires as it does
live. Each search is one paid call where the engine is Rekognition.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from identity.face_model import load_face_model
from identity.face_stage import FaceStage
from identity.faces import decode
from streaming.vision.detectors import load_detector
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.sources import open_source
from tests.fakes import write_pictures

from .live import plant, wait_until
from .tables import percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from identity.faces import FaceModel
    from identity.pipeline import FaceOffered
    from streaming.vision.types import Frame, Image, Track

    from .live import Plant
    from .tables import Row, Rows, Tables

WEIGHTS: Final = "yolo11n_int8_openvino_model"
STAY_S: Final = 65
"""Long enough for three offers, 30 s apart."""
CLIP_FPS: Final = 10
WIDTH, HEIGHT, PHOTO_PX = 1280, 720, 420
STAFF: Final = {
    "E-1": ("obama/obama.jpg", "obama/obama2.jpg"),
    "E-2": ("biden/biden2.jpg", "biden/biden.jpg"),
    "E-3": ("kit_harington/john1.jpeg", "kit_harington/john2.jpeg"),
}
"""The photo that comes to the camera, and the one enrolled."""
STRANGERS: Final = ("adams.jpg", "carell.jpg", "lennon-2.jpg")
CAMERA: Final = """
import json
from pathlib import Path
from identity.face_model import the_face_model
from identity.faces import decode
from identity.models import Employee, FaceSample
from streaming.models import Camera, Site
site = Site.objects.create(name="Plant", slug="plant")
model = the_face_model()
for code, photo in json.loads({photos!r}).items():
    image = decode(Path(photo).read_bytes())
    vector = model.embedder.embed(image, model.finder.find(image)[0])
    FaceSample.objects.create(
        employee=Employee.objects.create(site=site, code=code, name=code),
        embedding=vector, image=code, face_model=model.embedder.name,
        quality=1, height_px=200,
    )
Camera.objects.create(
    site=site, code="CAM-1", name="Main", source_url={clip!r}, tasks=["faces"]
)
"""


def run(shared: Path) -> Tables:
    faces = shared / "samples" / "faces"
    train = faces / "knn_examples" / "train"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        staff, strangers = Path(name) / "staff.mp4", Path(name) / "strangers.mp4"
        write_stay(staff, [train / seen for seen, _ in STAFF.values()])
        write_stay(strangers, [faces / "openface" / each for each in STRANGERS])
        return {
            "visits: searches": [
                watched(shared, "staff", staff, ttl_s=300),
                watched(shared, "staff", staff, ttl_s=40),
                watched(shared, "strangers", strangers, ttl_s=300),
            ],
            "visits: cost": cost(shared, staff),
        }


def write_stay(path: Path, photos: Sequence[Path]) -> None:
    """Write a clip in which people stand side by side, and then nobody."""
    people = [_photo(each) for each in photos]
    pictures = [_drawn(people, number) for number in range(STAY_S * CLIP_FPS)]
    pictures += [_drawn((), 0)] * (3 * CLIP_FPS)
    write_pictures(path, pictures, fps=CLIP_FPS)


def _photo(path: Path) -> Image:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    scale = PHOTO_PX / picture.shape[0]
    small = cv2.resize(picture, None, fx=scale, fy=scale)
    middle, half = small.shape[1] // 2, WIDTH // 3 // 2 - 20
    return np.asarray(small[:, max(middle - half, 0) : middle + half], np.uint8)


def _drawn(people: Sequence[Image], number: int) -> Image:
    picture = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    sway = round(8 * np.sin(2 * np.pi * number / (2 * CLIP_FPS)))
    for place, person in enumerate(people):
        left = round((place + 0.5) * WIDTH / 3 - person.shape[1] / 2) + sway
        picture[HEIGHT - PHOTO_PX :, left : left + person.shape[1]] = person
    return picture


def watched(shared: Path, who: str, clip: Path, *, ttl_s: int) -> Row:
    """Play the clip once to a real worker; return what it asked and recorded."""
    train = shared / "samples" / "faces" / "knn_examples" / "train"
    photos = {code: str(train / photo) for code, (_, photo) in STAFF.items()}
    with plant(shared) as site:
        script = CAMERA.format(photos=json.dumps(photos), clip=str(clip))
        site.manage("shell", "-c", script)
        with site.worker(CACHE_TTL_SECONDS=str(ttl_s)):
            wait_until(
                lambda: set(site.states().values()) == {"ended"},
                what="the end of the clip",
                timeout_s=10 * STAY_S,
            )
            wait_until(lambda: not _queued(site), what="the last offer")
        rows = site.rows("SELECT decision, track_id FROM identity_accesslog")
        used: Counter[str] = Counter()
        for key in site.redis.scan_iter("identity:usage:*"):
            counted: Any = site.redis.hgetall(key)
            used.update({name.decode(): int(n) for name, n in counted.items()})
    hits, misses = used["hits"], used["misses"]
    return {
        "who": who,
        "CACHE_TTL_SECONDS": ttl_s,
        "visits": len(rows),
        "decided": ", ".join(sorted({decision for decision, _ in rows})),
        "seconds each": STAY_S,
        "offers": hits + misses,
        "searches": misses,
        "searches a visit": round(misses / len(rows), 2),
        "cache hits %": round(100 * hits / (hits + misses)),
    }


def _queued(site: Plant) -> int:
    """Return how many offers wait, two reports after the clip's end."""
    time.sleep(12)
    return sum(status.faces_queued for status in site.workers().values())


class _TimedStage(FaceStage):
    """Notes how long each frame takes, by what there was to do."""

    def __init__(self, model: FaceModel) -> None:
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self._looked = False
        self._model = model
        super().__init__(self, cooldown_s=30)

    def find(self, image: Image) -> Any:
        self._looked = True
        return self._model.finder.find(image)

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[FaceOffered]:
        self._looked, began_s = False, time.perf_counter()
        offers = list(super().observe(frame, tracks))
        took_ms = 1000 * (time.perf_counter() - began_s)
        what = "a look for faces" if self._looked else "nobody needs a face"
        self.took_ms["a look and an offer" if offers else what].append(took_ms)
        yield from offers


def cost(shared: Path, clip: Path) -> Rows:
    """Analyse the clip as fast as it goes; return what the faces of it take."""
    model = load_face_model(shared / "models")
    stage, offers = _TimedStage(model), list[Any]()
    source = open_source(
        str(clip), camera="bench", clock=lambda: datetime.now(UTC), realtime=False
    )
    pipeline = CameraPipeline([stage], detect_fps=CLIP_FPS)
    detector = load_detector(shared / "models" / WEIGHTS)
    for analysis in analyse(source, detector, pipeline):
        offers += analysis.events
    rows = [row(f"frame of 3 people: {what}", ms) for what, ms in stage.took_ms.items()]
    found, embedded = described(model, offers)
    return [*rows, row("face: found in its crop", found), row("face: vector", embedded)]


def described(
    model: FaceModel, offers: Sequence[FaceOffered]
) -> tuple[list[float], list[float]]:
    """Return how long each face takes to be found in its crop, and to be described."""
    found, embedded = [], []
    for crop in [crop for offer in offers for crop in offer.faces]:
        image, began_s = decode(crop.jpeg), time.perf_counter()
        face, found_s = model.finder.find(image)[0], time.perf_counter()
        model.embedder.embed(image, face)
        found.append(1000 * (found_s - began_s))
        embedded.append(1000 * (time.perf_counter() - found_s))
    return found, embedded


def row(what: str, took_ms: Sequence[float]) -> Row:
    return {
        "what": what,
        "times": len(took_ms),
        "mean ms": round(mean(took_ms), 2),
        "p95 ms": round(percentile(took_ms, 95), 2),
    }
