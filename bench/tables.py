"""What a benchmark gives back: tables by their titles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]
"""One line of a table, by column; all rows of a table have the same columns."""
Rows = Sequence[Row]
Tables = dict[str, Rows]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that `percent` (1..100) of them do not exceed."""
    at_least = -(-percent * len(values) // 100)
    return sorted(values)[at_least - 1]


def measured(what: str, work: Callable[[], object]) -> Row:
    """Do it once; say how long it took, with how many queries, and what came of it."""
    from django.db import connection

    queries = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    began_s = time.perf_counter()
    with connection.execute_wrapper(count):
        came_to = work()
    took_s = time.perf_counter() - began_s
    return {
        "what": what,
        "s": round(took_s, 2),
        "queries": queries,
        "of it": str(came_to),
    }
