"""The tables of the page of all sites."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.plotting._rows import Row
from ibic_fidelity.plotting.profile import profile_rows
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material
from ibic_fidelity.reports.sentences import band, band_short
from ibic_fidelity.reports.tables import score_cells

Links = Mapping[str, str] | None
RATERS_FROM = {
    "double_ratings": "reports.raters_double",
    "stated": "reports.raters_stated",
    "calibration": "reports.raters_calibration",
    "not_rated": "reports.raters_none",
    "double_readings": "reports.raters_readings",
}
#: Variances of the table behind the intervals.
SPREADS = ("within", "between", "raters", "occasions")


def site_rows(material: Material, statistic: str, wave: str) -> list[Row]:
    """Return the row of one total or component of every site, in the order of names."""
    level = "total" if any(total.id == statistic for total in material.instrument.totals) else "component"
    key = "statistic" if level == "total" else "component"
    found = []
    for site in material.sites():
        rows = material.rows.get((site, wave, ""), [])
        found += [row for row in rows if row["level"] == level and row[key] == statistic]
    return found


def totals_table(material: Material, statistic: str, wave: str, links: Links) -> Table:
    """Return one total of every site with its interval, bands, number of units and reason."""
    say = material.say
    total = next(one for one in material.instrument.totals if one.id == statistic)
    columns = (
        Column(material.noun.capitalize(), "head", 28),
        Column(say("reports.score"), "number"),
        Column(say("reports.interval", level=material.level), "number"),
        Column("0–100", "strip"),
        Column(say("reports.n"), "number"),
        Column(say("reports.band"), width=30),
        Column(say("reports.band_with_gates"), width=30),
        Column(say("reports.remark"), width=30),
    )
    rows = tuple(_total_row(row, material, links) for row in site_rows(material, statistic, wave))
    caption = say("reports.sites_caption", label=total.label[material.lang], level=material.level)
    return Table(caption, columns, rows).without_empty()


def _total_row(row: Row, material: Material, links: Links) -> tuple[Cell, ...]:
    place = (row["site"], row["wave"], "")
    bands = next((one for one in material.bands.get(place, ()) if one["statistic"] == row["statistic"]), None)
    return (
        site_cell(row["site"], material, links),
        *score_cells(row, material, cuts=True),
        Cell.number(material.whole(row["n"]), row["n"]),
        band_cell(bands["band"] if bands else "", material),
        band_cell(bands["band_with_gates"] if bands else "", material),
        Cell(material.flag(row)),
    )


def site_cell(site: str, material: Material, links: Links) -> Cell:
    """Return the name of a site, linked to its page where there is one."""
    target = (links or {}).get(site, "")
    return Cell(material.named(site), href=quote(target, safe="/-_.~") if target else "")


def band_cell(name: str, material: Material) -> Cell:
    """Return a band in words; the colour beside says no more."""
    if band(name, material) is None:
        return Cell()
    position = [one.id for one in material.instrument.bands].index(name)
    return Cell(band_short(name, material), tone=f"band-{position}" if len(material.instrument.bands) == 4 else "")


def components_table(material: Material, wave: str, links: Links) -> Table:
    """Return the components of the profile of every site, a component a column."""
    parts = [material.instrument.by_component[name] for name in material.entering]
    columns = (
        Column(material.noun.capitalize(), "head", 28),
        *(Column(part.label[material.lang], "number", 18) for part in parts),
    )
    rows = []
    for site in material.sites():
        found = material.rows.get((site, wave, ""))
        if found is None:
            continue
        by_part = {
            row["component"]: row for row in profile_rows(found, material.instrument) if row["level"] == "component"
        }
        rows.append((site_cell(site, material, links), *(_part_cell(by_part.get(part.id), material) for part in parts)))
    caption = material.say("reports.components_caption", level=material.level)
    return Table(caption, columns, tuple(rows))


def _part_cell(row: Row | None, material: Material) -> Cell:
    if row is None:
        return Cell()
    if row["reason"]:
        return Cell(material.say("plotting.withheld", reason=material.why(row)), tone="withheld")
    return Cell(f"{material.score(row['estimate'])} ({material.interval(row)})", row["estimate"])


def sources_table(material: Material, wave: str) -> Table:
    """Return, for each source, in how many sites it has units, and how many."""
    say = material.say
    columns = (
        Column(say("reports.source"), "head", 28),
        Column(say("reports.sites_with", sites=material.nouns), "number"),
        Column(say("reports.sites_enough", sites=material.nouns), "number"),
        Column(say("reports.sites_census", sites=material.nouns), "number"),
        Column(say("reports.units_in_all"), "number"),
    )
    found: dict[str, list[Row]] = {source.id: [] for source in material.instrument.sources}
    for (_, its_wave, area), rows in material.response.items():
        if its_wave == wave and not area:
            for row in rows:
                found[row["source"]].append(row)
    rows_made = []
    for source in material.instrument.sources:
        rows = found[source.id]
        counts = (
            sum(row["n"] > 0 for row in rows),
            sum(bool(row["enough"]) for row in rows),
            sum(bool(row["census"]) for row in rows),
            sum(row["n"] for row in rows),
        )
        cells = (Cell.number(material.whole(count), count) for count in counts)
        rows_made.append((Cell(source.label[material.lang]), *cells))
    return Table(say("reports.sources_caption", sites=material.nouns), columns, tuple(rows_made))


def spread_table(material: Material, *, measures: bool) -> Table:
    """Return the pooled spread behind the intervals, for statisticians."""
    say = material.say
    columns = (
        Column(say("reports.target"), "head", 30),
        Column(say("reports.source")),
        Column(say("reports.spread_within"), "number", 14, 3),
        Column(say("reports.spread_between"), "number", 14, 3),
        Column(say("reports.spread_raters"), "number", 14, 3),
        Column(say("reports.spread_occasions"), "number", 14, 3),
        Column(say("reports.df_within"), "number", 14, 1),
        Column(say("reports.df_between"), "number", 14, 1),
        Column(say("reports.df_raters"), "number", 14, 1),
        Column(say("reports.raters_from")),
        Column(say("reports.remark"), width=40),
    )
    rows = tuple(
        _spread_row(row, material)
        for row in material.scores.spread.rows()
        if measures or row["level"] in ("component", "total")
    )
    return Table(say("reports.spread_caption"), columns, rows)


def _spread_row(row: Row, material: Material) -> tuple[Cell, ...]:
    labels = {
        part.id: part.label[material.lang] for part in (*material.instrument.components, *material.instrument.totals)
    }
    labels |= {item.id: item.label for item in material.instrument.items}
    remarks = [material.say(row["flag"])] if row["flag"] else []
    if row["calibrated"]:
        remarks.append(material.say("reports.calibrated"))
    if row["between_truncated"]:
        remarks.append(material.say("reports.truncated"))
    variances = (Cell.number(number(row[name], material.lang, digits=3), row[name]) for name in SPREADS)
    freedom = (Cell.number(number(row[name], material.lang, digits=1), row[name])
               for name in ("df_within", "df_between", "df_raters"))  # fmt: skip
    origin = material.say(RATERS_FROM[str(row["raters_from"])]) if row["raters_from"] in RATERS_FROM else ""
    return (
        Cell(labels.get(str(row["target"]), str(row["target"]))),
        Cell(material.instrument.by_source[row["source"]].label[material.lang]),
        *variances,
        *freedom,
        Cell(origin),
        Cell("; ".join(remarks)),
    )
