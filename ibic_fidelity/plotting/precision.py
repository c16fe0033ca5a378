"""How precisely sites are measured: where the variance is from, and what other numbers of files would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.dossier.precision import PARTS, SitePrecision, TargetPrecision, targets_by_source, variance_parts
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import coefficient, percent
from ibic_fidelity.plotting._draw import INK, LABEL_WIDTH, LINES, WARNING, WORDS, draw_heading, folded, label_rows
from ibic_fidelity.plotting._rows import check_language, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: One colour a part; the darkest is the site, what is sought.
COLOURS = dict(zip(PARTS, ("#08306B", "#4292C6", "#9ECAE1", "#D94801", "#BDBDBD", "#E8E8E8"), strict=True))
DARK = ("site", "cluster", "rater")
LEAST_SHOWN = 0.045  # a share whose figure fits into its part of the bar
CONTOURS = (0.5, 0.6, 0.7, 0.8, 0.9)
TITLE_WIDTH = 48


def plot_variance_shares(
    precision: SitePrecision, *, source: str | None = None, lang: Language = "sv", ax: Axes | None = None
) -> Axes:
    """Draw what the variation of one answer is from, a bar a component or total.

    Parameters
    ----------
    precision : SitePrecision
        What `site_precision` returned; nothing is computed here.
    source : str, optional
        The source to draw; by default the first one.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Parts stand in the same order in every bar: site, assessor, unit, rater, item, rest.

    Raises
    ------
    UsageError
        Nothing of that source was studied, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from ibic_fidelity.dossier.precision import site_precision
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = site_precision(study.responses, study.instrument)
    >>> ax = plot_variance_shares(result, lang="en", ax=Figure().subplots())
    >>> ax.get_yticklabels()[0].get_text()
    'Fidelity, core'
    """
    check_language(lang)
    by_source = targets_by_source(precision)
    chosen = next(iter(by_source), "") if source is None else source
    if chosen not in by_source:
        raise UsageError("plotting.no_precision", what=repr(source), known=list(by_source))
    return draw_variance_shares(by_source[chosen], precision, lang=lang, ax=ax)


def draw_variance_shares(
    targets: Sequence[TargetPrecision], precision: SitePrecision, *, lang: Language, ax: Axes | None
) -> Axes:
    """Draw the bars of targets that were looked up already."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter

    ax = _axes(ax)
    shown: dict[str, None] = {}
    for position, target in enumerate(targets):
        start = 0.0
        for part, share in variance_parts(target).items():
            if share <= 0.0:
                continue
            shown[part] = None
            ax.barh(-position, share, left=start, height=0.72, color=COLOURS[part], edgecolor="#FFFFFF", lw=0.8)
            if share >= LEAST_SHOWN:
                ax.text(start + share / 2, -position, percent(share, lang), ha="center", va="center", fontsize=7.5,
                        color="#FFFFFF" if part in DARK else "#1A1A1A")  # fmt: skip
            start += share
    labels = [printable(precision.statistics.label(target.target, lang)) for target in targets]
    label_rows(ax, [-i for i in range(len(targets))], labels, fontsize=8)
    ax.set_xlim(0, 1)
    ax.set_ylim(-len(targets) + 0.4, 0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: percent(x, lang)))
    ax.set_xlabel(text("plotting.shares_axis", lang), fontsize=8.5, color=WORDS)
    _plain(ax, sides=("top", "right", "left"))
    handles = [Patch(color=COLOURS[part], label=part_name(part, targets[0], lang)) for part in PARTS if part in shown]
    figure = ax.get_figure(root=True)
    inches = 4.8 if figure is None else figure.get_figheight() * ax.get_position().height
    ax.legend(handles=handles, ncols=3, loc="upper center", bbox_to_anchor=(0.36, -0.42 / inches), frameon=False,
              fontsize=8, handlelength=1.2, columnspacing=1.4)  # fmt: skip
    source = printable(precision.statistics.label(targets[0].source, lang))
    title = folded(text("plotting.shares_title", lang, source=source), TITLE_WIDTH)
    draw_heading(ax, title, synthetic=precision.statistics.provenance.synthetic, lang=lang)
    return ax


def part_name(part: str, target: TargetPrecision, lang: Language) -> str:
    """Return what a part of the variance is called."""
    if part == "cluster":
        return text(f"plotting.part_cluster_{'assessor' if target.unit == 'file' else 'group'}", lang)
    if part in {"unit", "question"}:
        return text(f"plotting.part_{part}_{target.unit}", lang)
    return text(f"plotting.part_{part}", lang)


def plot_decision(
    precision: SitePrecision,
    *,
    target: str | None = None,
    source: str | None = None,
    lang: Language = "sv",
    ax: Axes | None = None,
) -> Axes:
    """Draw how precisely a site would be measured with other numbers of files and raters, or respondents.

    Parameters
    ----------
    precision : SitePrecision
        What `site_precision` returned; nothing is computed here.
    target, source : str, optional
        The component or total, and its source; by default the first.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Lines of equal Φ over files (axis x) and raters who share them (axis y), the goal's line thick, what was
        observed as a dot; without raters Φ over respondents with its interval.

    Raises
    ------
    UsageError
        There is no such target, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from ibic_fidelity.dossier.precision import site_precision
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = site_precision(study.responses, study.instrument)
    >>> plot_decision(result, target="ut", lang="en", ax=Figure().subplots()).get_xlabel()
    'Files per site'
    """
    check_language(lang)
    found = [one for one in precision.targets if target in (None, one.target) and source in (None, one.source)]
    if not found:
        raise UsageError("plotting.no_precision", what=repr(target), known=[one.target for one in precision.targets])
    return draw_decision(found[0], precision, lang=lang, ax=ax)


