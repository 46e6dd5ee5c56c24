"""What workers ask for: those that wait first, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attendance import corrections
from attendance.models import CorrectionRequest

from .forms import AnswerForm
from .record import Page

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest, HttpResponse

    from identity.models import User

PER_PAGE: Final = 50
State = CorrectionRequest.State


@require_GET
@permission_required("attendance.view_correctionrequest", raise_exception=True)
def inbox(request: HttpRequest) -> HttpResponse:
    """List what workers ask for; what waits comes first, the longest wait on top."""
    every = CorrectionRequest.objects.visible_to(request.user).with_names()
    waiting = every.open().order_by("made_at", "id")
    answered = every.exclude(state=State.OPEN).order_by("-answered_at", "-id")
    pages = Paginator(answered, PER_PAGE)
    return render(
        request,
        "attendance/requests.html",
        {
            "waiting": waiting,
            "answered": pages.get_page(request.GET.get("page")),
            "answering": AnswerForm(),
        },
    )


@require_POST
@permission_required(
    ("attendance.change_correctionrequest", "attendance.correct_attendancerecord"),
    raise_exception=True,
)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the day as the worker says, or say why it stays as it is."""
    seen = CorrectionRequest.objects.visible_to(request.user)
    asked = get_object_or_404(seen.select_related("record__employee"), pk=pk)
    form = AnswerForm(request.POST)
    if form.is_valid():
        asked.answer = form.cleaned_data["answer"]
        try:
            told = answered(request, asked)
        except corrections.NotCorrected as error:
            form.refuse(error)
        else:
            messages.success(request, told)
            return redirect(where_it_was(request, asked))
    return Page(request, *day_of(asked)).shown(answering=form)


def where_it_was(request: HttpRequest, asked: CorrectionRequest) -> str:
    """Return the page to show next: the one on which the form was."""
    if request.POST.get("next") == "day":
        return reverse("attendance-day", args=day_of(asked))
    return reverse("attendance-requests")


def day_of(asked: CorrectionRequest) -> tuple[str, date]:
    return asked.record.employee.code, asked.record.attendance_date


def answered(request: HttpRequest, asked: CorrectionRequest) -> str:
    """Do what the button says; return what was done."""
    by: User = request.user  # type: ignore[assignment]
    now, words = timezone.now(), asked.answer
    if request.POST.get("decision") == State.ACCEPTED:
        corrections.accept_request(request=asked, answer=words, by=by, at=now)
        return "The day is corrected as the worker says."
    corrections.decline_request(request=asked, answer=words, by=by, at=now)
    return "The request is declined, and the day stays as it is."
