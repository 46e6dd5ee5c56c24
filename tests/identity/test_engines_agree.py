"""Both engines on the same real faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import pytest

from identity.engines import LocalEngine, SeenFace
from identity.face_model import load_face_model
from identity.faces import crop
from identity.rekognition.engine import RekognitionEngine
from identity.rules import Outcome, decide
from tests.factories import make_employee, make_face_sample, make_site
from tests.rekognition_server import faces_of, rekognition_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django import Settings

    from identity.faces import FaceModel
    from identity.rules import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.weights]


class Both(NamedTuple):
    model: FaceModel
    local: LocalEngine
    remote: RekognitionEngine


@pytest.fixture(scope="module")
def model(shared: Path) -> FaceModel:
    return load_face_model(shared / "models")


@pytest.fixture
def both(
    model: FaceModel, redis_client: redis.Redis, aws_login: None, settings: Settings
) -> Iterator[Both]:
    look, embedder = faces_of(model), model.embedder
    with rekognition_server(look, same_from=embedder.threshold) as server:
        settings.REKOGNITION_ENDPOINT_URL = server.url
        settings.REKOGNITION_REGION = "eu-west-1"
        settings.MAX_REKOGNITION_CALLS_PER_SECOND = 1000
        local = LocalEngine(lambda: embedder)
        yield Both(model, local, RekognitionEngine(local))


def faces_in(folder: Path, model: FaceModel) -> dict[str, SeenFace]:
    """Return the faces of the pictures with exactly one, by file name."""
    found = {}
    for file in sorted(folder.iterdir()):
        image: Any = cv2.imread(str(file))
        faces = model.finder.find(image)
        if len(faces) == 1:
            jpeg = bytes(cv2.imencode(".jpg", crop(image, faces[0].box))[1])
            vector = model.embedder.embed(image, faces[0])
            found[file.stem] = SeenFace(jpeg, [float(each) for each in vector])
    return found


def verdicts(both: Both, face: SeenFace, site_id: int) -> list[Verdict]:
    answers = [
        engine.search([face], site_id=site_id) for engine in (both.local, both.remote)
    ]
    assert [answer.engine for answer in answers] == ["local", "rekognition"]
    return [decide(answer.votes, answer.policy) for answer in answers]


class TestDecisions:
    def test_are_the_same(self, both: Both, shared: Path) -> None:
        site = make_site()
        folder = shared / "samples" / "faces"
        probes: list[tuple[int | None, SeenFace]] = []
        for person in sorted((folder / "knn_examples" / "train").iterdir()):
            first, *rest = faces_in(person, both.model).values()
            employee = make_employee(site=site)
            make_face_sample(
                employee=employee,
                embedding=first.vector,
                face_model=both.model.embedder.name,
                external_face_id=both.remote.enrol(
                    jpeg=first.jpeg, employee_id=employee.pk
                ),
            )
            probes += [(employee.pk, face) for face in rest]
        strangers = faces_in(folder / "openface", both.model).values()
        probes += [(None, face) for face in strangers]

        assert len(probes) >= 8
        for person_id, face in probes:
            local, remote = verdicts(both, face, site.pk)
            assert (local.outcome, local.person) == (remote.outcome, remote.person)
            assert local.person == person_id
            assert (local.outcome is Outcome.MATCH) is (person_id is not None)
