"""Statistics as an Excel workbook: by component, item, rater and site, and as one long table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ibic_fidelity.dossier.statistics import Statistic, Statistics, is_share
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import printable, sites_in_order
from ibic_fidelity.plotting.statistics import coefficient_name
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.statistics_material import StatisticsMaterial
from ibic_fidelity.reports.tables import versions_table
from ibic_fidelity.reports.workbook import workbook_bytes

DIGITS = 2  # that Excel shows; the cells are not rounded
PLACES = ("source", "component", "item", "rater", "site")


def statistics_workbook(statistics: Statistics, instrument: Instrument, *, lang: Language = "sv") -> bytes:
    """Return statistics as an Excel workbook.

    Parameters
    ----------
    statistics : Statistics
        What `component_reliability` and its likes returned.
    instrument : Instrument
        The instrument of these statistics.
    lang : {"sv", "en"}
        Language of headings and words.

    Returns
    -------
    bytes
        An .xlsx file. What answers of fewer than five people would show is left out, with the reason;
        numbers are numbers, not rounded; texts are never formulas or links.

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
    >>> statistics_workbook(result, study.instrument)[:2]
    b'PK'
    """
    material = StatisticsMaterial(statistics, instrument, lang)
    say = material.say
    made = {
        say("reports.sheet_components"): _components(material),
        say("reports.sheet_items"): _parts(material, "item"),
        say("reports.sheet_raters"): _parts(material, "rater"),
        instrument.site.many[lang][:1].upper() + instrument.site.many[lang][1:]: _parts(material, "site"),
        say("reports.sheet_long"): _long(material),
    }
    filled = {_sheet_name(name): table for name, table in made.items() if table.rows}
    return workbook_bytes({say("reports.sheet_readme"): _readme(material, filled), **filled}, instrument, lang)


def _sheet_name(name: str) -> str:
    """Return a name that Excel takes: at most 31 characters, none of those that it forbids."""
    return "".join(" " if sign in "[]:*?/\\'" else sign for sign in name)[:31]


def _readme(material: StatisticsMaterial, sheets: Iterable[str]) -> Table:
    """Return what the workbook is: title, what must be known, how to read it, each statistic, versions."""
    say = material.say
    lines = [
        material.message(material.statistics.title),
        material.instrument.title[material.lang],
        say("reports.instrument_stamp", stamp=material.instrument.stamp(material.lang)),
    ]
    if material.synthetic:
        lines.append(f"{say('plotting.synthetic')}. {say('reports.synthetic_means', sites=material.nouns)}")
    lines += [*material.preface(), say("reports.readme_sheets", sheets=", ".join(sheets))]
    lines += [say("reports.readme_statistics"), *material.reading()]
    rows: list[tuple[Cell, ...]] = [(Cell(line), Cell()) for line in lines]
    rows += [(Cell(f"{term}: {words}"), Cell()) for term, words in material.about()]
    rows += versions_table(material, material.statistics.provenance).rows
    columns = (Column(say("reports.version_what"), width=90), Column(say("reports.version_value"), width=60))
    return Table("", columns, tuple(rows))


def _components(material: StatisticsMaterial) -> Table:
    """Return the statistics of components, one a row."""
    say = material.say
    columns = (
        Column(say("reports.source"), width=26),
        Column(say("reports.component"), width=34),
        Column(say("reports.statistic"), width=50),
        Column(say("reports.n"), "number", 8),
        *_value_columns(material),
        Column(say("reports.method"), width=26),
        Column(say("reports.remark"), width=70),
    )
    made = []
    for row in material.of_level("component"):
        place = (Cell(material.label(row.source)), Cell(material.label(row.component)))
        name = Cell(coefficient_name(row.statistic, material.lang))
        rest = (Cell(row.method), Cell(_notes([row], material)))
        made.append((*place, name, Cell.number("", row.n), *_values(row), *rest))
    return Table("", columns, tuple(made)).without_empty()


def _parts(material: StatisticsMaterial, level: str) -> Table:
    """Return the statistics of items, raters or sites: one of them a row, a statistic a column, with its limits."""
    rows = material.of_level(level)
    names = material.names(rows)
    bounded = {row.statistic for row in rows if math.isfinite(row.ci_low)}
    columns = [*_place_columns(material, level), Column(material.say("reports.n"), "number", 8)]
    for name in names:
        columns += _statistic_columns(name, material, bounded=name in bounded)
    columns.append(Column(material.say("reports.remark"), width=70))
    made = []
    for told in _by_place(rows, material, level):
        by_name = {row.statistic: row for row in told}
        cells = [*_place(told[0], material, level), Cell.number("", max(row.n for row in told))]
        for name in names:
            values = _values(by_name[name]) if name in by_name else (Cell(), Cell(), Cell())
            cells += values if name in bounded else values[:1]
        made.append((*cells, Cell(_notes(told, material))))
    return Table("", tuple(columns), tuple(made)).without_empty()


def _by_place(rows: Sequence[Statistic], material: StatisticsMaterial, level: str) -> list[list[Statistic]]:
    """Return the rows of each item, rater or site, sites by name."""
    found: dict[tuple[str, ...], list[Statistic]] = {}
    for row in rows:
        found.setdefault(tuple(getattr(row, place) for place in PLACES), []).append(row)
    if level != "site":
        return list(found.values())
    order = sites_in_order(tuple({row.site for row in rows}), material.instrument, "name")
    parts = list(dict.fromkeys(place[:-1] for place in found))
    return [found[(*part, site)] for part in parts for site in order if (*part, site) in found]


def _place_columns(material: StatisticsMaterial, level: str) -> list[Column]:
    say = material.say
    columns = [Column(say("reports.source"), width=26), Column(say("reports.component"), width=34)]
    if level == "site":
        columns += [Column(say("reports.code"), width=10), Column(say("reports.name"), width=24)]
    if level == "rater":
        columns.append(Column(say("reports.rater"), width=20))
    columns.append(Column(say("reports.question"), width=50))
    return columns


def _place(row: Statistic, material: StatisticsMaterial, level: str) -> list[Cell]:
    cells = [Cell(material.label(row.source)), Cell(material.label(row.component))]
    if level == "site":
        cells += [Cell(printable(row.site)), Cell(material.name(row.site))]
    if level == "rater":
        cells.append(Cell(printable(row.rater)))
    cells.append(Cell(material.label(row.item)))
    return cells


def _statistic_columns(name: str, material: StatisticsMaterial, *, bounded: bool) -> list[Column]:
    title = coefficient_name(name, material.lang)
    limits = [f"{title}: {material.say(end)}" for end in ("reports.lower_end", "reports.upper_end")] if bounded else []
    return [Column(each, "number", 16, DIGITS) for each in (title, *limits)]


def _value_columns(material: StatisticsMaterial) -> list[Column]:
    titles = ("reports.value", "reports.low", "reports.high")
    return [Column(material.say(title), "number", 12, DIGITS) for title in titles]


def _values(row: Statistic) -> tuple[Cell, ...]:
    """Return a statistic and its limits as numbers, shares as percentages."""
    share = is_share(row.statistic)
    numbers = (row.estimate, row.ci_low, row.ci_high)
    return tuple(Cell(value=number if math.isfinite(number) else None, share=share) for number in numbers)


def _notes(rows: Sequence[Statistic], material: StatisticsMaterial) -> str:
    """Return what is said of some rows, each thing once."""
    said = [material.message(note) for row in rows for note in row.notes]
    if not said and not any(math.isfinite(row.estimate) for row in rows):
        said = [material.say("plotting.no_reason")]
    return " ".join(dict.fromkeys(said))


def _long(material: StatisticsMaterial) -> Table:
    """Return every statistic as the long table of the result, by ids, for other programs."""
    names = (*PLACES, "statistic")
    columns = (
        *(Column(name, width=24 if name == "statistic" else 12) for name in names),
        Column("n", "number", 8),
        *(Column(name, "number", 12, 3) for name in ("estimate", "ci_low", "ci_high", "ci_level")),
        Column("method", width=24),
        Column("reason", width=70),
    )
    level = Cell(value=material.statistics.confidence_level)
    made = []
    for row in material.rows:
        place = [Cell(printable(getattr(row, name))) for name in names]
        numbers = [Cell.number("", value) for value in (row.n, row.estimate, row.ci_low, row.ci_high)]
        made.append((*place, *numbers, level, Cell(row.method), Cell(_notes([row], material) if row.notes else "")))
    return Table("", columns, tuple(made))
