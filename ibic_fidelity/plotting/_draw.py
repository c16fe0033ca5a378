"""Dots, whiskers and words that the plots share; colours that differ for every kind of colour vision."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ibic_fidelity.plotting._rows import Row

#: Four bands, low to high: at least 28 ΔE apart under normal, deuter-, prot- and tritanopic vision.
BAND_COLOURS = ("#A63603", "#FD8D3C", "#9ECAE1", "#08519C")
INK, WORDS, LINES, WARNING = "#08519C", "#4A4A4A", "#C8C8C8", "#A63603"
LABEL_WIDTH = 34
ROW_INCHES = 0.15  # below this height of a row, labels are left out


def draw_score(ax: Axes, row: Row, y: float, lang: Language, words: str, *, total: bool, size: float = 1.0) -> None:
    """Draw one score: a dot (a diamond for a total) and its interval, or the words on why there is none."""
    if row["reason"]:
        said = text("plotting.withheld", lang, reason=words)
        ax.text(2, y, said, va="center", ha="left", fontsize=8, color=WORDS, style="italic", parse_math=False)
        return
    if math.isfinite(row["ci_low"]):
        ax.plot(
            [row["ci_low"], row["ci_high"]], [y, y], color=INK, lw=(2.4 if total else 1.6) * size, solid_capstyle="butt"
        )
    marker = "D" if total else "o"
    filled = INK if math.isfinite(row["ci_low"]) else "#FFFFFF"
    ax.plot([row["estimate"]], [y], marker=marker, ms=(7 if total else 6) * size, mfc=filled, mec=INK, ls="none")


def draw_scale(ax: Axes, lang: Language, level: float, cuts: Sequence[float]) -> None:
    """Draw the axis 0–100, and the cuts between bands as light lines that are called provisional."""
    ax.set_xlim(0, 100)
    ax.set_xticks([0, 25, 50, 75, 100])
    ax.set_xlabel(text("plotting.axis", lang, level=percent(level, lang)), fontsize=8.5, color=WORDS)
    for cut in cuts:
        ax.axvline(cut, color=LINES, lw=1, ls=(0, (4, 3)), zorder=0)
    if cuts:
        listed = ", ".join(number(cut, lang, digits=0 if float(cut).is_integer() else 1) for cut in cuts)
        said = text("plotting.cuts", lang, cuts=listed)
        ax.annotate(said, (1, 0), (0, -32), xycoords="axes fraction", textcoords="offset points", ha="right",
                    va="top", fontsize=8, color=WORDS)  # fmt: skip
    ax.tick_params(axis="both", length=0, labelsize=9)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(LINES)


def draw_heading(ax: Axes, title: str, *, synthetic: bool, lang: Language) -> None:
    """Write the title and, above simulated data, that they are synthetic."""
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=20 if synthetic else 8, parse_math=False)
    if synthetic:
        ax.annotate(text("plotting.synthetic", lang), (0, 1), (0, 5), xycoords="axes fraction",
                    textcoords="offset points", ha="left", va="bottom", fontsize=9, fontweight="bold",
                    color=WARNING)  # fmt: skip


def label_rows(
    ax: Axes, positions: Sequence[float], labels: Sequence[str], *, width: int = LABEL_WIDTH, **style: Any
) -> None:
    """Write the labels of the rows, long ones on two lines."""
    ax.set_yticks(list(positions), [folded(label, width) for label in labels], parse_math=False, **style)


def row_inches(ax: Axes, rows: int) -> float:
    """Return how high each of some rows is."""
    figure = ax.get_figure(root=True)
    inches = figure.get_figheight() if figure is not None else 4.8
    return float(inches * ax.get_position().height / max(rows, 1))


def folded(label: str, width: int = LABEL_WIDTH) -> str:
    r"""Return a label on at most two lines.

    Examples
    --------
    >>> folded("Planera och genomföra tillsammans", 21)
    'Planera och genomföra\ntillsammans'
    """
    return "\n".join(textwrap.wrap(label, width, max_lines=2, placeholder=" …"))
