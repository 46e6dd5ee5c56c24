"""A stand-in for Amazon Rekognition that speaks its protocol over a real socket.

JSON 1.1 with `X-Amz-Target`, signed requests (the signature is asked for, not checked),
errors as AWS words them. What is in a picture a `Look` says: the real face model, or
`cards.look` where a test needs no faces. Faults are switched on while it runs.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import math
import random
import re
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from identity.faces import FaceModel
    from streaming.vision.types import Image

    Vector = NDArray[np.float32]
    Look = Callable[[Image], list[Vector]]
    """The faces of a picture as vectors of unit length, the largest first."""

IMAGE_MAX_BYTES: Final = 5 * 2**20
IMAGE_MIN_PX: Final = 80
NAME: Final = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
EXTERNAL: Final = re.compile(r"[a-zA-Z0-9_.\-:]{1,255}")
STEEPNESS: Final = 25.0
"""How fast the similarity falls with the cosine; few pairs lie between 20 and 95."""


@dataclass(slots=True)
class Faults:
    """What goes wrong, changed while the server runs. Shares are 0..1."""

    throttled: float = 0.0
    failing: float = 0.0
    hanging: float = 0.0
    """Share of requests that get no answer for `hang_s`, and then none."""
    hang_s: float = 30.0
    slow_s: float = 0.0
    is_down: bool = False
    """Connections are closed without a word."""
    is_denied: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as the server saw it."""

    at_s: float
    operation: str
    answer: str
    """`ok`, the error's code, `hung` or `closed`."""


@dataclass(slots=True)
class IndexedFace:
    face_id: str
    image_id: str
    external_id: str
    vector: Vector


class AwsError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class RekognitionServer:
    """Collections in memory, and what was asked so far."""

    def __init__(self, look: Look, *, same_from: float, seed: int) -> None:
        self.look = look
        self.same_from = same_from
        """Cosine that is told as a similarity of 85."""
        self.searched_box = {"Left": 0.25, "Top": 0.25, "Width": 0.5, "Height": 0.5}
        """Where the face is that it compares."""
        self.faults = Faults()
        self.calls: list[Call] = []
        self.collections: dict[str, list[IndexedFace]] = {}
        self.url = ""
        self._lock = threading.Lock()
        self._chance = random.Random(seed)

    def told(self) -> Counter[str]:
        """Return how often each answer was given."""
        return Counter(call.answer for call in self.calls)

    def asked(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)

    def fault(self) -> str:
        """Return what goes wrong with this request; empty when nothing does."""
        faults, drawn = self.faults, self._chance.random()
        if faults.is_down:
            return "closed"
        for share, name in (
            (faults.throttled, "ThrottlingException"),
            (faults.failing, "InternalServerError"),
            (faults.hanging, "hung"),
        ):
            if drawn < share:
                return name
            drawn -= share
        return "AccessDeniedException" if faults.is_denied else ""

    def answer(self, operation: str, asked: Any) -> Any:
        """Do what is asked; raise AwsError."""
        handlers: dict[str, Callable[[Any], Any]] = {
            "CreateCollection": self._create_collection,
            "DescribeCollection": self._describe_collection,
            "DeleteCollection": self._delete_collection,
            "IndexFaces": self._index_faces,
            "SearchFacesByImage": self._search_faces,
            "DeleteFaces": self._delete_faces,
            "ListFaces": self._list_faces,
        }
        if operation not in handlers:
            raise AwsError("UnknownOperationException", operation)
        return handlers[operation](asked)

    def _create_collection(self, asked: Any) -> Any:
        name = asked["CollectionId"]
        if not NAME.fullmatch(name):
            raise invalid("Value at 'collectionId' failed to satisfy constraint")
        with self._lock:
            if name in self.collections:
                raise AwsError(
                    "ResourceAlreadyExistsException",
                    f"The collection id: {name} already exists",
                )
            self.collections[name] = []
        return {
            "StatusCode": 200,
            "CollectionArn": f"arn:{name}",
            "FaceModelVersion": "7.0",
        }

    def _describe_collection(self, asked: Any) -> Any:
        faces = self._faces(asked)
        return {"FaceCount": len(faces), "FaceModelVersion": "7.0", "UserCount": 0}

    def _delete_collection(self, asked: Any) -> Any:
        self._faces(asked)
        del self.collections[asked["CollectionId"]]
        return {"StatusCode": 200}

    def _index_faces(self, asked: Any) -> Any:
        collection = self._faces(asked)
        external_id = asked.get("ExternalImageId", "")
        if not EXTERNAL.fullmatch(external_id):
            raise invalid("Value at 'externalImageId' failed to satisfy constraint")
        image_id, vectors = self._seen(asked)
        records = []
        with self._lock:
            for vector in vectors[: asked.get("MaxFaces", 100)]:
                face = next(
                    (
                        known
                        for known in collection
                        if (known.image_id, known.external_id)
                        == (image_id, external_id)
                    ),
                    None,
                )
                if face is None:
                    face = IndexedFace(str(uuid.uuid4()), image_id, external_id, vector)
                    collection.append(face)
                records.append({"Face": told_face(face), "FaceDetail": {}})
        return {
            "FaceRecords": records,
            "FaceModelVersion": "7.0",
            "UnindexedFaces": [],
        }

    def _search_faces(self, asked: Any) -> Any:
        collection = self._faces(asked)
        _, vectors = self._seen(asked)
        if not vectors:
            raise invalid("There are no faces in the image. Should be at least 1.")
        threshold = asked.get("FaceMatchThreshold", 80)
        found: list[dict[str, Any]] = [
            {
                "Similarity": self.similarity(float(face.vector @ vectors[0])),
                "Face": told_face(face),
            }
            for face in list(collection)
        ]
        best_first = sorted(found, key=lambda one: -one["Similarity"])
        return {
            "SearchedFaceBoundingBox": self.searched_box,
            "SearchedFaceConfidence": 99.9,
            "FaceMatches": [
                one for one in best_first if one["Similarity"] >= threshold
            ][: asked.get("MaxFaces", 80)],
            "FaceModelVersion": "7.0",
        }

    def similarity(self, cosine: float) -> float:
        """Return 0..100, rising with the cosine and flat at both ends, as AWS' does."""
        at_threshold = math.log(85 / 15)
        x = at_threshold + STEEPNESS * (cosine - self.same_from)
        return 100 / (1 + math.exp(-x))

    def _delete_faces(self, asked: Any) -> Any:
        collection = self._faces(asked)
        wanted = set(asked["FaceIds"])
        with self._lock:
            there = {face.face_id for face in collection} & wanted
            collection[:] = [face for face in collection if face.face_id not in there]
        return {
            "DeletedFaces": sorted(there),
            "UnsuccessfulFaceDeletions": [
                {"FaceId": one, "Reasons": ["FACE_NOT_FOUND"]}
                for one in sorted(wanted - there)
            ],
        }

    def _list_faces(self, asked: Any) -> Any:
        collection = self._faces(asked)
        start = int(asked.get("NextToken", 0))
        end = start + asked.get("MaxResults", 4096)
        page: dict[str, Any] = {
            "Faces": [told_face(face) for face in collection[start:end]],
            "FaceModelVersion": "7.0",
        }
        return {**page, "NextToken": str(end)} if end < len(collection) else page

    def _faces(self, asked: Any) -> list[IndexedFace]:
        name = asked["CollectionId"]
        if name not in self.collections:
            raise AwsError(
                "ResourceNotFoundException",
                f"The collection id: {name} does not exist",
            )
        return self.collections[name]

    def _seen(self, asked: Any) -> tuple[str, list[Vector]]:
        """Return an id of the picture, the same for the same, and its faces."""
        content = base64.b64decode(asked["Image"]["Bytes"])
        if len(content) > IMAGE_MAX_BYTES:
            raise AwsError("ImageTooLargeException", "Image size is too large")
        is_known = content[:3] == b"\xff\xd8\xff" or content[:4] == b"\x89PNG"
        image: Any = (
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            if is_known
            else None
        )
        if image is None:
            raise AwsError(
                "InvalidImageFormatException", "Request has invalid image format"
            )
        if min(image.shape[:2]) < IMAGE_MIN_PX:
            raise invalid("Request has image dimensions below the minimum")
        image_id = str(uuid.UUID(hashlib.sha256(content).hexdigest()[:32]))
        return image_id, self.look(image)


