"""Model weights: the manifest, where they are, and how they come here."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANIFEST = Path(__file__).with_name("weights.toml")
CHUNK_BYTES = 1 << 18
FACE_FINDER: Final = "face-finder"
FACE_EMBEDDER: Final = "face-embedder"
DLIB: Final = "dlib-resnet-v1"
"""Stands in for the weights of faces; a Python package, so no row of the manifest."""
TIMEOUT_S = (10, 30)


class FetchFailed(Exception):
    """The weights did not arrive whole; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """How an embedder's faces are put in, and what its similarities mean."""

    scale: float
    """What `pixel - mean` is multiplied with, pixels being 0..255."""
    mean: float
    threshold: float
    """Cosine from which two faces are one person's."""
    margin: float
    """By how much the best person must beat the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One row of the manifest; `url`, `sha256` and `size` (bytes) go together."""

    name: str
    purpose: str
    file: str
    licence: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    made_from: str | None = None
    embedding: Embedding | None = None
    """Of what compares faces."""

    def path(self, folder: Path) -> Path:
        return folder / self.file


def manifest(path: Path = MANIFEST) -> Sequence[Weights]:
    return [_weights(**row) for row in tomllib.loads(path.read_text())["weights"]]


def _weights(*, embedding: dict[str, float] | None = None, **row: Any) -> Weights:
    return Weights(**row, embedding=Embedding(**embedding) if embedding else None)


def names(purpose: str) -> list[str]:
    return [row.name for row in manifest() if row.purpose == purpose]


def first_there(
    folder: Path, *, purpose: str, wanted: str | None = None
) -> Weights | None:
    """Return the first of the manifest for that purpose that is in `folder`.

    `wanted` names one, by its name or its file. None when there is none.
    """
    rows = [
        row
        for row in manifest()
        if row.purpose == purpose and wanted in {None, row.name, row.file}
    ]
    return next((row for row in rows if row.path(folder).exists()), None)


def face_model_name(folder: Path, *, wanted: str | None = None) -> str:
    """Return which face model would be loaded, without loading it."""
    finder = first_there(folder, purpose=FACE_FINDER)
    embedder = first_there(folder, purpose=FACE_EMBEDDER, wanted=wanted)
    return embedder.name if finder and embedder else DLIB


def detector_path(folder: Path, *, wanted: str | None) -> Path | None:
    """Return the detector to use: the wanted one, else the first of the manifest that
    is there. None when there is none."""
    names = (
        [wanted] if wanted else [w.file for w in manifest() if w.purpose == "detector"]
    )
    return next((folder / name for name in names if (folder / name).exists()), None)


def fetch(weights: Weights, folder: Path, *, advanced: Callable[[int], None]) -> Path:
    """Download one file, resuming an earlier attempt, and check its sum.

    `advanced` is told the number of bytes that are here so far. Raises FetchFailed;
    what arrived is kept for the next attempt unless its sum is wrong.
    """
    target = weights.path(folder)
    partial = target.with_name(f"{target.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(weights, partial, advanced)
    except requests.RequestException as error:
        raise FetchFailed(
            f"{weights.file} could not be fetched: {reason(error)} Run the command "
            f"again with a network, or copy the file to {folder} by hand."
        ) from error
    except OSError as error:
        raise FetchFailed(
            f"{weights.file} cannot be written to {folder}: {error.strerror}. Set "
            "MODELS_DIR to a folder that can be written."
        ) from error
    if digest(partial) != weights.sha256:
        partial.unlink()
        raise FetchFailed(
            f"{weights.file} arrived with a wrong checksum and was thrown away. "
            "Run the command again."
        )
    return partial.replace(target)


def _download(weights: Weights, partial: Path, advanced: Callable[[int], None]) -> None:
    here = partial.stat().st_size if partial.exists() else 0
    if here == weights.size:
        return
    headers = {"Range": f"bytes={here}-"} if here else {}
    with requests.get(
        str(weights.url), headers=headers, stream=True, timeout=TIMEOUT_S
    ) as response:
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        here = here if resumed else 0
        with partial.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                here += len(chunk)
                advanced(here)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> str:
    """Return the sha256 of a model's weights: of a folder, of its largest file."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        path = max(files, key=lambda file: file.stat().st_size)
    return digest(path)


def reason(error: requests.RequestException) -> str:
    """Say in a sentence why a download failed."""
    if error.response is not None:
        return f"the server answered {error.response.status_code}."
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time."
    return "there is no connection to the server."
