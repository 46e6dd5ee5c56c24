"""Live pictures over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from . import frames
from .models import Camera
from .placeholder import placeholder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NO_PICTURE_AFTER_S = 5
BOUNDARY = b"--frame\r\n"


class CameraNotFound(Exception):
    """There is no such camera among those the user may watch."""


@require_GET
async def video_feed(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a camera's annotated pictures as multipart/x-mixed-replace."""
    try:
        camera = await watchable(request)
    except CameraNotFound as error:
        return JsonResponse({"detail": str(error), "code": "not_found"}, status=404)
    return StreamingHttpResponse(
        parts(camera),
        content_type="multipart/x-mixed-replace; boundary=frame",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@database_sync_to_async  # type: ignore[untyped-decorator]
def watchable(request: HttpRequest) -> Camera:
    """Return the camera asked for; raise CameraNotFound."""
    code = request.GET.get("camera", "")
    cameras = Camera.objects.visible_to(request.user).select_related("site")
    camera = cameras.filter(code=code).first()
    if camera is None or not request.user.has_perm("streaming.view_camera"):
        raise CameraNotFound(f"There is no camera '{code}' that you may watch.")
    return camera


async def parts(camera: Camera) -> AsyncIterator[bytes]:
    """Yield one multipart part per picture.

    Each part ends with the next boundary, so that a browser shows it at once. After
    5 s without a picture the viewer is told, and never left with a stale one.
    """
    number = 0
    yield BOUNDARY
    yield part(placeholder(camera.name, "Waiting for the picture"))
    async with frames.watch(camera.code) as feed:
        while True:
            newer = await feed.after(number, timeout_s=NO_PICTURE_AFTER_S)
            if newer:
                number = newer
                yield part(feed.jpeg)
            else:
                yield part(await no_picture(camera))


async def no_picture(camera: Camera) -> bytes:
    await camera.arefresh_from_db(fields=["state", "state_since", "state_reason"])
    since = camera.state_since and camera.site.local(camera.state_since)
    title = f"No picture since {since:%H:%M}" if since else "No picture yet"
    return placeholder(title, camera.state_reason or "The vision worker sends none")


def part(jpeg: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n" + BOUNDARY
