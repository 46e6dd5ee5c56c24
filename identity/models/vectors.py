"""Vectors of faces as columns."""

from __future__ import annotations

from typing import Final

from pgvector.django import HnswIndex

DIMENSIONS: Final = 128
"""Length of every face model's vectors here: SFace, MobileFaceNet and dlib's ResNet."""


def unit_index(column: str, *, name: str) -> HnswIndex:
    """Return an index for the nearest by inner product, vectors being of unit length.

    m and ef_construction are pgvector's defaults.
    """
    return HnswIndex(
        fields=[column],
        name=name,
        m=16,
        ef_construction=64,
        opclasses=["vector_ip_ops"],
    )
