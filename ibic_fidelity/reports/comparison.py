"""The page that compares sites: what can be told apart, what cannot, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.foundation.messages import Language, Message
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import Row
from ibic_fidelity.plotting.funnel import plot_funnel
from ibic_fidelity.plotting.shrunken import draw_shrunken
from ibic_fidelity.reports import comparison_tables as tables
from ibic_fidelity.reports.cells import Table
from ibic_fidelity.reports.comparison_sheets import comparison_sheets
from ibic_fidelity.reports.comparison_tables import Compared
from ibic_fidelity.reports.figures import SITE_ROW, SITES_A_FIGURE, TOP, as_svg
from ibic_fidelity.reports.html import render
from ibic_fidelity.reports.statistics import Figure, page_figure
from ibic_fidelity.reports.tables import versions_table
from ibic_fidelity.reports.workbook import workbook_bytes
from ibic_fidelity.scoring.comparison.overall import OverallComparison
from ibic_fidelity.scoring.comparison.result import Comparison
from ibic_fidelity.scoring.comparison.weights import WeightSensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FUNNEL, LEGEND = 3.6, 0.9  # inches of the funnel, and of the legend below it


def comparison_report(overall: OverallComparison, instrument: Instrument, *, lang: Language = "sv") -> str:
    """Return the comparisons of sites as an HTML page: one file, no network, no script.

    Parameters
    ----------
    overall : OverallComparison
        What `compare_all` returned.
    instrument : Instrument
        The instrument of these scores.
    lang : {"sv", "en"}
        Language of the page.

    Returns
    -------
    str
        The same bytes for the same comparison. Sites stand in the order of their names. A part that could not be
        made says why.

    Raises
    ------
    UsageError
        The instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=6), seed=1)
    >>> page = comparison_report(ibic.compare_all(study.responses, study.instrument), study.instrument, lang="en")
    >>> "no earlier wave" in page
    True
    """
    made = Compared(overall, instrument, lang)
    provenance = overall.provenance
    sections = list(_sections(made))
    return render(
        "comparison.html",
        lang=lang,
        t=made.say,
        nouns=made.nouns,
        title=made.say("reports.comparison_title", sites=made.nouns, label=made.label),
        wave=overall.wave,
        instrument_title=instrument.title[lang],
        stamp=instrument.stamp(lang),
        package=provenance.package,
        synthetic=provenance.synthetic,
        summary=_summary(made),
        sections=[section for section in sections if not section["missing"]],
        missing=[section for section in sections if section["missing"]],
        notes=[made.message(note) for note in _notes(overall)],
        versions=versions_table(made, provenance),
    )


def comparison_workbook(overall: OverallComparison, instrument: Instrument, *, lang: Language = "sv") -> bytes:
    """Return every row of the comparisons as an Excel workbook, a part a sheet.

    Parameters
    ----------
    overall : OverallComparison
        What `compare_all` returned.
    instrument : Instrument
        The instrument of these scores.
    lang : {"sv", "en"}
        Language of headings and words.

    Returns
    -------
    bytes
        An .xlsx file, the same for the same comparison; numbers are numbers, texts never formulas.

    Raises
    ------
    UsageError
        The instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=6), seed=1)
    >>> comparison_workbook(ibic.compare_all(study.responses, study.instrument), study.instrument)[:2]
    b'PK'
    """
    made = Compared(overall, instrument, lang)
    return workbook_bytes(comparison_sheets(made, [made.message(note) for note in _notes(overall)]), instrument, lang)


def _notes(overall: OverallComparison) -> list[Message]:
    """Return what a reader must know of all parts, each once."""
    parts = [overall, *overall.parts().values()]
    return list(dict.fromkeys(note for part in parts for note in getattr(part, "notes", ())))


def _summary(made: Compared) -> list[str]:
    overall = made.overall
    said = []
    if isinstance(overall.pairs, Comparison):
        said.append(tables.verdicts(made, overall.pairs, "reports.says_pairs"))
    why = overall.shrunken.withheld or overall.shrunken.league
    said.append(made.message(why) if why else made.say("reports.says_league", sites=made.nouns))
    if isinstance(overall.classification, Records):
        accuracy, consistency = (float(overall.classification[name][-1]) for name in ("accuracy", "consistency"))
        said.append(made.say("reports.says_classification", accuracy=percent(accuracy, made.lang),
                             consistency=percent(consistency, made.lang)))  # fmt: skip
    if isinstance(overall.weights, WeightSensitivity):
        said.append(_weights_sentence(made, overall.weights))
    return said


def _weights_sentence(made: Compared, weights: WeightSensitivity) -> str:
    given = ""
    if np.isfinite(weights.changed_given):
        given = " " + made.say("reports.says_weights_given", given=percent(weights.changed_given, made.lang))
    return made.say(
        "reports.says_weights", equal=percent(weights.changed_equal, made.lang),
        drawn=percent(weights.changed_drawn, made.lang), low=percent(weights.changed_drawn_low, made.lang),
        high=percent(weights.changed_drawn_high, made.lang), draws=made.whole(weights.draws), sites=made.nouns,
    ) + given  # fmt: skip


def _sections(made: Compared) -> Iterator[dict[str, Any]]:
    yield _shrunken(made)
    yield _bands(made)
    yield _funnel(made)
    yield _pairs(made)
    yield _differences(made, "peers", made.overall.peers, made.say("reports.peers_mean"))
    yield _differences(made, "change", made.overall.change, made.say("reports.earlier"))
    yield _specificity(made)
    for gap in made.instrument.gaps:
        yield _gap(made, gap.id, gap.label[made.lang])
    yield _sources(made)
    yield _weights(made)


def _section(
    made: Compared, name: str, part: object, shown: tuple[Table, ...] = (), figures: tuple[Figure, ...] = (),
    *, says: tuple[str, ...] = (), heading: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return a section: its words and tables, or why there is nothing."""
    introduction = made.say(f"reports.compared_{name}", sites=made.nouns, site=made.noun)
    missing = made.message(part) if isinstance(part, Message) else ""
    return {
        "id": name,
        "heading": heading or made.say(f"reports.heading_{name}"),
        "missing": missing,
        "says": [introduction, *says],
        "tables": [] if missing else [table for table in shown if table.rows],
        "figures": [] if missing else list(figures),
    }


