"""Rates of things that are only counted, over the last seconds."""

from __future__ import annotations

from collections import deque


class Rates:
    """Turns counters into rates per second, from one sample a second."""

    def __init__(self, window_s: int) -> None:
        self._samples: deque[tuple[float, tuple[float, ...]]] = deque(
            maxlen=window_s + 1
        )

    def sample(self, now_s: float, *counters: float) -> tuple[float, ...]:
        """Take the counters' values, always as many; return the rates since.

        Zeros at the first sample.
        """
        self._samples.append((now_s, counters))
        began_s, before = self._samples[0]
        passed_s = now_s - began_s
        if passed_s <= 0:
            return (0.0,) * len(counters)
        return tuple(
            (now - then) / passed_s for now, then in zip(counters, before, strict=True)
        )
