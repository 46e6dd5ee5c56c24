from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from factory_site import pipelines
from identity.face_model import the_face_model
from identity.face_stage import FaceStage
from occupancy.models import OccupancyLog
from occupancy.pipeline import CrossingStage
from occupancy.rules import Direction
from streaming.fields import Unreadable
from streaming.models import Camera
from streaming.weights import DLIB
from tests.factories import make_camera, make_crossing, make_line
from tests.offers import make_offer

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestEncode:
    def test_gives_text_that_says_its_kind_and_decodes_to_the_same(self) -> None:
        event = make_crossing(make_line(), Direction.OUT)

        text = pipelines.encode(event)

        assert '"kind":"LineCrossed"' in text
        assert pipelines.decode(text)[1] == event

    def test_says_under_which_lease_it_was_seen(self) -> None:
        event = make_crossing(make_line(), Direction.OUT)

        envelope, _ = pipelines.decode(pipelines.encode(event, term=4, is_sure=False))

        assert (envelope.camera, envelope.term) == (event.camera, 4)
        assert not envelope.is_sure


class TestRecordQueued:
    def test_refuses_a_kind_that_is_not_known(self) -> None:
        with pytest.raises(KeyError, match="Unheard"):
            pipelines.record_queued('{"kind": "Unheard", "event": {}}')

    def test_gives_the_event_to_its_service(self) -> None:
        event = make_crossing(make_line(), Direction.IN)

        pipelines.record_queued(pipelines.encode(event))

        assert OccupancyLog.objects.get().event_id == event.event_id

    @pytest.mark.parametrize(
        ("term", "is_sure", "recorded"),
        [(1, True, True), (2, True, True), (1, False, False), (2, False, True)],
    )
    def test_leaves_out_what_another_worker_may_have_seen_too(
        self, *, term: int, is_sure: bool, recorded: bool
    ) -> None:
        line = make_line(camera=make_camera(lease_term=2))
        event = make_crossing(line, Direction.IN)

        text = pipelines.encode(event, term=term, is_sure=is_sure)

        assert pipelines.record_queued(text) is recorded
        assert OccupancyLog.objects.exists() is recorded

    def test_records_what_was_queued_before_leases_were_known(self) -> None:
        line = make_line(camera=make_camera(lease_term=2))
        event = make_crossing(line, Direction.IN)
        envelope = json.loads(pipelines.encode(event))
        old = {name: envelope[name] for name in ("kind", "event")}

        assert pipelines.record_queued(json.dumps(old))

        assert OccupancyLog.objects.exists()


class TestEncodedFaces:
    def test_decode_to_the_same(self) -> None:
        offer = make_offer(snapshot=bytes(range(256)))

        assert pipelines.decode(pipelines.encode(offer))[1] == offer


class TestStages:
    def test_are_those_that_the_plan_needs(self, settings: Settings) -> None:
        settings.FACE_MODEL = DLIB
        the_face_model.cache_clear()
        camera = make_line(camera=make_camera(tasks=["people", "faces"])).camera
        (plan,) = pipelines.camera_plans([camera.code])

        both = [type(stage) for stage in pipelines.stages_of(plan)]
        faces = [type(stage) for stage in pipelines.stages_of(replace(plan, lines=()))]

        assert both == [CrossingStage, FaceStage]
        assert faces == [FaceStage]
        assert pipelines.stages_of(replace(plan, lines=(), finds_faces=False)) == []
        the_face_model.cache_clear()


class TestCameraPlans:
    def test_leave_out_lines_that_are_switched_off(self) -> None:
        line = make_line()
        make_line(camera=line.camera, name="Off", enabled=False)

        (plan,) = pipelines.camera_plans([line.camera.code])

        assert [one.name for one in plan.lines] == ["Main door"]

    def test_say_why_a_source_of_another_key_cannot_be_opened(
        self, settings: Settings
    ) -> None:
        code = make_line().camera.code
        settings.SECRET_KEY = "n" * 60

        (plan,) = pipelines.camera_plans([code])

        assert (plan.source_url, plan.problem) == ("", Unreadable.reason)

    def test_bear_the_sub_stream_and_how_much_the_camera_matters(self) -> None:
        url = "rtsp://192.0.2.1/2"
        codes = [
            make_camera(place=place, sub_stream_url=url).code for place in Camera.Place
        ]

        plans = {plan.code: plan for plan in pipelines.camera_plans(codes)}

        assert [plans[code].priority for code in codes] == [0, 1, 2]
        assert {plan.sub_stream_url for plan in plans.values()} == {url}

    @pytest.mark.parametrize(
        ("tasks", "lines", "finds_faces"),
        [
            (["people"], 1, False),
            (["faces"], 0, True),
            (["people", "faces"], 1, True),
            ([], 0, False),
        ],
    )
    def test_hold_what_the_cameras_tasks_need(
        self, *, tasks: list[str], lines: int, finds_faces: bool
    ) -> None:
        code = make_line(camera=make_camera(tasks=tasks)).camera.code

        (plan,) = pipelines.camera_plans([code])

        assert (len(plan.lines), plan.finds_faces) == (lines, finds_faces)

    def test_have_faces_looked_for_in_the_main_stream(self) -> None:
        url = "rtsp://192.0.2.1/2"
        code = make_camera(sub_stream_url=url, tasks=["faces"]).code

        (plan,) = pipelines.camera_plans([code])

        assert (plan.source_url != url, plan.sub_stream_url) == (True, "")

    def test_are_of_the_enabled_cameras_that_are_named(self) -> None:
        codes = [make_line().camera.code for _ in range(2)]
        off = make_camera(enabled=False).code

        assert [p.code for p in pipelines.camera_plans([codes[1], off])] == codes[1:]
        assert pipelines.camera_plans([]) == []
