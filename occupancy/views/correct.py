"""Counts set right by somebody who counted, and says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from identity.views.filters import storable
from occupancy import corrections
from occupancy.models import Area, AreaCorrection, OccupancyLog
from occupancy.services import current_count
from streaming.models import Camera

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    Calibrate = Callable[[int, str], object]

LAST_SHOWN: Final = 10
DIGITS_MAX: Final = 9
NO_NUMBER: Final = "Write how many people are inside in digits, such as 12."
NO_REASON: Final = "Say why, such as: Counted by hand."
REASONS: Final = ("Counted by hand", "Everybody left", "Fire drill", "Camera was moved")
"""Offered, not required."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, and a sentence for each field that is wrong."""

    count: str = ""
    reason: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, posted: Mapping[str, str]) -> Typed:
        count, reason = (
            storable(posted.get(name, "")).strip() for name in ("count", "reason")
        )
        errors = {}
        if whole(count) is None:
            errors["count"] = NO_NUMBER
        if not reason:
            errors["reason"] = NO_REASON
        return cls(count, reason, errors)


def whole(text: str) -> int | None:
    """Read a whole number, negative ones too: these are refused with their reason."""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX
    return int(text) if is_number else None


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("occupancy.add_areacorrection", raise_exception=True)
def correct_area(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how many are in an area."""
    areas = Area.objects.visible_to(request.user).select_related("site")
    area = get_object_or_404(areas, pk=pk)

    def calibrate(count: int, reason: str) -> None:
        corrections.calibrate_area(
            area=area,
            count=count,
            reason=reason,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    last = AreaCorrection.objects.filter(area=area).select_related("corrected_by")
    told = {
        "name": area.name,
        "site": area.site,
        "count": area.current_count,
        "drift": area.drift,
        "last": last.newest_first()[:LAST_SHOWN],
    }
    return answer(request, told, calibrate)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("occupancy.add_areacorrection", raise_exception=True)
def correct_camera(request: HttpRequest, code: str) -> HttpResponse:
    """Say how many are inside where a camera counts."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    camera = get_object_or_404(cameras, code=code)

    def calibrate(count: int, reason: str) -> None:
        corrections.calibrate_camera(
            camera=camera,
            count=count,
            reason=reason,
            by=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )

    said = camera.occupancy_logs.filter(cause=OccupancyLog.Cause.CORRECTION)
    told = {
        "name": camera.name,
        "site": camera.site,
        "count": current_count(camera),
        "last": said.select_related("corrected_by").newest_first()[:LAST_SHOWN],
    }
    return answer(request, told, calibrate)


def answer(
    request: HttpRequest, told: dict[str, object], calibrate: Calibrate
) -> HttpResponse:
    """Show the form, or do what it asks; what is refused is shown as it was typed."""
    if request.method != "POST":
        return page(request, told, Typed())
    typed = Typed.of(request.POST)
    count = whole(typed.count)
    if typed.errors or count is None:
        return page(request, told, typed)
    try:
        calibrate(count, typed.reason)
    except corrections.NotCorrected as error:
        wrong = "count" if count < 0 or count > corrections.COUNT_MAX else "reason"
        return page(
            request, told, Typed(typed.count, typed.reason, {wrong: str(error)})
        )
    messages.success(request, f"{told['name']}: {count} inside now.")
    return redirect("occupancy")


def page(request: HttpRequest, told: dict[str, object], typed: Typed) -> HttpResponse:
    status = 422 if typed.errors else 200
    shown = told | {"typed": typed, "reasons": REASONS}
    return render(request, "occupancy/correct.html", shown, status=status)
