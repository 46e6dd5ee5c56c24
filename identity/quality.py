"""How good a face is for recognition: values in, values out.

The bounds rest on `python -m bench faces`, which compares real faces with the same ones
scaled down, blurred and compressed: the worse a face, the less it is like the person's
photo and the more all bad faces are alike, whoever they show. Below the usable bounds
two strangers reach what two photos of one person have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FULL_HEIGHT_PX: Final = 112
"""What face models look at; a larger face adds nothing."""
FULL_SHARPNESS: Final = 25.0
"""From here on sharper faces are recognised no better."""
USABLE_HEIGHT_PX: Final = 40
USABLE_SHARPNESS: Final = 13.0
USABLE_TURN: Final = 0.6
"""Of yaw and pitch: the far eye is about to vanish behind the nose."""
ENROLMENT_HEIGHT_PX: Final = 80
ENROLMENT_SHARPNESS: Final = 16.0
ENROLMENT_TURN: Final = 0.35
"""Of yaw and pitch: some 30 degrees; all later faces are compared with this one."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """What was measured of a face."""

    height_px: float
    sharpness: float
    """0..100: per cent of the face's contrast that is finer than 2 px, the face being
    scaled to 112 px. Light and shade do not change it. A small face scaled up is not
    sharp either."""
    yaw: float
    """How far the nose is beside the middle of eyes and mouth, in eye distances; 0 is
    frontal, more than 0 towards the right of the picture."""
    confidence: float
    """The face detector's, 0..1."""
    pitch: float = 0.0
    """How far the nose is below where it is in a face seen from the front, in half
    distances between eyes and mouth; more than 0 looks down."""

    @property
    def turn(self) -> float:
        """How far it looks away, sideways or up and down; 0 is frontal."""
        return max(abs(self.yaw), abs(self.pitch))

    @property
    def score(self) -> float:
        """0..1, more is better: size, sharpness and pose all have to be good."""
        size = min(self.height_px / FULL_HEIGHT_PX, 1.0)
        sharp = min(self.sharpness / FULL_SHARPNESS, 1.0)
        pose = max(1.0 - self.turn, 0.0)
        return size * sharp * pose * self.confidence


def is_usable(quality: FaceQuality) -> bool:
    """Tell whether a camera's face may be compared at all."""
    return (
        quality.height_px >= USABLE_HEIGHT_PX
        and quality.sharpness >= USABLE_SHARPNESS
        and quality.turn <= USABLE_TURN
    )


def is_enrollable(quality: FaceQuality) -> bool:
    """Tell whether a person may be known by this face."""
    return (
        quality.height_px >= ENROLMENT_HEIGHT_PX
        and quality.sharpness >= ENROLMENT_SHARPNESS
        and quality.turn <= ENROLMENT_TURN
    )
