"""What the background worker does with photos: it finds faces and describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from django.conf import settings

from . import faces, grouping, photo_files
from .engines import SeenFace, policy_of, the_engine
from .face_model import the_face_model
from .models import FaceSample
from .photo_rules import FaceInPhoto, Limits, LookedAt, RecognisedFace, no_face
from .rules import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image

    from .faces import Face, FaceModel

FACES_MAX: Final = 30
"""Of one picture, the largest; a crowd would keep the worker for too long."""
CROP_MAX_PX: Final = 640
"""Longest side of a kept face: many times what any face model looks at."""
QUALITY: Final = 92
"""Of kept JPEGs, 0..100."""


def look(photo: bytes, *, vectors: bool = True) -> LookedAt:
    """Find the faces in a photo, the largest first; raise PhotoRefused."""
    model = the_face_model()
    image = pixels(photo)
    found = model.finder.find(image)[:FACES_MAX]
    return LookedAt(
        width_px=image.shape[1],
        height_px=image.shape[0],
        faces=tuple(
            _described(image, face, found, model if vectors else None) for face in found
        ),
        face_model=model.embedder.name,
        policy=policy_of(model.embedder),
    )


def recognise(photo: bytes, *, site_id: int) -> list[RecognisedFace]:
    """Say of each face in a picture who it is; raise PhotoRefused."""
    looked = look(photo)
    return [_recognised(face, looked, site_id=site_id) for face in looked.faces]


def pixels(photo: bytes) -> Image:
    """Return a photo upright, BGR; raise PhotoRefused."""
    limits = Limits(settings.PHOTO_MAX_MIB, settings.PHOTO_MAX_MEGAPIXELS)
    rgb = np.asarray(photo_files.upright(photo, limits=limits))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _described(
    image: Image, face: Face, found: Sequence[Face], model: FaceModel | None
) -> FaceInPhoto:
    """Measure a face; `model` None leaves its vector empty."""
    vector = model.embedder.embed(image, face) if model else ()
    return FaceInPhoto(
        box=(face.box.x1, face.box.y1, face.box.x2, face.box.y2),
        quality=faces.measure(image, face),
        jpeg=_jpeg(faces.portrait(image, face, found)),
        vector=tuple(float(value) for value in vector),
    )


def _jpeg(image: Image) -> bytes:
    kept = faces.reduced(image, longest_px=CROP_MAX_PX)
    return bytes(cv2.imencode(".jpg", kept, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def _recognised(face: FaceInPhoto, looked: LookedAt, *, site_id: int) -> RecognisedFace:
    answer = the_engine().search([SeenFace(face.jpeg, face.vector)], site_id=site_id)
    return RecognisedFace(
        face=face,
        verdict=decide(answer.votes, answer.policy),
        engine=answer.engine,
        policy=answer.policy,
        face_model=looked.face_model,
        alike_from=grouping.alike_from(looked.policy),
    )


def embed_anew(sample: FaceSample) -> None:
    """Describe an enrolled photo by the face model of this process.

    Raises PhotoRefused and STORAGE_ERRORS; the row then stays as it was.
    """
    model = the_face_model()
    with sample.image.open("rb") as file:
        image = pixels(file.read())
    face = faces.main_face(model.finder.find(image))
    if face is None:
        raise no_face()
    vector = model.embedder.embed(image, face)
    FaceSample.objects.filter(pk=sample.pk).update(
        embedding=[float(value) for value in vector],
        face_model=model.embedder.name,
        quality=faces.measure(image, face).score,
    )
