"""Live pictures over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET

from . import frames
from .auth import RECHECK_S, NotLoggedIn, fresh_user
from .models import Camera
from .placeholder import placeholder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NO_PICTURE_AFTER_S = 5
BOUNDARY = b"--frame\r\n"


class CameraNotFound(Exception):
    """There is no such camera among those the user may watch."""


@require_GET
@login_not_required
async def video_feed(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Stream a camera's annotated pictures as multipart/x-mixed-replace."""
    try:
        camera = await watchable(request)
    except NotLoggedIn as error:
        body = {"detail": str(error), "code": "not_authenticated"}
        return JsonResponse(body, status=401, headers={"WWW-Authenticate": "Bearer"})
    except CameraNotFound as error:
        return JsonResponse({"detail": str(error), "code": "not_found"}, status=404)
    return StreamingHttpResponse(
        parts(request, camera),
        content_type="multipart/x-mixed-replace; boundary=frame",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@database_sync_to_async  # type: ignore[untyped-decorator]
def watchable(request: HttpRequest) -> Camera:
    """Return the camera asked for; raise NotLoggedIn or CameraNotFound."""
    header = request.headers.get("Authorization", "").encode()
    user = fresh_user(authorization=header, session=request.session)
    code = request.GET.get("camera", "")
    cameras = Camera.objects.visible_to(user).select_related("site")
    camera = cameras.filter(code=code).first()
    if camera is None or not user.has_perm("streaming.view_camera"):
        raise CameraNotFound(f"There is no camera '{code}' that you may watch.")
    return camera


async def parts(request: HttpRequest, camera: Camera) -> AsyncIterator[bytes]:
    """Yield one multipart part per picture, as long as the user may watch.

    Each part ends with the next boundary, so that a browser shows it at once. After
    5 s without a picture the viewer is told, and never left with a stale one.
    """
    yield BOUNDARY
    waiting = part(placeholder(camera.name, "Waiting for the picture"))
    yield waiting + waiting  # Chromium shows a part when the next one comes.
    clock = asyncio.get_running_loop().time
    number, check_at_s = 0, clock() + RECHECK_S
    async with frames.watch(camera.code) as feed:
        while True:
            newer = await feed.after(number, timeout_s=NO_PICTURE_AFTER_S)
            if clock() >= check_at_s:
                if not await may_still_watch(request):
                    break
                check_at_s = clock() + RECHECK_S
            if newer:
                number = newer
                yield part(feed.jpeg)
            else:
                told = part(await no_picture(camera))
                yield told + told
    yield part(placeholder(camera.name, "Your login may not watch it any more"))


async def may_still_watch(request: HttpRequest) -> bool:
    try:
        await watchable(request)
    except (NotLoggedIn, CameraNotFound):
        return False
    return True


async def no_picture(camera: Camera) -> bytes:
    await camera.arefresh_from_db(fields=["state", "state_since", "state_reason"])
    since = camera.state_since and camera.site.local(camera.state_since)
    title = f"No picture since {since:%H:%M}" if since else "No picture yet"
    return placeholder(title, camera.state_reason or "The vision worker sends none")


def part(jpeg: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n" + BOUNDARY
