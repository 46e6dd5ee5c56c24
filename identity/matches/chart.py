"""Draws how well faces tell people apart, as a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from .quality import BINS, FPR_BELOW, rates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .quality import Similarities

OWN: Final = "#0072b2"
OTHER: Final = "#d55e00"
ANY: Final = "#009e73"
"""Of Okabe and Ito's palette, which colour-blind people can tell apart."""
CURVE: Final = np.round(np.arange(0, 1.0001, 0.005), 3)


def write_chart(
    path: Path,
    found: Similarities,
    *,
    thresholds: Sequence[float],
    best: float,
    title: str,
) -> None:
    """Write the distributions and the curves over the threshold; raises OSError."""
    figure = Figure(figsize=(13, 5.5), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_distributions(left, found, best=best)
    _draw_curves(right, found, thresholds=thresholds, best=best)
    figure.suptitle(title)
    figure.savefig(path, format="png")


def _draw_distributions(axes: Axes, found: Similarities, *, best: float) -> None:
    genuine, _ = np.histogram(found.genuine.clip(-1, 1), BINS)
    others = found.impostor_counts
    for counts, colour, style, name in (
        (others, OTHER, "--", "somebody else"),
        (genuine, OWN, "-", "the same person"),
    ):
        shares = counts / max(counts.sum(), 1)
        label = f"{name} ({counts.sum():,} comparisons)"
        axes.stairs(shares, BINS, color=colour, fill=True, alpha=0.25)
        axes.stairs(shares, BINS, color=colour, linestyle=style, label=label)
    _mark_best(axes, best)
    shown = np.flatnonzero(genuine + others)
    axes.set_xlim(BINS[shown[0]] - 0.05, max(BINS[shown[-1]], best) + 0.05)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("How alike faces are")
    axes.set_xlabel("similarity (cosine)")
    axes.set_ylabel("share of the comparisons, per 0.01")
    _put_legend_below(axes)
    axes.grid(alpha=0.3)


def _draw_curves(
    axes: Axes, found: Similarities, *, thresholds: Sequence[float], best: float
) -> None:
    curve = [rates(found, float(threshold)) for threshold in CURVE]
    chosen = [rates(found, threshold) for threshold in thresholds]
    for field, colour, style, mark, name in (
        ("right", OWN, "-", "o", "got the right name"),
        ("assigned", ANY, "--", "^", "got a name"),
        ("false_positive", OTHER, "-.", "s", "a stranger would get a name"),
    ):
        heights = [getattr(each, field) for each in curve]
        axes.plot(CURVE, heights, color=colour, linestyle=style, label=name)
        marks = [getattr(each, field) for each in chosen]
        axes.plot(thresholds, marks, color=colour, linestyle="", marker=mark)
    label = f"{FPR_BELOW:.0%} false positives"
    axes.axhline(FPR_BELOW, color="grey", linestyle=":", label=label)
    _mark_best(axes, best)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("What a threshold does")
    axes.set_xlabel("threshold")
    axes.set_ylabel("share of the seen faces")
    _put_legend_below(axes)
    axes.grid(alpha=0.3)


def _mark_best(axes: Axes, best: float) -> None:
    label = f"best threshold {best:.3f}"
    axes.axvline(best, color="black", linewidth=1, label=label)


def _put_legend_below(axes: Axes) -> None:
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize="small"
    )
