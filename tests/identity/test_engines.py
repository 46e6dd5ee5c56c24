from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from identity import engines
from identity.engines import LocalEngine, SeenFace, the_engine
from identity.rekognition.engine import RekognitionEngine
from identity.rules import Policy
from tests.cards import CardEmbedder
from tests.factories import make_employee, make_face_sample, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from identity.faces import Embedder


@pytest.fixture(autouse=True)
def no_engine_yet() -> Iterator[None]:
    the_engine.cache_clear()
    yield
    the_engine.cache_clear()


def not_now() -> Embedder:
    raise AssertionError("The face model was loaded.")


@pytest.mark.django_db
class TestLocalEngine:
    def test_ranks_the_people_of_a_site_for_each_face(self) -> None:
        site = make_site()
        samples = [
            make_face_sample(employee=make_employee(site=site), face_model="cards")
            for _ in range(2)
        ]
        make_face_sample(employee=make_employee(site=site), face_model="another")
        faces = [SeenFace(b"", sample.embedding) for sample in samples]

        answer = LocalEngine(CardEmbedder).search(faces, site_id=site.pk)

        firsts = [ranked[0].person for ranked in answer.votes]
        assert firsts == [sample.employee_id for sample in samples]
        assert [len(ranked) for ranked in answer.votes] == [2, 2]
        assert (answer.engine, answer.policy) == ("local", Policy(0.42, 0.08))

    def test_enrols_and_forgets_without_a_face_model(self) -> None:
        engine = LocalEngine(not_now)

        assert engine.enrol(jpeg=b"", employee_id=1) == ""
        engine.forget(external_ids=["of-another-engine"])


class TestPolicy:
    def test_is_the_face_models_unless_settings_ask_otherwise(
        self, settings: Settings
    ) -> None:
        engine = LocalEngine(CardEmbedder)
        assert engine.policy == Policy(threshold=0.42, margin=0.08)

        settings.FACE_THRESHOLD, settings.FACE_MARGIN = 0.5, 0.1

        assert engine.policy == Policy(threshold=0.5, margin=0.1)


class TestTheEngine:
    @pytest.mark.parametrize(
        ("name", "kind"), [("local", LocalEngine), ("rekognition", RekognitionEngine)]
    )
    def test_is_the_one_that_settings_choose(
        self, settings: Settings, name: str, kind: type
    ) -> None:
        settings.FACE_ENGINE = name
        settings.REKOGNITION_REGION = "eu-west-1"

        assert isinstance(the_engine(), kind)
        assert the_engine() is the_engine()

    def test_loads_the_face_model_at_the_first_search(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.FACE_ENGINE = "local"
        monkeypatch.setattr(engines, "_the_embedder", not_now)
        engine = the_engine()

        with pytest.raises(AssertionError, match="was loaded"):
            engine.search([SeenFace(b"", [1.0])], site_id=1)
