from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import redis

from identity import usage
from identity.engines import Answer, EngineUnavailable, LocalEngine, SeenFace
from identity.models import AccessLog, Employee, UnknownPerson
from identity.pipeline import FaceCrop
from identity.recognition import Recogniser
from streaming.event_queue import TryAgainLater
from tests.cards import CardEmbedder, card, card_model, nobody, vector_of
from tests.factories import make_camera, make_employee, make_face_sample, make_site
from tests.offers import make_offer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_django import Settings

    from identity.pipeline import FaceOffered
    from streaming.models import Camera

pytestmark = pytest.mark.django_db
ANNA, BERT, STRANGER = 1, 2, 3
NOON = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class CountingEngine(LocalEngine):
    """Answers as the local engine does, and counts the searches."""

    def __init__(self) -> None:
        super().__init__(CardEmbedder)
        self.asked: list[int] = []
        self.is_away = False

    def search(self, faces: Sequence[SeenFace], *, site_id: int) -> Answer:
        if self.is_away:
            raise EngineUnavailable("It does not answer.")
        self.asked.append(len(faces))
        return super().search(faces, site_id=site_id)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def recogniser(engine: CountingEngine, redis_client: redis.Redis) -> Recogniser:
    return Recogniser(card_model(), engine, redis_client)


@pytest.fixture
def camera() -> Camera:
    return make_camera(site=make_site(), code="CAM-A")


def enrol(person: int, camera: Camera, **values: Any) -> Employee:
    employee = make_employee(site=camera.site, code=f"E-{person}", **values)
    embedding = vector_of(card(person)).tolist()
    make_face_sample(employee=employee, embedding=embedding, face_model="cards")
    return employee


def seen(*jpegs: bytes, **values: Any) -> FaceOffered:
    crops = tuple(
        FaceCrop(jpeg=jpeg, quality=0.9 - number / 10, height_px=120)
        for number, jpeg in enumerate(jpegs)
    )
    return make_offer(**{"camera": "CAM-A", "at": NOON, "faces": crops} | values)


def pictures(person: int, count: int = 3) -> list[bytes]:
    return [card(person, noise=0.4, seed=seed) for seed in range(count)]


