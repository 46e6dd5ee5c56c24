"""A gate: how soon it opens and shows a vehicle, what reading takes, and a long list.

Each recording of a car is played over and over, as a camera would send it, to a real
worker; the barrier is a real HTTP server, the row is heard of over a real socket of the
web process. Both times count from the picture with which it was decided, as do the 5 s
after which no barrier is told any more.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, Queue
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

import cv2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from streaming.vision.detectors import load_detector
from streaming.vision.pipeline import CameraPipeline
from streaming.vision.recording import analyse
from streaming.vision.sources import open_source
from tests.barrier_server import barrier_server
from vehicles.formats import INDIA
from vehicles.pipeline import PlateOffered
from vehicles.plate_model import BLANK, load_reader, the_finder
from vehicles.plate_stage import PlateStage
from vehicles.plates import PlateModel
from vehicles.rules import GatePolicy, refusal
from vehicles.voting import vote

from .gate_register import BLOCKED, blocked_list
from .live import TookTooLong, plant, wait_until
from .tables import percentile
from .viewing import web

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from streaming.vision.types import Frame, Image, Track
    from tests.barrier_server import Barrier
    from vehicles.plates import FoundPlate, ReadText

    from .live import Plant
    from .tables import Row, Tables
    from .viewing import Web

WEIGHTS: Final = "yolo11n_int8_openvino_model"
CARS: Final = ("UP32MW0479", "JH10BP8513")
"""The plates of those in the two recordings."""
VISITS: Final = 8
FPS: Final = 10
"""So many pictures a second are analysed, as live."""
PATIENCE_S: Final = 120.0
TOPIC: Final = "vehicles.vehiclelog"
GATE: Final = """
from streaming.models import Camera, Site
from vehicles.models import Gate, GateCamera, Vehicle
site = Site.objects.create(name="Plant", slug="plant")
camera = Camera.objects.create(
    site=site, code="CAM-GATE", name="Lane", source_url={clip!r}, loop=True,
    tasks=["plates"],
)
gate = Gate.objects.create(site=site, name="Gate", driver="http", address={barrier!r})
GateCamera.objects.create(gate=gate, camera=camera)
Vehicle.objects.create(site=site, plate_number={plate!r})
"""


def run(shared: Path) -> Tables:
    clips = {each: shared / "samples" / "clips" / f"car_{each}.mp4" for each in CARS}
    return {
        "gate: from the deciding picture": [
            opened(shared, plate, clip) for plate, clip in clips.items()
        ],
        "gate: reading": [cost(shared, plate, clip) for plate, clip in clips.items()],
        f"gate: among {BLOCKED:,} blocked": blocked_list(shared),
    }


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one vehicle, in ms after its deciding picture."""

    told_ms: float
    """When the barrier was told."""
    shown_ms: float
    """When the row was heard of."""


def opened(shared: Path, plate: str, clip: Path) -> Row:
    """Have the car come `VISITS` times; return how soon it was let in and shown."""
    with plant(shared) as site, barrier_server() as barrier:
        script = GATE.format(clip=str(clip), barrier=barrier.url, plate=plate)
        site.manage("shell", "-c", script)
        with web(site) as server, hearing(server) as heard, site.worker():
            known: set[int] = set()
            visits = [next_visit(site, barrier, heard, known) for _ in range(VISITS)]
    return {
        "car": plate,
        "visits": len(visits),
        "barrier p50 ms": whole([each.told_ms for each in visits], 50),
        "barrier max ms": whole([each.told_ms for each in visits], 100),
        "row p50 ms": whole([each.shown_ms for each in visits], 50),
        "row max ms": whole([each.shown_ms for each in visits], 100),
    }


def whole(times_ms: Sequence[float], percent: int) -> int:
    return round(percentile(times_ms, percent))


@contextmanager
def hearing(server: Web) -> Iterator[Queue[tuple[float, Any]]]:
    """Give the rows of visits, each with when it came, since the epoch."""
    rows: Queue[tuple[float, Any]] = Queue()
    socket = connect(
        f"ws://localhost:{server.port}/ws/live/",
        additional_headers={"Authorization": server.authorization},
        compression=None,
    )

    def hear() -> None:
        try:
            for message in socket:
                rows.put((time.time(), json.loads(message)["data"]))
        except ConnectionClosed:
            return

    with socket:
        socket.send(json.dumps({"subscribe": [TOPIC]}))
        assert "subscribed" in json.loads(socket.recv())
        threading.Thread(target=hear, daemon=True).start()
        yield rows


