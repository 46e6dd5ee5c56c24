"""The roster and the records of attendance in the admin: HR's product."""

from . import proof, records, roster, shifts

__all__ = ["proof", "records", "roster", "shifts"]
