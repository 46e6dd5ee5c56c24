"""Files made for a reader: whole before the first byte goes out, then in pieces.

What breaks off while it is made is then no file at all, rather than half a payroll
that looks whole; and however long it is, little of it is in memory.
"""

from __future__ import annotations

import csv
import io
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Final

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IN_MEMORY: Final = 1 << 20
"""Bytes from which on a file is on disk."""
PIECE: Final = 1 << 16


def scratch() -> SpooledTemporaryFile[bytes]:
    """Return a file that is gone when it is closed."""
    return SpooledTemporaryFile(max_size=IN_MEMORY)


def csv_file(rows: Iterable[Sequence[object]]) -> IO[bytes]:
    """Write rows as a file that Excel and others open."""
    file = scratch()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    text.write("\ufeff")  # Without it Excel takes UTF-8 for something else.
    csv.writer(text).writerows(rows)
    text.detach()
    return file


def send(file: IO[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Answer with the file, which is closed at the end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return StreamingHttpResponse(
        _pieces(file),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(size),
            "Cache-Control": "no-store",
        },
    )


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    # A plain iterator would be read to its end first, under ASGI.
    try:
        while piece := await sync_to_async(file.read)(PIECE):
            yield piece
    finally:
        file.close()
