"""Live pictures over HTTP."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import redis
from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from . import frames, workers
from .answers import FRESH, not_logged_in, refusal
from .auth import LINK_AGE, RECHECK_S, NotLoggedIn, recheck_delay_s, viewer
from .frames import Kind
from .models import Camera
from .pictures import follow, loss
from .placeholder import placeholder
from .status import statuses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from django.http.response import HttpResponseBase

    View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

PICTURE_WITHIN_S = 5.0
BOUNDARY = b"--frame\r\n"
UNBUFFERED = {**FRESH, "X-Accel-Buffering": "no"}
"""nginx would keep parts back until it has enough of them."""


class CameraNotFound(Exception):
    """There is no such camera among those the user may watch."""


class BadSize(Exception):
    """The size asked for is none of those there are."""


def for_viewers(view: View) -> Any:
    """Answer as the REST API does whom the view may not serve, or cannot."""

    @wraps(view)
    async def guarded(request: HttpRequest) -> HttpResponseBase:
        try:
            return await view(request)
        except NotLoggedIn as error:
            return not_logged_in(error)
        except CameraNotFound as error:
            return refusal(str(error), "not_found", 404)
        except BadSize as error:
            return refusal(str(error), "invalid", 400)
        except redis.RedisError:
            return refusal("Redis does not answer.", "unavailable", 503)

    return require_GET(login_not_required(guarded))


@for_viewers
async def video_feed(request: HttpRequest) -> HttpResponseBase:
    """Stream a camera's annotated pictures as multipart/x-mixed-replace."""
    kind = size_of(request)
    camera = await watchable(request)
    return StreamingHttpResponse(
        parts(request, camera, kind),
        content_type="multipart/x-mixed-replace; boundary=frame",
        headers=UNBUFFERED,
    )


@for_viewers
async def picture(request: HttpRequest) -> HttpResponseBase:
    """Return one picture of now, or a 503 with one that says why there is none."""
    kind = size_of(request)
    camera = await watchable(request)
    async with frames.watch(camera.code, kind) as feed:
        newest = await feed.after(0, timeout_s=PICTURE_WITHIN_S)
        jpeg = feed.payload
    if newest is None:
        why = loss(camera, now=timezone.now())
        jpeg = placeholder(why.title, why.reason)
    status = 503 if newest is None else 200
    return HttpResponse(jpeg, status=status, content_type="image/jpeg", headers=FRESH)


@for_viewers
async def feed_status(request: HttpRequest) -> HttpResponseBase:
    """Say how the feed of one camera does, or of each that the user may watch."""
    if "camera" in request.GET:
        camera = await watchable(request)
        (feed,) = await feeds([camera])
        return JsonResponse(feed, headers=FRESH)
    told = await feeds(await visible_cameras(request))
    return JsonResponse(told, safe=False, headers=FRESH)


@database_sync_to_async  # type: ignore[untyped-decorator]
def feeds(cameras: list[Camera]) -> list[dict[str, Any]]:
    found = statuses(
        cameras,
        running=workers.running(),
        viewers=frames.viewers_by_code(),
        now=timezone.now(),
    )
    return [
        {
            "camera": status.camera.code,
            "connected": status.connected,
            "frames_read": status.stats.frames_read if status.stats else 0,
            "fps": round(status.stats.fps, 1) if status.stats else 0.0,
            "viewers": status.viewers,
        }
        for status in found
    ]


@database_sync_to_async  # type: ignore[untyped-decorator]
def watchable(request: HttpRequest, *, is_open: bool = False) -> Camera:
    """Return the camera asked for; raise NotLoggedIn or CameraNotFound.

    `is_open`: its pictures are being sent, so that a link may have become old.
    """
    code = request.GET.get("camera", "").replace("\0", "")  # Postgres takes none.
    user = viewer(request, of=code, max_age=None if is_open else LINK_AGE)
    cameras = Camera.objects.visible_to(user).select_related("site")
    camera = cameras.filter(code=code).first()
    if camera is None or not user.has_perm("streaming.view_camera"):
        raise CameraNotFound(f"There is no camera '{code}' that you may watch.")
    return camera


@database_sync_to_async  # type: ignore[untyped-decorator]
def visible_cameras(request: HttpRequest) -> list[Camera]:
    user = viewer(request, of="")
    if not user.has_perm("streaming.view_camera"):
        raise CameraNotFound("There is no camera that you may watch.")
    return list(Camera.objects.visible_to(user).order_by("code"))


def size_of(request: HttpRequest) -> Kind:
    """Return the size asked for; raise BadSize."""
    size = request.GET.get("size", Kind.FULL)
    if size not in {Kind.FULL, Kind.TILE}:
        raise BadSize("size is 'full' or 'tile'.")
    return Kind(size)


@dataclass(slots=True)
class Permission:
    """Whether the viewer may still watch, looked at again about once a minute."""

    request: HttpRequest
    check_at_s: float = 0.0

    def postpone(self) -> None:
        self.check_at_s = asyncio.get_running_loop().time() + recheck_delay_s(RECHECK_S)

    async def holds(self) -> bool:
        if asyncio.get_running_loop().time() < self.check_at_s:
            return True
        try:
            await watchable(self.request, is_open=True)
        except (NotLoggedIn, CameraNotFound):
            return False
        self.postpone()
        return True


async def parts(
    request: HttpRequest, camera: Camera, kind: Kind
) -> AsyncIterator[bytes]:
    """Yield one multipart part per picture, as long as the user may watch.

    Each part ends with the next boundary, so that a browser shows it at once. When no
    picture comes the viewer is told, and never left with a stale one.
    """
    yield BOUNDARY
    # Chromium shows a part when the next one comes, so what stays is sent twice.
    yield 2 * part(placeholder(camera.name, "Waiting for the picture"))
    permission, told = Permission(request), b""
    permission.postpone()
    async with (
        frames.watch(camera.code, kind) as feed,
        aclosing(follow(camera, feed)) as shown,
    ):
        async for one in shown:
            if not await permission.holds():
                break
            if isinstance(one, bytes):
                told = b""
                yield part(one)
            elif one:
                told = 2 * part(placeholder(one.title, one.reason))
            if told:  # Again and again, so that no proxy takes it for dead.
                yield told
    yield part(placeholder(camera.name, "Your login may not watch it any more"))


def part(jpeg: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n" + BOUNDARY
