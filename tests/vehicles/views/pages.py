"""Pages in words."""

from __future__ import annotations

import re
from typing import Any


def keys(response: Any, *, region: str) -> list[int]:
    """Return the keys of the rows in the list of an id, in the order of the page."""
    found = re.search(
        rf'<ol[^>]* id="{region}".*?</ol>', response.content.decode(), flags=re.S
    )
    return [
        int(key) for key in re.findall(r'data-key="(\d+)"', found[0] if found else "")
    ]
