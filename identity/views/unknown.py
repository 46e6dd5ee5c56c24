"""Strangers: who keeps coming, who it turned out to be, and who was here before."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from identity import photo_desk, register
from identity.models import AccessLog, Department, Employee, UnknownPerson
from streaming.models import Site

from .filters import storable
from .photos import NOT_TAKEN, Refusal, uploaded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from identity.models import User
    from identity.models.people import EmployeeQuerySet
    from identity.models.sightings import UnknownPersonQuerySet

STRANGERS_PER_PAGE: Final = 24
SIGHTINGS_SHOWN: Final = 60
MATCHES_SHOWN: Final = 8
ALIKE_FROM: Final = 0.3
"""Similarity from which a search shows a face: less than what gives a name, because
here a person judges."""


class NewEmployeeForm(forms.ModelForm[Employee]):
    """Somebody who turns out to work here and is not in the list yet."""

    class Meta:
        model = Employee
        fields = ["code", "name", "department", "email"]

    def __init__(self, *args: object, site: Site, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.instance.site = site
        departments = Department.objects.filter(site=site).order_by("name")
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "text-field"
            if name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"
                field.widget.attrs["aria-describedby"] = f"{name}-error"


@require_GET
@permission_required("identity.view_unknownperson", raise_exception=True)
def register_of_strangers(request: HttpRequest) -> HttpResponse:
    """List the strangers, those seen last first."""
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    site = storable(request.GET.get("site", ""))
    again = request.GET.get("again") == "1"
    every = strangers(request)
    found = every.filter(site__slug=site) if site else every
    found = found.filter(sightings__gt=1) if again else found
    pages = Paginator(found.order_by("-last_seen_at", "-id"), STRANGERS_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    cameras = cameras_of(list(page))
    return render(
        request,
        "identity/strangers.html",
        {
            "sites": sites,
            "chosen": site,
            "again": again,
            "total": every.count(),
            "came_again": every.filter(sightings__gt=1).count(),
            "page": page,
            "cards": [(one, cameras[one.pk]) for one in page],
        },
    )


@require_GET
@permission_required("identity.view_unknownperson", raise_exception=True)
def stranger(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one stranger: all sightings, and the form that says who it is."""
    unknown = get_object_or_404(visible(request), pk=pk)
    return stranger_page(request, unknown)


@require_POST
@permission_required("identity.change_unknownperson", raise_exception=True)
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who a stranger is: somebody known by their code, or somebody new."""
    unknown = get_object_or_404(visible(request), pk=pk)
    form = new_employee_form(request, unknown)
    if form is not None and not form.is_valid():
        return stranger_page(request, unknown, form=form, status=422)
    by: User = request.user  # type: ignore[assignment]
    try:
        with transaction.atomic():
            person = added(form, by=by) if form else chosen(request, unknown)
            done = register.promote(
                unknown=unknown, employee=person, by=by, at=timezone.now()
            )
    except register.NotPromoted as error:
        messages.error(request, str(error))
        return redirect("unknown", pk)
    told = f"{sightings(done)} of stranger {pk} now bear the name {person}."
    messages.success(request, told)
    return redirect("employee", person.code)


@require_POST
@permission_required("identity.change_unknownperson", raise_exception=True)
def unname(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a name that was given by mistake."""
    unknown = get_object_or_404(visible(request), pk=pk)
    by: User = request.user  # type: ignore[assignment]
    try:
        done = register.undo_promotion(unknown=unknown, by=by)
    except register.NotPromoted as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{sightings(done)} bear no name any more.")
    return redirect("unknown", pk)


@require_POST
@permission_required("identity.view_unknownperson", raise_exception=True)
def search(request: HttpRequest) -> HttpResponse:
    """Say whether a face on a photo was seen here before."""
    try:
        face = photo_desk.vector_of(photo=uploaded(request))
    except NOT_TAKEN as error:
        refusal = Refusal.of(error)
        told = {"refusal": refusal}
        return render(request, "identity/found.html", told, status=refusal.status)
    found = register.search(
        vector=face.vector,
        face_model=face.face_model,
        site_ids=set(site_ids(request)),
        at_least=ALIKE_FROM,
    )
    return render(request, "identity/found.html", {"found": found})


def stranger_page(
    request: HttpRequest,
    unknown: UnknownPerson,
    *,
    form: NewEmployeeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    text = storable(request.GET.get("q", "")).strip()
    logs = AccessLog.objects.visible_to(request.user).filter(unknown_person=unknown)
    told = {
        "unknown": unknown,
        "site": unknown.site,
        "logs": logs.with_names().newest_first()[:SIGHTINGS_SHOWN],
        "cameras": cameras_of([unknown])[unknown.pk],
        "text": text,
        "matches": like(unknown, text) if text else [],
        "form": form or NewEmployeeForm(site=unknown.site),
    }
    return render(request, "identity/stranger.html", told, status=status)


def visible(request: HttpRequest) -> UnknownPersonQuerySet:
    rows = UnknownPerson.objects.visible_to(request.user).defer("embedding")
    return rows.select_related("site", "employee", "promoted_by")


def strangers(request: HttpRequest) -> UnknownPersonQuerySet:
    return visible(request).strangers()


def site_ids(request: HttpRequest) -> Sequence[int]:
    return list(Site.objects.visible_to(request.user).values_list("pk", flat=True))


def cameras_of(rows: Sequence[UnknownPerson]) -> Mapping[int, list[str]]:
    """Return the names of the cameras that saw each, by the stranger's key."""
    logs = AccessLog.objects.filter(unknown_person__in=[one.pk for one in rows])
    pairs = logs.order_by("camera__name").values_list("unknown_person", "camera__name")
    names: dict[int, list[str]] = defaultdict(list)
    for pk, name in pairs.distinct():
        names[pk or 0].append(name)
    return names


def like(unknown: UnknownPerson, text: str) -> EmployeeQuerySet:
    """Return people of the stranger's site whose code or name has this in it."""
    people = Employee.objects.present().filter(site=unknown.site)
    named = Q(code__icontains=text) | Q(name__icontains=text)
    found = people.filter(named).select_related("department").order_by("code")
    return found[:MATCHES_SHOWN]


def new_employee_form(
    request: HttpRequest, unknown: UnknownPerson
) -> NewEmployeeForm | None:
    """Return the form of somebody new; None where somebody known was chosen."""
    if "employee" in request.POST or not request.user.has_perm("identity.add_employee"):
        return None
    return NewEmployeeForm(request.POST, site=unknown.site)


def sightings(done: register.Backfilled) -> str:
    return f"{done.rows} sighting{'' if done.rows == 1 else 's'}"


def added(form: NewEmployeeForm, *, by: User) -> Employee:
    form.instance.created_by = by
    return form.save()


def chosen(request: HttpRequest, unknown: UnknownPerson) -> Employee:
    people = Employee.objects.visible_to(request.user).present()
    code = storable(request.POST.get("employee", ""))
    return get_object_or_404(people, site=unknown.site, code=code)
