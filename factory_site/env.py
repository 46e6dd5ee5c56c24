"""The only reader of the environment: typed values, errors that name the variable.

Values come from the process environment, then from a `.env` file beside `manage.py`.
A variable `NAME` may instead be given as `NAME_FILE`, the path of a file holding the
value (Docker and Kubernetes secrets).
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

KNOWN: set[str] = set()
"""Every variable asked for so far; docs/configuration.md must have them all."""

TRUE, FALSE = (
    frozenset({"on", "true", "yes", "1"}),
    frozenset({"off", "false", "no", "0"}),
)


class Misconfigured(ImproperlyConfigured):
    """A variable is missing or not in the accepted form."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")


def read_dotenv(path: Path) -> None:
    """Add the variables of a `.env` file that the environment does not already have."""
    if path.is_file():
        environ.Env.read_env(path)


def raw(name: str) -> str | None:
    """Return the value as text, or None when unset or empty."""
    KNOWN.add(name)
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip() or None
        except OSError as error:
            raise Misconfigured(
                f"{name}_FILE", f"must name a readable file: {error.strerror}."
            ) from error
    return os.environ.get(name, "").strip() or None


def text(name: str, default: str) -> str:
    return raw(name) or default


def label(name: str, default: str, *, longest: int) -> str:
    """Return a name of ASCII letters, digits, dots, dashes and underscores."""
    value = text(name, default)
    if len(value) > longest or not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise Misconfigured(
            name,
            f"must be at most {longest} letters, digits, dots, dashes or underscores. "
            f"Got '{value}'.",
        )
    return value


def choice(name: str, default: str, *, of: Sequence[str]) -> str:
    value = text(name, default)
    if value not in of:
        raise Misconfigured(name, f"must be one of: {', '.join(of)}. Got '{value}'.")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = (raw(name) or ("on" if default else "off")).lower()
    if value not in TRUE | FALSE:
        raise Misconfigured(name, f"must be on or off. Got '{value}'.")
    return value in TRUE


def integer(
    name: str, default: int, *, minimum: int = 0, maximum: int | None = None
) -> int:
    value = raw(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise Misconfigured(name, f"must be a whole number. Got '{value}'.") from None
    if number < minimum:
        raise Misconfigured(name, f"must be at least {minimum}. Got {number}.")
    if maximum is not None and number > maximum:
        raise Misconfigured(name, f"must be at most {maximum}. Got {number}.")
    return number


def share(name: str) -> float | None:
    """Return a number above 0 and below 1, or None when unset."""
    value = raw(name)
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise Misconfigured(name, f"must lie between 0 and 1. Got '{value}'.")
    return number


def amount(name: str, default: float) -> float:
    """Return a number of at least 0."""
    value = raw(name)
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise Misconfigured(name, f"must be a number of at least 0. Got '{value}'.")
    return number


def csv(name: str) -> list[str]:
    return [item.strip() for item in (raw(name) or "").split(",") if item.strip()]


def path(name: str, default: Path) -> Path:
    return Path(raw(name) or default).expanduser().resolve()


def secret(name: str, *, kept_in: Path | None) -> str:
    """Return a secret of at least 50 characters.

    Without the variable it is made once and kept in `kept_in`, readable by its owner
    alone; with `kept_in` None it is required.
    """
    value = raw(name) or (kept_secret(kept_in) if kept_in else None)
    if value is None:
        raise Misconfigured(
            name,
            "is not set. Set it to a random text of 50 characters or more, or set "
            "ENVIRONMENT=development to have one made and kept under VAR_DIR.",
        )
    if len(value) < 50:
        raise Misconfigured(name, "is too short: 50 characters or more are needed.")
    return value


def token(name: str, *, length: int = 20) -> str | None:
    """Return a shared secret of at least `length` characters, or None when unset."""
    value = raw(name)
    if value is not None and len(value) < length:
        raise Misconfigured(
            name, f"is too short: {length} characters or more are needed."
        )
    return value


def kept_secret(file: Path, *, length_bytes: int = 64) -> str:
    """Read the secret in `file`; make it first, mode 0600, where there is none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            _write_once(file, secrets.token_urlsafe(length_bytes))
        return file.read_text().strip()
    except OSError as error:
        raise Misconfigured(
            "VAR_DIR", f"must be a folder that can be written: {error.strerror}."
        ) from error


def _write_once(file: Path, text: str) -> None:
    """Write a file for its owner alone, unless another process was faster."""
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)


def database(name: str) -> dict[str, Any] | None:
    """Return the Django settings for a Postgres address, or None when unset."""
    value = raw(name)
    if value is None:
        return None
    form = "must look like postgresql://user:password@host:5432/name."
    try:
        parts = urlsplit(value)
        has_address = parts.scheme in {"postgres", "postgresql"} and parts.port != 0
    except ValueError:
        raise Misconfigured(name, form) from None
    if not has_address or not parts.path.strip("/"):
        raise Misconfigured(name, form)
    return dict(environ.Env.db_url_config(value))


def redis(name: str) -> str | None:
    """Return a Redis address, or None when unset."""
    value = raw(name)
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise Misconfigured(
            name, "must look like redis://host:6379/0 or unix:///path/redis.sock."
        )
    return value


def web_address(name: str) -> str | None:
    """Return how people reach the site, without a slash at the end; None when unset."""
    value = raw(name)
    if value is None:
        return None
    form = "must look like https://factory.example.com."
    try:
        parts = urlsplit(value)
    except ValueError:
        raise Misconfigured(name, form) from None
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
        raise Misconfigured(name, form)
    return value.rstrip("/")
