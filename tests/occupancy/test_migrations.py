"""What was counted before there were sums."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection

from occupancy.models import Aggregation
from occupancy.rules import Direction
from occupancy.services import record_crossing
from tests.factories import make_camera, make_crossing, make_line, make_site

pytestmark = pytest.mark.django_db
MARKS = import_module("occupancy.migrations.0003_sum_up_what_was_counted").MARKS


class TestSumUpWhatWasCounted:
    def test_begins_with_the_hour_of_each_cameras_first_crossing(self) -> None:
        site = make_site(time_zone="Asia/Kolkata")
        line = make_line(camera=make_camera(site=site))
        for minute in (50, 35):
            at = datetime(2026, 3, 2, 8, minute, tzinfo=UTC)
            record_crossing(event=make_crossing(line, Direction.IN, at=at))
        Aggregation.objects.all().delete()

        for _ in range(2):
            with connection.cursor() as cursor:
                cursor.execute(MARKS)

        mark = Aggregation.objects.get()
        assert (mark.camera, mark.kind) == (line.camera, "people")
        assert mark.until == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
