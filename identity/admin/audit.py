"""The enrolment audit: whose photos to look after, in the admin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action

from identity import enrolment_audit
from streaming.models import Site

from .base import link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from identity.enrolment_audit import Audit, Falling, Pair
    from identity.models import Employee

    ModelAdmin = Any
else:
    ModelAdmin = object

SHOWN_MAX: Final = 200
ALL_WELL: Final = "nothing to look after, everybody has a good photo."


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the page."""

    title: str
    advice: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]

    @property
    def table(self) -> dict[str, object]:
        """What unfold's table shows."""
        return {"headers": self.headers, "rows": self.rows[:SHOWN_MAX]}

    @property
    def not_shown(self) -> int:
        return max(len(self.rows) - SHOWN_MAX, 0)


class AuditPage(ModelAdmin):  # type: ignore[misc]
    """Adds the audit to the list of employees."""

    actions_list = ["audit"]

    @action(description="Enrolment audit", url_path="audit", permissions=["view"])  # type: ignore[untyped-decorator]
    def audit(self, request: HttpRequest) -> TemplateResponse:
        sites = Site.objects.visible_to(request.user).order_by("name")
        found = enrolment_audit.audit(sites=list(sites), now=timezone.now())
        told = {
            **self.admin_site.each_context(request),
            "title": "Enrolment audit",
            "opts": self.opts,
            "sentence": enrolment_audit.in_words(found.counts) or ALL_WELL,
            "sections": [section for section in sections(found) if section.rows],
            "is_compared": found.alike_at is not None,
        }
        return TemplateResponse(request, "admin/identity/employee/audit.html", told)


def sections(found: Audit) -> list[Section]:
    people = ["employee", "site", "department", "photos"]
    return [
        Section(
            "Without a photo",
            "Nobody recognises them: every visit is one of a stranger.",
            people,
            [_row(employee) for employee in found.without_photo],
        ),
        Section(
            "Only photos of an earlier face model",
            "They are not recognised until site IT runs manage.py embed_faces.",
            people,
            [_row(employee) for employee in found.other_model],
        ),
        Section(
            "Old photos",
            "The newest photo is over two years old. Take a new one.",
            people,
            [_row(employee) for employee in found.old],
        ),
        Section(
            "Poor photos",
            "Small, blurred or turned away. Take one from the front, in light.",
            people,
            [_row(employee) for employee in found.poor],
        ),
        Section(
            "Look alike",
            "Cameras may not tell them apart. If it is one person, keep one of both; "
            "if not, add photos to each.",
            ["employee", "looks like", "similarity"],
            [_pair(pair) for pair in found.alike],
        ),
        Section(
            "Recognised less well than before",
            "The last ten visits match worse than those before: a beard, glasses, a "
            "mask, or the wrong person's visits. Look at them, and take a new photo.",
            ["employee", "site", "similarity before", "similarity now"],
            [_falling(one) for one in found.falling],
        ),
    ]


def _row(employee: Employee) -> list[object]:
    newest = getattr(employee, "newest_at", None)
    count = getattr(employee, "photos", 0)
    taken = newest and employee.site.local(newest)
    photos = f"{count}, newest {taken:%Y-%m-%d}" if taken else "none"
    enrol = link(reverse("enrol", args=[employee.code]), photos)
    return [_name(employee), employee.site.name, employee.department or "-", enrol]


def _pair(pair: Pair) -> list[object]:
    return [_name(pair.one), _name(pair.other), f"{pair.similarity:.2f}"]


def _falling(one: Falling) -> list[object]:
    name, site = _name(one.employee), one.employee.site.name
    return [name, site, f"{one.before:.2f}", f"{one.now:.2f}"]


def _name(employee: Employee) -> SafeString:
    return link(reverse("admin:identity_employee_change", args=[employee.pk]), employee)
