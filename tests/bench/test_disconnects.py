from __future__ import annotations

import pytest

from bench.disconnects import turned_s

CHANGES = [(0.0, True), (10.0, False), (14.0, True)]


class TestTurning:
    @pytest.mark.parametrize(
        ("online", "since_s", "found_s"),
        [
            (False, 5.0, 10.0),
            (False, 10.0, 10.0),
            (False, 12.0, 12.0),
            (False, 20.0, None),
            (True, 5.0, 5.0),
            (True, 10.0, 14.0),
            (True, 12.0, 14.0),
            (True, 20.0, 20.0),
        ],
    )
    def test_is_found_where_it_was_or_comes(
        self, *, online: bool, since_s: float, found_s: float | None
    ) -> None:
        assert turned_s(CHANGES, online=online, since_s=since_s) == found_s

    def test_is_unknown_where_nothing_was_seen(self) -> None:
        assert turned_s([], online=True, since_s=0.0) is None
