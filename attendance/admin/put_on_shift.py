"""Putting a department, or a list of people, on a shift: shown first, then written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from attendance import assigning
from attendance.models import Shift
from identity.admin.base import by
from identity.models import Department, Employee

from .base import work_out_anew
from .words import people, shift_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from django.http import HttpRequest, HttpResponse

    from attendance.assigning import Effect

    ModelAdmin = Any
else:
    ModelAdmin = object

SHOWN_MAX: Final = 500
NOT_AS_SHOWN: Final = (
    "Something changed since this was shown, so nothing was written yet. This is what "
    "would happen now."
)


class ShiftChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.site.name}: {obj.shift_name}, {shift_in_words(obj)}"


class DepartmentChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.site.name}), {people(obj.people)}"


def day_input() -> forms.DateInput:
    attrs = {"type": "date", "class": " ".join(INPUT_CLASSES)}
    return forms.DateInput(attrs=attrs, format="%Y-%m-%d")


class PutOnShiftForm(forms.Form):
    """Who is put on which shift from when to when; of own sites only."""

    shift = ShiftChoice(
        queryset=Shift.objects.none(),
        widget=UnfoldAdminSelectWidget,
        help_text="Shifts that are active, of your sites.",
    )
    departments = DepartmentChoice(
        queryset=Department.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Everybody active in them who works at the shift's site.",
    )
    codes = forms.CharField(
        label="Employees",
        required=False,
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Codes of more people, separated by commas, spaces or lines: E-104, "
        "E-131.",
    )
    starts_on = forms.DateField(
        label="From", widget=day_input(), help_text="The first date on this shift."
    )
    ends_on = forms.DateField(
        label="Until",
        required=False,
        widget=day_input(),
        help_text="The first date that is no longer on it: then they go back to what "
        "they were on. Empty: until further notice.",
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user: Any = request.user
        shifts = Shift.objects.visible_to(self.user).active().select_related("site")
        own: Any = self.fields
        own["shift"].queryset = shifts.order_by("site__name", "start_time", "id")
        departments = Department.objects.visible_to(self.user).select_related("site")
        own["departments"].queryset = _counted(departments)

    def clean_codes(self) -> list[Employee]:
        """Find the people of the codes; name those that nobody has."""
        codes = {*self.cleaned_data["codes"].replace(",", " ").split()}
        own = Employee.objects.present().visible_to(self.user)
        found = list(own.filter(code__in=codes).select_related("site"))
        missing = codes - {employee.code for employee in found}
        if missing:
            named = ", ".join(sorted(missing)[:10])
            raise ValidationError(f"Nobody at your sites has the code {named}.")
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("departments") and not given.get("codes", True):
            raise ValidationError("Choose a department, or write who is put on it.")
        return given

    def wanted(self) -> dict[str, Any]:
        """Return what `assigning.assign` takes; the form is valid."""
        given = self.cleaned_data
        shift = given["shift"]
        active = Employee.objects.present().active()
        members = active.filter(department__in=given["departments"], site=shift.site)
        chosen = {
            one.pk: one for one in (*members.select_related("site"), *given["codes"])
        }
        return {
            "employees": list(chosen.values()),
            "shift": shift,
            "starts_on": given["starts_on"],
            "ends_on": given["ends_on"],
        }


class PutOnShift(ModelAdmin):  # type: ignore[misc]
    """Adds the page to the list of assignments."""

    actions_list = ["put_on_shift"]

    @action(  # type: ignore[untyped-decorator]
        description="Put people on a shift",
        url_path="put-on-shift",
        permissions=["add", "change"],
    )
    def put_on_shift(self, request: HttpRequest) -> HttpResponse:
        """Ask, show what would happen to each, and write it once confirmed."""
        form = PutOnShiftForm(request.POST or None, request=request)
        if not form.is_valid():
            return self._ask(request, form)
        wanted = form.wanted()
        try:
            found = assigning.preview(**wanted)
            if request.POST.get("seen") == fingerprint(found):
                return self._write(request, wanted)
        except assigning.ShiftNotAssigned as error:
            form.add_error(None, str(error))
            return self._ask(request, form)
        if "seen" in request.POST:
            messages.warning(request, NOT_AS_SHOWN)
        return self._show(request, form, found)

    def _write(self, request: HttpRequest, wanted: dict[str, Any]) -> HttpResponse:
        touched = assigning.assign(**wanted, by=by(request), at=timezone.now())
        count = len({key for each in touched for key in each.employees})
        name = wanted["shift"].shift_name
        messages.success(request, f"Put on {name}: {people(count)}.")
        work_out_anew(request, touched)
        address = reverse("admin:attendance_shiftassignment_changelist")
        return HttpResponseRedirect(address)

    def _ask(self, request: HttpRequest, form: PutOnShiftForm) -> TemplateResponse:
        told = {"title": "Put people on a shift", "form": form}
        return self._page(request, "ask", told)

    def _show(
        self, request: HttpRequest, form: PutOnShiftForm, found: Sequence[Effect]
    ) -> TemplateResponse:
        given = form.cleaned_data
        changes = [effect for effect in found if not effect.is_there]
        told = {
            "title": f"Put {people(len(changes))} on {given['shift'].shift_name}?",
            "shift": given["shift"],
            "hours": shift_in_words(given["shift"]),
            "dates": _in_words(given["starts_on"], given["ends_on"]),
            "changes": len(changes),
            "unchanged": len(found) - len(changes),
            "effects": found[:SHOWN_MAX],
            "not_shown": max(len(found) - SHOWN_MAX, 0),
            "posted": [
                (name, value)
                for name in form.fields
                for value in request.POST.getlist(name)
            ],
            "seen": fingerprint(found),
            "again": request.path,
        }
        return self._page(request, "confirm", told)

    def _page(
        self, request: HttpRequest, name: str, told: dict[str, Any]
    ) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        template = f"admin/attendance/put_on_shift_{name}.html"
        return TemplateResponse(request, template, {**shared, **told})


def fingerprint(found: Sequence[Effect]) -> str:
    """Return what is the same only while the same would happen."""
    told = [
        (
            effect.row.employee_id,
            effect.row.shift_id,
            effect.words,
            [(old.pk, old.starts_on, old.ends_on) for old in effect.giving_way],
        )
        for effect in found
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _counted(departments: Any) -> Any:
    active = Q(employees__status=Employee.Status.ACTIVE)
    counted = departments.annotate(people=Count("employees", filter=active))
    return counted.order_by("site__name", "name")


def _in_words(starts_on: date, ends_on: date | None) -> str:
    return f"{starts_on} until {ends_on or 'further notice'}"
