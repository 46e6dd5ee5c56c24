"""docs/alerts.md says what the code does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.models import AlertDelivery, Kind, new_secret
from alerts.rules import ATTEMPTS_MAX, webhook_headers

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()


class TestDocumentation:
    def test_names_every_kind_and_event(self) -> None:
        names = {*Kind.values, *AlertDelivery.Event.values}

        assert {name for name in names if f"`{name}`" not in TEXT} == set()
        assert f"failed after {ATTEMPTS_MAX} attempts" in TEXT

    @pytest.mark.parametrize(
        ("age_s", "body", "is_right"),
        [(0, b"{}", True), (0, b"{ }", False), (400, b"{}", False)],
    )
    def test_shows_a_receiver_that_verifies(
        self,
        age_s: int,
        body: bytes,
        is_right: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
        names: dict[str, Any] = {}
        exec(example, names)
        secret, at = new_secret(), datetime.now(UTC) - timedelta(seconds=age_s)

        headers = webhook_headers(secret=secret, event_id="f3b1", at=at, body=b"{}")

        assert names["verify"](secret, dict(headers), body) is is_right
