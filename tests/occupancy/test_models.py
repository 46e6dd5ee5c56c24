from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from occupancy.models import OccupancyLog
from tests.factories import make_line

if TYPE_CHECKING:
    from occupancy.models import CountingLine

pytestmark = pytest.mark.django_db


def make_log(line: CountingLine, /, **values: Any) -> OccupancyLog:
    defaults: dict[str, Any] = {
        "event_id": uuid4(),
        "camera": line.camera,
        "line": line,
        "entries": 1,
        "current_count": 1,
        "occurred_at": timezone.now(),
    }
    return OccupancyLog.objects.create(**defaults | values)


class TestCountingLine:
    @pytest.mark.parametrize(
        ("values", "constraint"),
        [
            ({"x2": 0.5, "y2": 0.0}, "counting_line_has_length"),
            ({"x1": -0.1}, "counting_line_in_picture"),
            ({"y2": 1.1}, "counting_line_in_picture"),
            ({"name": "Taken"}, "counting_line_name_once"),
        ],
    )
    def test_keeps_its_rules_in_the_database(
        self, values: dict[str, Any], constraint: str
    ) -> None:
        camera = make_line(name="Taken").camera

        with pytest.raises(IntegrityError, match=constraint):
            make_line(camera=camera, **values)


class TestOccupancyLog:
    @pytest.mark.parametrize(
        "values",
        [
            {"entries": 1, "exits": 0},
            {"entries": 0, "exits": 1},
            {"cause": "correction", "line": None, "entries": 0},
        ],
    )
    def test_is_one_crossing_or_a_correction(self, values: dict[str, Any]) -> None:
        make_log(make_line(), **values)

    @pytest.mark.parametrize(
        "values",
        [
            {"entries": 0, "exits": 0},
            {"entries": 1, "exits": 1},
            {"entries": 2},
            {"line": None},
            {"cause": "hearsay"},
        ],
    )
    def test_is_refused_as_anything_else(self, values: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError, match="occupancy_log_crossing_is_one"):
            make_log(make_line(), **values)

    def test_is_stored_once_per_event(self) -> None:
        log = make_log(make_line())

        with pytest.raises(IntegrityError), transaction.atomic():
            make_log(make_line(), event_id=log.event_id)

        assert OccupancyLog.objects.count() == 1

    def test_is_listed_newest_first_over_all_cameras_by_an_index(self) -> None:
        with connection.cursor() as cursor:
            # Few rows are sorted faster; a year of them is not.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

        plan = OccupancyLog.objects.newest_first().explain()

        assert "using occupancy_log_newest" in plan
