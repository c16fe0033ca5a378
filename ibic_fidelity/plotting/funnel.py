"""The funnel of sites: score against precision, with the limits of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.plotting._draw import INK, LINES, WARNING, WORDS, draw_heading
from ibic_fidelity.plotting._rows import check_language, printable
from ibic_fidelity.scoring.comparison.funnel import LEVELS, Funnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = {0.95: (0, (4, 3)), 0.998: "-"}
POINTS = 200
SPREAD = "#4292C6"


def plot_funnel(result: Funnel, *, lang: Language = "sv", ax: Axes | None = None) -> Axes:
    """Draw every site by its precision, and the limits within which chance leaves them.

    Parameters
    ----------
    result : Funnel
        What `site_funnel` returned; nothing is estimated here.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Precision 1/SE² along, the score up; dashed limits at 95 per cent, whole ones at 99.8, grey without and blue
        with the spread between sites. Sites outside the widest limits with the spread are filled in another colour
        and named.

    Raises
    ------
    UsageError
        The language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> plot_funnel(ibic.site_funnel(scores, "ut"), lang="en", ax=Figure().subplots()).get_xlabel()
    'Precision (1/SE²)'
    """
    from matplotlib.ticker import FuncFormatter

    check_language(lang)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    precision, estimate = (result.rows[name].astype(float) for name in ("precision", "estimate"))
    along = np.linspace(precision.min() / 2, precision.max() * 1.05, POINTS)
    for spread, colour in ((False, LINES), (True, SPREAD)):
        for level in LEVELS:
            said = text(
                "plotting.funnel_limits_spread" if spread else "plotting.funnel_limits",
                lang,
                level=number(100 * level, lang, digits=0 if level == LEVELS[0] else 1),
            )
            for limit, label in zip(result.limits(along, level, spread=spread), (said, "_nolegend_"), strict=True):
                ax.plot(along, limit, color=colour, lw=1.3, ls=STYLES[level], label=label)
    ax.axhline(result.centre, color=WORDS, lw=1)
    outside = result.rows["outside_998_spread"] != "inside"
    for mask, colour in ((~outside, INK), (outside, WARNING)):
        ax.plot(precision[mask], estimate[mask], marker="o", ms=5, mfc=colour, mec="#FFFFFF", ls="none", zorder=4)
    for site, x, y in zip(result.rows["site"][outside], precision[outside], estimate[outside], strict=True):
        ax.annotate(printable(str(site)), (x, y), (5, 3), textcoords="offset points", fontsize=8, parse_math=False)
    ax.set_xlim(along[0], along[-1])
    ax.set_ylim(0, 100)
    ax.set_xlabel(text("plotting.funnel_precision", lang), fontsize=8.5, color=WORDS)
    ax.set_ylabel(text("plotting.funnel_score", lang), fontsize=8.5, color=WORDS)
    ax.tick_params(axis="both", length=0, labelsize=8.5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, lang, digits=_digits(along[-1]))))
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    draw_heading(ax, text("plotting.funnel_title", lang), synthetic=result.provenance.synthetic, lang=lang)
    return ax


def _digits(largest: float) -> int:
    """Return as many decimals as tell the steps of an axis apart."""
    return max(0, 1 - int(np.floor(np.log10(largest / 5))))
