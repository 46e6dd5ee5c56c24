"""The web process against clients that read slowly or not at all."""

from __future__ import annotations

import itertools
import re
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest
from websockets.sync.client import connect

from factory_site.roles import SECURITY
from streaming.frames import FramePublisher, Kind
from tests.factories import make_camera, make_user
from tests.web_process import cookie, web_process

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import redis

    from identity.models import User
    from streaming.models import Camera
    from tests.web_process import WebProcess

pytestmark = [
    pytest.mark.system,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("role_groups"),
]
MIB = 2**20
PICTURE = bytes(MIB // 4)
NUMBER, NUMBER_BYTES = re.compile(rb"<(\d{10})>"), 12
PICTURES_A_SECOND = 60
ENOUGH = 480
"""Pictures of 120 MiB together."""
GROWTH_MAX = 24 * MIB
STALE_MAX = 4 * MIB
"""What lies in buffers between the two ends, the client's own included."""


@pytest.fixture
def camera(role_groups: None, redis_client: redis.Redis) -> Camera:
    return make_camera()


@pytest.fixture
def sam(camera: Camera) -> User:
    return make_user("sam", role=SECURITY, sites=[camera.site])


@pytest.fixture
def web(camera: Camera) -> Iterator[WebProcess]:
    with web_process() as process:
        yield process


class Worker:
    """Publishes numbered pictures, as a vision worker would."""

    def __init__(self, camera: Camera) -> None:
        self.published = 0
        self._code = camera.code
        self._publisher = FramePublisher()
        self._stopping = threading.Event()

    def run(self) -> None:
        for number in itertools.count(1):
            if self._stopping.wait(1 / PICTURES_A_SECOND):
                return
            payload = b"<%010d>" % number + PICTURE
            self._publisher.publish(self._code, Kind.FULL, payload)
            self.published = number

    def wait_for(self, pictures: int) -> None:
        until = self.published + pictures
        while self.published < until:
            time.sleep(0.05)

    @contextmanager
    def working(self) -> Iterator[Worker]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join()


@pytest.fixture
def worker(camera: Camera) -> Iterator[Worker]:
    with Worker(camera).working() as worker:
        yield worker


def numbers_of(client: socket.socket) -> Iterator[tuple[int, int]]:
    """Yield the number of each picture, and how many bytes were read so far."""
    read, rest = 0, b""
    while received := client.recv(MIB):
        read += len(received)
        rest = rest[-NUMBER_BYTES + 1 :] + received
        for found in NUMBER.finditer(rest):
            yield int(found[1]), read


def feed(camera: Camera) -> str:
    return f"/api/video_feed?camera={camera.code}"


class TestStuckViewer:
    def test_costs_no_memory_and_holds_up_nobody(
        self, web: WebProcess, worker: Worker, camera: Camera, sam: User
    ) -> None:
        process = psutil.Process(web.running.process.pid)
        with (
            closing(web.get(feed(camera), user=sam, buffer_bytes=MIB // 8)) as stuck,
            closing(web.get(feed(camera), user=sam)) as other,
        ):
            seen = (number for number, _ in numbers_of(other))
            first = next(seen)
            before = process.memory_info().rss
            last = next(n for n in seen if n >= first + ENOUGH)

            assert process.memory_info().rss - before < GROWTH_MAX
            assert worker.published - last < 3 * PICTURES_A_SECOND

            asked_at = worker.published
            stale = next(read for n, read in numbers_of(stuck) if n >= asked_at)
            assert stale < STALE_MAX

    def test_is_forgotten_when_it_leaves(
        self, web: WebProcess, worker: Worker, camera: Camera, sam: User
    ) -> None:
        process = psutil.Process(web.running.process.pid)
        publisher = FramePublisher()
        with closing(web.get(feed(camera), user=sam, buffer_bytes=MIB // 8)):
            worker.wait_for(PICTURES_A_SECOND)
            connections = len(process.net_connections())

        deadline = time.monotonic() + 20
        while publisher.watched([camera.code]):
            assert time.monotonic() < deadline, "its pictures are still asked for"
            time.sleep(0.2)
        assert len(process.net_connections()) < connections


class TestStuckSocket:
    def test_costs_no_memory(
        self, web: WebProcess, camera: Camera, sam: User, redis_client: redis.Redis
    ) -> None:
        """Detections come without being asked for one by one."""
        process = psutil.Process(web.running.process.pid)
        address = f"ws://localhost:{web.port}/ws/live/"
        headers = {"Cookie": cookie(sam), "Origin": "http://localhost"}
        with connect(
            address, additional_headers=headers, max_queue=1, compression=None
        ) as socket:
            socket.send(f'{{"subscribe": ["streaming.detections:{camera.code}"]}}')
            assert "subscribed" in str(socket.recv(timeout=10))
            payload = b'{"padding": "%s"}' % (b"x" * (MIB // 4))
            publisher = FramePublisher()
            before = process.memory_info().rss
            for _ in range(ENOUGH):
                publisher.publish(camera.code, Kind.DETECTIONS, payload)
                time.sleep(1 / PICTURES_A_SECOND)

            assert process.memory_info().rss - before < GROWTH_MAX
