"""Which detector this machine uses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings

from streaming.vision.detectors import NotAModel, load_detector
from streaming.weights import detector_path

if TYPE_CHECKING:
    from streaming.vision.detectors import NamedDetector

logger = logging.getLogger(__name__)


def the_detector() -> NamedDetector:
    """Load the detector that settings and MODELS_DIR give; loudly make do without."""
    path = detector_path(settings.MODELS_DIR, wanted=settings.DETECTOR_MODEL)
    try:
        detector = load_detector(path)
    except NotAModel as error:
        logger.error("%s", error)
        detector = load_detector(None)
    if detector.fallback:
        logger.warning(
            "No weights: %s is not in %s. People are found by the simple OpenCV "
            "detector and will be missed. Run manage.py fetch_models.",
            settings.DETECTOR_MODEL or "a detector of the manifest",
            settings.MODELS_DIR,
        )
    return detector
