"""Logging in over the API, and who is locked out after wrong passwords.

django-axes counts wrong passwords at both entrances, this one and the login page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.throttling import BaseThrottle
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.serializers import (
    TokenObtainPairSerializer,
    TokenRefreshSerializer,
)
from rest_framework_simplejwt.views import TokenObtainPairView

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.response import Response


def client_address(request: HttpRequest) -> str | None:
    """Return the address that wrong passwords come from, as NUM_PROXIES says."""
    return BaseThrottle().get_ident(request) or None  # type: ignore[arg-type]


class CredentialsSerializer(TokenObtainPairSerializer):
    """User name and password; a name longer than any login's is refused unread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name: Any = get_user_model()._meta.get_field(self.username_field)
        self.fields[self.username_field] = serializers.CharField(
            write_only=True, max_length=name.max_length
        )


class RefreshSerializer(TokenRefreshSerializer):
    """A refresh token, as good as the login behind it is now."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        JWTAuthentication().get_user(self.token_class(attrs["refresh"]))
        return super().validate(attrs)


class Login(TokenObtainPairView):
    """Exchange user name and password for an access and a refresh token."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        try:
            return super().post(request, *args, **kwargs)
        except AuthenticationFailed:
            if not getattr(request, "axes_locked_out", False):
                raise
            wait_s = settings.AXES_COOLOFF_TIME.total_seconds()
            raise Throttled(
                wait_s, "Too many wrong passwords for this login.", "locked_out"
            ) from None
