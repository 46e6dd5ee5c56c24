"""The environment of the tests, set before settings are read (see pyproject.toml)."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Name of this process where several share the tests; each has servers of its own."""

os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "test"))
os.environ["VAR_DIR"] = str(Path(os.environ["VAR_DIR"]) / WORKER)
os.environ["ENVIRONMENT"] = "development"
