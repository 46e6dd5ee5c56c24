"""Which face model this process uses.

Thresholds of the manifest are such that, of 1,000 strangers before a gallery of 1,000
people with three photos each, less than one is named by a single face. mobilefacenet's
cosines between strangers are taken as normal around 0.02 with a standard deviation of
0.098 (`python -m bench faces`). Then 0.45, which is 4.4 deviations off, is reached with
one of 3,000 photos by 1.7 % of them; of these 2.8 % are 0.08 more alike to one person
than to the next, because what is above a high threshold is exponential, with a mean of
0.098 / 4.4. Two photos of one person reach 0.5. SFace is not measured: OpenCV gives
0.363 for telling whether two photos show one person, with 99.4 % right on LFW. If then
some 0.2 % of strangers reach it, the deviation is about 0.116 and the same rates are
had at 0.52 and 0.1.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

import cv2
from django.conf import settings

from streaming import weights

from . import faces_dlib
from .faces import FaceModel, OnnxEmbedder, YuNet

if TYPE_CHECKING:
    from pathlib import Path

    from streaming.weights import Embedding, Weights

logger = logging.getLogger(__name__)
WITHOUT_WEIGHTS = (
    "Faces are compared by dlib, which misses more of them and takes longer. "
    "Run manage.py fetch_models."
)


class FaceModelMissing(Exception):
    """The weights for finding or comparing faces are not there; it says which."""


@cache
def the_face_model() -> FaceModel:
    """Load the face model that settings and MODELS_DIR give; loudly make do without.

    It is loaded once a process, and serves all its threads.
    """
    try:
        return load_face_model(settings.MODELS_DIR, wanted=settings.FACE_MODEL)
    except FaceModelMissing as error:
        logger.warning("%s %s", error, WITHOUT_WEIGHTS)
    return faces_dlib.load()


def load_face_model(folder: Path, *, wanted: str | None = None) -> FaceModel:
    """Load the finder and the embedder `wanted`, or the first of the manifest there.

    `wanted` is a name or a file of the manifest, or dlib's name. Raises
    FaceModelMissing.
    """
    if wanted == weights.DLIB:
        return faces_dlib.load()
    finder = weights.first_there(folder, purpose=weights.FACE_FINDER)
    if finder is None:
        raise FaceModelMissing(f"No face finder of the manifest is in {folder}.")
    embedder, embedding = _embedder(folder, wanted)
    try:
        return FaceModel(
            YuNet(finder.path(folder)),
            OnnxEmbedder(
                embedder.path(folder), name=embedder.name, embedding=embedding
            ),
        )
    except cv2.error as error:
        raise FaceModelMissing(
            f"{finder.file} or {embedder.file} in {folder} is damaged; delete it."
        ) from error


def _embedder(folder: Path, wanted: str | None) -> tuple[Weights, Embedding]:
    row = weights.first_there(folder, purpose=weights.FACE_EMBEDDER, wanted=wanted)
    if row and row.embedding:
        return row, row.embedding
    known = ", ".join([*weights.names(weights.FACE_EMBEDDER), weights.DLIB])
    if wanted:
        raise FaceModelMissing(
            f"The face model {wanted} is not in {folder}. Known are: {known}."
        )
    raise FaceModelMissing(f"No face model of the manifest is in {folder}.")
