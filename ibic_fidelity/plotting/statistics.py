"""One statistic of a `Statistics`, with its intervals, for every item, component or rater."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from ibic_fidelity.dossier.statistics import Statistic, Statistics, is_share, is_value, joined
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import number, percent
from ibic_fidelity.plotting._draw import (
    INK,
    LINES,
    ROW_INCHES,
    WORDS,
    draw_heading,
    folded,
    label_rows,
    row_inches,
)
from ibic_fidelity.plotting._rows import check_language, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Notes that say how a rule came out, and weaken no interval.
VERDICTS = frozenset({
    "dossier.ready", "dossier.not_ready", "dossier.ready_undecided",
    "dossier.certified", "dossier.certified_surely", "dossier.not_certified", "dossier.not_decided",
})  # fmt: skip
Level = Literal["item", "component", "rater"]
TWO_LINES = 0.27  # inches a row needs for a label on two lines
WORDS_WIDTH = 78  # characters of a reason that fit beside the labels
HEADING_WIDTH = 50  # characters of a heading on one line
MARGIN = 0.06  # of the range of an axis


def plot_coefficients(
    statistics: Statistics,
    *,
    statistic: str,
    level: Level = "item",
    lang: Language = "sv",
    ax: Axes | None = None,
) -> Axes:
    """Draw one statistic of every item, component or rater as dots with intervals.

    Parameters
    ----------
    statistics : Statistics
        What `component_reliability` and its likes returned; nothing is computed here.
    statistic : str
        Its name in their table, such as ``"icc2"``, ``"alpha_if_deleted"`` or ``"severity"``.
    level : {"item", "component", "rater"}
        What the rows are.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Rows stand in the order of the table, never by value. A broken line is an interval with a remark.
        What is not defined is drawn as the words why.

    Raises
    ------
    UsageError
        There is no such statistic at that level, or the level or language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from ibic_fidelity.dossier.reliability import component_reliability
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = component_reliability(study.responses, study.instrument)
    >>> ax = plot_coefficients(result, statistic="icc2", level="component", lang="en", ax=Figure().subplots())
    >>> ax.get_yticklabels()[0].get_text()
    'Investigate'
    """
    check_language(lang)
    if level not in get_args(Level):
        raise UsageError("plotting.level", value=repr(level), choices=list(get_args(Level)))
    rows = statistics.level(level)
    wanted = [row for row in rows if row.statistic == statistic]
    if not wanted:
        known = list(dict.fromkeys(row.statistic for row in rows))
        raise UsageError("plotting.no_coefficient", statistic=repr(statistic), level=repr(level), known=known)
    return draw_coefficients(wanted, statistics, lang=lang, ax=ax)


def draw_coefficients(rows: Sequence[Statistic], statistics: Statistics, *, lang: Language, ax: Axes | None) -> Axes:
    """Draw rows of one statistic that were looked up already."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    height = row_inches(ax, len(rows))
    size = min(1.0, max(0.3, height / 0.2))
    low, high = _range(rows)
    _draw_axis(ax, rows, (low, high), statistics.confidence_level, lang)
    for position, row in enumerate(rows):
        _draw_row(ax, row, -position, (low, high), lang, size=size, two=height >= TWO_LINES)
    step = max(1, round(ROW_INCHES / height + 0.35)) if height < ROW_INCHES else 1
    labels = row_labels(rows, statistics, lang)
    width = 36 if height >= TWO_LINES else 34
    shown = [label if height >= TWO_LINES else folded(label, width).split("\n")[0] for label in labels]
    label_rows(ax, [-i for i in range(0, len(rows), step)], shown[::step], width=width, fontsize=8)
    ax.set_ylim(-len(rows) + 0.3, 0.7)
    draw_heading(
        ax,
        folded(coefficient_name(rows[0].statistic, lang), HEADING_WIDTH),
        synthetic=statistics.provenance.synthetic,
        lang=lang,
    )
    return ax


def coefficient_name(statistic: str, lang: Language) -> str:
    """Return what a statistic is called, as a heading.

    Examples
    --------
    >>> coefficient_name("mean", "sv"), coefficient_name("rwg_j", "sv")
    ('Medelvärde', 'rwg(j)')
    """
    name = text(f"dossier.name_{statistic}", lang)
    return name if name.startswith(("rwg", "awg")) else name[:1].upper() + name[1:]


