"""Amazon Rekognition's face collections, one request at a time.

The only file that makes a client of it. A request is sent once: how often it may be
tried again, and at what rate, is said in identity/rekognition/calls.py.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore import exceptions as aws
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FACES_PER_DELETION: Final = 4096
"""Most that DeleteFaces takes at once: its API reference."""


class RekognitionError(Exception):
    """A request had no useful answer."""


class Throttled(RekognitionError):
    """The account sends more requests than it may."""


class Unavailable(RekognitionError):
    """No answer came, or an error on the other side."""


class BadImage(RekognitionError):
    """The picture is none that it takes."""


class NoFace(BadImage):
    """It finds no face in the picture."""


class Denied(RekognitionError):
    """The credentials are missing, have expired or do not allow it."""


class NoCollection(RekognitionError):
    """There is no collection of this name."""


ERRORS: Final[dict[str, type[RekognitionError]]] = {
    "ThrottlingException": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "TooManyRequestsException": Throttled,
    "RequestLimitExceeded": Throttled,
    "InternalServerError": Unavailable,
    "InternalFailure": Unavailable,
    "ServiceUnavailable": Unavailable,
    "ServiceUnavailableException": Unavailable,
    "InvalidImageFormatException": BadImage,
    "ImageTooLargeException": BadImage,
    "InvalidParameterException": BadImage,
    "ValidationException": BadImage,
    "ResourceNotFoundException": NoCollection,
}
"""By code; what is not here is told by its HTTP status, see `error_of`."""
NO_CREDENTIALS: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.NoRegionError,
    aws.ProfileNotFound,
    aws.TokenRetrievalError,
)
NO_ADDRESS: Final = (
    "Rekognition cannot be asked: REKOGNITION_REGION or REKOGNITION_ENDPOINT_URL is "
    "none that there can be."
)


@dataclass(frozen=True, slots=True)
class RemoteFace:
    """A face in a collection."""

    face_id: str
    external_id: str
    """What we gave it when it was indexed."""


@dataclass(frozen=True, slots=True)
class RemoteMatch:
    """A face of a collection that is like the one searched for."""

    face_id: str
    external_id: str
    similarity: float
    """0..100, Rekognition's confidence that both are one person."""


class Rekognition:
    """A client. Every method may raise any `RekognitionError`."""

    def __init__(
        self,
        *,
        region: str | None,
        endpoint_url: str | None = None,
        connect_timeout_s: float = 2.0,
        read_timeout_s: float = 5.0,
    ) -> None:
        self._region = region
        self._endpoint_url = endpoint_url
        self._making = threading.Lock()
        self._config = Config(
            connect_timeout=connect_timeout_s,
            read_timeout=read_timeout_s,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )

    def prepare(self) -> None:
        """Make the client now, which takes a while, and not when a call is due."""
        # Whatever hinders it hinders the call too, and is told there.
        with suppress(*NO_CREDENTIALS, Denied), self._making:
            self._client  # noqa: B018

    def create_collection(self, name: str) -> None:
        """Make a collection, unless it is there."""
        with _named():
            try:
                self._client.create_collection(CollectionId=name)
            except self._client.exceptions.ResourceAlreadyExistsException:
                return

    def index_face(self, collection: str, *, jpeg: bytes, external_id: str) -> str:
        """Add the largest face of a picture; return its id.

        The same picture under the same external id is not added twice. Raises NoFace.
        """
        with _named():
            answer = self._client.index_faces(
                CollectionId=collection,
                Image={"Bytes": jpeg},
                ExternalImageId=external_id,
                MaxFaces=1,
                # The photo was examined before, by rules that say what is wrong.
                QualityFilter="NONE",
            )
        if not answer["FaceRecords"]:
            raise NoFace("Rekognition finds no face in the picture.")
        return str(answer["FaceRecords"][0]["Face"]["FaceId"])

    def search_face(
        self, collection: str, *, jpeg: bytes, max_faces: int
    ) -> list[RemoteMatch]:
        """Return the faces most like the one in the middle of a picture, best first.

        However little alike they are, so that the runner-up is known. Raises NoFace,
        also where it compared another face: it takes the largest, wherever that is.
        """
        with _named():
            answer = self._client.search_faces_by_image(
                CollectionId=collection,
                Image={"Bytes": jpeg},
                MaxFaces=max_faces,
                FaceMatchThreshold=0,
                QualityFilter="NONE",
            )
        if not _is_in_the_middle(answer["SearchedFaceBoundingBox"]):
            raise NoFace("Rekognition compared a face at the edge of the picture.")
        return [_match(found) for found in answer["FaceMatches"]]

    def delete_faces(self, collection: str, *, face_ids: Sequence[str]) -> None:
        """Remove faces; those that are not there are passed over."""
        for start in range(0, len(face_ids), FACES_PER_DELETION):
            some = list(face_ids[start : start + FACES_PER_DELETION])
            with _named():
                self._client.delete_faces(CollectionId=collection, FaceIds=some)

    def list_faces(self, collection: str) -> list[RemoteFace]:
        with _named():
            pages = self._client.get_paginator("list_faces")
            return [
                RemoteFace(face["FaceId"], face.get("ExternalImageId", ""))
                for page in pages.paginate(CollectionId=collection)
                for face in page["Faces"]
            ]

    @cached_property
    def _client(self) -> Any:
        # A session of our own: boto3's default one is not safe between threads.
        session = boto3.session.Session()
        try:
            return session.client(
                "rekognition",
                region_name=self._region,
                endpoint_url=self._endpoint_url,
                config=self._config,
            )
        except ValueError:
            # Its text holds the whole address, which may have a password in it.
            raise Denied(NO_ADDRESS) from None


def _is_in_the_middle(box: Any) -> bool:
    """Whether it covers the middle, as a face with half its size around it does."""
    x, y = 0.5 - box["Left"], 0.5 - box["Top"]
    return bool(0 <= x <= box["Width"] and 0 <= y <= box["Height"])


def _match(found: Any) -> RemoteMatch:
    face = found["Face"]
    return RemoteMatch(
        face["FaceId"], face.get("ExternalImageId", ""), float(found["Similarity"])
    )


@contextmanager
def _named() -> Iterator[None]:
    """Turn botocore's errors into ours."""
    try:
        yield
    except aws.ClientError as error:
        raise error_of(error.response) from error
    except NO_CREDENTIALS as error:
        raise Denied(f"Rekognition cannot be asked: {error}") from error
    except aws.ParamValidationError as error:
        raise BadImage("Rekognition does not take this picture.") from error
    except aws.BotoCoreError as error:
        name = type(error).__name__
        raise Unavailable(f"Rekognition does not answer: {name}.") from error


def error_of(response: Any) -> RekognitionError:
    """Return what botocore's error response says, by its code, else by its status."""
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    words = f"Rekognition answers {code}: {message}"
    if code == "InvalidParameterException" and "no faces" in message.lower():
        return NoFace(words)
    if code in ERRORS:
        return ERRORS[code](words)
    if status >= 500:
        return Unavailable(words)
    return Throttled(words) if status == 429 else Denied(words)
