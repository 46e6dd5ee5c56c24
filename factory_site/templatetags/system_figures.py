"""How the System page writes its figures."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Write a share of 0..1 as per cent."""
    return f"{100 * share:.0f} %"


@register.filter
def duration(seconds: float) -> str:
    """Write a duration in the unit that people would use: 0.04 s, 12 s, 5 min, 3 h."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
