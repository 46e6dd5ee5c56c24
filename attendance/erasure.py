"""What goes of a person's attendance when they are erased: texts, and what is to come.

The days stay, with their times, for the statistics; they name nobody any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from identity.erased_words import replace_in
from identity.models import AccessLog

from .models import (
    AttendanceCorrection,
    CorrectionRequest,
    Leave,
    ShiftAssignment,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from identity.erased_words import Columns, Words
    from identity.models import Employee

TEXTS: Final[Sequence[Columns]] = (
    (Leave, ("notes",)),
    (AttendanceCorrection, ("reason",)),
    (CorrectionRequest, ("text", "answer")),
    (Leave.history.model, ("notes", "history_change_reason")),
    (ShiftAssignment.history.model, ("history_change_reason",)),
)
"""Where people write, and may have written of somebody else."""


def forget(person: Employee, words: Words, at: datetime) -> dict[str, int]:
    """Remove what was written about a person; their days and sightings stay.

    A visit that they were named on by hand bears their name from now on, so that its
    picture goes too.
    """
    AccessLog.objects.filter(
        employee=None, unknown_attendances__employee=person
    ).update(employee=person)
    _end_roster(person, on=person.site.local(at).date() + timedelta(days=1))
    history_rows, texts = _forget_history(person), _forget_texts(person, at=at)
    return {
        "attendance_texts": texts + replace_in(TEXTS, words),
        "attendance_history_rows": history_rows,
    }


def _forget_texts(person: Employee, *, at: datetime) -> int:
    """Empty the texts; a request that waits is declined: nobody can answer it now."""
    requests = CorrectionRequest.objects.filter(record__employee=person)
    requests.filter(state=CorrectionRequest.State.OPEN).update(
        state=CorrectionRequest.State.DECLINED, answered_at=at
    )
    corrections = AttendanceCorrection.objects.filter(record__employee=person)
    leaves = Leave.objects.filter(employee=person).exclude(notes="")
    return (
        requests.update(text="", answer="")
        + corrections.exclude(reason="").update(reason="")
        + leaves.update(notes="")
    )


def _forget_history(person: Employee) -> int:
    return sum(
        model.history.filter(employee=person.pk).delete()[0]
        for model in (Leave, ShiftAssignment)
    )


def _end_roster(person: Employee, *, on: date) -> None:
    """Expect them no more from this date on."""
    for model in (ShiftAssignment, Leave):
        rows = model.objects.filter(employee=person)
        rows.filter(starts_on__gte=on).delete()
        rows.overlapping(on, None).update(ends_on=on)
