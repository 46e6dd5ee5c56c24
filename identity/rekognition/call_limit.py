"""At most so many paid calls a second over all workers, kept in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

WINDOW_S: Final = 1.2
"""Calls let through within it never exceed the limit. It is longer than the second that
is promised by how much later one call may leave its machine than another: `LATE_S`, and
as much for what comes after `acquire`, signing and sending."""
LATE_S: Final = 0.1
"""A process that hears later that it may call, for want of CPU, asks anew."""
KEY: Final = "identity:rekognition:calls"
SCRIPT: Final = """
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local oldest_us = tonumber(redis.call('LINDEX', KEYS[1], ARGV[1] - 1))
local window_us = tonumber(ARGV[2])
if oldest_us and oldest_us <= now_us and now_us - oldest_us < window_us then
  return window_us - (now_us - oldest_us)
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now_us))
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window_us / 1000))
return 0
"""
"""The calls let through last, newest first, by Redis' own clock. Returns 0 when one
more is, else after how many microseconds to ask again."""


class TooManyWait(Exception):
    """No call was free in time."""


class CallLimit:
    """Shared by all that use the same Redis."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        per_second: int,
        sleep: Callable[[float], object],
        clock: Callable[[], float],
    ) -> None:
        self._script = client.register_script(SCRIPT)
        self._per_second = per_second
        self._sleep = sleep
        self._clock = clock
        """Seconds that never go back."""

    def acquire(self, *, timeout_s: float) -> None:
        """Wait until one more call may begin, and count it.

        Raises TooManyWait, without waiting for it, when that is after the time-out;
        redis.RedisError.
        """
        deadline = self._clock() + timeout_s
        while True:
            asked_s = self._clock()
            wait_s = self._ask()
            heard_s = self._clock()
            if not wait_s and heard_s - asked_s <= LATE_S:
                return
            if heard_s + wait_s > deadline:
                raise TooManyWait(
                    f"No call to Rekognition was free within {timeout_s:g} s."
                )
            self._sleep(wait_s)

    def _ask(self) -> float:
        wait_us = self._script(keys=[KEY], args=[self._per_second, int(WINDOW_S * 1e6)])
        return int(wait_us) / 1e6
