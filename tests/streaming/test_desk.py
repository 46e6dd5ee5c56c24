from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from celery import shared_task, signals
from celery.contrib.testing.worker import start_worker

from factory_site.celery import app
from streaming import desk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import redis
    from pytest_django import Settings


class NotLiked(Exception):
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@shared_task(name="tests.desk.measure")
@desk.answering(refusal=NotLiked)
def measure(*, blob: bytes, unit: str) -> Mapping[str, Any]:
    if blob == b"ugly":
        raise NotLiked("ugly", "The picture is ugly. Take another one.")
    if blob == b"broken":
        raise ZeroDivisionError("hidden-word")
    return {"size": len(blob), "unit": unit, "picture": blob}


def ask(blob: bytes, **options: Any) -> dict[str, Any]:
    payload = {"unit": "bytes"}
    return desk.ask("tests.desk.measure", payload=payload, blob=blob, **options)


@pytest.fixture(scope="class")
def worker(servers: None) -> Iterator[None]:
    """Run a real Celery worker in a thread; it leaves the log as it is."""

    def keep_log(**_: object) -> None: ...

    signals.setup_logging.connect(keep_log)
    with start_worker(app, pool="solo", perform_ping_check=False):
        yield
    signals.setup_logging.disconnect(keep_log)


@pytest.mark.usefixtures("worker")
class TestAsk:
    def test_brings_what_the_task_answers(self, redis_client: redis.Redis) -> None:
        answer = ask(b"\x00\xff")

        assert answer == {"size": 2, "unit": "bytes", "picture": b"\x00\xff"}

    def test_takes_an_empty_blob(self, redis_client: redis.Redis) -> None:
        assert ask(b"")["size"] == 0

    def test_hands_on_a_refusal(self, redis_client: redis.Redis) -> None:
        with pytest.raises(desk.Refused, match="The picture is ugly") as refused:
            ask(b"ugly")

        assert refused.value.code == "ugly"

    def test_tells_of_an_error_without_its_words(
        self, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(desk.NoAnswer) as failed:
            ask(b"broken")

        assert str(failed.value) == desk.FAILED
        deadline = time.monotonic() + 10
        while "ZeroDivisionError" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "ZeroDivisionError" in caplog.text

    def test_answers_many_at_once_each_their_own(
        self, redis_client: redis.Redis
    ) -> None:
        sizes: dict[int, int] = {}

        def work(size: int) -> None:
            sizes[size] = ask(b"x" * size)["size"]

        threads = [threading.Thread(target=work, args=(size,)) for size in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sizes == {size: size for size in range(1, 9)}

    def test_leaves_nothing_in_redis(self, redis_client: redis.Redis) -> None:
        ask(b"12345")
        with pytest.raises(desk.Refused):
            ask(b"ugly")

        assert list(redis_client.scan_iter("desk:*")) == []


class TestAskInVain:
    def test_says_that_nobody_answers_and_takes_the_question_back(
        self, redis_client: redis.Redis
    ) -> None:
        with pytest.raises(desk.NoAnswer, match="background worker does not answer"):
            ask(b"12345", timeout_s=0.2)

        assert list(redis_client.scan_iter("desk:*")) == []

    def test_says_that_redis_is_away(self, settings: Settings) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock"

        with pytest.raises(desk.NoAnswer, match="Redis does not answer"):
            ask(b"12345")

    def test_is_refused_where_too_many_wait(self, redis_client: redis.Redis) -> None:
        until_s = time.time() + 60
        waiting = {f"question-{number}": until_s for number in range(desk.WAITING_MAX)}
        redis_client.zadd(desk.WAITING, waiting)

        with pytest.raises(desk.Busy, match="Too many"):
            ask(b"12345", timeout_s=0.2)

        assert redis_client.zcard(desk.WAITING) == desk.WAITING_MAX
        assert redis_client.llen("celery") == 0

    def test_is_taken_where_those_before_gave_up(
        self, redis_client: redis.Redis
    ) -> None:
        before_s = time.time() - 1
        waiting = {f"question-{number}": before_s for number in range(99)}
        redis_client.zadd(desk.WAITING, waiting)

        with pytest.raises(desk.NoAnswer):
            ask(b"12345", timeout_s=0.2)

        assert redis_client.llen("celery") == 1


class TestAnswering:
    def test_does_nothing_for_whom_nobody_waits_any_more(
        self, redis_client: redis.Redis
    ) -> None:
        done = measure(question="gone", unit="bytes")

        assert done == {"answered": False}
        assert list(redis_client.scan_iter("desk:*")) == []

    def test_leaves_the_answer_for_a_short_time_only(
        self, redis_client: redis.Redis
    ) -> None:
        redis_client.set("desk:late:blob", b"12345")

        assert measure(question="late", unit="bytes") == {"answered": True}
        assert 0 < redis_client.pttl("desk:late:answer") <= desk.LEEWAY_S * 1000
        assert not redis_client.exists("desk:late:blob")