def draw_decision(target: TargetPrecision, precision: SitePrecision, *, lang: Language, ax: Axes | None) -> Axes:
    """Draw the decision study of a target that was looked up already."""
    ax = _axes(ax)
    plan = target.plan
    name = printable(precision.statistics.label(target.target, lang))
    title = folded(text("plotting.plan_title", lang, target=name), TITLE_WIDTH)
    ax.set_xlabel(text(f"plotting.plan_units_{plan.unit}", lang), fontsize=8.5, color=WORDS)
    if np.isnan(plan.grid.phi).all():
        ax.text(0.5, 0.5, folded(text("plotting.plan_undefined", lang), LABEL_WIDTH), ha="center", va="center",
                transform=ax.transAxes, fontsize=8.5, color=WORDS, style="italic")  # fmt: skip
        ax.set_yticks([])
    elif plan.n_raters:
        _contours(ax, target, lang)
    else:
        _curve(ax, target, lang)
    _plain(ax, sides=("top", "right"))
    draw_heading(ax, title, synthetic=precision.statistics.provenance.synthetic, lang=lang)
    return ax


def _contours(ax: Axes, target: TargetPrecision, lang: Language) -> None:
    plan = target.plan
    units, raters = np.unique(plan.grid.total[plan.unit]), np.unique(plan.grid.n["rater"])
    phi = np.full((len(raters), len(units)), np.nan)
    at = np.searchsorted(raters, plan.grid.n["rater"]), np.searchsorted(units, plan.grid.total[plan.unit])
    phi[at] = plan.grid.phi
    filled = ax.contourf(units, raters, phi, levels=[0, *CONTOURS, 1], cmap="Blues", alpha=0.75)
    filled.set_edgecolor("face")
    ordinary = [level for level in CONTOURS if level != plan.goal]
    for levels, width in ((ordinary, 0.9), ([plan.goal], 2.4)):
        if not (levels and np.nanmin(phi) < max(levels) and np.nanmax(phi) > min(levels)):
            continue
        lines = ax.contour(units, raters, phi, levels=levels, colors=[INK], linewidths=width)
        ax.clabel(lines, fmt=lambda value: coefficient(float(value), lang), fontsize=8)
    ax.plot([plan.n_units], [plan.n_raters], marker="o", ms=8, mfc="#FFFFFF", mec=WARNING, mew=2, ls="none", zorder=5)
    _annotate(ax, target, plan.n_raters, lang, high=plan.n_raters > raters[-1] / 2)
    ax.set_xlim(units[0], max(units[-1], plan.n_units))
    ax.set_ylim(raters[0] - 0.25, raters[-1])
    ax.set_yticks(raters)
    ax.set_ylabel(text("plotting.plan_raters", lang), fontsize=8.5, color=WORDS)


def _curve(ax: Axes, target: TargetPrecision, lang: Language) -> None:
    plan = target.plan
    units, level = plan.grid.total[plan.unit], percent(plan.grid.confidence_level, lang)
    band = text("plotting.plan_band", lang, level=level)
    ax.fill_between(units, plan.grid.low["phi"], plan.grid.high["phi"], color="#9ECAE1", alpha=0.5, lw=0, label=band)
    ax.plot(units, plan.grid.phi, color=INK, lw=2, label=text("plotting.plan_phi", lang))
    ax.axhline(plan.goal, color=LINES, lw=1.2, ls=(0, (4, 3)), label=text("plotting.plan_goal", lang, goal=plan.goal))
    ax.plot(
        [plan.n_units], [float(plan.observed.phi[0])], marker="o", ms=8, mfc="#FFFFFF", mec=WARNING, mew=2, ls="none"
    )
    _annotate(ax, target, float(plan.observed.phi[0]), lang, high=float(plan.observed.phi[0]) > 0.5)
    ax.set_xlim(0, max(float(units[-1]), plan.n_units))
    ax.set_ylim(0, 1)
    ax.set_ylabel(text("plotting.plan_phi", lang), fontsize=8.5, color=WORDS)
    ax.legend(frameon=False, fontsize=8, loc="lower right")


def _annotate(ax: Axes, target: TargetPrecision, y: float, lang: Language, *, high: bool) -> None:
    plan = target.plan
    said = text("plotting.plan_now", lang, n=float(plan.n_units), phi=float(plan.observed.phi[0]))
    ax.annotate(said, (plan.n_units, y), (8, -13 if high else 9), textcoords="offset points", fontsize=8,
                color="#1A1A1A", bbox={"fc": "#FFFFFF", "ec": "none", "alpha": 0.8, "pad": 1.0}, zorder=6)  # fmt: skip


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.gca()


def _plain(ax: Axes, *, sides: Sequence[str]) -> None:
    ax.tick_params(axis="both", length=0, labelsize=8.5)
    for side in sides:
        ax.spines[side].set_visible(False)
    for side in {"bottom", "left"} - set(sides):
        ax.spines[side].set_color(LINES)