def _shrunken(made: Compared) -> dict[str, Any]:
    result = made.overall.shrunken
    if result.withheld is not None:
        return _section(made, "shrunken", result.withheld)
    says = [made.say("reports.says_spread", sd=made.points(result.spread.sd, 1),
                     interval=f"{made.points(result.spread.sd_low, 1)}–{made.points(result.spread.sd_high, 1)}",
                     level=made.level, sites=made.nouns)]  # fmt: skip
    if result.league is not None:
        says.append(made.message(result.league))
    return _section(
        made, "shrunken", result, (tables.shrunken_table(made, result),), tuple(_shrunken_figures(made)),
        says=tuple(says),
    )  # fmt: skip


def _shrunken_figures(made: Compared) -> Iterator[Figure]:
    result = made.overall.shrunken
    ordered = made.ordered(result.rows)
    for start in range(0, len(ordered), SITES_A_FIGURE):
        part = ordered[start : start + SITES_A_FIGURE]

        def draw(ax: Axes, part: list[Row] = part) -> None:
            draw_shrunken(part, result, made.instrument, order="name", lang=made.lang, ax=ax)

        label = made.say("plotting.shrunken_title", label=made.label)
        told = "; ".join(
            f"{made.name(row['site'])}: {made.points(row['estimate'])} ({made.span(row)})"
            for row in part
            if not row["reason"]
        )
        svg = as_svg(draw, SITE_ROW * (len(part) + 0.6), f"shrunken-{start}", label, f"{told}.")
        yield page_figure(svg, label, made.say("reports.shrunken_figure", level=made.level))


def _bands(made: Compared) -> dict[str, Any]:
    overall = made.overall
    rows = overall.classification
    if isinstance(rows, Message):
        return _section(made, "bands", rows)
    gated = [True] if any(item.gate is not None for item in made.instrument.items) else []
    bands = [tables.bands_table(made, overall.shrunken, gates=gates) for gates in (False, *gated)]
    return _section(made, "bands", rows, (*bands, tables.classification_table(made, rows)))


def _funnel(made: Compared) -> dict[str, Any]:
    result = made.overall.funnel
    if isinstance(result, Message):
        return _section(made, "funnel", result)

    def draw(ax: Axes) -> None:
        plot_funnel(result, lang=made.lang, ax=ax)

    label = made.say("plotting.funnel_title")
    table = tables.funnel_table(made, result)
    told = "; ".join(f"{row[0].text}: {row[1].text} / {row[2].text}" for row in table.rows)
    svg = as_svg(draw, FUNNEL, "funnel", label, f"{told}.", top=TOP, bottom=LEGEND)
    figure = page_figure(svg, label, made.say("reports.funnel_figure"))
    return _section(made, "funnel", result, (table,), (figure,), says=tuple(tables.left_out(made, result)))


def _pairs(made: Compared) -> dict[str, Any]:
    result = made.overall.pairs
    if isinstance(result, Message):
        return _section(made, "pairs", result)
    says = (tables.verdicts(made, result, "reports.says_pairs"), *tables.left_out(made, result))
    return _section(made, "pairs", result, (tables.pairs_table(made, result),), says=says)


def _differences(
    made: Compared, name: str, result: Comparison | Message, second: str, *, first: str = "", heading: str = ""
) -> dict[str, Any]:
    if isinstance(result, Message):
        return _section(made, name, result, heading=heading)
    caption = heading or made.say(f"reports.heading_{name}")
    table = tables.differences_table(made, result, caption, first or made.say("reports.score"), second)
    rule = (made.say("reports.verdict_rule"),)
    says = (tables.verdicts(made, result, "reports.says_differences"), *rule, *tables.left_out(made, result))
    return _section(made, name, result, (table,), says=says, heading=heading)


def _gap(made: Compared, name: str, label: str) -> dict[str, Any]:
    gap = next(one for one in made.instrument.gaps if one.id == name)
    first, second = (
        [made.instrument.by_item[one].label for one in gap.items]
        if gap.items is not None
        else [made.group(one) for one in gap.areas or ()]
    )
    section = _differences(made, "gap", made.overall.gaps[name], second, first=first, heading=label)
    return {**section, "id": f"gap-{name}"}


def _specificity(made: Compared) -> dict[str, Any]:
    result = made.overall.specificity
    if isinstance(result, Message):
        return _section(made, "specificity", result)
    return _section(made, "specificity", result, (tables.specificity_table(made, result),))


def _sources(made: Compared) -> dict[str, Any]:
    result = made.overall.sources
    if isinstance(result, Message):
        return _section(made, "sources", result)
    apart = int(np.sum(result.rows["verdict"] != "not_told_apart"))
    words = made.say("reports.says_sources", n=made.whole(len(result.rows)), apart=made.whole(apart))
    says = (f"{words} {tables.false_rate(made, result)}".strip(),)
    return _section(made, "sources", result, (tables.sources_table(made, result),), says=says)


def _weights(made: Compared) -> dict[str, Any]:
    result = made.overall.weights
    if isinstance(result, Message):
        return _section(made, "weights", result)
    says = (_weights_sentence(made, result), *tables.left_out(made, result))
    return _section(made, "weights", result, (tables.weights_table(made, result),), says=says)
