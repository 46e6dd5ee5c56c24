"""The people who work here: the list, each one's page, and their photos."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from identity import enrolment, photo_desk
from identity.models import AccessLog, Department, Employee, FaceSample
from identity.models.people import PHOTOS_MAX
from streaming.models import Site

from . import proof
from .filters import Cursor, storable
from .photos import NOT_TAKEN, Refusal, uploaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from django.http import HttpRequest

    from identity.models.people import EmployeeQuerySet

PEOPLE_PER_PAGE: Final = 50
SIGHTINGS_SHOWN: Final = 60
HTML, JSON = "text/html", "application/json"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list of people is narrowed to; an empty field narrows nothing."""

    text: str
    site: str
    department: str
    status: str
    photo: str

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Filters:
        return cls(
            text=storable(values.get("q", "")).strip(),
            site=storable(values.get("site", "")),
            department=storable(values.get("department", "")),
            status=storable(values.get("status", "")),
            photo=storable(values.get("photo", "")),
        )

    def __bool__(self) -> bool:
        return any((self.text, self.site, self.department, self.status, self.photo))

    def apply(self, people: EmployeeQuerySet) -> EmployeeQuerySet:
        exact = {
            "site__slug": self.site,
            "department__name": self.department,
            "status": self.status,
        }
        found = people.filter(**{name: value for name, value in exact.items() if value})
        if self.photo == "none":
            found = found.exclude(
                Exists(FaceSample.objects.filter(employee=OuterRef("pk")))
            )
        named = (
            Q(code__icontains=self.text)
            | Q(name__icontains=self.text)
            | Q(email__icontains=self.text)
        )
        return found.filter(named) if self.text else found

    def query(self) -> str:
        """Return them as they stand in the address, for links to further pages."""
        values = {
            "q": self.text,
            "site": self.site,
            "department": self.department,
            "status": self.status,
            "photo": self.photo,
        }
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Day:
    """What was seen of somebody on one day of the site."""

    date: date
    logs: Sequence[AccessLog]


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo, and how good it is in a word."""

    sample: FaceSample
    quality: str


@require_GET
@permission_required("identity.view_employee", raise_exception=True)
def people(request: HttpRequest) -> HttpResponse:
    """List the people who work here."""
    filters = Filters.of(request.GET)
    every = Employee.objects.visible_to(request.user).present()
    found = filters.apply(every).select_related("site", "department").order_by("code")
    pages = Paginator(with_portrait(found), PEOPLE_PER_PAGE)
    return render(
        request,
        "identity/people.html",
        {
            "filters": filters,
            "sites": Site.objects.visible_to(request.user).order_by("name"),
            "departments": departments_of(request),
            "statuses": Employee.Status,
            "active": every.active().count(),
            "without_photo": every.active().filter(faces=None).count(),
            "people": pages.get_page(request.GET.get("page")),
        },
    )


@require_GET
@permission_required("identity.view_employee", raise_exception=True)
def employee(request: HttpRequest, code: str) -> HttpResponse:
    """Show one person: facts, photos, and where they were seen day by day."""
    person = get_object_or_404(known(request), code=code)
    told: dict[str, object] = {"person": person, "site": person.site}
    if request.user.has_perm("identity.view_facesample"):
        told["photos"] = photos_of(person)
    if request.user.has_perm("identity.view_accesslog"):
        told |= seen(request, person)
    return render(request, "identity/employee.html", told)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("identity.add_facesample", raise_exception=True)
def enrol(request: HttpRequest, code: str) -> HttpResponse:
    """Take a photo by which a person is known from then on."""
    person = get_object_or_404(known(request), code=code)
    if request.method != "POST":
        return enrolment_page(request, person)
    try:
        photo = uploaded(request)
        photo_desk.enrol_photo(employee=person, photo=photo, by=request.user)  # type: ignore[arg-type]
    except NOT_TAKEN as error:
        refusal = Refusal.of(error)
        if wants_json(request):
            return JsonResponse({"sentence": refusal.sentence}, status=refusal.status)
        return enrolment_page(request, person, refusal)
    messages.success(request, f"{person} is known by this photo from now on.")
    page = reverse("employee", args=[code])
    return JsonResponse({"next": page}) if wants_json(request) else redirect(page)


@require_POST
@permission_required("identity.add_facesample", raise_exception=True)
def examine(request: HttpRequest) -> JsonResponse:
    """Say what a photo is good for; nothing is stored."""
    try:
        report = photo_desk.examine_photo(photo=uploaded(request))
    except NOT_TAKEN as error:
        refusal = Refusal.of(error)
        return JsonResponse(
            {"ok": False, "sentence": refusal.sentence}, status=refusal.status
        )
    word = None if report.quality is None else proof.quality_word(report.quality)
    return JsonResponse({**asdict(report), "quality_word": word})


@require_POST
@permission_required("identity.delete_facesample", raise_exception=True)
def remove_photo(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Forget a photo, its vector and its remote face."""
    samples = FaceSample.objects.visible_to(request.user)
    sample = get_object_or_404(samples, pk=pk, employee__code=code)
    enrolment.remove_photo(sample=sample, by=request.user)  # type: ignore[arg-type]
    messages.success(request, "The photo is removed.")
    return redirect("employee", code)


