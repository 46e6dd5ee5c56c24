"""Lines, zones, areas and what was counted, in the admin."""

from . import buckets, drawn, logs

__all__ = ["buckets", "drawn", "logs"]
