"""Lengths of time in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template import Library

if TYPE_CHECKING:
    from datetime import timedelta

register = Library()


@register.filter
def lasting(length: timedelta) -> str:
    """Write how long something lasted, in its two largest units: 1 h 12 min."""
    seconds = round(length.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    parts = [(days, "d"), (hours % 24, "h"), (minutes % 60, "min"), (seconds % 60, "s")]
    first = next((n for n, (number, _) in enumerate(parts) if number), len(parts) - 1)
    shown = [f"{number} {unit}" for number, unit in parts[first : first + 2] if number]
    return " ".join(shown) or "0 s"
