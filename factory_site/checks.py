"""System checks across settings. Ids are documented in docs/configuration.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@register(Tags.security)
def check_production(**_: object) -> Sequence[CheckMessage]:
    """Refuse a production process that is open to everybody."""
    return list(production_errors()) if settings.PRODUCTION else []


def production_errors() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error(
            "DEBUG is on in production: error pages would show secrets.",
            hint="Unset DEBUG, or set ENVIRONMENT=development.",
            id="factory_site.E001",
        )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty or open to any host.",
            hint="Set it to the names people type, such as factory.example.com.",
            id="factory_site.E002",
        )
    if not settings.HTTPS:
        yield Warning(
            "HTTPS is off: passwords and pictures travel in clear.",
            hint="Put a TLS proxy in front and unset HTTPS.",
            id="factory_site.W001",
        )
    elif settings.SECURE_PROXY_SSL_HEADER is None:
        yield Warning(
            "HTTPS is on and no proxy is believed: behind one, every page redirects "
            "to itself.",
            hint="Set BEHIND_PROXY=on where a proxy sets X-Forwarded-Proto.",
            id="factory_site.W002",
        )
