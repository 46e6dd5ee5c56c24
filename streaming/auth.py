"""Who is on the other end of a WebSocket: a session cookie or a bearer token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from channels.security.websocket import OriginValidator
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class BrowserOriginValidator(OriginValidator):  # type: ignore[misc]
    """Refuses other sites' pages; programs, which send no Origin, bring a token."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or bool(super().valid_origin(parsed_origin))


class TokenMiddleware:
    """Puts the user of an `Authorization: Bearer` header into the scope."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        header = dict(scope["headers"]).get(b"authorization")
        if header:
            scope = {**scope, **await identify(header)}
        await self.app(scope, receive, send)


@database_sync_to_async  # type: ignore[untyped-decorator]
def identify(header: bytes) -> dict[str, Any]:
    """Return `user` and `token_expires_at` for a valid header, else nothing."""
    authentication = JWTAuthentication()
    raw = authentication.get_raw_token(header)
    if raw is None:
        return {}
    try:
        token = authentication.get_validated_token(raw)
        user = authentication.get_user(token)
    except (InvalidToken, AuthenticationFailed):
        return {}
    return {
        "user": user,
        "token_expires_at": datetime.fromtimestamp(token["exp"], UTC),
    }
