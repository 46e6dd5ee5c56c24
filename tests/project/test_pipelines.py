from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from alerts.models import Alert
from attendance import services
from attendance.models import Passage, PresenceEvent, UnknownAttendance
from factory_site import pipelines
from identity.engines import LocalEngine
from identity.face_model import the_face_model
from identity.face_stage import FaceStage
from identity.models import AccessLog
from identity.pipeline import FaceCrop, FaceOffered
from identity.recognition import Recogniser
from occupancy.models import OccupancyLog
from occupancy.pipeline import CrossingStage
from occupancy.rules import Direction
from occupancy.zone_stage import ZoneStage
from streaming.event_queue import TryAgainLater
from streaming.fields import Unreadable
from streaming.models import Camera
from streaming.vision.plans import PlatePlan, ZonePlan
from streaming.vision.types import Point
from streaming.weights import DLIB
from tests.cards import CardEmbedder, card, card_model, vector_of
from tests.factories import (
    make_assignment,
    make_camera,
    make_crossing,
    make_employee,
    make_face_sample,
    make_line,
    make_rule,
    make_zone,
)
from tests.offers import make_offer
from tests.vehicles.offers import PLATE, gate_camera
from tests.vehicles.offers import offer as offer_plate
from tests.zones import counted, entered, full, loitered
from vehicles.formats import INDIA
from vehicles.models import GateCamera, PlateFormat, Vehicle, VehicleLog
from vehicles.plate_stage import PlateStage
from vehicles.rules import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis
    from pytest_django import DjangoAssertNumQueries, Settings

    from identity.models import Employee
    from occupancy.zone_stage import InZone
    from vehicles.pipeline import PlateOffered

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


class TestCrossings:
    """Of record: what they are taken for."""

    @pytest.mark.parametrize(
        ("tasks", "counted", "passages"),
        [
            (["people"], 1, 0),
            (["faces", "attendance"], 0, 1),
            (["people", "faces", "attendance"], 1, 1),
            ([], 1, 0),
        ],
    )
    def test_are_counted_or_tell_who_comes_as_the_cameras_tasks_say(
        self, *, tasks: list[str], counted: int, passages: int
    ) -> None:
        line = make_line(camera=make_camera(tasks=tasks))
        event = make_crossing(line, Direction.OUT, session="first", track_id=7)

        for _ in range(2):
            pipelines.record(event)

        assert OccupancyLog.objects.count() == counted
        told = Passage.objects.values_list(
            "event_id", "camera", "session", "track_id", "way", "occurred_at"
        )
        passage = (event.event_id, line.camera_id, "first", 7, "out", event.at)
        assert list(told) == [passage] * passages

    def test_of_older_versions_that_name_no_session_are_counted(self) -> None:
        camera = make_camera(tasks=["people", "faces", "attendance"])
        event = make_crossing(make_line(camera=camera), Direction.IN)
        envelope = json.loads(pipelines.encode(event))
        del envelope["event"]["session"]

        assert pipelines.record_queued(json.dumps(envelope))

        assert OccupancyLog.objects.get().event_id == event.event_id
        assert not Passage.objects.exists()

    def test_that_are_in_the_future_are_left_out(self) -> None:
        camera = make_camera(tasks=["faces", "attendance"])
        later = timezone.now() + timedelta(minutes=6)
        event = make_crossing(
            make_line(camera=camera), Direction.IN, session="first", at=later
        )

        pipelines.record_queued(pipelines.encode(event))

        assert not Passage.objects.exists()


