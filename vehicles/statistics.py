"""How many vehicles came, and how many of them the gates could tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db.models import (
    BooleanField,
    Count,
    DateField,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    Q,
)
from django.db.models.functions import Cast

from .rules import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from .models.log import VehicleLogQuerySet

REJECTIONS = (
    Reason.LOW_CONFIDENCE,
    Reason.BAD_FORMAT,
    Reason.NO_CONSENSUS,
    Reason.NO_PLATE,
)


class _Group(NamedTuple):
    """Visits that are counted together."""

    camera_id: int
    camera_code: str
    day: date
    status: str
    reason: str
    is_named: bool
    number: int
    opened: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Visits by what the cameras could tell of them."""

    reads: int
    """All visits: each vehicle is read once."""
    accepted: int
    rejected: int
    named: int
    """Of which a person said later which plate it was: neither of the two above."""
    authorized: int
    blocked: int
    unknown: int
    """Parts of the accepted."""
    opened: int
    """For which the gate was to open by itself."""
    rejected_by_reason: Mapping[str, int]

    @classmethod
    def of(cls, groups: Iterable[_Group]) -> Self:
        by_status, by_reason = Counter[str](), Counter[str]()
        opened = 0
        for each in groups:
            by_status["named" if each.is_named else each.status] += each.number
            by_reason[each.reason] += each.number
            opened += each.opened
        rejected, named = by_status[Status.REJECTED], by_status["named"]
        return cls(
            reads=by_status.total(),
            accepted=by_status.total() - rejected - named,
            rejected=rejected,
            named=named,
            authorized=by_status[Status.AUTHORIZED],
            blocked=by_status[Status.BLOCKED],
            unknown=by_status[Status.UNKNOWN],
            opened=opened,
            rejected_by_reason={each.value: by_reason[each] for each in REJECTIONS},
        )

    @property
    def accepted_rate(self) -> float | None:
        """Share of all that could be told, 0..1; None of nobody."""
        return round(self.accepted / self.reads, 4) if self.reads else None


@dataclass(frozen=True, slots=True)
class CameraDay:
    """What one camera read on one day of its site."""

    camera_id: int
    camera_code: str
    date: date
    counts: Counts


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """Visits of a period."""

    whole: Counts
    days: Sequence[CameraDay]
    """The first day first, then by the code of the camera."""


def gate_statistics(logs: VehicleLogQuerySet) -> GateStatistics:
    """Count visits, in all and per camera and day of its site; one query."""
    groups = _groups(logs)
    days: defaultdict[tuple[date, str, int], list[_Group]] = defaultdict(list)
    for each in groups:
        days[each.day, each.camera_code, each.camera_id].append(each)
    return GateStatistics(
        whole=Counts.of(groups),
        days=[
            CameraDay(camera_id, code, day, Counts.of(days[day, code, camera_id]))
            for day, code, camera_id in sorted(days)
        ],
    )


def _groups(logs: VehicleLogQuerySet) -> list[_Group]:
    here = Func(
        F("camera__site__time_zone"),
        F("occurred_at"),
        function="timezone",
        output_field=DateTimeField(),
    )
    named = Q(named_at__isnull=False)
    rows = logs.order_by().annotate(
        day=Cast(here, DateField()),
        is_named=ExpressionWrapper(named, output_field=BooleanField()),
    )
    by = ("camera_id", "camera__code", "day", "status", "reason", "is_named")
    counted = rows.values_list(*by).annotate(
        number=Count("id"), opened=Count("id", filter=Q(opens=True))
    )
    return [_Group(*row) for row in counted]
