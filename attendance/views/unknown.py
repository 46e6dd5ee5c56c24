"""Faces that nobody could name: who it was, that it was no employee, and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attendance import unknowns
from attendance.models import UnknownAttendance
from identity.models import Employee, FaceSample
from identity.views.filters import storable
from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from attendance.models.presence import UnknownAttendanceQuerySet
    from identity.models import User
    from identity.models.people import EmployeeQuerySet

FACES_PER_PAGE: Final = 24
MATCHES_SHOWN: Final = 8
UNDO_SHOWN: Final = 3
UNDO_LOOKED_AT: Final = 50
"""Visits, of which many may have been decided at once."""
NEARLY: Final = 0.1
"""So little below what gives a name a face is somewhat alike."""
State = UnknownAttendance.State
BY_HAND: Final = (State.LINKED, State.DISMISSED)


@dataclass(frozen=True, slots=True)
class Face:
    """A stranger to link, with all visits that nobody has said anything of."""

    newest: UnknownAttendance
    visits: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who it may be, and how alike they are in words."""

    employee: Employee
    words: str
    photo: int | None
    """The key of their best photo, to be compared by eye."""


@require_GET
@permission_required("attendance.view_unknownattendance", raise_exception=True)
def unknown_faces(request: HttpRequest) -> HttpResponse:
    """List the faces to link, newest first, or those that were decided."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    site = storable(request.GET.get("site", ""))
    state = request.GET.get("state", "")
    state = state if state in State.values else State.OPEN.value
    rows = UnknownAttendance.objects.visible_to(request.user)
    rows = rows.filter(camera__site__slug=site) if site else rows
    pages = Paginator(grouped(rows.filter(state=state)), FACES_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    return render(
        request,
        "attendance/unknown_faces.html",
        {
            "sites": sites,
            "site_chosen": site,
            "state": state,
            "states": State,
            "is_open": state == State.OPEN,
            "page": page,
            "faces": faces_of(page),
            "recent": decided_lately(request),
        },
    )


@require_GET
@permission_required("attendance.view_unknownattendance", raise_exception=True)
def unknown_face(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one face, who it may be, and the form that says who it was."""
    unknown = get_object_or_404(visible(request), pk=pk)
    text = storable(request.GET.get("q", "")).strip()
    told: dict[str, object] = {
        "unknown": unknown,
        "site": unknown.camera.site,
        "day": unknown.camera.site.local(unknown.occurred_at).date(),
        "stranger": stranger_of(unknown),
        "same": same_open(request, unknown).newest_first(),
        "text": text,
        "matches": like(unknown, text) if text else [],
        "recent": decided_lately(request),
    }
    if unknown.state == State.OPEN:
        told["candidates"] = candidates_of(unknown)
    return render(request, "attendance/unknown_face.html", told)


@require_POST
@permission_required("attendance.change_unknownattendance", raise_exception=True)
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who it was; the days are worked out anew at the original times."""
    unknown = get_object_or_404(visible(request), pk=pk)
    people = Employee.objects.visible_to(request.user).present()
    code = storable(request.POST.get("employee", "")).strip()
    person = people.filter(site=unknown.camera.site, code=code).first()
    if person is None:
        sentence = f'Nobody at {unknown.camera.site.name} has the code "{code}".'
        messages.error(request, sentence)
        return redirect("attendance-unknown-face", pk)
    by, at = acting(request), timezone.now()

    def name(one: UnknownAttendance) -> None:
        unknowns.link_unknown(unknown=one, employee=person, by=by, at=at)

    return decide(request, unknown, name, told=f"linked to {person}")


@require_POST
@permission_required("attendance.change_unknownattendance", raise_exception=True)
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it was no employee."""
    unknown = get_object_or_404(visible(request), pk=pk)
    by, at = acting(request), timezone.now()

    def put_aside(one: UnknownAttendance) -> None:
        unknowns.dismiss_unknown(unknown=one, by=by, at=at)

    return decide(request, unknown, put_aside, told="put aside: no employee")


