"""Pages of days, of which thousands bear one date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor

from streaming.rest import ById

if TYPE_CHECKING:
    from rest_framework.request import Request

    from attendance.models import AttendanceRecord


class NewestDateFirst(ById):
    """Pages by date, the newest first, and of one date by id, the newest first.

    The cursor holds both. REST framework's own holds the first and counts the rows
    that share it, a thousand at most: a day of a large site would never end, and rows
    that come or go meanwhile would be told twice or not at all.
    """

    ordering = ("-attendance_date", "-id")
    page: list[AttendanceRecord]

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any]:
        size = self.get_page_size(request) or self.max_page_size
        self.base_url = request.build_absolute_uri()
        cursor = self.decode_cursor(request)
        is_back = cursor is not None and bool(cursor.reverse)
        order = [name.lstrip("-") for name in self.ordering]
        rows = queryset.order_by(*(order if is_back else self.ordering))
        if cursor is not None:
            rows = rows.filter(beyond(cursor.position, is_back=is_back))
        found = list(rows[: size + 1])
        has_more = len(found) > size
        page = found[:size]
        self.page = page[::-1] if is_back else page
        self.has_next = bool(page) and (is_back or has_more)
        self.has_previous = bool(page) and (has_more if is_back else cursor is not None)
        return self.page

    def get_next_link(self) -> str | None:
        return self.link(self.page[-1], is_back=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self.link(self.page[0], is_back=True) if self.has_previous else None

    def link(self, record: AttendanceRecord, *, is_back: bool) -> str:
        place: Any = f"{record.attendance_date} {record.pk}"  # stubs: int
        return str(self.encode_cursor(Cursor(0, is_back, place)))


def beyond(place: object, *, is_back: bool) -> Q:
    """Keep what comes after a place in the order, or before it."""
    day, _, key = str(place).partition(" ")
    side = "gt" if is_back else "lt"
    try:
        last, pk = date.fromisoformat(day), int(key)
    except ValueError as error:
        raise NotFound("This cursor is none that a page gave.") from error
    of_same_day = Q(attendance_date=last, **{f"id__{side}": pk})
    # The first condition is told twice, so that the index by date is entered there.
    entry = Q(**{f"attendance_date__{side}e": last})
    return entry & (Q(**{f"attendance_date__{side}": last}) | of_same_day)