def row_labels(rows: Sequence[Statistic], statistics: Statistics, lang: Language) -> list[str]:
    """Return the labels of rows; where two would be alike, with their component or source."""
    names = [_label(row, statistics, lang) for row in rows]
    for part in ("component", "source"):
        times = Counter(names)
        for place, row in enumerate(rows):
            further = printable(statistics.label(getattr(row, part), lang))
            if times[names[place]] > 1 and further and further != names[place]:
                names[place] = f"{names[place]} · {further}"
    return names


def _label(row: Statistic, statistics: Statistics, lang: Language) -> str:
    if row.rater:
        return printable(row.rater)
    return printable(statistics.label(row.item or row.component or row.source, lang))


def _range(rows: Sequence[Statistic]) -> tuple[float, float]:
    """Return the ends of the axis: 0–1 for coefficients, wider where estimates go beyond, limits to −1."""
    values = [value for row in rows for value in (row.estimate, row.ci_low, row.ci_high) if math.isfinite(value)]
    low, high = min((0.0, *values)), max((0.0, *values))
    statistic = rows[0].statistic
    if is_share(statistic):
        return 0.0, 1.0
    if is_value(statistic):
        room = MARGIN * (high - low) or 1.0
        return (low - room if low < 0 else low), high + room
    least = min((-1.0, *(row.estimate for row in rows if math.isfinite(row.estimate))))
    return max(least, math.floor(4 * low) / 4), max(1.0, high)


def _draw_row(
    ax: Axes, row: Statistic, y: float, ends: tuple[float, float], lang: Language, *, size: float, two: bool
) -> None:
    """Draw one row: a dot and its interval, cut at the ends of the axis, or the words on why there is none."""
    if not math.isfinite(row.estimate):
        why = joined(row.notes, lang).rstrip(".") or text("plotting.no_reason", lang)
        said = folded(text("plotting.undefined", lang, reason=why), WORDS_WIDTH)
        start = ends[0] + 0.02 * (ends[1] - ends[0])
        ax.text(start, y, said if two else said.split("\n")[0], va="center", ha="left", fontsize=7, color=WORDS,
                style="italic", parse_math=False, bbox={"fc": "#FFFFFF", "ec": "none", "pad": 0.6})  # fmt: skip
        return
    bounded = math.isfinite(row.ci_low) and math.isfinite(row.ci_high)
    if bounded:
        limits = [max(row.ci_low, ends[0]), min(row.ci_high, ends[1])]
        style = (0, (3, 1.5)) if _weakened(row) else "-"
        ax.plot(limits, [y, y], color=INK, lw=1.6 * size, ls=style, solid_capstyle="butt")
        if row.ci_low < ends[0]:
            ax.plot([ends[0]], [y], marker="<", ms=4 * size, color=INK, ls="none", clip_on=False)
    ax.plot([row.estimate], [y], marker="o", ms=6 * size, mfc=INK if bounded else "#FFFFFF", mec=INK, ls="none",
            clip_on=False)  # fmt: skip


def _weakened(row: Statistic) -> bool:
    """Return whether a remark weakens the interval of a row."""
    return math.isfinite(row.ci_low) and any(note.code not in VERDICTS for note in row.notes)


def _draw_axis(ax: Axes, rows: Sequence[Statistic], ends: tuple[float, float], level: float, lang: Language) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    share, value = is_share(rows[0].statistic), is_value(rows[0].statistic)
    ax.set_xlim(*ends)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    digits = 1 if value and ends[1] - ends[0] > 2 else 2
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: percent(x, lang) if share else number(x, lang, digits=digits))
    )
    bounded = any(math.isfinite(row.ci_low) for row in rows)
    axis = text("plotting.coefficient_axis" if bounded else "plotting.coefficient_axis_bare", lang,
                level=percent(level, lang))  # fmt: skip
    if any(_weakened(row) for row in rows):
        axis = f"{axis}\n{text('plotting.broken', lang)}"
    ax.set_xlabel(axis, fontsize=8.5, color=WORDS)
    if ends[0] < 0 < ends[1]:
        ax.axvline(0, color=WORDS, lw=1, zorder=0)
    ax.grid(axis="y", color="#EDEDED", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.tick_params(axis="both", length=0, labelsize=8.5)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(LINES)
