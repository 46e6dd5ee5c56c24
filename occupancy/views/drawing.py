"""Drawing of lines and zones on a camera's picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from occupancy.drawing import Drawing, save_drawing
from occupancy.models import Colour
from streaming.models import Camera

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NEEDED: Final = tuple(
    f"occupancy.{may}_{what}"
    for what in ("countingline", "zone")
    for may in ("view", "add", "change", "delete")
)
"""The page does all of these at once."""
REFUSED: Final = 422
SAVED: Final = "Saved. The vision worker counts by it within seconds."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(NEEDED, raise_exception=True)
def draw(request: HttpRequest, code: str) -> HttpResponse:
    """Show a camera's lines and zones to be drawn, or store them as drawn."""
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    camera = get_object_or_404(cameras, code=code)
    if request.method == "POST":
        drawing = save_drawing(camera=camera, data=request.POST)
        if drawing.is_saved:
            messages.success(request, SAVED)
            return redirect("draw", code=code)
    else:
        drawing = Drawing(camera)
    told = {
        "camera": camera,
        "site": camera.site,
        "card": {"is_out": camera.is_out(now=timezone.now())},
        "drawing": drawing,
        "colours": Colour,
    }
    status = REFUSED if request.method == "POST" else 200
    return render(request, "occupancy/draw.html", told, status=status)
