from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streaming import live
from tests.factories import make_site

if TYPE_CHECKING:
    from pytest_django import Settings


class TestPublish:
    @pytest.mark.django_db(transaction=True)
    def test_fails_nobody_when_redis_is_away(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        live.publish(topic="streaming.camera", site_id=make_site().pk, data={})

        assert "Connection refused" in caplog.text
