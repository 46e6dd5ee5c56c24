"""Dates in addresses, and times that people type by the clock of a site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streaming.models import Site

NO_TIME: Final = "Write the time as 08:05."
NO_DATE: Final = "Write the date as 2026-11-21."
FIRST, SECOND = "first", "second"
YEARS: Final = range(2000, 2101)


class IsoDate:
    """A date in an address, such as 2026-11-21."""

    regex = r"2[0-9]{3}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Raise ValueError, which is "no such page", for one that never comes."""
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as it stands in a form: the date, the time of day, and which of two.

    Where a clock is set back an hour comes twice, and `which` says the first or the
    second; `comes_twice` has the form ask for it.
    """

    name: str
    on: str = ""
    time: str = ""
    which: str = ""
    at: datetime | None = None
    """The instant in UTC; None where no time was typed, or where it is wrong."""
    error: str = ""
    comes_twice: bool = False

    @classmethod
    def of(
        cls, name: str, at: datetime | None, *, default_on: date, site: Site
    ) -> Clock:
        """Show an instant, or an empty time on the date on which it is most likely."""
        if at is None:
            return cls(name, on=default_on.isoformat())
        local = site.local(at)
        twice = _comes_twice(local)
        which = (SECOND if local.fold else FIRST) if twice else ""
        return cls(
            name,
            on=local.date().isoformat(),
            time=f"{local:%H:%M}",
            which=which,
            at=at,
            comes_twice=twice,
        )

    @classmethod
    def read(
        cls, name: str, values: Mapping[str, str], *, shown: Clock, site: Site
    ) -> Clock:
        """Take what was typed; what was not touched stays the instant that it was.

        A form shows minutes, while cameras see people at a second.
        """
        typed = cls(
            name,
            on=values.get(f"{name}_on", "").strip(),
            time=values.get(f"{name}_time", "").strip(),
            which=values.get(f"{name}_which", ""),
        )
        if not typed.time:
            return typed
        same = (typed.on, typed.time, typed.which) == (
            shown.on,
            shown.time,
            shown.which,
        )
        return shown if same and shown.at else typed._understood(site)

    def _understood(self, site: Site) -> Clock:
        try:
            on = date.fromisoformat(self.on)
        except ValueError:
            return replace(self, error=NO_DATE)
        try:
            at = time.fromisoformat(self.time.zfill(len("08:05")))
        except ValueError:
            return replace(self, error=NO_TIME)
        if at.tzinfo or on.year not in YEARS:
            return replace(self, error=NO_TIME if at.tzinfo else NO_DATE)
        return self._placed(datetime.combine(on, at, ZoneInfo(site.time_zone)))

    def _placed(self, local: datetime) -> Clock:
        """Return it with its instant, unless the clock was changed over it."""
        if not _exists(local):
            sentence = f"The clocks went forward: there was no {local:%H:%M} that day."
            return replace(self, error=sentence)
        twice = _comes_twice(local)
        if twice and self.which not in {FIRST, SECOND}:
            sentence = f"The clocks went back: {local:%H:%M} came twice. Say which."
            return replace(self, error=sentence, comes_twice=True)
        local = local.replace(fold=int(twice and self.which == SECOND))
        return replace(self, at=local.astimezone(UTC), comes_twice=twice)


def _exists(local: datetime) -> bool:
    there_and_back = local.astimezone(UTC).astimezone(local.tzinfo)
    return there_and_back.replace(tzinfo=None) == local.replace(tzinfo=None, fold=0)


def _comes_twice(local: datetime) -> bool:
    first, second = local.replace(fold=0), local.replace(fold=1)
    return _exists(first) and first.utcoffset() != second.utcoffset()
