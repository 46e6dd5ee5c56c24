"""What was counted as charts: each period with its words, for those who cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from occupancy import charts
from occupancy.charts import Slot, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from occupancy.board import Today
    from occupancy.charts import Chart
    from occupancy.history import Compared, Counted
    from streaming.models import Site

    Words = Callable[[datetime], str]

SMALL: Final = 96
"""Pixels of a chart's height on a card."""


class Draw(Protocol):
    """Draws periods; `label` is written below one, `name` is what it is called."""

    def __call__(
        self, rows: Sequence[Compared], *, label: Words, name: Words
    ) -> Chart: ...


def of_today(today: Today, *, site: Site) -> Chart:
    """Draw how many came in by the hour; the line is the same day last week."""
    slots = []
    for hour in today.hours:
        at = site.local(hour.start)
        before = hour.before.entries if hour.before else None
        told = f"{hour.now.entries} in, {hour.now.exits} out" if hour.now else "to come"
        slots.append(
            Slot(
                title=f"{at:%H:%M}: {told}" + after(before, "in last week"),
                label=f"{at:%H}",
                bars=[hour.now.entries if hour.now else None],
                before=before,
            )
        )
    return charts.chart(slots, height=SMALL)


def of_crossings(rows: Sequence[Compared], *, label: Words, name: Words) -> Chart:
    """Draw entries and exits side by side; the line is the entries of before."""
    return charts.chart(
        [
            Slot(
                title=f"{name(row.now.start)}: {crossings(row.now)}"
                + after(row.before.entries if row.before else None, "in before"),
                label=label(row.now.start),
                bars=[row.now.entries, row.now.exits],
                before=row.before.entries if row.before else None,
            )
            for row in rows
        ]
    )


def of_inside(rows: Sequence[Compared], *, label: Words, name: Words) -> Chart:
    """Draw from the least to the most, with the average; the line is that of before."""
    return charts.chart(
        [
            Slot(
                title=f"{name(row.now.start)}: {inside(row.now)}",
                label=label(row.now.start),
                span=span(row.now),
                before=row.before.average if row.before else None,
            )
            for row in rows
        ]
    )


def crossings(told: Counted) -> str:
    return f"{told.entries} in, {told.exits} out" if told.is_known else "not counted"


def inside(told: Counted) -> str:
    if told.average is None:
        return "not counted"
    return f"{told.average:.1f} inside on average, {told.least} to {told.most}"


def span(told: Counted) -> Span | None:
    if told.average is None or told.least is None or told.most is None:
        return None
    return Span(told.least, told.average, told.most)


def after(value: float | None, words: str) -> str:
    return "" if value is None else f"; {value:g} {words}"
