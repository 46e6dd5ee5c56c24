"""When each camera gave pictures, as the clerk tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streaming.models import STILL_AFTER

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


class PictureTimes:
    """Written by the loop at each picture, read by the clerk now and then."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._since: dict[str, datetime] = {}
        self._untold: set[str] = set()

    def note(self, code: str, at: datetime) -> None:
        last = self._last.get(code)
        if last is None or at - last > STILL_AFTER:
            self._since[code] = at
        self._last[code] = at
        self._untold.add(code)

    def last(self, code: str) -> datetime | None:
        return self._last.get(code)

    def since(self, code: str) -> datetime | None:
        """Return since when they have come without a long break."""
        return self._since.get(code)

    def take_untold(self, *, but: Collection[str]) -> dict[str, datetime]:
        """Return the last of each camera that gave one since it was taken before."""
        codes = [code for code in self._untold.copy() if code not in but]
        self._untold.difference_update(codes)
        return {code: self._last[code] for code in codes}

    def forget_all_but(self, codes: Collection[str]) -> None:
        for code in [code for code in self._last.copy() if code not in codes]:
            self._last.pop(code, None)
            self._since.pop(code, None)
            self._untold.discard(code)
