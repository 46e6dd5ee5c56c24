"""Which detector this machine uses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings

from streaming.vision.detectors import NotAModel, load_detector
from streaming.weights import detector_path

if TYPE_CHECKING:
    from pathlib import Path

    from streaming.vision.detectors import NamedDetector

logger = logging.getLogger(__name__)
WITHOUT_WEIGHTS = (
    "People are found by the simple OpenCV detector and will be missed. "
    "Run manage.py fetch_models."
)


def the_weights() -> Path | None:
    """Return the detector's file or folder; None when it is not there."""
    return detector_path(settings.MODELS_DIR, wanted=settings.DETECTOR_MODEL)


def the_detector() -> NamedDetector:
    """Load the detector that settings and MODELS_DIR give; loudly make do without."""
    path = the_weights()
    if path is None:
        wanted = settings.DETECTOR_MODEL or "A detector of the manifest"
        logger.warning(
            "%s is not in %s. %s", wanted, settings.MODELS_DIR, WITHOUT_WEIGHTS
        )
    try:
        return load_detector(path)
    except NotAModel as error:
        logger.warning("%s. %s", error, WITHOUT_WEIGHTS)
        return load_detector(None)
