"""Live topics: what is stored is announced to the pages that watch it.

A topic is `<app>.<model>`; watching it needs the permission `<app>.view_<model>`, the
one of the admin page and of the REST list. Messages go to the users of one site. Beside
them `streaming.detections:<code>` is what one camera sees.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
from django.apps import apps
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.utils.encoders import JSONEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping

DETECTIONS = "streaming.detections:"
TIMEOUT_S = 2


class UnknownTopic(Exception):
    """The topic names no model of this project, and is no other topic either."""


def publish(*, topic: str, site_id: int, data: Mapping[str, Any]) -> None:
    """Announce one stored row when its transaction commits.

    `data` is the row as the REST list gives it. A page that misses the message sees
    the row at its next refresh, so a failure is logged and the row stays.
    """
    text = message(topic=topic, data=data)
    channel = channel_name(topic=topic, site_id=site_id)
    # Not a partial: Django's log of a failure asks for the function's name.
    transaction.on_commit(lambda: _send(channel, text), robust=True)


def message(*, topic: str, data: Mapping[str, Any]) -> str:
    """Return what a watching page receives, made once for all of them."""
    return json.dumps({"topic": topic, "data": data}, cls=JSONEncoder)


def _send(channel: str, text: str) -> None:
    _connection(settings.REDIS_URL).publish(channel, text)


@cache
def _connection(url: str) -> redis.Redis:
    """Keep connections for the life of the process; whoever stores a row waits here."""
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 1)
    )


def channel_name(*, topic: str, site_id: int) -> str:
    return f"live:{topic}:{site_id}"


def camera_of(topic: str) -> str | None:
    """Return the code of the camera whose detections the topic is; None for a model."""
    return topic.removeprefix(DETECTIONS) if topic.startswith(DETECTIONS) else None


def permission_for(topic: str) -> str:
    """Return the permission that watching a topic needs; raise UnknownTopic."""
    if camera_of(topic) is not None:
        return "streaming.view_camera"
    try:
        model = apps.get_model(topic)
    except (LookupError, ValueError):
        raise UnknownTopic(topic) from None
    return f"{model._meta.app_label}.view_{model._meta.model_name}"
