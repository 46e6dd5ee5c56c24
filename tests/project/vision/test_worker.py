from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Never

import pytest

from alerts.models import Alert
from factory_site import pipelines
from factory_site.vision.worker import (
    GATHER_S,
    IDLE_S,
    PartFailed,
    VisionWorker,
    rest_s,
)
from occupancy.models import OccupancyLog, Zone
from occupancy.rules import Direction
from streaming import workers
from streaming.event_queue import EventQueue
from streaming.models import Camera
from streaming.vision.detectors import load_detector
from tests.factories import (
    make_camera,
    make_crossing,
    make_line,
    make_rule,
    make_zone,
)
from tests.fakes import BrightDetector, write_walk
from tests.offers import make_offer
from tests.vehicles.offers import gate_camera
from tests.vehicles.offers import offer as offer_plate
from vehicles.models import VehicleLog
from vehicles.plate_model import the_working_plate_model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import redis
    from pytest_django import Settings

    from streaming.vision.plans import CameraPlan

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 20
DRAWN_PATIENCE_S = 60
VEHICLE_PATIENCE_S = 120
"""Two seconds of pictures, on a machine that does much else."""


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "vision-1")
    yield queue
    queue.close()


@pytest.fixture
def faces(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "faces" / "vision-1")
    yield queue
    queue.close()


@pytest.fixture
def plates(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "plates" / "vision-1")
    yield queue
    queue.close()


def becomes_true(condition: Callable[[], bool]) -> bool:
    deadline = threading.Event()
    for _ in range(DRAWN_PATIENCE_S * 10):
        if condition():
            return True
        deadline.wait(0.1)
    return False


