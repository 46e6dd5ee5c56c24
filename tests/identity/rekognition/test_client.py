"""The adapter against a server that speaks Rekognition's protocol."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from identity.rekognition.client import (
    BadImage,
    Denied,
    NoCollection,
    NoFace,
    Rekognition,
    RekognitionError,
    Throttled,
    Unavailable,
    error_of,
)
from tests.cards import card, nobody

if TYPE_CHECKING:
    from tests.rekognition_server import RekognitionServer

PLANT = "factory-site-1"
ANNA, BERTA, CLARA = 1, 2, 3


def client_of(server: RekognitionServer, **values: float) -> Rekognition:
    return Rekognition(region="eu-west-1", endpoint_url=server.url, **values)


@pytest.fixture
def client(rekognition: RekognitionServer) -> Rekognition:
    """Give a client with one collection."""
    client = client_of(rekognition)
    client.create_collection(PLANT)
    return client


class TestCollection:
    def test_is_made_once(
        self, client: Rekognition, rekognition: RekognitionServer
    ) -> None:
        client.create_collection(PLANT)

        assert list(rekognition.collections) == [PLANT]

    def test_that_is_missing_is_named_as_the_cause(self, client: Rekognition) -> None:
        with pytest.raises(NoCollection, match="elsewhere does not exist"):
            client.search_face("elsewhere", jpeg=card(ANNA), max_faces=11)


class TestIndex:
    def test_gives_the_face_an_id_that_is_listed(self, client: Rekognition) -> None:
        face_id = client.index_face(PLANT, jpeg=card(ANNA), external_id="7-abc")

        (face,) = client.list_faces(PLANT)
        assert (face.face_id, face.external_id) == (face_id, "7-abc")

    def test_adds_the_same_picture_of_somebody_once(self, client: Rekognition) -> None:
        ids = {
            client.index_face(PLANT, jpeg=card(ANNA), external_id="7-abc")
            for _ in range(2)
        }

        assert len(ids) == len(client.list_faces(PLANT)) == 1

    def test_refuses_a_picture_without_a_face(self, client: Rekognition) -> None:
        with pytest.raises(NoFace):
            client.index_face(PLANT, jpeg=nobody(), external_id="7-abc")

        assert client.list_faces(PLANT) == []


class TestSearch:
    def test_gives_the_best_and_the_runner_up_however_unlike(
        self, client: Rekognition
    ) -> None:
        anna = client.index_face(PLANT, jpeg=card(ANNA), external_id="7-a")
        berta = client.index_face(PLANT, jpeg=card(BERTA), external_id="8-b")

        first, second = client.search_face(
            PLANT, jpeg=card(ANNA, noise=0.3), max_faces=11
        )

        assert (first.face_id, first.external_id) == (anna, "7-a")
        assert (second.face_id, second.external_id) == (berta, "8-b")
        assert first.similarity > 99
        assert second.similarity < 20

    def test_gives_no_more_than_was_asked_for(self, client: Rekognition) -> None:
        for person in range(4):
            client.index_face(PLANT, jpeg=card(person), external_id=f"{person}-x")

        assert len(client.search_face(PLANT, jpeg=card(0), max_faces=3)) == 3

    def test_finds_nobody_in_an_empty_collection(self, client: Rekognition) -> None:
        assert client.search_face(PLANT, jpeg=card(ANNA), max_faces=11) == []

    def test_says_that_there_is_no_face(self, client: Rekognition) -> None:
        with pytest.raises(NoFace, match="no faces"):
            client.search_face(PLANT, jpeg=nobody(), max_faces=11)

    @pytest.mark.parametrize(
        "content", [b"no picture", card(ANNA)[:40], b"\xff\xd8\xff" + bytes(6 * 2**20)]
    )
    def test_says_that_a_picture_cannot_be_used(
        self, client: Rekognition, content: bytes
    ) -> None:
        with pytest.raises(BadImage):
            client.search_face(PLANT, jpeg=content, max_faces=11)


class TestDeletion:
    def test_passes_over_what_is_not_there(self, client: Rekognition) -> None:
        anna = client.index_face(PLANT, jpeg=card(ANNA), external_id="7-a")
        berta = client.index_face(PLANT, jpeg=card(BERTA), external_id="8-b")

        for _ in range(2):
            client.delete_faces(PLANT, face_ids=[anna])

        assert [face.face_id for face in client.list_faces(PLANT)] == [berta]

    def test_of_nothing_asks_nothing(
        self, client: Rekognition, rekognition: RekognitionServer
    ) -> None:
        client.delete_faces(PLANT, face_ids=[])

        assert rekognition.asked("DeleteFaces") == 0


class TestFailure:
    """One request is sent once: trying again is somebody else's."""

    @pytest.mark.parametrize(
        ("fault", "error"), [("throttled", Throttled), ("failing", Unavailable)]
    )
    def test_is_named(
        self,
        client: Rekognition,
        rekognition: RekognitionServer,
        fault: str,
        error: type[RekognitionError],
    ) -> None:
        setattr(rekognition.faults, fault, 1.0)

        with pytest.raises(error):
            client.search_face(PLANT, jpeg=card(ANNA), max_faces=11)

        assert rekognition.asked("SearchFacesByImage") == 1

    def test_of_the_account_is_named(
        self, client: Rekognition, rekognition: RekognitionServer
    ) -> None:
        rekognition.faults.is_denied = True

        with pytest.raises(Denied, match="AccessDenied"):
            client.search_face(PLANT, jpeg=card(ANNA), max_faces=11)

    def test_to_connect_is_unavailable(
        self, client: Rekognition, rekognition: RekognitionServer
    ) -> None:
        rekognition.faults.is_down = True

        with pytest.raises(Unavailable, match="does not answer"):
            client.search_face(PLANT, jpeg=card(ANNA), max_faces=11)

    def test_to_reach_it_is_unavailable(self, aws_login: None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        client = Rekognition(
            region="eu-west-1", endpoint_url=f"http://127.0.0.1:{port}"
        )

        with pytest.raises(Unavailable):
            client.create_collection(PLANT)

    def test_to_answer_in_time_is_unavailable(
        self, rekognition: RekognitionServer
    ) -> None:
        rekognition.faults.hanging, rekognition.faults.hang_s = 1.0, 1.0

        with pytest.raises(Unavailable, match="Timeout"):
            client_of(rekognition, read_timeout_s=0.2).create_collection(PLANT)

    @pytest.mark.parametrize("missing", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
    def test_for_want_of_credentials_is_denied(
        self,
        rekognition: RekognitionServer,
        monkeypatch: pytest.MonkeyPatch,
        missing: str,
    ) -> None:
        monkeypatch.delenv(missing)

        with pytest.raises(Denied, match=r"[Cc]redentials"):
            client_of(rekognition).create_collection(PLANT)

    @pytest.mark.parametrize(
        ("region", "endpoint_url"),
        [("eu west 1", None), ("eu-west-1", "localhost:9000")],
    )
    def test_for_an_address_that_none_can_have_is_denied(
        self, region: str, endpoint_url: str | None
    ) -> None:
        client = Rekognition(region=region, endpoint_url=endpoint_url)
        client.prepare()

        with pytest.raises(Denied, match="cannot be asked"):
            client.list_faces("site")

    def test_for_want_of_a_region_is_denied(
        self, rekognition: RekognitionServer
    ) -> None:
        client = Rekognition(region=None, endpoint_url=rekognition.url)

        with pytest.raises(Denied, match="region"):
            client.create_collection(PLANT)

    @pytest.mark.parametrize(
        "address", ["http://viewer:hidden-word@127.0.0.1:1", "viewer:hidden-word@proxy"]
    )
    def test_never_tells_the_password_in_an_address(
        self, rekognition: RekognitionServer, address: str
    ) -> None:
        client = Rekognition(region="eu-west-1", endpoint_url=address)

        with pytest.raises((Denied, Unavailable)) as raised:
            client.list_faces(PLANT)

        assert "hidden-word" not in str(raised.value)

    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("ExpiredTokenException", 400, Denied),
            ("UnrecognizedClientException", 400, Denied),
            ("ServiceQuotaExceededException", 400, Denied),
            ("ProvisionedThroughputExceededException", 400, Throttled),
            ("Whatever", 429, Throttled),
            ("503", 503, Unavailable),
            ("InvalidParameterException", 400, BadImage),
        ],
    )
    def test_has_the_name_that_says_what_helps(
        self, code: str, status: int, error: type[RekognitionError]
    ) -> None:
        response = {
            "Error": {"Code": code, "Message": "m"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

        assert type(error_of(response)) is error
