"""What people say of a day: corrections, taken back, and what workers ask for.

A correction stays as it was made, and the rules change nothing of its day afterwards,
until it is given back to them.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from django.db import transaction

from identity.models import Employee
from streaming import live

from . import days, rules
from .basis import columns
from .claims import EXIT_FIRST, FUTURE, Claim, NotCorrected
from .models import AttendanceCorrection, AttendanceRecord, CorrectionRequest
from .models.days import Plan, Status
from .planning import Roster
from .serializers import AttendanceRecordSerializer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date, datetime

    from identity.models import User

    from .models import PresenceEvent
    from .planning import Planned
    from .rules import DayResult

__all__ = [
    "NotCorrected",
    "accept_request",
    "confirm_absent",
    "correct_day",
    "decline_request",
    "give_back",
    "request_correction",
]

ERASED: Final = "They were erased: nothing more is written about them."
NO_REASON: Final = "Say why: others must be able to follow it later."
NOTHING_CHANGED: Final = "That is what the record says already."
NOT_COME: Final = "That day has not come yet. Leave to come is entered in the admin."
NO_CORRECTION: Final = "Nobody has corrected this day: the rules decide it already."
NO_RULE: Final = (
    "The rules say nothing of a day without a shift. Correct it instead: weekly off, "
    "if they did not have to be there."
)
NO_RECORD: Final = "The record of this day is gone meanwhile. Look at the day again."
NO_TEXT: Final = "Say what is wrong with the day."
WAITING: Final = "A request about this day is waiting already. Answer it first."
ANSWERED: Final = "This request was answered already."
NO_CLAIM: Final = (
    "The request names no time. Correct the day, and say there that it answers this."
)
NO_ANSWER: Final = "Say why the day stays as it is: the worker is told."


@transaction.atomic
def correct_day(
    *,
    employee: Employee,
    on: date,
    status: str | None,
    check_in_at: datetime | None,
    check_out_at: datetime | None,
    reason: str,
    by: User | None,
    at: datetime,
    answers: CorrectionRequest | None = None,
) -> AttendanceCorrection:
    """Say what is right of a day, and why; it need not have a record yet.

    `status` None is for what the rules make of the times; PRESENT excuses whoever came
    late. A day that is to be reviewed may be confirmed as it is. `answers` is the
    request that is accepted by this. Raises NotCorrected.
    """
    person = _alone(employee.pk)
    if on > person.site.local(at).date():
        raise NotCorrected(NOT_COME, "on")
    reason = _told(reason, NO_REASON, "reason")
    request = _still_waiting(answers) if answers else None
    planned = Roster.load(employees=[person.pk], first=on, last=on).on(person.pk, on)
    result = Claim(status, check_in_at, check_out_at).judged(planned, at=at)
    found = AttendanceRecord.objects.filter(employee=person, attendance_date=on)
    stored = found.with_proof().first()
    before = _snapshot(stored) if stored else {}
    is_to_review = stored is not None and stored.is_to_review
    record = stored or AttendanceRecord(employee=person, attendance_date=on)
    _put(record, planned, result)
    if before == _snapshot(record) and not is_to_review:
        raise NotCorrected(NOTHING_CHANGED)
    correction = _corrected(record, before, reason=reason, by=by, at=at)
    if request:
        _close(request, CorrectionRequest.State.ACCEPTED, by=by, at=at)
        request.correction = correction
        request.save()
    return correction


@transaction.atomic
def give_back(
    *, record: AttendanceRecord, reason: str, by: User | None, at: datetime
) -> AttendanceCorrection:
    """Let the rules decide again what a day was; raise NotCorrected."""
    person = _alone(record.employee_id)
    record = _as_stored(record)
    if not record.is_corrected:
        raise NotCorrected(NO_CORRECTION)
    reason = _told(reason, NO_REASON, "reason")
    on = record.attendance_date
    told = days.workings(employee=person, on=on, now=at)
    if told.result.status is rules.Status.NONE:
        raise NotCorrected(NO_RULE)
    correction = AttendanceCorrection.objects.create(
        record=record,
        made_by=by,
        made_at=at,
        reason=reason,
        before=_snapshot(record),
        after={},
    )
    record.corrected_at, record.is_settled = None, False
    record.save(update_fields=["corrected_at", "is_settled", "changed_at"])
    days.recompute_days(employees=[person.pk], first=on, last=on, now=at)
    record.refresh_from_db()
    return correction


@transaction.atomic
def confirm_absent(
    *, records: Collection[int], reason: str, by: User | None, at: datetime
) -> int:
    """Say of unverified days, by key, that nobody came; return how many those were.

    Others among them are left as they are, also where no work was planned or the shift
    has not begun. Raises NotCorrected without a reason.
    """
    reason = _told(reason, NO_REASON, "reason")
    chosen = AttendanceRecord.objects.filter(
        pk__in=records,
        status=Status.UNVERIFIED,
        plan=Plan.WORK,
        start_at__lte=at,
        employee__erased_at=None,
    )
    days.alone(*chosen.values_list("employee", flat=True))
    confirmed = list(chosen.with_proof().order_by("pk"))
    for record in confirmed:
        before = _snapshot(record)
        record.status, record.reviews = Status.ABSENT, []
        _corrected(record, before, reason=reason, by=by, at=at)
    return len(confirmed)


@transaction.atomic
def request_correction(
    *,
    record: AttendanceRecord,
    text: str,
    check_in_at: datetime | None,
    check_out_at: datetime | None,
    by: User | None,
    at: datetime,
) -> CorrectionRequest:
    """Keep what a worker says of a day; raise NotCorrected."""
    _alone(record.employee_id)
    record = _as_stored(record)
    text = _told(text, NO_TEXT, "text")
    for name, claimed in (("check_in_at", check_in_at), ("check_out_at", check_out_at)):
        if claimed and rules.is_in_future(claimed, now=at):
            raise NotCorrected(FUTURE, name)
    came = check_in_at or record.check_in_at
    if came and check_out_at and check_out_at < came:
        raise NotCorrected(EXIT_FIRST, "check_out_at")
    state = CorrectionRequest.State.OPEN
    if record.requests.filter(state=state).exists():
        raise NotCorrected(WAITING)
    return CorrectionRequest.objects.create(
        record=record,
        made_by=by,
        made_at=at,
        text=text,
        check_in_at=check_in_at,
        check_out_at=check_out_at,
    )


@transaction.atomic
def accept_request(
    *, request: CorrectionRequest, answer: str, by: User | None, at: datetime
) -> AttendanceCorrection:
    """Correct a day as its worker says, and close the request; raise NotCorrected.

    A time that the request does not name stays the record's, and so does the excuse for
    an arrival that it leaves as it is.
    """
    _alone(request.record.employee_id)
    record = _as_stored(request.record)
    if request.check_in_at is None and request.check_out_at is None:
        raise NotCorrected(NO_CLAIM)
    request.answer = answer.strip()
    said = f"As the worker says: {request.text}"
    return correct_day(
        employee=record.employee,
        on=record.attendance_date,
        status=Status.PRESENT
        if record.is_excused and not request.check_in_at
        else None,
        check_in_at=request.check_in_at or record.check_in_at,
        check_out_at=request.check_out_at or record.check_out_at,
        reason=f"{said} ({request.answer})" if request.answer else said,
        by=by,
        at=at,
        answers=request,
    )


@transaction.atomic
def decline_request(
    *, request: CorrectionRequest, answer: str, by: User | None, at: datetime
) -> CorrectionRequest:
    """Close a request, and say why the day stays as it is; raise NotCorrected."""
    _alone(request.record.employee_id)
    request = _still_waiting(request)
    request.answer = _told(answer, NO_ANSWER, "answer")
    _close(request, CorrectionRequest.State.DECLINED, by=by, at=at)
    request.save()
    return request


def _alone(employee: int) -> Employee:
    """Return somebody whose days nobody else changes until the commit, nor erases."""
    days.alone(employee)
    known = Employee.objects.present().select_for_update(of=("self",), no_key=True)
    person = known.select_related("site").filter(pk=employee).first()
    if person is None:
        raise NotCorrected(ERASED)
    return person


def _as_stored(record: AttendanceRecord) -> AttendanceRecord:
    stored = AttendanceRecord.objects.select_related("employee").filter(pk=record.pk)
    found = stored.first()
    if found is None:
        raise NotCorrected(NO_RECORD)
    return found


def _told(text: str, missing: str, field: str) -> str:
    text = text.strip()
    if not text:
        raise NotCorrected(missing, field)
    return text


def _still_waiting(request: CorrectionRequest) -> CorrectionRequest:
    """Return it as it is stored, with the answer that is to be given."""
    stored = CorrectionRequest.objects.get(pk=request.pk)
    if stored.state != CorrectionRequest.State.OPEN:
        raise NotCorrected(ANSWERED)
    stored.answer = request.answer
    return stored


def _close(
    request: CorrectionRequest, state: str, *, by: User | None, at: datetime
) -> None:
    request.state, request.answered_by, request.answered_at = state, by, at


def _put(record: AttendanceRecord, planned: Planned, result: DayResult) -> None:
    """Have the record say what the result does; it is not saved."""
    record.check_in = _same(record.check_in, record.check_in_at, result.check_in_at)
    record.check_out = _same(record.check_out, record.check_out_at, result.check_out_at)
    for name, value in columns(planned, result).items():
        setattr(record, name, value)


def _same(
    event: PresenceEvent | None, before: datetime | None, after: datetime | None
) -> PresenceEvent | None:
    """Return what proves a time, unless a person has put another in its place."""
    return event if before == after else None


def _corrected(
    record: AttendanceRecord,
    before: Mapping[str, str | None],
    *,
    reason: str,
    by: User | None,
    at: datetime,
) -> AttendanceCorrection:
    """Store the record and the correction, and announce it to the pages."""
    record.corrected_at, record.is_settled = at, True
    record.save()
    live.publish(
        topic="attendance.attendancerecord",
        site_id=record.employee.site_id,
        data=AttendanceRecordSerializer(record).data,
    )
    return AttendanceCorrection.objects.create(
        record=record,
        made_by=by,
        made_at=at,
        reason=reason,
        before=before,
        after=_snapshot(record),
    )


def _snapshot(record: AttendanceRecord) -> dict[str, str | None]:
    """Return what a correction keeps of a day."""
    return {
        "status": record.status,
        "check_in_at": _written(record.check_in_at),
        "check_out_at": _written(record.check_out_at),
    }


def _written(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
