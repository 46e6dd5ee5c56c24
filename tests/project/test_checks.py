from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from factory_site.checks import check_production
from tests.environment import ROOT

if TYPE_CHECKING:
    from pytest_django import Settings

SAFE = {
    "PRODUCTION": True,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["factory.example.com"],
    "HTTPS": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}


def ids(settings: Settings, **values: Any) -> list[str | None]:
    for name, value in {**SAFE, **values}.items():
        setattr(settings, name, value)
    return [message.id for message in check_production()]


class TestCheckProduction:
    def test_passes_a_safe_configuration(self, settings: Settings) -> None:
        assert ids(settings) == []

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"DEBUG": True}, "factory_site.E001"),
            ({"ALLOWED_HOSTS": []}, "factory_site.E002"),
            ({"ALLOWED_HOSTS": ["*"]}, "factory_site.E002"),
            ({"HTTPS": False}, "factory_site.W001"),
            ({"SECURE_PROXY_SSL_HEADER": None}, "factory_site.W002"),
        ],
    )
    def test_names_what_is_unsafe(
        self, settings: Settings, values: dict[str, Any], expected: str
    ) -> None:
        assert ids(settings, **values) == [expected]

    def test_leaves_development_alone(self, settings: Settings) -> None:
        assert ids(settings, PRODUCTION=False, DEBUG=True, ALLOWED_HOSTS=[]) == []


class TestDocumentation:
    def test_names_exactly_the_checks_there_are(self) -> None:
        pattern = r"factory_site\.[EW]\d{3}"
        told = re.findall(pattern, (ROOT / "docs/configuration.md").read_text())
        made = re.findall(pattern, (ROOT / "factory_site/checks.py").read_text())

        assert sorted(told) == sorted(made)