@require_POST
@permission_required("attendance.change_unknownattendance", raise_exception=True)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was said of a face, or all that was said by one press."""
    unknown = get_object_or_404(visible(request), pk=pk)
    chosen = [unknown]
    if request.POST.get("all") == "1" and unknown.decided_at:
        chosen += decided_with(request, unknown)
    by, at = acting(request), timezone.now()

    def take_back(one: UnknownAttendance) -> None:
        unknowns.unlink_unknown(unknown=one, by=by, at=at)

    each_in_turn(request, chosen, take_back, told="to be linked again")
    return redirect("attendance-unknown-face", pk)


def decide(
    request: HttpRequest,
    unknown: UnknownAttendance,
    act: Callable[[UnknownAttendance], None],
    *,
    told: str,
) -> HttpResponse:
    """Decide on a visit, or on all open ones of the stranger, and lead to the next."""
    chosen = [unknown]
    if request.POST.get("all") == "1":
        chosen += same_open(request, unknown).order_by("occurred_at", "pk")
    if not each_in_turn(request, chosen, act, told=told):
        return redirect("attendance-unknown-face", unknown.pk)
    coming = visible(request).open().newest_first().first()
    if coming is None:
        return redirect("attendance-unknown")
    return redirect("attendance-unknown-face", coming.pk)


def each_in_turn(
    request: HttpRequest,
    chosen: Iterable[UnknownAttendance],
    act: Callable[[UnknownAttendance], None],
    *,
    told: str,
) -> bool:
    """Do it to one visit after the other, each by itself; say how far that came.

    In one transaction they would keep the days of an employee from the cameras, which
    may have the next visit's track, for as long as all of them take.
    """
    done = 0
    try:
        for one in chosen:
            act(one)
            done += 1
    except unknowns.NotLinked as error:
        messages.error(request, str(error))
        return False
    finally:
        if done:
            messages.success(request, f"{visits(done)} {told}.")
    return True


def visits(number: int) -> str:
    return "1 visit is" if number == 1 else f"{number} visits are"


def acting(request: HttpRequest) -> User:
    user: User = request.user  # type: ignore[assignment]
    return user


def visible(request: HttpRequest) -> UnknownAttendanceQuerySet:
    return UnknownAttendance.objects.visible_to(request.user).with_names()


def grouped(rows: UnknownAttendanceQuerySet) -> QuerySet[Any, Any]:
    """Put the visits of one stranger together, who came last first."""
    # What is no stranger of the register stands by itself.
    key = Coalesce("access_log__unknown_person", -F("pk"))
    by_face = rows.order_by().values(face=key, decided=F("employee"))
    return by_face.annotate(
        newest=Max("pk"),
        visits=Count("pk"),
        first_at=Min("occurred_at"),
        last_at=Max("occurred_at"),
    ).order_by("-last_at", "-newest")


def faces_of(groups: Iterable[dict[str, Any]]) -> list[Face]:
    rows = UnknownAttendance.objects.with_names()
    newest = rows.in_bulk([each["newest"] for each in groups])
    return [
        Face(newest[each["newest"]], each["visits"], each["first_at"], each["last_at"])
        for each in groups
        if each["newest"] in newest
    ]


def stranger_of(unknown: UnknownAttendance) -> object:
    """Return who the register says it is: a stranger, perhaps named by now."""
    return unknown.access_log.unknown_person if unknown.access_log else None


def same_open(
    request: HttpRequest, unknown: UnknownAttendance
) -> UnknownAttendanceQuerySet:
    """Return the stranger's other visits of which nobody has said anything."""
    others = visible(request).open().exclude(pk=unknown.pk)
    log = unknown.access_log
    if log is None or log.unknown_person_id is None:
        return others.none()
    return others.filter(access_log__unknown_person=log.unknown_person_id)


def decided_lately(request: HttpRequest) -> list[list[UnknownAttendance]]:
    """Return what the user decided last, each time by one press."""
    mine = visible(request).filter(decided_by=request.user.pk, state__in=BY_HAND)
    newest = mine.order_by("-decided_at", "-pk")[:UNDO_LOOKED_AT]
    presses = groupby(newest, key=lambda one: one.decided_at)
    return [list(decided) for _, decided in islice(presses, UNDO_SHOWN)]


def decided_with(
    request: HttpRequest, unknown: UnknownAttendance
) -> list[UnknownAttendance]:
    """Return the visits that were decided by the same press."""
    others = visible(request).filter(state__in=BY_HAND, decided_at=unknown.decided_at)
    same = others.filter(decided_by=unknown.decided_by, employee=unknown.employee)
    return list(same.exclude(pk=unknown.pk).order_by("occurred_at", "pk"))


def candidates_of(unknown: UnknownAttendance) -> list[Candidate]:
    log = unknown.access_log
    # Rekognition writes per cent, which no vector is measured in.
    threshold = log.threshold if log and log.threshold <= 1 else None
    found = unknowns.candidates(unknown)
    photos = best_photos([person.pk for person, _ in found])
    return [
        Candidate(person, alike(similarity, threshold), photos.get(person.pk))
        for person, similarity in found
    ]


def best_photos(people: Collection[int]) -> dict[int, int]:
    """Return the key of each one's best photo."""
    samples = FaceSample.objects.filter(employee__in=people)
    best = samples.order_by("employee", "-quality", "id").distinct("employee")
    return dict(best.values_list("employee", "pk"))


def alike(similarity: float, threshold: float | None) -> str:
    """Say how alike a face is, beside what gives a name."""
    if threshold is None:
        return f"similarity {similarity:.2f}"
    words = "very alike" if similarity >= threshold else "somewhat alike"
    if similarity < threshold - NEARLY:
        words = "hardly alike"
    return f"{words}: {similarity:.2f}, {threshold:.2f} gives a name"


def like(unknown: UnknownAttendance, text: str) -> EmployeeQuerySet:
    """Return people of the camera's site whose code or name has this in it."""
    people = Employee.objects.present().filter(site=unknown.camera.site_id)
    named = Q(code__icontains=text) | Q(name__icontains=text)
    found = people.filter(named).select_related("department").order_by("code")
    return found[:MATCHES_SHOWN]
