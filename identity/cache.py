"""What was decided of the people whom cameras see now, kept in Redis."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from .pipeline import FaceOffered

logger = logging.getLogger(__name__)
PREFIX = "identity:visit"


class Visits:
    """Which row the visit of a track has, as long as its decision stands.

    Without Redis nothing is known: each offer asks the engine then, and the cooldown
    of the face stage bounds how many there are.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._is_away = False

    def find(self, offer: FaceOffered) -> int | None:
        """Return the primary key of the visit's row; None when it is to be decided."""
        found = self._try("get", _key(offer))
        return None if found is None else int(found)

    def keep(self, offer: FaceOffered, *, log_id: int, ttl_s: int) -> None:
        self._try("set", _key(offer), log_id, ex=ttl_s)

    def _try(self, command: str, *values: Any, **options: Any) -> Any:
        try:
            answer = getattr(self._redis, command)(*values, **options)
        except redis.RedisError as error:
            if not self._is_away:
                name = type(error).__name__
                logger.warning("Recognitions are not remembered for now: %s.", name)
            self._is_away = True
            return None
        self._is_away = False
        return answer


def _key(offer: FaceOffered) -> str:
    return f"{PREFIX}:{offer.camera}:{offer.session}:{offer.track_id}"
