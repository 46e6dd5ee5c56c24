from __future__ import annotations

from typing import Any

import pytest
from django.db import connection


@pytest.mark.django_db
class TestDatabase:
    def test_that_vanishes_without_a_word_is_given_up_soon(self) -> None:
        """Else a vision worker's clerk waits for a quarter of an hour, or for ever."""
        connection.ensure_connection()
        psycopg: Any = connection.connection
        options = psycopg.info.get_parameters()
        probes_s = int(options["keepalives_interval"]) * int(
            options["keepalives_count"]
        )
        assert int(options["keepalives_idle"]) + probes_s <= 15
        assert 0 < int(options["tcp_user_timeout"]) <= 15_000
