"""Which photos a person may be known by: values in, values out.

Every refusal is a code for programs and a sentence for people, with the figures and
what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from .quality import (
    ENROLMENT_HEIGHT_PX,
    ENROLMENT_SHARPNESS,
    ENROLMENT_TURN,
    FaceQuality,
    is_enrollable,
)
from .rules import Policy, Verdict  # noqa: TC001 - msgspec reads it

if TYPE_CHECKING:
    from collections.abc import Sequence

BYSTANDER: Final = 0.25
"""Faces lower than this share of the largest are in the background, and ignored."""
OWN_SLACK: Final = 0.15
"""How far below the threshold two photos of one person may be, years apart."""
SAME_PHOTO: Final = 0.999
"""Similarity that two pictures of one face do not reach unless they are the same."""
HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
)
MIB: Final = 1 << 20
MEGAPIXEL: Final = 1_000_000


class PhotoRefused(Exception):
    """The photo cannot be taken; `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def same_person_from(policy: Policy) -> float:
    """Return the similarity from which two enrolled faces are one person's.

    Half a margin above the threshold: among the 3,000 photos of a large plant one in 60
    newcomers has a double at the threshold, and cannot help it; here it is one in 250.
    Those in between are told by the enrolment audit.
    """
    return policy.threshold + policy.margin / 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a photo may be."""

    mib: int
    megapixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceInPhoto:
    """One face that was found in a photo."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom, 0..1 from the upper left."""
    quality: FaceQuality
    jpeg: bytes
    """The face with half its size around it, without what a camera noted with it."""
    vector: tuple[float, ...]
    """Unit length; empty where none was asked for."""

    @property
    def height_px(self) -> float:
        return self.quality.height_px


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What was found in a photo."""

    width_px: int
    height_px: int
    faces: tuple[FaceInPhoto, ...]
    """The largest first."""
    face_model: str
    """Which model made the vectors."""
    policy: Policy
    """What that model needs to tell two people apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedFace:
    """One face of a picture and who it is."""

    face: FaceInPhoto
    verdict: Verdict
    engine: str
    policy: Policy
    """On the scale of that engine."""
    face_model: str
    alike_from: float
    """Similarity of vectors from which two strangers are one, see grouping.py."""


def check_file(photo: bytes, *, limits: Limits) -> None:
    """Refuse a file that is too large, empty or of a kind we cannot read."""
    if not photo:
        raise PhotoRefused("empty", "The file is empty. Choose a photo.")
    size_mib = len(photo) / MIB
    if size_mib > limits.mib:
        raise PhotoRefused(
            "too_many_bytes",
            f"The file has {size_mib:.1f} MiB; at most {limits.mib} MiB are taken. "
            "Save the photo smaller and try again.",
        )
    if photo[4:8] == b"ftyp" and photo[8:12] in HEIC_BRANDS:
        raise PhotoRefused(
            "heic",
            "This is an HEIC photo, which cannot be read here. Save it as JPEG; an "
            "iPhone does so under Settings, Camera, Formats, Most Compatible.",
        )


def check_pixels(*, width_px: int, height_px: int, limits: Limits) -> None:
    """Refuse a picture that would take too much memory."""
    megapixels = width_px * height_px / MEGAPIXEL
    if megapixels > limits.megapixels:
        raise too_many_pixels(
            f"{megapixels:.0f} megapixels ({width_px} x {height_px})", limits=limits
        )


def too_many_pixels(found: str, *, limits: Limits) -> PhotoRefused:
    return PhotoRefused(
        "too_many_pixels",
        f"The photo has {found}; at most {limits.megapixels} megapixels are taken. "
        "Save it smaller and try again.",
    )


def no_photo() -> PhotoRefused:
    return PhotoRefused(
        "no_photo",
        "This file is no photo that can be read. Send a JPEG, PNG or WebP file.",
    )


def damaged_photo() -> PhotoRefused:
    return PhotoRefused(
        "damaged",
        "The photo ends early or is damaged. Send it again, or take another one.",
    )


def no_face() -> PhotoRefused:
    return PhotoRefused(
        "no_face",
        "No face was found. The whole face must be seen from the front, in light.",
    )


def face_to_know(looked: LookedAt) -> FaceInPhoto:
    """Return the one face of a photo that somebody may be enrolled by.

    Raises PhotoRefused.
    """
    face = only_face(looked)
    check_face(face.quality)
    return face


def only_face(looked: LookedAt) -> FaceInPhoto:
    """Return the face a photo shows; raise PhotoRefused if it is not one.

    Faces far in the background do not count.
    """
    near = foreground(looked.faces)
    if not near:
        raise no_face()
    if len(near) > 1:
        raise PhotoRefused(
            "several_faces",
            f"There are {len(near)} faces in the photo. Cut it to one person.",
        )
    return near[0]


def foreground(faces: Sequence[FaceInPhoto]) -> list[FaceInPhoto]:
    tallest = max((face.height_px for face in faces), default=0.0)
    return [face for face in faces if face.height_px >= BYSTANDER * tallest]


def check_face(quality: FaceQuality) -> None:
    """Refuse a face by which nobody would be recognised reliably."""
    if is_enrollable(quality):
        return
    if quality.height_px < ENROLMENT_HEIGHT_PX:
        raise PhotoRefused(
            "too_small",
            f"The face is {int(quality.height_px)} px high; {ENROLMENT_HEIGHT_PX} px "
            "are needed. Come closer, or send a larger photo.",
        )
    if quality.turn > ENROLMENT_TURN:
        raise PhotoRefused(
            "turned_away",
            f"The face is turned away by {ceil(100 * quality.turn) / 100:.2f}; at most "
            f"{ENROLMENT_TURN:.2f} is taken. Look straight into the camera.",
        )
    raise PhotoRefused(
        "blurred",
        f"The face is blurred: its sharpness is {quality.sharpness:.1f}; "
        f"{ENROLMENT_SHARPNESS:.0f} is needed. Hold still, in more light.",
    )


def check_likeness(*, own: float | None, policy: Policy, code: str) -> None:
    """Refuse a face unlike the other photos of whom it is to be, or the same photo.

    `own` is its similarity to the nearest of those; None where there is none.
    """
    needed = policy.threshold - OWN_SLACK
    if own is not None and own < needed:
        raise PhotoRefused(
            "unlike_other_photos",
            f"The face is not like the other photos of {code}: similarity {own:.2f}, "
            f"{needed:.2f} is needed. If those are wrong, remove them first.",
        )
    if own is not None and own >= SAME_PHOTO:
        raise PhotoRefused(
            "same_photo",
            f"This photo of {code} is enrolled already. Take a different one.",
        )
