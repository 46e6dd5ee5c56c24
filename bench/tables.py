"""What a benchmark gives back: tables by their titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
"""One line of a table, by column; all rows of a table have the same columns."""
Rows = Sequence[Row]
Tables = dict[str, Rows]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that `percent` (1..100) of them do not exceed."""
    at_least = -(-percent * len(values) // 100)
    return sorted(values)[at_least - 1]
