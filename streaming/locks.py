"""Locks by name, for what no row stands for yet."""

from __future__ import annotations

from typing import Final

from django.db import connection

HOLD: Final = """
SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS key
    FROM unnest(%s::text[]) AS name ORDER BY key
) AS keys
"""


def hold(*names: str) -> None:
    """Let no other transaction hold any of these names until this one's end.

    Those of one call are taken in the same order by everybody, so that two who ask for
    the same ones do not wait for each other. Call it inside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [list(names)])
