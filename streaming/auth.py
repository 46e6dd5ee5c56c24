"""Who watches, over a WebSocket or a picture: a token, a session cookie or a link."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from channels.security.websocket import OriginValidator
from django.contrib.auth import get_user, get_user_model
from django.core import signing
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AbstractUser
    from django.contrib.sessions.backends.base import SessionBase

RECHECK_S = 60
"""How often, at least, what stays open looks again at who watches it."""
LINK_AGE = timedelta(minutes=5)
"""How long a link may be opened; what it opened stays open."""
LINK_SALT = "streaming.link"


class NotLoggedIn(Exception):
    """There is no valid login, or there is none any more."""


class BrowserOriginValidator(OriginValidator):  # type: ignore[misc]
    """Refuses other sites' pages; programs, which send no Origin, bring a token."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or bool(super().valid_origin(parsed_origin))


def recheck_delay_s(longest_s: float) -> float:
    """Return when to look again: earlier by chance, so that hundreds do not at once."""
    return longest_s * random.uniform(0.5, 0.95)  # noqa: S311 - no secret


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


def sign_link(*, user: AbstractBaseUser, to: str) -> str:
    """Return what opens one thing, as this user, for LINK_AGE.

    `to` names the thing: a camera's live picture by its code, a file by its address.
    """
    told = [user.pk, to, user.get_session_auth_hash()]
    return signing.dumps(told, salt=LINK_SALT)


def linked_user(link: str, *, to: str, max_age: timedelta | None) -> AbstractUser:
    """Load the user of a link as of now; raise NotLoggedIn.

    `max_age` None: however old it is, as for what it opened in time. A link ends with
    the password it was made under.
    """
    refused = NotLoggedIn("The link is not valid, or not any more. Ask for a new one.")
    try:
        pk, signed_to, login = signing.loads(link, salt=LINK_SALT, max_age=max_age)
    except signing.BadSignature:
        raise refused from None
    users = get_user_model()._default_manager.filter(pk=pk, is_active=True)
    user: AbstractUser | None = users.first()
    if user is None or signed_to != to:
        raise refused
    if not constant_time_compare(login, user.get_session_auth_hash()):
        raise refused
    return user


def viewer(
    request: HttpRequest, *, of: str, max_age: timedelta | None = LINK_AGE
) -> AbstractUser:
    """Load who asks, by a link to `of`, by token or by session; raise NotLoggedIn."""
    if link := request.GET.get("link"):
        return linked_user(link, to=of, max_age=max_age)
    header = request.headers.get("Authorization", "").encode()
    return fresh_user(authorization=header, session=request.session)
