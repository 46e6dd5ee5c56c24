"""Recognising by Rekognition, against a server that speaks its protocol, on real Redis
and Postgres; faces are cards."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from identity import engines, usage
from identity.engines import (
    EngineUnavailable,
    FaceNotTaken,
    LocalEngine,
    SeenFace,
)
from identity.models import FaceSample
from identity.rekognition.engine import RekognitionEngine, collection_of
from identity.rules import Outcome, decide
from tests.cards import CardEmbedder, card, nobody, vector_of
from tests.factories import make_employee, make_face_sample, make_site

if TYPE_CHECKING:
    import redis
    from pytest_django import Settings

    from identity.models import Employee
    from streaming.models import Site
    from tests.rekognition_server import RekognitionServer

pytestmark = pytest.mark.django_db
ANNA, BERTA, CLARA, STRANGER = 1, 2, 3, 4


@pytest.fixture
def engine(
    rekognition: RekognitionServer,
    redis_client: redis.Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> RekognitionEngine:
    """Give an engine whose retries take no time."""
    settings.MAX_REKOGNITION_CALLS_PER_SECOND = 1000
    monkeypatch.setattr("identity.rekognition.retries.FIRST_DELAY_S", 0.0)
    return RekognitionEngine(LocalEngine(CardEmbedder))


def enrol(
    engine: RekognitionEngine, person: int, *, seed: int = 0, **values: Any
) -> Employee:
    """Make somebody known by one card, to both engines."""
    employee: Employee = values.pop("employee", None) or make_employee(**values)
    photo = card(person, noise=0.2, seed=seed)
    make_face_sample(
        employee=employee,
        embedding=list(vector_of(photo)),
        face_model=CardEmbedder.name,
        external_face_id=engine.enrol(jpeg=photo, employee_id=employee.pk),
    )
    return employee


def seen(person: int, *, seed: int = 9) -> SeenFace:
    jpeg = card(person, noise=0.3, seed=seed)
    return SeenFace(jpeg, [float(each) for each in vector_of(jpeg)])


@pytest.fixture
def site() -> Site:
    return make_site()


class TestSearch:
    def test_gives_the_people_by_likeness(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        berta = enrol(engine, BERTA, site=site)

        answer = engine.search([seen(ANNA)], site_id=site.pk)

        assert answer.engine == "rekognition"
        ((best, runner_up),) = answer.votes
        assert (best.person, runner_up.person) == (anna.pk, berta.pk)
        assert best.similarity > 95
        assert runner_up.similarity < 20
        assert decide(answer.votes, answer.policy).person == anna.pk

    def test_gives_nobody_a_name_who_is_a_stranger(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        enrol(engine, ANNA, site=site)
        enrol(engine, BERTA, site=site)

        answer = engine.search([seen(STRANGER)], site_id=site.pk)

        assert decide(answer.votes, answer.policy).outcome is Outcome.UNKNOWN

    def test_asks_the_setting_how_alike_is_enough(
        self, engine: RekognitionEngine, settings: Settings
    ) -> None:
        settings.FACE_MATCH_THRESHOLD = 93

        assert engine.policy.threshold == 93

    def test_is_one_call_however_many_faces(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        enrol(engine, ANNA, site=site)
        faces = [seen(ANNA, seed=seed) for seed in range(3)]

        answer = engine.search(faces, site_id=site.pk)

        assert len(answer.votes) == 1
        assert rekognition.asked("SearchFacesByImage") == 1
        used = usage.today()
        assert used is not None
        assert used.calls == 2  # the enrolment was one
        assert used.cost_usd == 0.002

    def test_names_somebody_once_and_the_next_person_after_ten_photos(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        for seed in range(1, 10):
            enrol(engine, ANNA, seed=seed, employee=anna)
        berta = enrol(engine, BERTA, site=site)

        ((best, runner_up),) = engine.search([seen(ANNA)], site_id=site.pk).votes

        assert (best.person, runner_up.person) == (anna.pk, berta.pk)

    @pytest.mark.parametrize(
        ("left", "top", "is_named"),
        [(0.0, 0.0, True), (0.4, 0.3, True), (0.6, 0.2, False), (0.2, 0.6, False)],
    )
    def test_names_nobody_for_a_larger_face_beside_the_one_that_is_meant(
        self,
        engine: RekognitionEngine,
        site: Site,
        rekognition: RekognitionServer,
        *,
        left: float,
        top: float,
        is_named: bool,
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        box = {"Left": left, "Top": top, "Width": 0.6, "Height": 0.6}
        rekognition.searched_box = box

        answer = engine.search([seen(ANNA)], site_id=site.pk)

        person = anna.pk if is_named else None
        assert decide(answer.votes, answer.policy).person == person

    def test_never_gives_people_of_another_site(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        berta = enrol(engine, BERTA, site=site)
        enrol(engine, ANNA, site=make_site())

        ((only,),) = engine.search([seen(ANNA)], site_id=site.pk).votes

        assert only.person == berta.pk

    def test_ignores_faces_of_which_no_row_knows(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        berta = enrol(engine, BERTA, site=site)
        engine.enrol(jpeg=card(ANNA), employee_id=berta.pk)

        ((only,),) = engine.search([seen(ANNA)], site_id=site.pk).votes

        assert only.person == berta.pk
        assert only.similarity < 20

    def test_gives_somebody_who_left(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        """Else they would be a stranger, where they are to be refused."""
        anna = enrol(engine, ANNA, site=site, status="inactive")

        ((only,),) = engine.search([seen(ANNA)], site_id=site.pk).votes

        assert only.person == anna.pk

    def test_has_no_vote_when_it_finds_no_face(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        enrol(engine, ANNA, site=site)
        blank = SeenFace(nobody(), seen(ANNA).vector)

        answer = engine.search([blank], site_id=site.pk)

        assert (answer.engine, answer.votes) == ("rekognition", ())


class TestFallback:
    @pytest.mark.parametrize(
        ("fault", "value"),
        [("throttled", 1.0), ("failing", 1.0), ("is_down", True), ("is_denied", True)],
    )
    def test_has_the_local_engine_answer(
        self,
        engine: RekognitionEngine,
        site: Site,
        rekognition: RekognitionServer,
        fault: str,
        value: Any,
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        setattr(rekognition.faults, fault, value)

        answer = engine.search([seen(ANNA), seen(ANNA)], site_id=site.pk)

        assert answer.engine == "local"
        assert answer.policy.threshold == CardEmbedder.threshold
        assert len(answer.votes) == 2
        assert decide(answer.votes, answer.policy).person == anna.pk
        used = usage.today()
        assert used is not None
        assert used.fallbacks == 1

    def test_is_for_a_collection_that_is_gone_too(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        enrol(engine, ANNA, site=site)
        rekognition.collections.clear()

        assert engine.search([seen(ANNA)], site_id=site.pk).engine == "local"

    def test_costs_nothing_where_nobody_is_in_the_collection(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        enrol(engine, ANNA, site=make_site())

        answer = engine.search([seen(ANNA)], site_id=site.pk)

        assert answer.engine == "local"
        assert rekognition.asked("SearchFacesByImage") == 0

    def test_does_without_rekognition_while_that_fails(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        enrol(engine, ANNA, site=site)
        rekognition.faults.is_down = True
        for _ in range(9):
            engine.search([seen(ANNA)], site_id=site.pk)

        assert rekognition.asked("SearchFacesByImage") == 5

    def test_does_without_rekognition_while_redis_is_away(
        self, engine: RekognitionEngine, site: Site, settings: Settings
    ) -> None:
        enrol(engine, ANNA, site=site)
        settings.REDIS_URL = "unix:///nowhere/redis.sock"
        without = RekognitionEngine(LocalEngine(CardEmbedder))

        assert without.search([seen(ANNA)], site_id=site.pk).engine == "local"

    def test_is_told_once_and_its_end_too(
        self,
        engine: RekognitionEngine,
        site: Site,
        rekognition: RekognitionServer,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, "identity.rekognition.engine")
        enrol(engine, ANNA, site=site)
        for is_throttled in (True, True, False, False):
            rekognition.faults.throttled = float(is_throttled)
            engine.search([seen(ANNA)], site_id=site.pk)

        first, second = caplog.messages
        assert first.startswith("The local engine recognises for Rekognition.")
        assert second == "Rekognition recognises again."


class TestEnrolment:
    def test_makes_the_collection_of_the_site_when_it_is_the_first(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        employee = make_employee(site=site)

        for person in (ANNA, BERTA):
            found = engine.enrol(jpeg=card(person), employee_id=employee.pk)
            assert found.startswith(f"{collection_of(site.pk)}/")

        assert list(rekognition.collections) == [f"factory-site-{site.pk}"]
        assert rekognition.asked("CreateCollection") == 1

    def test_of_the_same_photo_is_one_face(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        """Also when the answer to the first request was lost on its way."""
        employee = make_employee(site=site)

        ids = {engine.enrol(jpeg=card(ANNA), employee_id=employee.pk) for _ in "ab"}

        assert list(ids) == engine.remote_ids(site_id=site.pk)

    def test_is_refused_where_no_face_is_found(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        employee = make_employee(site=site)

        with pytest.raises(FaceNotTaken, match="no face"):
            engine.enrol(jpeg=nobody(), employee_id=employee.pk)

        assert engine.remote_ids(site_id=site.pk) == []

    def test_never_falls_back(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        employee = make_employee(site=site)
        rekognition.faults.is_down = True

        with pytest.raises(EngineUnavailable, match="does not answer"):
            engine.enrol(jpeg=card(ANNA), employee_id=employee.pk)


class TestForget:
    def test_removes_the_faces_from_their_collections(
        self, engine: RekognitionEngine, site: Site
    ) -> None:
        other = make_site()
        anna, berta = enrol(engine, ANNA, site=site), enrol(engine, BERTA, site=other)
        kept = enrol(engine, CLARA, site=site).faces.get().external_face_id
        ids = [person.faces.get().external_face_id for person in (anna, berta)]

        engine.forget(external_ids=ids)

        assert engine.remote_ids(site_id=site.pk) == [kept]
        assert engine.remote_ids(site_id=other.pk) == []

    def test_of_faces_that_are_gone_changes_nothing(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        ids = [anna.faces.get().external_face_id]

        engine.forget(external_ids=ids)
        engine.forget(external_ids=ids)
        rekognition.collections.clear()
        engine.forget(external_ids=ids)

        assert engine.remote_ids(site_id=site.pk) == []

    def test_says_when_it_cannot(
        self, engine: RekognitionEngine, site: Site, rekognition: RekognitionServer
    ) -> None:
        anna = enrol(engine, ANNA, site=site)
        rekognition.faults.is_down = True

        with pytest.raises(EngineUnavailable):
            engine.forget(external_ids=[anna.faces.get().external_face_id])


class TestChoice:
    def test_of_the_setting_makes_this_engine(
        self, settings: Settings, servers: None
    ) -> None:
        settings.FACE_ENGINE = "rekognition"
        engines.the_engine.cache_clear()
        try:
            assert isinstance(engines.the_engine(), RekognitionEngine)
        finally:
            engines.the_engine.cache_clear()


def test_remote_samples_are_those_with_an_id() -> None:
    remote = make_face_sample(external_face_id="factory-site-1/x")
    make_face_sample()

    assert list(FaceSample.objects.remote()) == [remote]
