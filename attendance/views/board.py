"""The day board: who is here, who is late or missing, and the days to confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attendance import corrections
from attendance.board import HERE, OFF, Counts, Standing, day_board
from attendance.models import AttendanceRecord, CorrectionRequest
from identity.views.filters import day_of, storable
from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from attendance.board import Group, Row

ROWS_PER_PAGE: Final = 100
NO_DATE: Final = "Write the day as 2026-11-21."
NOTHING_TICKED: Final = "Tick the days that you mean first."
OTHERS_STAY: Final = (
    "Others stay as they are: decided meanwhile, or no work was planned. Open such a "
    "day to correct it."
)
FIELDS: Final = ("date", "site", "department", "shift", "show", "q")
SHOWN: Final[Mapping[str, tuple[str, frozenset[Standing]]]] = {
    "": ("All", frozenset(Standing)),
    "here": ("Here", HERE),
    "late": ("Late", frozenset({Standing.LATE})),
    "missing": ("Not seen yet", frozenset({Standing.MISSING})),
    "absent": ("Absent", frozenset({Standing.ABSENT})),
    "unverified": ("Unverified", frozenset({Standing.UNVERIFIED})),
    "expected": ("Expected", frozenset({Standing.EXPECTED})),
    "leave": ("On leave", frozenset({Standing.ON_LEAVE})),
    "off": ("Off", OFF),
    "review": ("To review", frozenset(Standing)),
}
"""What the board can be narrowed to, by its word in the address."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A link that narrows the board, and whether it is what is shown."""

    label: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """What the board is narrowed to, as it stands in the address."""

    values: Mapping[str, str]
    on: date | None
    """None for today, or for what is no date."""
    error: str

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Filters:
        values = {name: storable(asked.get(name, "")).strip() for name in FIELDS}
        on = day_of(values["date"])
        return cls(values, on, NO_DATE if values["date"] and on is None else "")

    def __bool__(self) -> bool:
        return any(self.values[name] for name in FIELDS if name != "date")

    def sites(self, sites: Sequence[Site]) -> Sequence[Site]:
        """Keep the site that is asked for; all for one that is not the user's."""
        asked = [site for site in sites if site.slug == self.values["site"]]
        return asked or sites

    def groups(self, rows: Iterable[Row]) -> list[Row]:
        """Keep the rows of the department and the shift."""
        department, shift = self.values["department"], self.values["shift"]
        return [
            row
            for row in rows
            if department in ("", row.department) and shift in ("", row.shift)
        ]

    def people(self, rows: Iterable[Row]) -> list[Row]:
        """Keep the rows that stand so, and whose code or name has this in it."""
        _, standings = SHOWN.get(self.values["show"], SHOWN[""])
        text = self.values["q"].casefold()
        return [
            row
            for row in rows
            if row.standing in standings
            and (self.values["show"] != "review" or row.is_to_review)
            and text in f"{row.employee.code} {row.employee.name}".casefold()
        ]

    def query(self, **changed: str) -> str:
        """Return them as they stand in the address, some changed."""
        values = {**self.values, **changed}
        return urlencode({name: value for name, value in values.items() if value})

    def address(self, **changed: str) -> str:
        return f"{reverse('attendance')}?{self.query(**changed)}"

    def links(self, name: str, groups: Iterable[Group]) -> list[tuple[Group, str]]:
        """Return each group with the address that narrows the board to it."""
        return [(group, self.address(**{name: group.name})) for group in groups]

    def chips(self, counts: Counts) -> list[Chip]:
        """Return what the board can be narrowed to, with how many there are."""
        return [
            Chip(
                f"{label} {number}",
                self.address(show=show),
                show == self.values["show"],
            )
            for show, (label, _) in SHOWN.items()
            if (number := number_of(show, counts)) or show == self.values["show"]
        ]


@require_GET
@permission_required("attendance.view_attendancerecord", raise_exception=True)
def board(request: HttpRequest) -> HttpResponse:
    """Show who is here on a day, and who is not."""
    return board_page(request, Filters.of(request.GET))


@require_POST
@permission_required("attendance.correct_attendancerecord", raise_exception=True)
def confirm_absent(request: HttpRequest) -> HttpResponse:
    """Say of the ticked days, which nobody could verify, that nobody came."""
    filters = Filters.of(request.POST)
    ticked = ticked_days(request)
    try:
        if not ticked:
            raise corrections.NotCorrected(NOTHING_TICKED)
        done = corrections.confirm_absent(
            records=ticked,
            reason=storable(request.POST.get("reason", "")),
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except corrections.NotCorrected as error:
        return board_page(request, filters, refusal=str(error), ticked=ticked)
    days = "1 day is" if done == 1 else f"{done} days are"
    messages.success(request, f"{days} absent now.")
    if done < len(ticked):
        messages.warning(request, OTHERS_STAY)
    return redirect(filters.address())


def board_page(
    request: HttpRequest,
    filters: Filters,
    *,
    refusal: str = "",
    ticked: Collection[int] = (),
) -> HttpResponse:
    now = timezone.now()
    sites = list(Site.objects.visible_to(request.user).order_by("name"))
    told = day_board(sites=filters.sites(sites), on=filters.on, now=now)
    grouped = filters.groups(told.rows)
    pages = Paginator(filters.people(grouped), ROWS_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "sites": sites,
        "filters": filters,
        "board": told,
        "counts": told.counts,
        "chips": filters.chips(Counts.of(grouped)),
        "by_department": filters.links("department", told.by_department()),
        "by_shift": filters.links("shift", told.by_shift()),
        "unverified": filters.address(show="unverified"),
        "ticks": may_confirm(request, filters),
        "page": page,
        "going_on": filters.people(filters.groups(told.going_on)),
        "requested": requested([*page, *told.going_on]),
        "ticked": ticked,
        "reason": request.POST.get("reason", ""),
        "refusal": refusal,
    } | dates_around(filters, sites)
    return render(
        request, "attendance/board.html", context, status=422 if refusal else 200
    )


def dates_around(filters: Filters, sites: Sequence[Site]) -> dict[str, object]:
    """Return the day that is shown, and the links to those beside it."""
    chosen = filters.sites(sites)
    today = chosen[0].local(timezone.now()).date() if chosen else timezone.localdate()
    on = filters.on or today
    step = timedelta(days=1)
    return {
        "on": on,
        "is_today": on == today,
        "before": filters.address(date=(on - step).isoformat()),
        "after": filters.address(date=(on + step).isoformat()),
    }


def number_of(show: str, counts: Counts) -> int:
    if show == "review":
        return counts.to_review
    return counts.sum(SHOWN[show][1])


def may_confirm(request: HttpRequest, filters: Filters) -> bool:
    """Whether the rows have boxes to tick: where only unverified days are shown."""
    asked = filters.values["show"] == "unverified"
    return asked and request.user.has_perm("attendance.correct_attendancerecord")


def ticked_days(request: HttpRequest) -> list[int]:
    """Return the keys of the ticked days, of those that the user sees."""
    typed = [one for one in request.POST.getlist("record") if one.isascii()]
    keys = [int(one) for one in typed if one.isdigit() and len(one) < 18]
    seen = AttendanceRecord.objects.visible_to(request.user).filter(pk__in=keys)
    return list(seen.values_list("pk", flat=True))


def requested(rows: Iterable[Row]) -> set[int]:
    """Return the keys of the days about which a request waits."""
    keys = [row.record.pk for row in rows if row.record]
    waiting = CorrectionRequest.objects.open().filter(record__in=keys)
    return set(waiting.values_list("record", flat=True))
