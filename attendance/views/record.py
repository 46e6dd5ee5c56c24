"""The page of a day: what it was, the proof, how it came about, and its corrections."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attendance import corrections
from attendance.explanations import explain_day
from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
)
from attendance.models.days import Review
from attendance.rules import MINUTE
from identity.models import Employee

from .forms import AnswerForm, CorrectionForm, GiveBackForm, RequestForm
from .shown import Change, differs, proofs, status_word

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest, HttpResponse

    from attendance.explanations import Explanation
    from attendance.models.days import AttendanceRecordQuerySet

    from .forms import Refusable

DAY: Final = timedelta(days=1)
WAYS: Final = ("check_in", "check_out")


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def day(request: HttpRequest, code: str, on: date) -> HttpResponse:
    """Show one day of one employee, also one that has no record."""
    return Page(request, code, on).shown()


@require_POST
@permission_required("attendance.correct_attendancerecord", raise_exception=True)
def correct(request: HttpRequest, code: str, on: date) -> HttpResponse:
    """Keep what is right of a day."""
    page = Page(request, code, on)
    form = page.correction_form(bound=True)
    if form.is_valid():
        try:
            corrections.correct_day(
                employee=page.person,
                on=on,
                status=form.status,
                check_in_at=form.time("came"),
                check_out_at=form.time("left"),
                reason=form.cleaned_data["reason"],
                answers=page.waiting if form.cleaned_data["answers"] else None,
                by=request.user,  # type: ignore[arg-type]
                at=page.now,
            )
        except corrections.NotCorrected as error:
            form.refuse(error)
        else:
            return page.done("The day is corrected.")
    return page.shown(correcting=form)


@require_POST
@permission_required("attendance.correct_attendancerecord", raise_exception=True)
def give_back(request: HttpRequest, code: str, on: date) -> HttpResponse:
    """Let the rules decide again."""
    page = Page(request, code, on)
    form = GiveBackForm(request.POST)
    if form.is_valid():
        try:
            corrections.give_back(
                record=page.the_record,
                reason=form.cleaned_data["reason"],
                by=request.user,  # type: ignore[arg-type]
                at=page.now,
            )
        except corrections.NotCorrected as error:
            form.refuse(error)
        else:
            return page.done("The rules decide this day again.")
    return page.shown(giving_back=form)


@require_POST
@permission_required("attendance.add_correctionrequest", raise_exception=True)
def ask(request: HttpRequest, code: str, on: date) -> HttpResponse:
    """Keep what a worker says of a day."""
    page = Page(request, code, on)
    form = page.request_form(bound=True)
    if form.is_valid():
        try:
            corrections.request_correction(
                record=page.the_record,
                text=form.cleaned_data["text"],
                check_in_at=form.came.at,
                check_out_at=form.left.at,
                by=request.user,  # type: ignore[arg-type]
                at=page.now,
            )
        except corrections.NotCorrected as error:
            form.refuse(error)
        else:
            return page.done("The request waits for an answer.")
    return page.shown(asking=form)


class Page:
    """A day as a user sees it."""

    def __init__(self, request: HttpRequest, code: str, on: date) -> None:
        people = Employee.objects.visible_to(request.user)
        named = people.select_related("site", "department")
        self.request, self.on, self.now = request, on, timezone.now()
        self.person = get_object_or_404(named, code=code)
        self.site = self.person.site
        days = AttendanceRecord.objects.filter(employee=self.person)
        self.record = with_pictures(days).filter(attendance_date=on).first()
        self.told: Explanation = explain_day(employee=self.person, on=on, now=self.now)

    @property
    def the_record(self) -> AttendanceRecord:
        if self.record is None:
            raise Http404
        return self.record

    @property
    def waiting(self) -> CorrectionRequest | None:
        waiting = CorrectionRequest.objects.open().filter(record=self.record)
        return waiting.first() if self.record else None

    def correction_form(self, *, bound: bool = False) -> CorrectionForm:
        return CorrectionForm.of(
            self.record,
            self.request.POST if bound else None,
            occurrence=self.told.workings.planned.occurrence,
            site=self.site,
        )

    def request_form(self, *, bound: bool = False) -> RequestForm:
        return RequestForm(
            self.request.POST if bound else None,
            occurrence=self.told.workings.planned.occurrence,
            site=self.site,
        )

    def done(self, sentence: str) -> HttpResponse:
        messages.success(self.request, sentence)
        return redirect("attendance-day", self.person.code, self.on)

    def shown(self, **forms: Refusable) -> HttpResponse:
        """Return the page; forms that were refused stand in it as they were typed."""
        context = {
            "correcting": self.correction_form(),
            "giving_back": GiveBackForm(),
            "asking": self.request_form(),
            "answering": AnswerForm(),
            **self._told(),
            **forms,
        }
        status = 422 if forms else 200
        return render(self.request, "attendance/day.html", context, status=status)

    def _told(self) -> dict[str, object]:
        record, told = self.record, self.told
        context: dict[str, object] = {
            "person": self.person,
            "site": self.site,
            "on": self.on,
            "before": self.on - DAY,
            "after": self.on + DAY,
            "is_to_come": self.on > self.site.local(self.now).date(),
            "record": record,
            "standing": record.status if record else told.workings.result.status.value,
            "planned": told.workings.planned,
            "lines": told.lines,
        }
        context |= times_of(record, told)
        return context | (about(record, told) if record else {})


def with_pictures(days: AttendanceRecordQuerySet) -> AttendanceRecordQuerySet:
    """Load what proves the days; no vector."""
    told = days.with_proof().select_related(
        *(f"{way}__{name}" for way in WAYS for name in ("access_log", "recorded_by"))
    )
    return told.defer(*(f"{way}__access_log__embedding" for way in WAYS))


def times_of(record: AttendanceRecord | None, told: Explanation) -> dict[str, object]:
    """Return the shift as it was, else as it is planned."""
    if record:
        shift, grace = record.shift, record.grace_minutes
        start_at, end_at = record.start_at, record.end_at
    else:
        plan = told.workings.planned.occurrence
        shift, grace = told.workings.planned.shift, plan.grace // MINUTE
        start_at, end_at = plan.start_at, plan.end_at
    return {
        "shift": shift,
        "start_at": start_at,
        "end_at": end_at,
        "grace_minutes": grace,
    }


def about(record: AttendanceRecord, told: Explanation) -> dict[str, object]:
    """Return what is known of a day that has a record."""
    asked = requests_about(record)
    result = told.workings.result
    return {
        "proofs": proofs(record),
        "reviews": [Review(one).label for one in record.reviews],
        "rules": result if is_overruled(record, told) else None,
        "rules_status": status_word(result.status.value),
        "worked": timedelta(minutes=record.worked_minutes or 0),
        "changes": changes(record),
        "requests": asked,
        "waiting": [one for one in asked if one.state == CorrectionRequest.State.OPEN],
    }


def is_overruled(record: AttendanceRecord, told: Explanation) -> bool:
    """Whether a correction stands against what the rules say now."""
    return record.is_corrected and differs(record, told.workings.result)


def changes(record: AttendanceRecord) -> list[Change]:
    rows = AttendanceCorrection.objects.filter(record=record).newest_first()
    told = rows.select_related("made_by")
    return [Change.of(one, site=record.employee.site) for one in told]


def requests_about(record: AttendanceRecord) -> list[CorrectionRequest]:
    rows = CorrectionRequest.objects.filter(record=record).newest_first()
    return list(rows.select_related("made_by", "answered_by"))