class TestIdentify:
    def test_recognises_who_is_enrolled(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        employee = enrol(ANNA, camera)
        enrol(BERT, camera)

        assert recogniser.identify(seen(*pictures(ANNA))) == "E-1"

        log = AccessLog.objects.get()
        assert (log.employee, log.decision, log.votes) == (employee, "authorized", 3)
        assert log.similarity is not None
        assert log.runner_up is not None
        assert log.similarity > 0.8 > log.runner_up
        assert (log.threshold, log.margin) == (0.42, 0.08)
        assert (log.engine, log.face_model, log.quality) == ("local", "cards", 0.9)
        best = vector_of(pictures(ANNA)[0]).tolist()
        assert log.embedding == pytest.approx(best, abs=1e-4)

    def test_tells_a_stranger_from_those_enrolled(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)

        assert recogniser.identify(seen(*pictures(STRANGER))) == "unknown"

        log = AccessLog.objects.get()
        assert (log.employee, log.decision) == (None, "unknown")
        assert log.unknown_person == UnknownPerson.objects.get()

    def test_refuses_who_may_not_enter(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera, is_authorized=False)

        assert recogniser.identify(seen(*pictures(ANNA))) == "E-1 refused"

    def test_names_nobody_of_two_who_are_enrolled_with_one_face(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        double = make_employee(site=camera.site)
        embedding = vector_of(card(ANNA)).tolist()
        make_face_sample(employee=double, embedding=embedding, face_model="cards")

        assert recogniser.identify(seen(*pictures(ANNA))) == "ambiguous"

    def test_goes_by_the_thresholds_of_the_site_where_it_has_its_own(
        self, recogniser: Recogniser, camera: Camera, settings: Settings
    ) -> None:
        enrol(ANNA, camera)
        settings.FACE_THRESHOLD = 0.99

        assert recogniser.identify(seen(*pictures(ANNA))) == "unknown"

        assert AccessLog.objects.get().threshold == 0.99

    def test_gives_no_vote_to_a_crop_without_a_face(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        spoiled = [nobody(), b"no picture", *pictures(ANNA, 1)]

        assert recogniser.identify(seen(*spoiled)) == "E-1"

        log = AccessLog.objects.get()
        assert log.votes == 1
        assert log.quality == pytest.approx(0.7)

    def test_records_who_has_no_face_to_compare_and_asks_no_engine(
        self, recogniser: Recogniser, camera: Camera, engine: CountingEngine
    ) -> None:
        assert recogniser.identify(seen(nobody())) == "unknown"

        log = AccessLog.objects.get()
        assert (log.votes, log.embedding, log.quality) == (0, None, 0.0)
        assert engine.asked == []

    def test_drops_a_face_from_a_camera_that_is_gone(
        self, recogniser: Recogniser, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            assert recogniser.identify(seen(*pictures(ANNA))) is None

        assert caplog.messages == ["A face was dropped: no camera is CAM-A."]
        assert not AccessLog.objects.exists()

    def test_waits_for_an_engine_that_does_not_answer(
        self, recogniser: Recogniser, camera: Camera, engine: CountingEngine
    ) -> None:
        engine.is_away = True
        with pytest.raises(TryAgainLater, match="It does not answer"):
            recogniser.identify(seen(*pictures(ANNA)))
        assert not AccessLog.objects.exists()

        engine.is_away = False
        assert recogniser.identify(seen(*pictures(ANNA))) == "unknown"


class TestVisit:
    """Of identify: what a visit costs."""

    def test_asks_once_for_all_faces(
        self, recogniser: Recogniser, camera: Camera, engine: CountingEngine
    ) -> None:
        recogniser.identify(seen(*pictures(ANNA)))

        assert engine.asked == [3]

    def test_asks_once_in_a_minute_and_again_when_the_decision_ran_out(
        self,
        recogniser: Recogniser,
        camera: Camera,
        engine: CountingEngine,
        redis_client: redis.Redis,
    ) -> None:
        enrol(ANNA, camera)
        for seconds in (0, 30, 60):
            offer = seen(*pictures(ANNA), track_id=7, at=NOON + seconds * SECOND)
            assert recogniser.identify(offer) == "E-1"
        assert len(engine.asked) == 1

        redis_client.delete(*redis_client.scan_iter("identity:visit:*"))
        offer = seen(*pictures(ANNA), track_id=7, at=NOON + 301 * SECOND)
        assert recogniser.identify(offer) == "E-1"

        assert len(engine.asked) == 2
        log = AccessLog.objects.get()
        assert log.last_seen_at == NOON + 301 * SECOND
        told = usage.today()
        assert told is not None
        assert (told.hits, told.misses) == (2, 2)

    @pytest.mark.parametrize(("person", "expected_s"), [(ANNA, 300), (STRANGER, 30)])
    def test_lets_a_decision_stand_for_as_long_as_settings_say(
        self,
        recogniser: Recogniser,
        camera: Camera,
        redis_client: redis.Redis,
        person: int,
        expected_s: int,
    ) -> None:
        enrol(ANNA, camera)
        recogniser.identify(seen(*pictures(person)))

        (key,) = redis_client.scan_iter("identity:visit:*")
        assert expected_s - 20 < int(redis_client.ttl(key)) <= expected_s

    def test_decides_again_when_the_person_was_refused_meanwhile(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        assert recogniser.identify(seen(*pictures(ANNA), track_id=7)) == "E-1"

        Employee.objects.update(is_authorized=False)

        assert recogniser.identify(seen(*pictures(ANNA), track_id=7)) == "E-1 refused"

    def test_records_an_offer_once_however_often_it_is_delivered(
        self,
        recogniser: Recogniser,
        camera: Camera,
        engine: CountingEngine,
        redis_client: redis.Redis,
    ) -> None:
        enrol(ANNA, camera)
        offer = seen(*pictures(ANNA))

        for _ in range(3):
            assert recogniser.identify(offer) == "E-1"
            redis_client.flushdb()

        assert AccessLog.objects.count() == 1
        assert len(engine.asked) == 1

    def test_goes_on_without_redis(
        self, camera: Camera, engine: CountingEngine, servers: None
    ) -> None:
        enrol(ANNA, camera)
        away = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
        recogniser = Recogniser(card_model(), engine, away)

        for _ in range(2):
            assert recogniser.identify(seen(*pictures(ANNA), track_id=7)) == "E-1"

        assert len(engine.asked) == 2
        assert AccessLog.objects.count() == 1

    def test_costs_few_queries_while_the_decision_stands(
        self,
        recogniser: Recogniser,
        camera: Camera,
        django_assert_num_queries: Callable[[int], Any],
    ) -> None:
        enrol(ANNA, camera)
        recogniser.identify(seen(*pictures(ANNA), track_id=7))

        # By event, by visit, its end, when the employee was last seen.
        with django_assert_num_queries(4):
            recogniser.identify(seen(*pictures(ANNA), track_id=7))
