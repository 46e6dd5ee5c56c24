"""How plates are written on pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django import template

if TYPE_CHECKING:
    from collections.abc import Sequence

register = template.Library()


@register.filter
def groups(plate: str) -> Sequence[str]:
    """Return the runs of letters and of digits, as plates show them: MH 12 AB 1234."""
    return re.findall(r"[0-9]+|[^0-9]+", plate)
