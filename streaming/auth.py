"""Who watches, over a WebSocket or a picture: a bearer token or a session cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.security.websocket import OriginValidator
from django.contrib.auth import get_user
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.contrib.sessions.backends.base import SessionBase

RECHECK_S = 60
"""How often what stays open looks again at who watches it."""


class NotLoggedIn(Exception):
    """There is no valid login, or there is none any more."""


class BrowserOriginValidator(OriginValidator):  # type: ignore[misc]
    """Refuses other sites' pages; programs, which send no Origin, bring a token."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or bool(super().valid_origin(parsed_origin))


def fresh_user(*, authorization: bytes, session: SessionBase) -> AbstractUser:
    """Load the user of an Authorization header, or else of a session, as of now.

    Nothing is taken from the objects at hand: Django caches permissions on a user and
    the content on a session. Raises NotLoggedIn.
    """
    tokens = JWTAuthentication()
    try:
        raw = tokens.get_raw_token(authorization)
        if raw is not None:
            token = tokens.get_validated_token(raw)
            return tokens.get_user(token)  # type: ignore[return-value]
    except AuthenticationFailed:
        raise NotLoggedIn("The token is not valid, or not any more.") from None
    request = HttpRequest()
    request.session = session.__class__(session.session_key)
    user = get_user(request)
    if not user.is_authenticated:
        raise NotLoggedIn("Log in, or send a token: Authorization: Bearer <access>.")
    return user