class TestIdentify:
    @pytest.fixture(autouse=True)
    def _recogniser(
        self,
        redis_client: redis.Redis,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        engine = LocalEngine(CardEmbedder)
        recogniser = Recogniser(card_model(), engine, redis_client)
        monkeypatch.setattr(pipelines, "the_recogniser", lambda: recogniser)

    def employee(self, tasks: list[str], **values: Any) -> Employee:
        """Enrol somebody at the site of a camera with these tasks."""
        camera = make_camera(code="CAM-A", tasks=tasks, direction="entry")
        employee = make_employee(site=camera.site, code="E-104", **values)
        vector = vector_of(card(1)).tolist()
        make_face_sample(employee=employee, embedding=vector, face_model="cards")
        make_assignment(employee=employee)
        return employee

    def offer(self, **values: Any) -> FaceOffered:
        faces = (FaceCrop(jpeg=card(1), quality=0.9, height_px=120),)
        return make_offer(**{"camera": "CAM-A", "faces": faces} | values)

    def test_keeps_attendance_where_the_camera_has_the_task(self) -> None:
        employee = self.employee(["faces", "attendance"])
        at = timezone.now()
        came_at = at - timedelta(seconds=40)
        offer = self.offer(at=at, first_seen_at=came_at)

        for _ in range(2):
            assert pipelines.identify(offer) == "E-104"

        event = PresenceEvent.objects.get()
        log = AccessLog.objects.get()
        assert (event.employee, event.access_log, event.way) == (employee, log, "in")
        assert (event.event_id, event.occurred_at) == (log.event_id, came_at)

    def test_keeps_none_elsewhere(self) -> None:
        self.employee(["faces"])

        assert pipelines.identify(self.offer()) == "E-104"

        assert AccessLog.objects.exists()
        assert not PresenceEvent.objects.exists()

    def test_keeps_none_of_whom_it_refused(self) -> None:
        self.employee(["faces", "attendance"], is_authorized=False)

        assert pipelines.identify(self.offer()) == "E-104 refused"

        assert not PresenceEvent.objects.exists()
        assert not UnknownAttendance.objects.exists()

    def test_lists_who_is_unknown_for_somebody_to_name(self) -> None:
        self.employee(["faces", "attendance"])
        faces = (FaceCrop(jpeg=card(2), quality=0.9, height_px=120),)

        assert pipelines.identify(self.offer(faces=faces)) == "unknown"

        unknown = UnknownAttendance.objects.get()
        assert unknown.access_log == AccessLog.objects.get()

    def test_gives_an_instant_in_the_future_to_nobody_and_goes_on(self) -> None:
        self.employee(["faces", "attendance"])
        later = timezone.now() + timedelta(minutes=6)

        assert pipelines.identify(self.offer(at=later)) == "E-104"

        assert not PresenceEvent.objects.exists()

    def test_changes_nothing_where_a_recording_is_played_again(self) -> None:
        self.employee(["faces", "attendance"])
        at = timezone.now() - timedelta(minutes=9)
        offer = self.offer(at=at, first_seen_at=at - timedelta(seconds=2))
        pipelines.identify(offer)
        before = PresenceEvent.objects.values().get()

        later = timedelta(minutes=8)
        again = replace(offer, at=at + later, first_seen_at=at)
        assert pipelines.identify(again) == "E-104"

        assert PresenceEvent.objects.values().get() == before

    def test_gives_no_words_for_a_camera_that_is_gone(self) -> None:
        assert pipelines.identify(self.offer()) is None

    @pytest.mark.django_db(transaction=True)
    def test_waits_while_postgres_takes_no_presence(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The visit is stored by then; delivered again it gets its presence."""
        self.employee(["faces", "attendance"])
        text = pipelines.encode(self.offer())

        def fail(**_: Any) -> None:
            raise OperationalError("the connection is gone")

        with monkeypatch.context() as broken:
            broken.setattr(services, "record_seen", fail)
            with pytest.raises(TryAgainLater):
                pipelines.record_queued(text, by=pipelines.identify)
        assert AccessLog.objects.exists()

        pipelines.record_queued(text, by=pipelines.identify)

        assert PresenceEvent.objects.get().event_id == AccessLog.objects.get().event_id


class TestEncodedFaces:
    def test_decode_to_the_same(self) -> None:
        offer = make_offer(snapshot=bytes(range(256)), first_seen_at=timezone.now())

        assert pipelines.decode(pipelines.encode(offer))[1] == offer

    def test_decode_where_an_older_version_did_not_say_when_they_came(self) -> None:
        offer = make_offer()
        envelope = json.loads(pipelines.encode(offer))
        del envelope["event"]["first_seen_at"]

        _, event = pipelines.decode(json.dumps(envelope))

        assert event == offer
        assert isinstance(event, FaceOffered)
        assert event.came_at == offer.at


class TestVehicles:
    """Of record_vehicle: what becomes of their plates."""

    def test_decode_to_the_same(self) -> None:
        event = offer_plate(gate_camera(), PLATE, PLATE, snapshot=bytes(range(256)))

        assert pipelines.decode(pipelines.encode(event))[1] == event

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("authorized", PLATE),
            ("blocked", f"{PLATE} blocked"),
            ("visitor", PLATE),
            (None, f"{PLATE} unknown"),
        ],
    )
    def test_are_recorded_and_named_on_the_picture(
        self, status: str | None, words: str
    ) -> None:
        camera = gate_camera()
        if status:
            Vehicle.objects.create(
                site=camera.site, plate_number=PLATE, status=status, reason="Why"
            )
        event = offer_plate(camera, PLATE, PLATE, reader="fast-plate-ocr")
        text = pipelines.encode(event)
        said: list[str | None] = []

        def take(event: PlateOffered) -> None:
            said.append(pipelines.record_vehicle(event))

        assert pipelines.record_queued(text, by=take)

        assert said == [words]
        log = VehicleLog.objects.get()
        assert (log.plate_number, log.reader) == (PLATE, "fast-plate-ocr")

    def test_have_no_plate_shown_that_is_not_sure(self) -> None:
        unsure = offer_plate(gate_camera(), PLATE, PLATE, sure=0.5)

        assert pipelines.record_vehicle(unsure) == "plate not sure"

    def test_of_a_camera_that_is_gone_have_no_words(self) -> None:
        event = offer_plate(Camera(code="CAM-GONE"), PLATE, PLATE)

        assert pipelines.record_vehicle(event) is None

    @pytest.mark.django_db(transaction=True)
    def test_wait_while_postgres_takes_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = pipelines.encode(offer_plate(gate_camera(), PLATE, PLATE))

        def fail(**_: Any) -> None:
            raise OperationalError("the connection is gone")

        with monkeypatch.context() as broken:
            broken.setattr(pipelines, "record_visit", fail)
            with pytest.raises(TryAgainLater):
                pipelines.record_queued(text, by=pipelines.record_vehicle)
        assert not VehicleLog.objects.exists()

        pipelines.record_queued(text, by=pipelines.record_vehicle)

        assert VehicleLog.objects.exists()


class TestStages:
    def test_read_plates_as_the_plan_says(self, settings: Settings) -> None:
        (plan,) = pipelines.camera_plans([gate_camera().code])

        assert [type(stage) for stage in pipelines.stages_of(plan)] == [PlateStage]

    def test_leave_plates_out_where_no_reader_works(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (plan,) = pipelines.camera_plans([gate_camera().code])
        monkeypatch.setattr(pipelines, "the_working_plate_model", lambda _: None)

        assert pipelines.stages_of(plan) == []

    def test_are_those_that_the_plan_needs(self, settings: Settings) -> None:
        settings.FACE_MODEL = DLIB
        the_face_model.cache_clear()
        camera = make_line(camera=make_camera(tasks=["people", "faces"])).camera
        (plan,) = pipelines.camera_plans([camera.code])

        drawn = [type(stage) for stage in pipelines.drawn_of(plan)]
        others = [type(stage) for stage in pipelines.stages_of(plan)]

        assert (drawn, others) == ([CrossingStage], [FaceStage])
        assert pipelines.drawn_of(replace(plan, lines=())) == []
        assert pipelines.stages_of(replace(plan, finds_faces=False)) == []
        the_face_model.cache_clear()

    def test_watch_the_zones_that_are_drawn(self) -> None:
        (plan,) = pipelines.camera_plans([make_zone().camera.code])

        assert [type(stage) for stage in pipelines.drawn_of(plan)] == [ZoneStage]


class TestZonePlans:
    def test_bear_what_is_to_be_told_of_the_zone(self) -> None:
        zone = make_zone(
            name="Press 4",
            colour="red",
            capacity=4,
            amber_percent=75,
            restricted=True,
            restricted_from=time(22),
            restricted_until=time(6),
            loitering_seconds=90,
        )

        (plan,) = pipelines.camera_plans([zone.camera.code])

        assert plan.zones == (
            ZonePlan(
                id=zone.pk,
                name="Press 4",
                corners=tuple(Point(*each) for each in zone.points),
                colour="red",
                capacity=4,
                amber_percent=75,
                is_restricted=True,
                restricted_from=time(22),
                restricted_until=time(6),
                loitering_s=90,
            ),
        )

    def test_leave_out_those_that_are_off_or_spoilt(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        zone = make_zone()
        make_zone(camera=zone.camera, name="Off", enabled=False)
        make_zone(camera=zone.camera, name="Spoilt", points=[[0, 0], [1, 1]])

        (plan,) = pipelines.camera_plans([zone.camera.code])

        assert [one.name for one in plan.zones] == ["Queue"]
        assert "Spoilt of" in caplog.text
        assert "3 to 50 corners, not 2" in caplog.text

    def test_are_of_cameras_that_count_people(self) -> None:
        camera = make_zone(camera=make_camera(tasks=["faces"])).camera

        (plan,) = pipelines.camera_plans([camera.code])

        assert plan.zones == ()


class TestZoneEvents:
    @pytest.mark.parametrize("make", [counted, entered, loitered, full])
    def test_come_back_from_the_queue_as_they_were(
        self, make: Callable[..., InZone]
    ) -> None:
        event = make(make_zone(), *([3] if make is counted else []))

        assert pipelines.decode(pipelines.encode(event))[1] == event

    def test_reach_their_services(self) -> None:
        zone = make_zone()
        kinds = ["zone_restricted", "zone_loitering", "zone_capacity"]
        for kind in kinds:
            make_rule(kind=kind)

        events = counted(zone, 3), entered(zone), loitered(zone), full(zone)
        for event in events:
            assert pipelines.record_queued(pipelines.encode(event))

        zone.refresh_from_db()
        assert zone.live_count == 3
        assert sorted(Alert.objects.values_list("kind", flat=True)) == sorted(kinds)


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
            (["faces", "attendance"], 1, True),
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

    def test_read_plates_of_the_main_stream_as_gate_and_site_have_it(self) -> None:
        camera = gate_camera(confidence=0.9)
        Camera.objects.update(sub_stream_url="rtsp://192.0.2.1/2")
        (india,) = pipelines.camera_plans([camera.code])
        camera.gate_camera.reader = GateCamera.Reader.RAPID
        camera.gate_camera.save()
        for name, enabled in (("Off", False), ("Dealers", True)):
            PlateFormat.objects.create(
                site=camera.site, name=name, pattern="[A-Z]{3}[0-9]{4}", enabled=enabled
            )

        (own,) = pipelines.camera_plans([camera.code])

        assert india.sub_stream_url == ""
        assert india.plates == PlatePlan(
            tuple((each.name, each.pattern) for each in INDIA), confidence=0.9
        )
        assert own.plates == PlatePlan(
            (("Dealers", "[A-Z]{3}[0-9]{4}"),), confidence=0.9, reader="rapidocr"
        )

    def test_read_plates_without_a_gate_too(self) -> None:
        (plan,) = pipelines.camera_plans([make_camera(tasks=["plates"]).code])

        assert plan.plates is not None
        assert (plan.plates.confidence, plan.plates.reader) == (CONFIDENCE, "")

    def test_are_loaded_with_as_many_queries_for_many(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        codes = [gate_camera().code for _ in range(3)]
        for camera in Camera.objects.all():
            make_zone(camera=camera)

        with django_assert_num_queries(4):
            pipelines.camera_plans(codes)

    def test_are_of_the_enabled_cameras_that_are_named(self) -> None:
        codes = [make_line().camera.code for _ in range(2)]
        off = make_camera(enabled=False).code

        assert [p.code for p in pipelines.camera_plans([codes[1], off])] == codes[1:]
        assert pipelines.camera_plans([]) == []