def next_visit(
    site: Plant, barrier: Barrier, heard: Queue[tuple[float, Any]], known: set[int]
) -> Visit:
    """Wait for the car to be let in, and forget it: it then comes as a new one."""
    shown_s, row = let_in(heard, known)
    known.add(row["id"])
    wait_until(lambda: is_open(site), what="the barrier's answer")
    decided_s = datetime.fromisoformat(row["last_seen_at"]).timestamp()
    (told,) = barrier.told
    barrier.told.clear()
    site.database.execute("DELETE FROM vehicles_barriercall")
    site.database.execute("DELETE FROM vehicles_vehiclelog")
    return Visit(
        told_ms=1000 * (told.at_s - decided_s),
        shown_ms=1000 * (shown_s - decided_s),
    )


def let_in(heard: Queue[tuple[float, Any]], known: set[int]) -> tuple[float, Any]:
    """Return when the first row came of a new visit that may drive in, and the row.

    It is told of again when its barrier has answered and its pictures are stored.
    """
    try:
        while True:
            at_s, row = heard.get(timeout=PATIENCE_S)
            if row["opens"] and row["id"] not in known:
                return at_s, row
    except Empty:
        raise TookTooLong(f"a vehicle: not after {PATIENCE_S:.0f} s") from None


def is_open(site: Plant) -> bool:
    calls = site.rows("SELECT result FROM vehicles_barriercall")
    return calls == [("opened",)]


class _Watched:
    """Implements `PlateFinder` and `PlateReader`; counts what is asked of them."""

    def __init__(self, model: PlateModel) -> None:
        self.name = model.reader.name
        self.looks = self.reads = 0
        self._model = model

    def find(self, image: Image) -> list[FoundPlate]:
        self.looks += 1
        return self._model.finder.find(image)

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        self.reads += 1
        return self._model.reader.read(cuts)


class _TimedStage(PlateStage):
    """Notes how long each frame takes in which a plate is looked for."""

    def __init__(self, watched: _Watched) -> None:
        model = PlateModel(watched, watched)
        super().__init__(model, formats=INDIA, policy=GatePolicy())
        self.looks_ms: list[float] = []
        self._watched = watched

    def observe(self, frame: Frame, tracks: Sequence[Track]) -> Iterator[PlateOffered]:
        before, began_s = self._watched.looks, time.perf_counter()
        offers = list(super().observe(frame, tracks))
        if self._watched.looks > before:
            self.looks_ms.append(1000 * (time.perf_counter() - began_s))
        yield from offers


def cost(shared: Path, plate: str, clip: Path) -> Row:
    """Look at as many pictures a second as live, as fast as it goes."""
    model = PlateModel(the_finder(shared / "models"), load_reader(shared / "models"))
    model.finder.find(BLANK)  # The first time takes longer.
    model.reader.read([BLANK])
    watched = _Watched(model)
    stage = _TimedStage(watched)
    analysed, offers = followed(stage, shared, clip)
    frames = int(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT))
    vehicles, looks_ms = {each.track_id for each in offers}, stage.looks_ms
    return {
        "car": plate,
        "frames": frames,
        "analysed": analysed,
        "looked at": len(looks_ms),
        "% of frames": round(100 * len(looks_ms) / frames, 1),
        "% of analysed": round(100 * len(looks_ms) / analysed, 1),
        "plates read": watched.reads,
        "vehicles": len(vehicles),
        "sure and right": sum(is_right(each, plate) for each in offers),
        "mean ms a look": round(mean(looks_ms)),
        "max ms a look": round(max(looks_ms)),
        "ms a vehicle": round(sum(looks_ms) / len(vehicles)),
    }


def followed(
    stage: PlateStage, shared: Path, clip: Path
) -> tuple[int, list[PlateOffered]]:
    """Return how many pictures were analysed, and all that the stage tells."""
    source = open_source(
        str(clip), camera="bench", clock=lambda: datetime.now(UTC), realtime=False
    )
    pipeline = CameraPipeline([stage], detect_fps=FPS)
    detector = load_detector(shared / "models" / WEIGHTS)
    analysed, offers = 0, list[PlateOffered]()
    for analysis in analyse(source, detector, pipeline):
        analysed += 1
        offers += analysis.events
    return analysed, [*offers, *pipeline.finish()]


def is_right(offer: PlateOffered, plate: str) -> bool:
    found = vote(offer.reads, INDIA)
    return (
        found is not None and found.text == plate and not refusal(found, GatePolicy())
    )
