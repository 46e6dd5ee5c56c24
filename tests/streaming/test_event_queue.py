from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from streaming.event_queue import EventQueue, QueueInUse, TryAgainLater

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUT_AND_DIE = """
import os, sys
from pathlib import Path
from streaming.event_queue import EventQueue
queue = EventQueue(Path(sys.argv[1]))
for number in range(3):
    queue.put(f"event {number}")
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vision-1"


@pytest.fixture
def queue(folder: Path) -> Iterator[EventQueue]:
    queue = EventQueue(folder)
    yield queue
    queue.close()


def drain(queue: EventQueue) -> list[str]:
    received: list[str] = []
    while queue.deliver(received.append):
        pass
    return received


def refuse(event: str) -> None:
    raise ValueError(event)


class TestEventQueue:
    def test_delivers_in_order_and_once(self, queue: EventQueue) -> None:
        queue.put("first")
        queue.put("second")

        assert drain(queue) == ["first", "second"]
        assert drain(queue) == []

    def test_keeps_events_over_a_kill_of_the_process(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-c", PUT_AND_DIE, folder], check=False)

        queue = EventQueue(folder)

        assert drain(queue) == ["event 0", "event 1", "event 2"]
        queue.close()

    def test_delivers_again_what_was_not_recorded(self, queue: EventQueue) -> None:
        queue.put("first")
        queue.put("second")

        def refuse(_event: str) -> None:
            raise TryAgainLater

        with pytest.raises(TryAgainLater):
            queue.deliver(refuse)

        assert len(queue) == 2
        assert drain(queue) == ["first", "second"]

    def test_delivers_again_after_a_crash_in_mid_delivery(self, folder: Path) -> None:
        queue = EventQueue(folder)
        queue.put("first")

        def crash(_event: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            queue.deliver(crash)
        queue.close()

        again = EventQueue(folder)
        assert drain(again) == ["first"]
        again.close()

    def test_sets_a_broken_event_aside_and_goes_on(self, queue: EventQueue) -> None:
        queue.put("broken")
        queue.put("good")
        received: list[str] = []

        def record(event: str) -> None:
            if event == "broken":
                raise ValueError(event)
            received.append(event)

        assert queue.deliver(record)
        assert queue.deliver(record)

        assert received == ["good"]
        assert queue.failed == 1

    def test_counts_what_an_earlier_process_set_aside(self, folder: Path) -> None:
        first = EventQueue(folder)
        first.put("broken")
        first.deliver(refuse)
        first.close()

        second = EventQueue(folder)
        assert second.failed == 1
        second.close()

    def test_refuses_a_second_worker_of_the_same_name(
        self, queue: EventQueue, folder: Path
    ) -> None:
        with pytest.raises(QueueInUse, match="vision-1 is running"):
            EventQueue(folder)

    def test_does_not_grow_with_what_was_recorded(
        self, queue: EventQueue, folder: Path
    ) -> None:
        for number in range(300):
            queue.put(str(number))
        drain(queue)

        assert queue._queue.acked_count() <= 101
