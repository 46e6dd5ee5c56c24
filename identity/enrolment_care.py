"""The nightly care of photos: what no row knows of is removed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.core.files.storage import default_storage

from streaming.models import Site

from . import enrolment
from .engines import EngineUnavailable, the_engine
from .models import FaceSample
from .services import STORAGE_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

logger = logging.getLogger(__name__)
STRAY_AFTER: Final = timedelta(days=1)
"""A younger file may be one whose row is about to be stored."""
SUSPECTED: Final = "identity:stray_faces"
SUSPECTED_FOR_S: Final = 3 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was removed."""

    files: int
    remote_faces: int


def tidy(*, now: datetime) -> Tidied:
    """Remove files and remote faces that enrolments which broke off left behind."""
    return Tidied(_tidy_files(now), sum(map(_tidy_remote, _site_ids())))


def _tidy_files(now: datetime) -> int:
    known = set(FaceSample.objects.values_list("image", flat=True))
    strays = [
        name
        for name in _files()
        if name not in known and _is_older(name, now - STRAY_AFTER)
    ]
    return sum(enrolment.discard_file(name) for name in strays)


def _files() -> Iterator[str]:
    try:
        names = default_storage.listdir(enrolment.FOLDER)[1]
    except FileNotFoundError:
        return
    for name in names:
        yield f"{enrolment.FOLDER}/{name}"


def _is_older(name: str, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < before
    except STORAGE_ERRORS as error:
        logger.warning("%s is left alone: %s.", name, type(error).__name__)
        return False


def _tidy_remote(site_id: int) -> int:
    """Remove the remote faces that had no row last night and have none tonight.

    A face that has none for a moment is one that is just being enrolled.
    """
    key = f"{SUSPECTED}:{site_id}"
    try:
        there = set(the_engine().remote_ids(site_id=site_id))
    except EngineUnavailable as error:
        logger.warning("Remote faces of site %s are not looked at: %s", site_id, error)
        return 0
    rows = FaceSample.objects.filter(employee__site=site_id)
    strays = there - set(rows.values_list("external_face_id", flat=True))
    again = strays & set(cache.get(key, ()))
    gone = again if again and enrolment.discard_remote(sorted(again)) else set()
    cache.set(key, sorted(strays - gone), SUSPECTED_FOR_S)
    return len(gone)


def _site_ids() -> list[int]:
    return list(Site.objects.order_by("pk").values_list("pk", flat=True))
