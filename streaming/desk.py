"""Work that needs the vision libraries, done for the web process while somebody waits.

The web process imports none of them. It leaves a question at the desk, a Celery worker
answers it, and both meet in Redis: the picture under a key, the answer in a list. What
nobody waits for any more is not done, and nothing stays in Redis.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec
import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAITING: Final = "desk:waiting"
"""Sorted set: the questions that somebody waits for, and until when."""
WAITING_MAX: Final = 16
"""One photo takes a tenth of a second or two, so this many wait a few seconds."""
TIMEOUT_S: Final = 20.0
LEEWAY_S: Final = 5.0
NO_REDIS: Final = "Redis does not answer. Nothing was stored; try again in a minute."
NO_WORKER: Final = (
    "The background worker does not answer. Nothing was stored; try again in a minute, "
    "and if it stays so, see the system page."
)
TOO_MANY: Final = "Too many photos are waiting. Nothing was stored; try again soon."
FAILED: Final = (
    "The background worker could not do it; its log says why. Nothing was stored."
)


class NoAnswer(Exception):
    """Nobody did the work in time; the text is for whoever asked. HTTP: 503."""


class Busy(Exception):
    """Too much is waiting; the text is for whoever asked. HTTP: 429."""


class Refused(Exception):
    """The work cannot be done as asked; `code` and text say why. HTTP: 400."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def ask(
    task_name: str,
    *,
    payload: Mapping[str, Any],
    blob: bytes = b"",
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Have a task done that is `answering`, and return what it answers.

    `payload` are its arguments as plain values, `blob` what is too large for them.
    Raises NoAnswer, Busy and Refused.
    """
    question = uuid4().hex
    try:
        with _connect(timeout_s + LEEWAY_S) as client:
            try:
                _queue_up(client, question, timeout_s=timeout_s)
                client.set(_blob_key(question), blob, px=round(timeout_s * 1000))
                _send(task_name, question, payload, timeout_s=timeout_s)
                answer = client.blpop([_answer_key(question)], timeout=timeout_s)
            finally:
                _leave(client, question)
    except (redis.RedisError, OperationalError) as error:
        raise NoAnswer(NO_REDIS) from error
    if answer is None:
        raise NoAnswer(NO_WORKER)
    return _read(answer[1])


def answering(
    *, refusal: type[Exception]
) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., dict[str, bool]]]:
    """Make a task of a function `(blob, **payload) -> answer`.

    What it raises of type `refusal`, which has a `code`, reaches whoever asked as
    Refused; any other error as NoAnswer, and goes on to Celery, which logs it.
    """

    def wrap(
        work: Callable[..., Mapping[str, Any]],
    ) -> Callable[..., dict[str, bool]]:
        @functools.wraps(work)
        def answer(*, question: str, **payload: Any) -> dict[str, bool]:
            with _connect(LEEWAY_S) as client:
                blob = client.getdel(_blob_key(question))
                if blob is None:
                    return {"answered": False}
                said: dict[str, Any] = {"failed": True}
                try:
                    said = {"answer": work(blob=blob, **payload)}
                except refusal as error:
                    code = getattr(error, "code", "refused")
                    said = {"refused": [code, str(error)]}
                finally:
                    _reply(client, question, said)
            return {"answered": True}

        return answer

    return wrap


def _queue_up(client: redis.Redis, question: str, *, timeout_s: float) -> None:
    """Take a place among those who wait; raise Busy where there is none."""
    now_s = time.time()
    with client.pipeline() as pipe:
        pipe.zremrangebyscore(WAITING, 0, now_s)
        pipe.zadd(WAITING, {question: now_s + timeout_s})
        pipe.zcard(WAITING)
        waiting = pipe.execute()[2]
    if waiting > WAITING_MAX:
        raise Busy(TOO_MANY)


def _send(
    task_name: str, question: str, payload: Mapping[str, Any], *, timeout_s: float
) -> None:
    current_app.send_task(
        task_name,
        kwargs={**payload, "question": question},
        expires=timeout_s,
        ignore_result=True,
        retry=False,
    )


def _reply(client: redis.Redis, question: str, said: Mapping[str, Any]) -> None:
    with client.pipeline() as pipe:
        pipe.rpush(_answer_key(question), msgspec.msgpack.encode(said))
        pipe.pexpire(_answer_key(question), round(LEEWAY_S * 1000))
        pipe.execute()


def _leave(client: redis.Redis, question: str) -> None:
    client.zrem(WAITING, question)
    client.delete(_blob_key(question), _answer_key(question))


def _read(said: bytes) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.msgpack.decode(said)
    if refused := content.get("refused"):
        raise Refused(*refused)
    if "answer" not in content:
        raise NoAnswer(FAILED)
    answer: dict[str, Any] = content["answer"]
    return answer


def _connect(timeout_s: float) -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout_s,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
    )


def _blob_key(question: str) -> str:
    return f"desk:{question}:blob"


def _answer_key(question: str) -> str:
    return f"desk:{question}:answer"
