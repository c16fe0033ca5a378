"""The page on how precisely sites are measured: statistics, where the variance is from, and decision studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.dossier.precision import SitePrecision, TargetPrecision, targets_by_source, variance_parts
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.numbers import coefficient, percent
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting.precision import draw_decision, draw_variance_shares, part_name
from ibic_fidelity.reports.figures import BOTTOM, TOP, as_svg
from ibic_fidelity.reports.statistics import Figure, page_figure, statistics_page
from ibic_fidelity.reports.statistics_material import Section, StatisticsMaterial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR, LEGEND, PLAN = 0.3, 0.35, 2.9  # inches of a bar, of the legend below them, and of a decision study
HEADING = 0.25  # inches of a second line


def precision_report(precision: SitePrecision, instrument: Instrument, *, lang: Language = "sv") -> str:
    """Return the precision of sites as an HTML page: one file, no network, no script.

    Parameters
    ----------
    precision : SitePrecision
        What `site_precision` returned.
    instrument : Instrument
        The instrument of these statistics.
    lang : {"sv", "en"}
        Language of the page.

    Returns
    -------
    str
        The same bytes for the same precision.

    Raises
    ------
    UsageError
        The instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from ibic_fidelity.dossier.precision import site_precision
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> page = precision_report(site_precision(study.responses, study.instrument), study.instrument, lang="en")
    >>> "raters who share" in page.lower()
    True
    """
    material = StatisticsMaterial(precision.statistics, instrument, lang)
    by_place = {(one.source, one.target): one for one in precision.targets}

    def beside(section: Section, number: int) -> tuple[list[str], list[Figure]]:
        target = by_place.get((section.source, section.component))
        if target is None:
            return [], []
        return [material.message(target.advice)], [_plan(target, precision, material, number)]

    shares = [
        _shares(targets, precision, material, number)
        for number, targets in enumerate(targets_by_source(precision).values())
    ]
    return statistics_page(material, shares, material.say("reports.shares_introduction"), beside)


def _shares(
    targets: list[TargetPrecision], precision: SitePrecision, material: StatisticsMaterial, number: int
) -> Figure:
    def draw(ax: Axes) -> None:
        draw_variance_shares(targets, precision, lang=material.lang, ax=ax)

    told = []
    for target in targets:
        parts = variance_parts(target)
        shares = ", ".join(
            f"{part_name(part, target, material.lang)} {percent(share, material.lang)}"
            for part, share in parts.items()
            if share > 0
        )
        told.append(f"{material.label(target.target)}: {shares}")
    label = material.say("plotting.shares_title", source=material.label(targets[0].source))
    words = "; ".join(told) + "."
    svg = as_svg(
        draw, BAR * (len(targets) + 0.4), f"shares-{number}", label, words, top=TOP + HEADING, bottom=BOTTOM + LEGEND
    )
    return page_figure(svg, label, material.say("reports.shares_caption"))


def _plan(target: TargetPrecision, precision: SitePrecision, material: StatisticsMaterial, number: int) -> Figure:
    def draw(ax: Axes) -> None:
        draw_decision(target, precision, lang=material.lang, ax=ax)

    plan, lang = target.plan, material.lang
    known = np.isfinite(plan.grid.phi)
    units, phi = plan.grid.total[plan.unit][known], plan.grid.phi[known]
    raters = plan.grid.n["rater"][known] if plan.n_raters else np.zeros(len(units))
    told = [
        f"{material.whole(int(n))}{f' / {material.whole(int(r))}' if r else ''}: {coefficient(float(value), lang)}"
        for n, r, value in zip(units, raters, phi, strict=True)
    ]
    label = material.say("plotting.plan_title", target=material.label(target.target))
    words = "; ".join(told) + "." if told else material.say("plotting.plan_undefined")
    svg = as_svg(draw, PLAN, f"plan-{number}", label, words, top=TOP + HEADING)
    caption = material.say("reports.plan_caption_raters" if plan.n_raters else "reports.plan_caption")
    return page_figure(svg, label, caption)