def told_face(face: IndexedFace) -> dict[str, Any]:
    return {
        "FaceId": face.face_id,
        "ImageId": face.image_id,
        "ExternalImageId": face.external_id,
        "Confidence": 99.9,
    }


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def faces_of(model: FaceModel) -> Look:
    """Return a look that finds and describes real faces."""
    lock = threading.Lock()

    def look(image: Image) -> list[Vector]:
        with lock:
            faces = model.finder.find(image)
            return [model.embedder.embed(image, face) for face in faces]

    return look


@contextmanager
def rekognition_server(
    look: Look, *, same_from: float = 0.42, seed: int = 1
) -> Iterator[RekognitionServer]:
    """Serve on 127.0.0.1 in threads; `url` is the endpoint to use."""
    fake = RekognitionServer(look, same_from=same_from, seed=seed)

    class Handler(_Handler):
        served = fake

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    served: RekognitionServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        at_s = time.time()
        length = int(self.headers["Content-Length"])
        asked = self.rfile.read(length)
        if len(asked) < length:  # whoever asked was killed
            self.close_connection = True
            return
        prefix, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        fault = self.served.fault()
        if fault in {"closed", "hung"}:
            self.served.calls.append(Call(at_s, operation, fault))
            time.sleep(self.served.faults.hang_s if fault == "hung" else 0)
            self.close_connection = True
            return
        try:
            self._refuse(prefix, fault)
            time.sleep(self.served.faults.slow_s)
            told = self.served.answer(operation, json.loads(asked))
        except AwsError as error:
            self.served.calls.append(Call(at_s, operation, error.code))
            words = {"__type": error.code, "Message": str(error)}
            self._tell(words, status=error.status)
        else:
            self.served.calls.append(Call(at_s, operation, "ok"))
            self._tell(told)

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""

    def _refuse(self, prefix: str, fault: str) -> None:
        if prefix != "RekognitionService":
            raise AwsError("UnknownOperationException", "")
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            raise AwsError(
                "MissingAuthenticationTokenException",
                "Request is missing Authentication Token",
            )
        if fault:
            status = 500 if fault == "InternalServerError" else 400
            raise AwsError(fault, "A fault of the test", status=status)

    def _tell(self, told: Any, *, status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True
