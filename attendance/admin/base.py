"""What the pages of the roster share: each change has its days worked out anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.utils import timezone

from attendance import assigning, tasks
from identity.admin.base import HistoryAdmin, by
from identity.admin.importing import ImportExport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from identity.models import Employee


def work_out_anew(request: HttpRequest, touched: Iterable[assigning.Touched]) -> None:
    """Have the days worked out in the background, and say how many they are."""
    sentence = tasks.in_words(tasks.all_changed(touched, now=timezone.now()))
    if sentence:
        messages.info(request, sentence)


def person(employee: Employee) -> str:
    return f"{employee.code} {employee.name}"


class RosterAdmin(ImportExport, HistoryAdmin):
    """Assignments, leaves and holidays: what they touch is worked out anew."""

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: Any
    ) -> None:
        work_out_anew(request, assigning.keep(obj, by=by(request)))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        work_out_anew(request, assigning.remove([obj]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        work_out_anew(request, assigning.remove(queryset))

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponseBase:
        page: HttpResponseBase = super().process_result(result, request)
        work_out_anew(request, result.touched)
        return page
