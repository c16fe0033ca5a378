"""Answers in forms of their own, apart from the persons'; and how many could not answer themselves."""

from __future__ import annotations

import math
from typing import Any

from ibic_fidelity.disclosure.rules import LEAST_PEOPLE
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.instrument.parts import Source
from ibic_fidelity.plotting._rows import Row
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material, Place
from ibic_fidelity.reports.tables import figure_columns, n_cell, score_cells


def own_forms(material: Material, place: Place) -> dict[str, Any] | None:
    """Return the section of a place's forms apart, or None where nobody answered one and nobody drawn is counted."""
    answers = tuple(
        table
        for source in material.instrument.sources
        if source.apart and (table := _answers(source, material, place)).rows
    )
    unable = unable_table(material, place)
    if not answers and not unable.rows:
        return None
    return {
        "id": "ownforms",
        "heading": material.say("reports.heading_own_forms"),
        "introduction": material.say("reports.own_forms_intro"),
        "table": unable,
        "items": answers,
    }


def unable_table(material: Material, place: Place) -> Table:
    """Return, for each source that can tell, how many of the persons drawn could not answer themselves.

    Fewer than five are neither counted nor shared out: in a small place they are somebody.
    """
    say = material.say
    columns = (
        Column(say("reports.source"), "head", 28),
        Column(say("reports.drawn"), "number"),
        Column(say("reports.unable"), "number"),
        Column(say("reports.share"), "number"),
    )
    invited = {row["source"]: row["invited"] for row in material.response.get(place, ())}
    rows = []
    for source in material.instrument.sources:
        drawn = sum(invited.get(name, math.nan) for name in source.drawn) if source.drawn else math.nan
        unable = drawn - invited.get(source.id, math.nan)
        if math.isfinite(unable) and drawn > 0 and unable >= 0:
            rows.append((Cell(source.label[material.lang]), *_unable_cells(drawn, unable, material)))
    return Table(say("reports.unable_caption"), columns, tuple(rows))


def _unable_cells(drawn: float, unable: float, material: Material) -> tuple[Cell, ...]:
    count = Cell.number(material.whole(drawn), drawn)
    if 0 < unable < LEAST_PEOPLE:
        return count, Cell(material.say("reports.fewer_than", n=material.whole(LEAST_PEOPLE))), Cell()
    share = unable / drawn
    return count, Cell.number(material.whole(unable), unable), Cell(percent(share, material.lang), share)


def _answers(source: Source, material: Material, place: Place) -> Table:
    """Return what a source apart answered, one row an item in the order of the instrument."""
    found: dict[str, Row] = {row["item"]: row for row in material.rows[place] if row["source"] == source.id}
    say = material.say
    columns = (
        Column(say("reports.question"), "head", 44),
        *figure_columns(material),
        Column(say("reports.remark"), width=30),
    )
    rows = tuple(
        (
            Cell(f"{item.label} {measure.wording[material.lang]}"),
            *score_cells(found[item.id], material),
            n_cell(found[item.id], material),
            Cell(material.flag(found[item.id])),
        )
        for item, measure in material.instrument.measures_of(source.id)
        if item.id in found and found[item.id]["n"]
    )
    return Table(source.label[material.lang], columns, rows).without_empty()
