"""The live socket, `/ws/live/`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeGuard

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from .auth import RECHECK_S, NotLoggedIn, fresh_user
from .live import UnknownTopic, group_name, permission_for
from .models import Site

if TYPE_CHECKING:
    from .live import LiveMessage

logger = logging.getLogger(__name__)
FAILED, NOT_LOGGED_IN, NOT_ALLOWED = 1011, 4401, 4403
TOPICS_MAX = 20


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Passes on the topics that a page subscribes to.

    The page sends `{"subscribe": ["occupancy.occupancylog"]}` and receives
    `{"subscribed": [...]}`, then `{"topic": ..., "data": ...}` for each new row.
    Closes with 4401 without a valid login and with 4403 for a topic that the user may
    not view; both are looked at again once a minute, and when that fails, with 1011.
    """

    topics: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    recheck: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.joining = asyncio.Lock()
        await self.accept()
        if await self.user() is None:
            await self.close(NOT_LOGGED_IN)
            return
        self.recheck = asyncio.create_task(self.keep_checking())

    async def disconnect(self, _code: int) -> None:
        if self.recheck:
            self.recheck.cancel()
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **_: Any) -> None:
        wanted = content.get("subscribe") if isinstance(content, dict) else None
        if not is_list_of_topics(wanted):
            await self.send_json({"error": 'Send {"subscribe": ["app.model", ...]}.'})
            return
        self.topics |= frozenset(wanted)
        if await self.join():
            await self.send_json({"subscribed": sorted(self.topics)})

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        try:
            return await super().decode_json(text_data)
        except ValueError:
            return None

    async def live_message(self, message: LiveMessage) -> None:
        await self.send_json({"topic": message["topic"], "data": message["data"]})

    async def keep_checking(self) -> None:
        try:
            while await self.join():
                await asyncio.sleep(RECHECK_S)
        except Exception:
            logger.exception("A socket was closed: who may watch it is not known.")
            await self.close(FAILED)

    async def join(self) -> bool:
        """Bring the joined groups in line with what the user may see now."""
        async with self.joining:
            return await self.join_alone()

    async def join_alone(self) -> bool:
        user = await self.user()
        if user is None:
            await self.close(NOT_LOGGED_IN)
            return False
        groups = await groups_for(user, self.topics)
        if groups is None:
            await self.close(NOT_ALLOWED)
            return False
        for group in groups - self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self.joined - groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        self.joined = groups
        return True

    async def user(self) -> Any:
        """Load the user anew; None without a valid login."""
        header = dict(self.scope["headers"]).get(b"authorization", b"")
        try:
            return await database_sync_to_async(fresh_user)(
                authorization=header, session=self.scope["session"]
            )
        except NotLoggedIn:
            return None


@database_sync_to_async  # type: ignore[untyped-decorator]
def groups_for(user: Any, topics: frozenset[str]) -> frozenset[str] | None:
    """Return the groups for the topics, or None when one may not be viewed."""
    try:
        allowed = all(user.has_perm(permission_for(topic)) for topic in topics)
    except UnknownTopic:
        return None
    if not allowed:
        return None
    sites = Site.objects.visible_to(user).values_list("pk", flat=True)
    return frozenset(
        group_name(topic=topic, site_id=site) for site in sites for topic in topics
    )


def is_list_of_topics(value: object) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and len(value) <= TOPICS_MAX
        and all(isinstance(item, str) for item in value)
    )
