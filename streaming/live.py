"""Live topics: what is stored is announced to the pages that watch it.

A topic is `<app>.<model>`; watching it needs the permission `<app>.view_<model>`, the
one of the admin page and of the REST list. Messages go to the users of one site.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.apps import apps
from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping


class LiveMessage(TypedDict):
    """What a watching page receives."""

    type: Literal["live.message"]
    topic: str
    data: dict[str, Any]


class UnknownTopic(Exception):
    """The topic names no model of this project."""


def publish(*, topic: str, site_id: int, data: Mapping[str, Any]) -> None:
    """Announce one stored row when its transaction commits.

    `data` is the row as the REST list gives it. A page that misses the message sees
    the row at its next refresh, so a failure is logged and the row stays.
    """
    message = LiveMessage(type="live.message", topic=topic, data=dict(data))
    group = group_name(topic=topic, site_id=site_id)
    transaction.on_commit(partial(_send, group, message), robust=True)


def _send(group: str, message: LiveMessage) -> None:
    async_to_sync(get_channel_layer().group_send)(group, message)


def group_name(*, topic: str, site_id: int) -> str:
    return f"live.{topic}.{site_id}"


def permission_for(topic: str) -> str:
    """Return the permission that watching a topic needs; raise UnknownTopic."""
    try:
        model = apps.get_model(topic)
    except (LookupError, ValueError):
        raise UnknownTopic(topic) from None
    return f"{model._meta.app_label}.view_{model._meta.model_name}"
