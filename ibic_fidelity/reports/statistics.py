"""The page of a `Statistics`: one file, no network, no script."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ibic_fidelity.dossier.statistics import Statistic, Statistics, shown
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting.scree import plot_scree
from ibic_fidelity.plotting.statistics import HEADING_WIDTH, coefficient_name, draw_coefficients, row_labels
from ibic_fidelity.reports.figures import TOP, as_svg
from ibic_fidelity.reports.html import render, trusted
from ibic_fidelity.reports.statistics_material import Remarks, Section, StatisticsMaterial
from ibic_fidelity.reports.statistics_tables import component_table, parts_table
from ibic_fidelity.reports.tables import versions_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A figure of a page: its SVG, its label, and its caption.
Figure = dict[str, Any]
#: Statistics that are drawn beside each other, where they occur: of components, of items, of raters.
DRAWN = {
    "component": ("cronbach_alpha", "mcdonald_omega", "icc2", "icc_agreement", "retest_icc", "reaudit_icc"),
    "item": ("one_factor_loading", "krippendorff_alpha", "gwet_ac", "cohen_kappa", "retest_kappa"),
    "rater": (
        "severity", "agreement_with_others", "weighted_agreement_with_others", "drift", "intra_rater_kappa",
        "certified_kappa", "certified_kappa_weighted",
    ),
}  # fmt: skip
LEAST_DRAWN = 2  # rows with a number
ROW, SECOND_LINE = 0.3, 0.2  # inches of a row, and of a heading's second line
SCREE = 2.6  # inches of the eigenvalues
ROWS_A_FIGURE = 26  # as many as stand on one printed page


def statistics_report(statistics: Statistics, instrument: Instrument, *, lang: Language = "sv") -> str:
    """Return statistics as an HTML page: one file, no network, no script.

    Parameters
    ----------
    statistics : Statistics
        What `component_reliability` and its likes returned.
    instrument : Instrument
        The instrument of these statistics.
    lang : {"sv", "en"}
        Language of the page.

    Returns
    -------
    str
        The same bytes for the same statistics. What answers of fewer than five people would show is left
        out, and the reason stands in its place. Statistics of sites are in the workbook only.

    Raises
    ------
    UsageError
        The instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from ibic_fidelity.dossier.reliability import component_reliability
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = component_reliability(study.responses, study.instrument)
    >>> statistics_report(result, study.instrument, lang="en").splitlines()[1]
    '<html lang="en">'
    """
    material = StatisticsMaterial(statistics, instrument, lang)
    drawn = _figures(material.of_level("component"), material, "component", "all")
    return statistics_page(material, drawn, material.say("reports.beside_order"))


def statistics_page(
    material: StatisticsMaterial,
    overview: Sequence[Figure],
    introduction: str,
    beside: Callable[[Section, int], tuple[list[str], list[Figure]]] | None = None,
) -> str:
    """Return the page of some statistics.

    Parameters
    ----------
    material : StatisticsMaterial
        The statistics in their language.
    overview : sequence of figures
        Of all components, with the words that stand before them.
    introduction : str
        These words.
    beside : callable, optional
        Returns sentences and figures of a section, by its number, that are not made from its rows.
    """
    statistics, instrument, lang = material.statistics, material.instrument, material.lang
    sections = [_section(section, material, number) for number, section in enumerate(material.sections())]
    if beside is not None:
        for number, (section, made) in enumerate(zip(material.sections(), sections, strict=True)):
            said, figures = beside(section, number)
            made["says"], made["figures"] = said, figures + made["figures"]
    return render(
        "statistics.html",
        lang=lang,
        t=material.say,
        level=material.level,
        nouns=material.nouns,
        title=material.message(statistics.title),
        instrument_title=instrument.title[lang],
        stamp=instrument.stamp(lang),
        package=statistics.provenance.package,
        synthetic=material.synthetic,
        preface=material.preface(),
        reading=material.reading(),
        about=material.about(),
        overview=overview,
        introduction=introduction,
        sections=[section for section in sections if section["tables"]],
        sites=bool(material.of_level("site")),
        empty=not material.rows,
        versions=versions_table(material, statistics.provenance),
    )


def _section(section: Section, material: StatisticsMaterial, number: int) -> dict[str, Any]:
    """Return everything that the page says of one component from one source."""
    remarks = Remarks(material)
    tables = [component_table(section, material, remarks)]
    tables += [parts_table(section, material, remarks, part) for part in ("item", "rater")]
    figures: list[Figure] = [
        figure
        for level in ("item", "rater")
        for figure in _figures(section.level(level), material, level, f"s{number}")
    ]
    figures += _scree(section, material, f"s{number}-scree")
    return {
        "id": f"section{number}",
        "says": [],
        "heading": material.heading(section) or material.message(material.statistics.title),
        "tables": [table for table in tables if table.rows],
        "remarks": remarks.texts,
        "figures": figures,
    }


def _figures(rows: Sequence[Statistic], material: StatisticsMaterial, level: str, name: str) -> list[Figure]:
    """Return the figures of some rows, as many as readable rows need."""
    made = []
    for statistic in DRAWN[level]:
        wanted = [row for row in rows if row.statistic == statistic]
        if sum(math.isfinite(row.estimate) for row in wanted) < LEAST_DRAWN:
            continue
        for start in range(0, len(wanted), ROWS_A_FIGURE):
            part = wanted[start : start + ROWS_A_FIGURE]
            svg = _figure(part, material, f"{name}-{statistic}-{start}")
            label = coefficient_name(statistic, material.lang)
            made.append(page_figure(svg, label, material.say("reports.coefficients_caption", level=material.level)))
    return made


def page_figure(svg: str, label: str, caption: str) -> Figure:
    """Return a figure as the page takes it."""
    return {"svg": trusted(svg), "label": label, "caption": caption}


def _scree(section: Section, material: StatisticsMaterial, name: str) -> list[Figure]:
    """Return the figure of a section's eigenvalues, where there are any."""
    result = material.statistics.screes.get((section.source, section.component))
    if result is None or result.reason is not None:
        return []

    def draw(ax: Axes) -> None:
        plot_scree(result, synthetic=material.synthetic, lang=material.lang, ax=ax)

    title = material.say("plotting.scree_title")
    pairs = zip(result.components.tolist(), result.component_quantiles.tolist(), strict=True)
    told = "; ".join(
        f"{i}: {coefficient(a, material.lang)} ({coefficient(b, material.lang)})" for i, (a, b) in enumerate(pairs, 1)
    )
    svg = as_svg(draw, SCREE, name, title, f"{told}.", top=TOP)
    return [page_figure(svg, title, material.say("reports.scree_caption"))]


def _figure(rows: Sequence[Statistic], material: StatisticsMaterial, name: str) -> str:
    def draw(ax: Axes) -> None:
        draw_coefficients(rows, material.statistics, lang=material.lang, ax=ax)

    labels = row_labels(rows, material.statistics, material.lang)
    told = []
    for label, row in zip(labels, rows, strict=True):
        value, limits = shown(row, material.lang)
        value = value if math.isfinite(row.estimate) else material.reason(row).rstrip(".")
        told.append(f"{label}: {f'{value} ({limits})' if limits else value}")
    heading = coefficient_name(rows[0].statistic, material.lang)
    title = material.say("reports.coefficients_alt", statistic=heading, level=material.level)
    top = TOP + SECOND_LINE if len(heading) > HEADING_WIDTH else TOP
    return as_svg(draw, ROW * (len(rows) + 0.6), name, title, "; ".join(told) + ".", top=top)
