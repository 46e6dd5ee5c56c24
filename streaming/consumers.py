"""The sockets: `/ws/live/` for what is recorded, `/ws/pictures/` for what is seen."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from . import frames
from .auth import RECHECK_S, NotLoggedIn, fresh_user, recheck_delay_s
from .frames import Kind
from .live import UnknownTopic, camera_of, channel_name, permission_for
from .models import Camera, Site
from .pictures import Loss, follow
from .relay import PerLoop, Relay

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from django.contrib.auth.models import AbstractUser

logger = logging.getLogger(__name__)
FAILED, TOO_SLOW, NOT_LOGGED_IN, NOT_ALLOWED = 1011, 1013, 4401, 4403
TOPICS_MAX = 20
CAMERAS_MAX = 64
WAITING_MAX = 100
"""Messages that may wait for a slow socket before it is closed."""

announcements = PerLoop(Relay)


class CheckedConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """A socket whose user is looked at when it opens and then once a minute.

    Closes with 4401 without a valid login, with 4403 for what the user may not view,
    and with 1011 when that cannot be found out or another part of it fails.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tasks: set[asyncio.Task[None]] = set()
        self.checking = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve until the socket ends, however it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.release()

    def release(self) -> None:
        """Give back what the socket holds in this process."""
        for task in self.tasks:
            task.cancel()

    async def connect(self) -> None:
        await self.accept()
        self.start(self.keep_checking())

    async def receive_json(self, content: Any, **_: Any) -> None:
        await self.guard(self.answer(content if isinstance(content, dict) else {}))

    async def answer(self, content: Mapping[str, Any]) -> None:
        """Do what the page asks for."""
        raise NotImplementedError

    def start(self, part: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a part of the socket beside it; when it fails the socket is closed."""
        task = asyncio.create_task(self.guard(part))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def guard(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except Exception:
            logger.exception("A socket was closed, because a part of it failed.")
            await self.close(FAILED)

    async def keep_checking(self) -> None:
        while await self.check():
            await asyncio.sleep(recheck_delay_s(RECHECK_S))

    async def check(self) -> bool:
        """Bring what is passed on in line with what the user may see now."""
        async with self.checking:
            found = await database_sync_to_async(self.look)()
            if isinstance(found, int):
                await self.close(found)
                return False
            await self.allow(found)
            return True

    def look(self) -> Any:
        """Return what the user may see of what was asked for, or the code to close by.

        Runs in the thread of the database, with one connection for all that it asks.
        """
        try:
            found = self.reach(self.user())
            if found is None:
                self.user()  # A user deleted just now lost its roles first.
        except NotLoggedIn:
            return NOT_LOGGED_IN
        return NOT_ALLOWED if found is None else found

    def user(self) -> AbstractUser:
        """Load the user anew; raise NotLoggedIn."""
        header = dict(self.scope["headers"]).get(b"authorization", b"")
        return fresh_user(authorization=header, session=self.scope["session"])

    def reach(self, user: AbstractUser) -> Any:
        """Return what `allow` needs; None when it asks for what it may not view."""
        raise NotImplementedError

    async def allow(self, found: Any) -> None:
        """Pass on what the user may see, and nothing else any more."""
        raise NotImplementedError

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None


class LiveConsumer(CheckedConsumer):
    """Passes on the topics that a page subscribes to.

    The page sends `{"subscribe": ["occupancy.occupancylog"]}` and receives
    `{"subscribed": [...]}`, then `{"topic": ..., "data": ...}` for each new row. Of
    `streaming.detections:<code>` it receives the newest that it has time for.
    Closes with 1011 when messages may have been missed, and with 1013 when they are
    not read; the page then connects again and reads the list.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics: frozenset[str] = frozenset()
        self.channels: frozenset[str] = frozenset()
        self.detections: dict[str, asyncio.Task[None]] = {}
        self.waiting: asyncio.Queue[str | int] = asyncio.Queue()

    def release(self) -> None:
        super().release()
        for channel in self.channels:
            announcements().discard(channel, self)

    async def connect(self) -> None:
        await super().connect()
        self.start(self.pass_on())

    async def answer(self, content: Mapping[str, Any]) -> None:
        wanted = content.get("subscribe")
        if not is_list_of_words(wanted, most=TOPICS_MAX):
            await self.send_json({"error": 'Send {"subscribe": ["app.model", ...]}.'})
            return
        self.topics |= frozenset(wanted)
        if await self.check():
            await self.send_json({"subscribed": sorted(self.topics)})

    def reach(self, user: AbstractUser) -> Reach | None:
        return reach_of(user, self.topics)

    async def allow(self, found: Reach) -> None:
        for channel in self.channels - found.channels:
            announcements().discard(channel, self)
        for channel in found.channels - self.channels:
            announcements().add(channel, self)
        self.channels = found.channels
        for channel in found.channels:
            await announcements().joined(channel)
        for code in found.cameras - self.detections.keys():
            self.detections[code] = self.start(self.show_detections(code))

    def hear(self, message: bytes) -> None:
        if self.waiting.qsize() < WAITING_MAX:
            self.waiting.put_nowait(message.decode())
        else:
            self.end(TOO_SLOW)

    def lose(self) -> None:
        self.end(FAILED)

    def end(self, code: int) -> None:
        """Close as soon as what is being sent is sent, and forget the rest."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(code)

    async def pass_on(self) -> None:
        while isinstance(item := await self.waiting.get(), str):
            await self.send(text_data=item)
        await self.close(item)

    async def show_detections(self, code: str) -> None:
        number = 0
        async with frames.watch(code, Kind.DETECTIONS) as feed:
            while True:
                newer = await feed.after(number, timeout_s=RECHECK_S)
                if newer is not None:
                    number = newer
                    await self.send(text_data=detections_message(code, feed.payload))


class PicturesConsumer(CheckedConsumer):
    """Shows many cameras over one socket, each as fast as the viewer draws.

    The page sends `{"watch": ["CAM-1"], "size": "tile"}` and receives
    `{"watching": [...]}`, then pictures: a byte n, the camera's code in n bytes, and
    the JPEG. After each it sends `{"drawn": "CAM-1"}` and gets the camera's next one,
    the newest then. When a camera gives none it receives `{"lost": "CAM-1", ...}`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: tuple[frozenset[str], Kind] = frozenset(), Kind.TILE
        self.tiles: dict[tuple[str, Kind], Tile] = {}
        self.refused: frozenset[str] = frozenset()

    async def answer(self, content: Mapping[str, Any]) -> None:
        if isinstance(drawn := content.get("drawn"), str):
            self.note_drawn(drawn)
            return
        codes, size = content.get("watch"), content.get("size", Kind.TILE)
        if not is_list_of_words(codes, most=CAMERAS_MAX) or size not in SIZES:
            await self.send_json({"error": PICTURES_ASK})
            return
        self.asked, self.refused = (frozenset(codes), Kind(size)), frozenset()
        for tile in self.tiles.values():
            tile.drawn.set()  # The page may have thrown away what it had.
        if await self.check():
            await self.send_json({"watching": sorted(code for code, _ in self.tiles)})

    def note_drawn(self, code: str) -> None:
        for (shown, _), tile in self.tiles.items():
            if shown == code:
                tile.drawn.set()

    def reach(self, user: AbstractUser) -> Wall | None:
        codes, kind = self.asked
        return wall_of(user, codes, kind)

    async def allow(self, found: Wall) -> None:
        for code, kind in list(self.tiles):
            if code not in found.cameras or kind is not found.kind:
                self.tiles.pop((code, kind)).task.cancel()
        if found.refused - self.refused:
            await self.send_json({"error": no_such_cameras(found.refused)})
        self.refused = found.refused
        for code, camera in found.cameras.items():
            if (code, found.kind) not in self.tiles:
                drawn = asyncio.Event()
                task = self.start(self.show(camera, found.kind, drawn))
                self.tiles[code, found.kind] = Tile(task, drawn)

    async def show(self, camera: Camera, kind: Kind, drawn: asyncio.Event) -> None:
        name = camera.code.encode()
        head = bytes([len(name)]) + name
        async with (
            frames.watch(camera.code, kind) as feed,
            aclosing(follow(camera, feed)) as shown,
        ):
            async for one in shown:
                if isinstance(one, Loss):
                    await self.send_json(lost_message(camera.code, one))
                elif one:
                    drawn.clear()
                    await self.send(bytes_data=head + one)
                    await drawn.wait()


@dataclass(frozen=True, slots=True)
class Tile:
    """One camera on one socket."""

    task: asyncio.Task[None]
    drawn: asyncio.Event


@dataclass(frozen=True, slots=True)
class Reach:
    """Where what a user asked for comes from."""

    channels: frozenset[str]
    cameras: frozenset[str]
    """Codes of those whose detections it asked for."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The cameras that a user asked for, and may see."""

    cameras: Mapping[str, Camera]
    kind: Kind
    refused: frozenset[str]


SIZES = [Kind.FULL, Kind.TILE]
PICTURES_ASK = (
    f'Send {{"watch": ["CAM-1", ...], "size": "tile" or "full"}} with at most '
    f'{CAMERAS_MAX} cameras, or {{"drawn": "CAM-1"}}.'
)


def reach_of(user: AbstractUser, topics: frozenset[str]) -> Reach | None:
    """Return where the topics come from, or None when one may not be viewed."""
    try:
        allowed = all(user.has_perm(permission_for(topic)) for topic in topics)
    except UnknownTopic:
        return None
    codes = {code for topic in topics if (code := camera_of(topic)) is not None}
    cameras = frozenset(visible_codes(user, codes)) if codes else frozenset()
    if not allowed or codes != cameras:
        return None
    sites = Site.objects.visible_to(user).values_list("pk", flat=True)
    models = [topic for topic in topics if camera_of(topic) is None]
    channels = frozenset(
        channel_name(topic=topic, site_id=site) for site in sites for topic in models
    )
    return Reach(channels, cameras)


def wall_of(user: AbstractUser, codes: frozenset[str], kind: Kind) -> Wall | None:
    """Return what the user sees of what it asked for; None when it may watch none."""
    if not user.has_perm("streaming.view_camera"):
        return None
    seen = Camera.objects.visible_to(user).filter(code__in=codes)
    cameras = {camera.code: camera for camera in seen.select_related("site")}
    return Wall(cameras, kind, codes.difference(cameras))


def visible_codes(user: AbstractUser, codes: Iterable[str]) -> Iterable[str]:
    cameras = Camera.objects.visible_to(user).filter(code__in=codes)
    return cameras.values_list("code", flat=True)


def is_list_of_words(value: object, *, most: int) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and len(value) <= most
        # Postgres takes no NUL and no half of a character, which JSON may hold.
        and all(isinstance(item, str) and item.isprintable() for item in value)
    )


def detections_message(code: str, payload: bytes) -> str:
    """Wrap what the worker sent, which is JSON already."""
    return f'{{"topic": "streaming.detections:{code}", "data": {payload.decode()}}}'


def lost_message(code: str, loss: Loss) -> dict[str, str]:
    return {"lost": code, "title": loss.title, "reason": loss.reason}


def no_such_cameras(codes: Iterable[str]) -> str:
    return f"There are no cameras that you may watch: {', '.join(sorted(codes))}."
