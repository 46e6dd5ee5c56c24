from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import redis

from identity import usage
from identity.engines import Answer, EngineUnavailable, LocalEngine, SeenFace
from identity.models import AccessLog, Employee, UnknownPerson
from identity.pipeline import FaceCrop, PersonSeen
from identity.recognition import Recogniser
from identity.rules import Standing
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


def words(recogniser: Recogniser, offer: FaceOffered) -> str:
    told = recogniser.identify(offer)
    assert told is not None
    return told.words


class TestIdentify:
    def test_recognises_who_is_enrolled(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        employee = enrol(ANNA, camera)
        enrol(BERT, camera)

        assert words(recogniser, seen(*pictures(ANNA))) == "E-1"

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

        assert words(recogniser, seen(*pictures(STRANGER))) == "unknown"

        log = AccessLog.objects.get()
        assert (log.employee, log.decision) == (None, "unknown")
        assert log.unknown_person == UnknownPerson.objects.get()

    def test_refuses_who_may_not_enter(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera, is_authorized=False)

        assert words(recogniser, seen(*pictures(ANNA))) == "E-1 refused"

    def test_names_nobody_of_two_who_are_enrolled_with_one_face(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        double = make_employee(site=camera.site)
        embedding = vector_of(card(ANNA)).tolist()
        make_face_sample(employee=double, embedding=embedding, face_model="cards")

        assert words(recogniser, seen(*pictures(ANNA))) == "ambiguous"

    def test_goes_by_the_thresholds_of_the_site_where_it_has_its_own(
        self, recogniser: Recogniser, camera: Camera, settings: Settings
    ) -> None:
        enrol(ANNA, camera)
        settings.FACE_THRESHOLD = 0.99

        assert words(recogniser, seen(*pictures(ANNA))) == "unknown"

        assert AccessLog.objects.get().threshold == 0.99

    def test_gives_no_vote_to_a_crop_without_a_face(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        spoiled = [nobody(), b"no picture", *pictures(ANNA, 1)]

        assert words(recogniser, seen(*spoiled)) == "E-1"

        log = AccessLog.objects.get()
        assert log.votes == 1
        assert log.quality == pytest.approx(0.7)

    def test_records_who_has_no_face_to_compare_and_asks_no_engine(
        self, recogniser: Recogniser, camera: Camera, engine: CountingEngine
    ) -> None:
        assert words(recogniser, seen(nobody())) == "unknown"

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
        assert words(recogniser, seen(*pictures(ANNA))) == "unknown"


class TestPersonSeen:
    """What identify tells of a visit."""

    def told(self, recogniser: Recogniser, offer: FaceOffered) -> PersonSeen:
        told = recogniser.identify(offer)
        assert told is not None
        return told

    def test_names_who_was_let_in_and_the_row_that_proves_it(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        employee = enrol(ANNA, camera)
        came_at = NOON - 40 * SECOND
        offer = seen(*pictures(ANNA), track_id=7, first_seen_at=came_at)

        told = self.told(recogniser, offer)

        log = AccessLog.objects.get()
        assert told == PersonSeen(
            event_id=log.event_id,
            camera="CAM-A",
            session="first",
            track_id=7,
            employee_id=employee.pk,
            decision=Standing.AUTHORIZED,
            first_seen_at=came_at,
            at=NOON,
            access_log_id=log.pk,
            similarity=log.similarity,
            threshold=0.42,
            words="E-1",
        )

    def test_is_the_same_when_the_offer_is_delivered_again(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        offer = seen(*pictures(ANNA), first_seen_at=NOON - SECOND)

        assert self.told(recogniser, offer) == self.told(recogniser, offer)

    def test_is_the_same_when_a_recording_is_played_again(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        offer = seen(*pictures(ANNA), first_seen_at=NOON - SECOND)
        first = self.told(recogniser, offer)
        later = 600 * SECOND

        again = replace(offer, at=NOON + later, first_seen_at=NOON - SECOND + later)

        assert self.told(recogniser, again) == replace(first, first_seen_at=NOON)

    def test_bears_the_visits_id_and_arrival_as_long_as_it_goes_on(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        arrival: Any = {"track_id": 7, "first_seen_at": NOON - SECOND}
        first = self.told(recogniser, seen(*pictures(ANNA), **arrival))
        later = NOON + 60 * SECOND

        again = self.told(recogniser, seen(*pictures(ANNA), **arrival, at=later))

        assert again == replace(first, at=later)

    def test_takes_the_first_face_for_the_arrival_where_an_older_offer_says_no_more(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        enrol(ANNA, camera)
        for seconds in (0, 60):
            at = NOON + seconds * SECOND
            told = self.told(recogniser, seen(*pictures(ANNA), track_id=7, at=at))

            assert (told.first_seen_at, told.at) == (NOON, at)

    def test_knows_when_a_stranger_came_who_is_recognised_only_later(
        self, recogniser: Recogniser, camera: Camera, redis_client: redis.Redis
    ) -> None:
        enrol(ANNA, camera)
        arrival: Any = {"track_id": 7, "first_seen_at": NOON - SECOND}
        blurred = self.told(recogniser, seen(nobody(), **arrival))
        assert (blurred.employee_id, blurred.decision) == (None, Standing.UNKNOWN)
        redis_client.flushdb()

        later = NOON + 40 * SECOND
        told = self.told(recogniser, seen(*pictures(ANNA), **arrival, at=later))

        assert (told.first_seen_at, told.at) == (NOON - SECOND, later)

    def test_does_not_let_who_takes_over_a_track_have_come_with_it(
        self, recogniser: Recogniser, camera: Camera, redis_client: redis.Redis
    ) -> None:
        enrol(ANNA, camera)
        enrol(BERT, camera)
        arrival: Any = {"track_id": 7, "first_seen_at": NOON - 600 * SECOND}
        self.told(recogniser, seen(*pictures(ANNA), **arrival))
        redis_client.flushdb()

        later = NOON + 40 * SECOND
        told = self.told(recogniser, seen(*pictures(BERT), **arrival, at=later))

        assert (told.words, told.first_seen_at) == ("E-2", later)

    def test_names_nobody_where_a_person_said_later_who_it_was(
        self, recogniser: Recogniser, camera: Camera
    ) -> None:
        employee = enrol(ANNA, camera)
        offer = seen(*pictures(STRANGER))
        recogniser.identify(offer)
        AccessLog.objects.update(employee=employee, linked_at=NOON)

        told = self.told(recogniser, offer)

        assert (told.employee_id, told.decision) == (None, Standing.UNKNOWN)


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
            assert words(recogniser, offer) == "E-1"
        assert len(engine.asked) == 1

        redis_client.delete(*redis_client.scan_iter("identity:visit:*"))
        offer = seen(*pictures(ANNA), track_id=7, at=NOON + 301 * SECOND)
        assert words(recogniser, offer) == "E-1"

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
        assert words(recogniser, seen(*pictures(ANNA), track_id=7)) == "E-1"

        Employee.objects.update(is_authorized=False)

        assert words(recogniser, seen(*pictures(ANNA), track_id=7)) == "E-1 refused"

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
            assert words(recogniser, offer) == "E-1"
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
            assert words(recogniser, seen(*pictures(ANNA), track_id=7)) == "E-1"

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

        # By event, by visit, its end, when the employee was last seen, who else had
        # the track.
        with django_assert_num_queries(5):
            recogniser.identify(seen(*pictures(ANNA), track_id=7))
