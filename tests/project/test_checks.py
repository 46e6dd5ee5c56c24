from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from factory_site.checks import check_production, check_time_zone

if TYPE_CHECKING:
    from pytest_django import Settings

SAFE = {
    "PRODUCTION": True,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["factory.example.com"],
    "HTTPS": True,
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
        ],
    )
    def test_names_what_is_unsafe(
        self, settings: Settings, values: dict[str, Any], expected: str
    ) -> None:
        assert ids(settings, **values) == [expected]

    def test_leaves_development_alone(self, settings: Settings) -> None:
        assert ids(settings, PRODUCTION=False, DEBUG=True, ALLOWED_HOSTS=[]) == []


class TestCheckTimeZone:
    def test_refuses_another_zone_than_utc(self, settings: Settings) -> None:
        assert check_time_zone() == []

        settings.TIME_ZONE = "Asia/Kolkata"

        assert [message.id for message in check_time_zone()] == ["factory_site.E003"]
