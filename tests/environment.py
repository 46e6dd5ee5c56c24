"""The environment of the tests, set before settings are read (see pyproject.toml)."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "test"))
os.environ["ENVIRONMENT"] = "development"
