"""Eigenvalues beside those of answers that have nothing in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import number, percent
from ibic_fidelity.plotting._draw import INK, LINES, WARNING, WORDS, draw_heading, folded
from ibic_fidelity.plotting._rows import check_language
from ibic_fidelity.psychometrics.exploratory.parallel import ParallelAnalysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADING_WIDTH = 50


def plot_scree(
    result: ParallelAnalysis, *, title: str = "", synthetic: bool = False, lang: Language = "sv", ax: Axes | None = None
) -> Axes:
    """Draw the eigenvalues of a parallel analysis, and the limits that unrelated answers give.

    Parameters
    ----------
    result : ParallelAnalysis
        What `parallel_analysis` returned; nothing is computed here.
    title : str
        The heading; by default what is drawn.
    synthetic : bool
        Write above that the data are synthetic.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Filled dots are eigenvalues above the limit, counted from the first on; open ones are the others.  Circles
        are components, squares common factors, broken lines their limits.

    Raises
    ------
    UsageError
        The language is not known.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from ibic_fidelity.psychometrics import parallel_analysis
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(200, 1)) + rng.normal(size=(200, 5))
    >>> ax = plot_scree(parallel_analysis(x, n_replicates=20), lang="en", ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Eigenvalue'
    """
    check_language(lang)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    at = np.arange(1, result.k + 1)
    drawn = (
        ("components", result.components, result.component_quantiles, result.n_components, INK, "o"),
        ("factors", result.factors, result.factor_quantiles, result.n_factors, WARNING, "s"),
    )
    for name, values, limits, kept, colour, marker in drawn:
        label = text(f"plotting.scree_{name}", lang, n=kept)
        ax.plot(at, limits, color=colour, lw=1.2, ls=(0, (4, 2)), zorder=1)
        ax.plot(at, values, color=colour, lw=1.4, marker=marker, ms=5, mfc="#FFFFFF", mec=colour, zorder=2, label=label)
        count = max(kept, 0)
        ax.plot(at[:count], values[:count], ls="none", marker=marker, ms=5, mfc=colour, mec=colour, zorder=3)
    limit = text("plotting.scree_limit", lang, quantile=percent(result.quantile, lang))
    ax.plot([], [], color=WORDS, lw=1.2, ls=(0, (4, 2)), label=limit)
    if result.reason is not None:
        ax.text(0.02, 0.5, folded(result.reason.text(lang), 60), transform=ax.transAxes, fontsize=8, color=WORDS,
                style="italic", parse_math=False)  # fmt: skip
    _axes(ax, result, lang)
    heading = title or text("plotting.scree_title", lang)
    draw_heading(ax, folded(heading, HEADING_WIDTH), synthetic=synthetic, lang=lang)
    return ax


def _axes(ax: Axes, result: ParallelAnalysis, lang: Language) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    kind = text(f"plotting.scree_{result.correlation}", lang)
    ax.set_xlabel(text("plotting.scree_number", lang, kind=kind, n=result.n), fontsize=8.5, color=WORDS)
    ax.set_ylabel(text("plotting.scree_eigenvalue", lang), fontsize=8.5, color=WORDS)
    ax.set_xlim(0.5, result.k + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, lang, digits=1)))
    ax.axhline(0, color=LINES, lw=0.8, zorder=0)
    ax.grid(axis="y", color="#EDEDED", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.tick_params(axis="both", length=0, labelsize=8.5)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(LINES)
    ax.legend(frameon=False, fontsize=8, loc="upper right", labelcolor=WORDS)
