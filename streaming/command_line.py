"""What commands share: where they print, and the files that they write."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final

from rich.console import Console

PIPED_WIDTH: Final = 120


def console(*, stderr: bool = False) -> Console:
    """Return a console that does not squeeze tables where it is no terminal."""
    return Console(stderr=stderr, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def new_file_argument(text: str) -> Path:
    """Parse the path of a file to write; raise ArgumentTypeError."""
    path = Path(text)
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"there is no folder {path.parent} to write into.")
    return path
