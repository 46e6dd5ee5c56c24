"""Pages in words."""

from __future__ import annotations

import re
from typing import Any, Final

UNSEEN: Final = r"<(template|datalist)\b.*?</\1>"
APART: Final = r"<(?=/?(p|dt|dd|li|td|th|div|h1|h2|h3|option|label|button)\b)"


def text(response: Any) -> str:
    """Return the words of a page, one space between them."""
    seen = re.sub(UNSEEN, "", response.content.decode(), flags=re.S)
    apart = re.sub(APART, " <", seen)
    return " ".join(re.sub(r"<[^>]+>", "", apart).split())