def known(request: HttpRequest) -> EmployeeQuerySet:
    people = Employee.objects.visible_to(request.user).present()
    return people.select_related("site", "department")


def with_portrait(people: EmployeeQuerySet) -> EmployeeQuerySet:
    """Add `portrait`, the best photo's key, and `photos`, their number."""
    best = FaceSample.objects.filter(employee=OuterRef("pk")).order_by("-quality", "id")
    return people.annotate(
        portrait=Subquery(best.values("pk")[:1]), photos=Count("faces")
    )


def departments_of(request: HttpRequest) -> Sequence[str]:
    """Return their names; two sites may each have a Stores."""
    seen = Department.objects.visible_to(request.user)
    return seen.order_by("name").values_list("name", flat=True).distinct()  # type: ignore[return-value]


def photos_of(person: Employee) -> list[Photo]:
    samples = person.faces.defer("embedding").order_by("-quality", "id")
    return [Photo(one, proof.quality_word(one.quality)) for one in samples]


def seen(request: HttpRequest, person: Employee) -> dict[str, object]:
    """Return the sightings of a page, by day, and what all of them say together."""
    every = AccessLog.objects.visible_to(request.user).filter(employee=person)
    cursor = Cursor.of(request.GET.get("older", ""))
    page = cursor.older(every) if cursor else every
    newest = page.with_names().newest_first()
    rows = list(newest[: SIGHTINGS_SHOWN + 1])
    shown = rows[:SIGHTINGS_SHOWN]
    cameras = every.order_by().values("camera__code", "camera__name")
    return {
        "days": list(by_day(shown, site=person.site)),
        "is_first": cursor is None,
        "older": Cursor.behind(shown[-1]) if len(rows) > len(shown) else None,
        "first_seen_at": every.aggregate(at=Min("occurred_at"))["at"],
        "cameras": cameras.annotate(times=Count("pk")).order_by(
            "-times", "camera__code"
        ),
    }


def by_day(logs: Sequence[AccessLog], *, site: Site) -> Iterator[Day]:
    """Group rows that are newest first by the site's days."""
    day: list[AccessLog] = []
    for log in logs:
        if (
            day
            and site.local(day[0].occurred_at).date()
            != site.local(log.occurred_at).date()
        ):
            yield Day(site.local(day[0].occurred_at).date(), day)
            day = []
        day.append(log)
    if day:
        yield Day(site.local(day[0].occurred_at).date(), day)


def enrolment_page(
    request: HttpRequest, person: Employee, refusal: Refusal | None = None
) -> HttpResponse:
    told = {
        "person": person,
        "site": person.site,
        "refusal": refusal,
        "photos": photos_of(person),
        "photos_max": PHOTOS_MAX,
    }
    status = refusal.status if refusal else 200
    return render(request, "identity/enrol.html", told, status=status)


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type([HTML, JSON]) == JSON
