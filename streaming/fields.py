"""A text column that is encrypted at rest."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class Unreadable(str):
    """What is stored of a text that was encrypted with a key this process lacks.

    Saved again it stays as it is. Whoever needs the text itself refuses it with
    `reason`, so that one such row leaves the rest at work.
    """

    __slots__ = ()
    reason = (
        "The source was encrypted with another SECRET_KEY. Enter it again, or add that "
        "key to SECRET_KEY_FALLBACKS."
    )


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text encrypted with a key derived from SECRET_KEY (Fernet: AES-128-CBC + HMAC).

    Rows written under an older key stay readable while it is listed in
    SECRET_KEY_FALLBACKS, and are `Unreadable` otherwise. The column cannot be searched.
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        if not text or isinstance(text, Unreadable):
            return text
        return cipher().encrypt(text.encode()).decode()

    def from_db_value(
        self, value: str | None, _expression: object, _connection: BaseDatabaseWrapper
    ) -> str | None:
        try:
            return value and cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            return Unreadable(value)


def cipher() -> MultiFernet:
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(derived(key)) for key in keys])


def derived(key: str) -> bytes:
    """Return the Fernet key for a Django secret (HKDF, RFC 5869)."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"factory_site.fields")
    return base64.urlsafe_b64encode(hkdf.derive(key.encode()))