class TestVisionWorker:
    def test_records_what_its_cameras_see_and_tells_that_it_lives(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
        tmp_path: Path,
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=1.5)
        line = make_line(camera=make_camera(source_url=str(clip)))
        worker = VisionWorker(
            name="vision-1",
            detector=BrightDetector(),
            weights=clip,
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=lambda _: None,
            load_plans=pipelines.camera_plans,
        )
        thread = threading.Thread(target=worker.run)
        thread.start()
        deadline = threading.Event()
        for _ in range(PATIENCE_S * 10):
            line.camera.refresh_from_db()
            if line.camera.state == "ended":
                break
            deadline.wait(0.1)
        (status,) = workers.running()
        worker.stopping.set()
        thread.join(PATIENCE_S)

        assert not thread.is_alive()
        assert (status.name, status.weights) == ("vision-1", "walk.mp4")
        assert len(status.weights_sha256) == 64
        assert status.memory_bytes > 1e6
        assert OccupancyLog.objects.get().entries == 1

    def test_watches_a_zone_drawn_meanwhile_without_opening_the_stream_anew(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
        tmp_path: Path,
    ) -> None:
        clip = write_walk(tmp_path / "walk.mp4", seconds=6)
        camera = make_camera(source_url=str(clip), loop=True)
        make_rule(kind="zone_restricted")
        worker = VisionWorker(
            name="vision-1",
            detector=BrightDetector(),
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=lambda _: None,
            load_plans=pipelines.camera_plans,
        )
        thread = threading.Thread(target=worker.run)
        thread.start()
        online = Camera.objects.filter(state=Camera.State.ONLINE)
        assert becomes_true(online.exists)
        whole = [[0, 0], [1, 0], [1, 1], [0, 1]]
        zone = make_zone(camera=camera, points=whole, restricted=True)
        counted = Zone.objects.filter(live_count=1)
        assert becomes_true(counted.exists)
        assert becomes_true(Alert.objects.filter(kind="zone_restricted").exists)
        (status,) = workers.running()
        worker.stopping.set()
        thread.join(PATIENCE_S)

        assert not thread.is_alive()
        assert status.cameras[camera.code].connects == 1
        zone.refresh_from_db()
        assert zone.live_count == 0, "nobody is seen when nothing is read any more"

    def test_puts_offered_faces_and_plates_on_ways_of_their_own(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
    ) -> None:
        line = make_line()
        (plan,) = pipelines.camera_plans([line.camera.code])
        worker = VisionWorker(
            name="vision-1",
            detector=BrightDetector(),
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=lambda _: None,
            load_plans=pipelines.camera_plans,
        )
        offer = make_offer(camera=line.camera.code)
        vehicle = offer_plate(line.camera, "MH12AB1234")

        worker.on_end(plan, [offer, make_crossing(line, Direction.IN), vehicle])

        status = worker.status()
        queued = (status.queued, status.faces_queued, status.plates_queued)
        assert queued == (1, 1, 1)
        texts: list[str] = []
        faces.deliver(texts.append)
        plates.deliver(texts.append)
        assert [pipelines.decode(text)[1] for text in texts] == [offer, vehicle]

    @pytest.mark.weights
    def test_records_the_vehicles_whose_plates_it_reads(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
        shared: Path,
        settings: Settings,
        tmp_path: Path,
    ) -> None:
        settings.MODELS_DIR, settings.MEDIA_ROOT = shared / "models", tmp_path
        the_working_plate_model.cache_clear()
        clip = shared / "samples" / "clips" / "car_JH10BP8513.mp4"
        camera = gate_camera()
        # Played once, of which no picture is left out, however busy the machine is.
        Camera.objects.update(source_url=str(clip))
        worker = VisionWorker(
            name="vision-1",
            detector=load_detector(shared / "models" / "yolo11n_int8_openvino_model"),
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=pipelines.record_vehicle,
            load_plans=pipelines.camera_plans,
        )
        thread = threading.Thread(target=worker.run)
        thread.start()
        deadline = threading.Event()
        for _ in range(VEHICLE_PATIENCE_S * 10):
            if VehicleLog.objects.filter(plate_number="JH10BP8513").exists():
                break
            deadline.wait(0.1)
        worker.stopping.set()
        thread.join(PATIENCE_S)
        the_working_plate_model.cache_clear()

        log = VehicleLog.objects.exclude(status="rejected").get()
        assert (log.plate_number, log.camera) == ("JH10BP8513", camera)
        assert (log.status, log.reader) == ("unknown", "fast-plate-ocr")
        assert log.snapshot
        assert log.plate_snapshot

    def test_ends_when_a_part_of_it_fails(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
    ) -> None:
        def fail(_codes: Collection[str]) -> Sequence[CameraPlan]:
            raise ValueError("a row that cannot be read")

        worker = VisionWorker(
            name="vision-1",
            detector=BrightDetector(),
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=lambda _: None,
            load_plans=fail,
        )

        with pytest.raises(PartFailed) as raised:
            worker.run()

        assert isinstance(raised.value.__cause__, ValueError)

    def test_ends_when_the_disk_takes_no_event_any_more(
        self,
        queue: EventQueue,
        faces: EventQueue,
        plates: EventQueue,
        redis_client: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(_: object) -> Never:
            raise sqlite3.OperationalError("database or disk is full")

        # What closing writes down: the end of a track that is on the picture.
        monkeypatch.setattr("streaming.vision.runner.Runner.close", fail)
        worker = VisionWorker(
            name="vision-1",
            detector=BrightDetector(),
            queue=queue,
            faces=faces,
            identify=lambda _: None,
            plates=plates,
            record_vehicle=lambda _: None,
            load_plans=pipelines.camera_plans,
        )
        worker.stopping.set()

        with pytest.raises(sqlite3.OperationalError, match="full"):
            worker.run()

        names = {thread.name for thread in threading.enumerate()}
        assert names.isdisjoint({"clerk", "painter", "identifier 1", "gatekeeper"})


class TestRest:
    @pytest.mark.parametrize(
        ("worked", "cameras", "is_watched", "rests_s"),
        [
            (False, 8, False, IDLE_S),
            (True, 8, False, GATHER_S),
            (True, 8, True, 0.0),
            (True, 1, False, 0.0),
        ],
    )
    def test_lets_the_frames_of_several_cameras_gather(
        self, *, worked: bool, cameras: int, is_watched: bool, rests_s: float
    ) -> None:
        assert rest_s(worked=worked, cameras=cameras, is_watched=is_watched) == rests_s
