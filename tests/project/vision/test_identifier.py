from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from factory_site import pipelines
from factory_site.vision.identifier import BATCH, LOOK_AROUND_S, PAUSE_S, Identifier
from factory_site.vision.names import Names
from streaming.event_queue import EventQueue, TryAgainLater
from tests.factories import make_camera
from tests.offers import make_offer
from tests.scenes import frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from identity.pipeline import FaceOffered

pytestmark = pytest.mark.django_db
PATIENCE_S = 20


@dataclass
class Identify:
    """Notes what it was given; knows everybody, unless it fails."""

    error: Exception | None = None
    taken: list[FaceOffered] = field(default_factory=list)

    def __call__(self, offer: FaceOffered) -> str:
        if self.error:
            raise self.error
        self.taken.append(offer)
        return f"E-{offer.track_id}"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EventQueue]:
    queue = EventQueue(tmp_path / "vision-1", keep_recorded=0)
    yield queue
    queue.close()


@pytest.fixture
def identify() -> Identify:
    return Identify()


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def identifier(queue: EventQueue, identify: Identify, names: Names) -> Identifier:
    return Identifier(queue, identify, names)


class TestIdentifier:
    def test_has_the_oldest_offer_identified_whole(
        self, identifier: Identifier, identify: Identify
    ) -> None:
        offers = [make_offer(), make_offer()]
        for offer in offers:
            identifier.queue.put(pipelines.encode(offer))

        assert identifier.step(now_s=0)
        assert identify.taken == offers[:1]
        assert identifier.step(now_s=0)
        assert not identifier.step(now_s=0)
        assert identify.taken == offers

    def test_says_who_it_is_on_the_picture(
        self, identifier: Identifier, names: Names
    ) -> None:
        identifier.queue.put(pipelines.encode(make_offer(track_id=7)))
        identifier.step(now_s=0)

        assert names.of(frame()) == {7: "E-7"}

    @pytest.mark.parametrize("error", [TryAgainLater("no engine"), OperationalError()])
    def test_keeps_offers_while_they_cannot_be_identified(
        self,
        identifier: Identifier,
        identify: Identify,
        caplog: pytest.LogCaptureFixture,
        error: Exception,
    ) -> None:
        offer = make_offer()
        identifier.queue.put(pipelines.encode(offer))
        identify.error = error

        assert [identifier.step(now_s=number) for number in range(3)] == [False] * 3
        assert caplog.text.count("faces wait on disk") == 1
        assert (len(identifier.queue), identifier.queue.failed) == (1, 0)

        identify.error = None
        assert identifier.step(now_s=4)
        assert identify.taken == [offer]
        assert "recognised again" in caplog.text

    def test_sets_aside_what_fails_and_goes_on(
        self, identifier: Identifier, identify: Identify
    ) -> None:
        identifier.queue.put("no event")
        identifier.queue.put(pipelines.encode(make_offer()))

        assert identifier.step(now_s=0)
        assert identifier.step(now_s=0)
        assert len(identify.taken) == identifier.queue.failed == 1

    def test_leaves_out_what_another_worker_may_have_seen_too(
        self, identifier: Identifier, identify: Identify
    ) -> None:
        camera = make_camera(lease_term=2)
        offer = make_offer(camera=camera.code)
        identifier.queue.put(pipelines.encode(offer, term=1, is_sure=False))
        identifier.queue.put(pipelines.encode(offer, term=2, is_sure=False))

        assert identifier.step(now_s=0)
        assert (identifier.stale, identify.taken) == (1, [])
        assert identifier.step(now_s=0)
        assert (identifier.stale, identify.taken) == (1, [offer])

    def test_takes_what_dead_workers_left(
        self, identifier: Identifier, identify: Identify, tmp_path: Path
    ) -> None:
        left = EventQueue(tmp_path / "vision-2")
        offer = make_offer()
        left.put(pipelines.encode(offer))
        left.close()

        assert identifier.step(now_s=0)
        assert identify.taken == [offer]
        left = EventQueue(tmp_path / "vision-2")
        left.put(pipelines.encode(make_offer()))
        left.close()
        assert not identifier.step(now_s=LOOK_AROUND_S - 1)
        assert identifier.step(now_s=LOOK_AROUND_S + 1)
        assert len(identify.taken) == 2

    def test_leaves_the_queue_of_a_dead_worker_to_its_restart_now_and_then(
        self, identifier: Identifier, identify: Identify, tmp_path: Path
    ) -> None:
        left = EventQueue(tmp_path / "vision-2")
        for _ in range(BATCH + 1):
            left.put(pipelines.encode(make_offer()))
        left.close()

        assert identifier.step(now_s=0)
        assert not identifier.step(now_s=PAUSE_S / 2)
        assert len(identify.taken) == BATCH
        assert identifier.step(now_s=PAUSE_S + 0.5)
        assert len(identify.taken) == BATCH + 1

    @pytest.mark.django_db(transaction=True)
    def test_works_in_several_threads_until_it_is_stopped(
        self, identifier: Identifier, identify: Identify
    ) -> None:
        offers = [make_offer() for _ in range(20)]
        for offer in offers:
            identifier.queue.put(pipelines.encode(offer))
        stopping, deadline = threading.Event(), threading.Event()
        threads = [
            threading.Thread(target=identifier.run, args=(stopping,)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for _ in range(PATIENCE_S * 10):
            if len(identify.taken) == len(offers):
                break
            deadline.wait(0.1)
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE_S)

        assert not any(thread.is_alive() for thread in threads)
        taken = [offer.event_id for offer in identify.taken]
        assert sorted(taken) == sorted(offer.event_id for offer in offers)
