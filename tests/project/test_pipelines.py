from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from factory_site import pipelines
from occupancy.models import OccupancyLog
from occupancy.rules import Direction
from streaming.fields import Unreadable
from tests.factories import make_crossing, make_line

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestEncode:
    def test_gives_text_that_says_its_kind_and_decodes_to_the_same(self) -> None:
        event = make_crossing(make_line(), Direction.OUT)

        text = pipelines.encode(event)

        assert '"kind":"LineCrossed"' in text
        assert pipelines.decode(text) == event


class TestRecordQueued:
    def test_refuses_a_kind_that_is_not_known(self) -> None:
        with pytest.raises(KeyError, match="Unheard"):
            pipelines.record_queued('{"kind": "Unheard", "event": {}}')

    def test_gives_the_event_to_its_service(self) -> None:
        event = make_crossing(make_line(), Direction.IN)

        pipelines.record_queued(pipelines.encode(event))

        assert OccupancyLog.objects.get().event_id == event.event_id


class TestCameraPlans:
    def test_leave_out_lines_that_are_switched_off(self) -> None:
        line = make_line()
        make_line(camera=line.camera, name="Off", enabled=False)

        (plan,) = pipelines.camera_plans()

        assert [one.name for one in plan.lines] == ["Main door"]

    def test_say_why_a_source_of_another_key_cannot_be_opened(
        self, settings: Settings
    ) -> None:
        make_line()
        settings.SECRET_KEY = "n" * 60

        (plan,) = pipelines.camera_plans()

        assert (plan.source_url, plan.problem) == ("", Unreadable.reason)

    def test_keep_to_the_codes_that_are_named(self) -> None:
        codes = [make_line().camera.code for _ in range(2)]

        assert [p.code for p in pipelines.camera_plans(codes[1:])] == codes[1:]
