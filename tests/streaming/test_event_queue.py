from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from streaming.event_queue import (
    EventQueue,
    QueueInUse,
    TryAgainLater,
    deliver_left_beside,
    left_beside,
)

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

    def test_keeps_nothing_of_what_was_recorded_when_told_so(
        self, tmp_path: Path
    ) -> None:
        queue = EventQueue(tmp_path / "faces", keep_recorded=0)
        for number in range(3):
            queue.put(str(number))
        drain(queue)

        assert queue._queue.acked_count() == 0
        queue.close()

    def test_is_known_by_the_same_name_for_good(
        self, folder: Path, tmp_path: Path
    ) -> None:
        names = []
        for place in (folder, folder, tmp_path / "vision-2"):
            queue = EventQueue(place)
            names.append(queue.id)
            queue.close()

        assert names[0] == names[1] != names[2]


class TestLeftBeside:
    def test_gives_the_queues_that_no_process_has(
        self, queue: EventQueue, tmp_path: Path
    ) -> None:
        for name in ("vision-2", "vision-3"):
            one = EventQueue(tmp_path / name)
            one.put(f"of {name}")
            if name == "vision-2":
                one.close()

        found = [drain(left) for left in left_beside(queue)]

        assert found == [["of vision-2"]]
        one.close()

    def test_leaves_them_to_their_workers_afterwards(
        self, queue: EventQueue, tmp_path: Path
    ) -> None:
        EventQueue(tmp_path / "vision-2").close()

        for left in left_beside(queue):
            with pytest.raises(QueueInUse):
                EventQueue(left.folder)

        EventQueue(tmp_path / "vision-2").close()

    def test_passes_over_what_cannot_be_read(
        self, queue: EventQueue, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "vision-0").mkdir()
        (tmp_path / "vision-0" / "data.db").write_text("not a database " * 100)
        EventQueue(tmp_path / "vision-2").close()

        found = [left.folder.name for left in left_beside(queue)]

        assert found == ["vision-2"]
        assert "vision-0 cannot be read" in caplog.text


class TestDeliverLeftBeside:
    def test_delivers_no_more_than_it_is_told(
        self, queue: EventQueue, tmp_path: Path
    ) -> None:
        for name in ("vision-2", "vision-3"):
            left = EventQueue(tmp_path / name)
            for number in range(2):
                left.put(f"{name} {number}")
            left.close()
        received: list[str] = []

        counts = [
            deliver_left_beside(queue, received.append, limit=3) for _ in range(3)
        ]

        assert counts == [3, 1, 0]
        assert received == ["vision-2 0", "vision-2 1", "vision-3 0", "vision-3 1"]
