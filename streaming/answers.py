"""Answers of the views that are not the REST API's, in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import JsonResponse

if TYPE_CHECKING:
    from .auth import NotLoggedIn

FRESH: Final = {"Cache-Control": "no-store"}


def refusal(detail: str, code: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status)


def not_logged_in(error: NotLoggedIn) -> JsonResponse:
    response = refusal(str(error), "not_authenticated", 401)
    response["WWW-Authenticate"] = "Bearer"
    return response
