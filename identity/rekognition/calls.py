"""How Rekognition may be asked: not too often, again when that may help, and not at all
while it fails. Limit, breaker and counters are those of all workers.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

import redis

from identity import usage

from .call_limit import CallLimit, TooManyWait
from .client import BadImage, Denied, NoCollection, Throttled, Unavailable
from .retries import MAX_RETRIES, with_retries
from .shared_breaker import BreakerOpen, SharedBreaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from .retries import OnRetry

WAIT_S: Final = 5.0
"""How long a call may wait for its turn; a person stands before the camera."""
ResultT = TypeVar("ResultT")


class NotAnswered(Exception):
    """Rekognition was not asked, or has not answered; a sentence says why."""


class RemoteCalls:
    """Gives calls to Rekognition their turn."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        per_second: int,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        max_retries: int = MAX_RETRIES,
        on_retry: OnRetry | None = None,
    ) -> None:
        self._limit = CallLimit(client, per_second=per_second, sleep=sleep, clock=clock)
        self._breaker = SharedBreaker(client)
        self._sleep = sleep
        self._jitter = jitter
        self._max_retries = max_retries
        self._on_retry = on_retry

    def run(self, call: Callable[[], ResultT], *, is_paid: bool = False) -> ResultT:
        """Return what the call returns, tried again where that may help.

        Raises NotAnswered; BadImage and NoCollection, which are answers.
        """
        try:
            return with_retries(
                lambda: self._once(call, is_paid=is_paid),
                on=(Throttled, Unavailable),
                sleep=self._sleep,
                jitter=self._jitter,
                max_retries=self._max_retries,
                on_retry=self._note_retry,
            )
        except Throttled as error:
            self._breaker.failed(str(error))
            raise NotAnswered(str(error)) from error
        except (Unavailable, Denied, TooManyWait, BreakerOpen) as error:
            raise NotAnswered(str(error)) from error
        except redis.RedisError as error:
            # Without it nothing says how many calls the other workers make.
            name = type(error).__name__
            raise NotAnswered(f"Redis does not answer: {name}.") from error

    def _once(self, call: Callable[[], ResultT], *, is_paid: bool) -> ResultT:
        self._breaker.enter()
        self._limit.acquire(timeout_s=WAIT_S)
        try:
            result = call()
        except Throttled:
            usage.count("throttled")
            raise
        except Unavailable as error:
            usage.count("failures")
            self._breaker.failed(str(error))
            raise
        except Denied as error:
            self._breaker.open(str(error))
            raise
        except (BadImage, NoCollection) as error:
            self._note_answer(is_paid=is_paid and isinstance(error, BadImage))
            raise
        self._note_answer(is_paid=is_paid)
        return result

    def _note_answer(self, *, is_paid: bool) -> None:
        if is_paid:
            usage.count("calls")
        # What was answered, and maybe paid, is not lost for want of Redis.
        with suppress(redis.RedisError):
            self._breaker.answered()

    def _note_retry(self, attempt: int, error: Exception, delay_s: float) -> None:
        usage.count("retries")
        if self._on_retry:
            self._on_retry(attempt, error, delay_s)
