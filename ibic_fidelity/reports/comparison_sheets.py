"""The sheets of a workbook of comparisons: every row, numbers as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.plotting._rows import Row, printable, reason_words
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.comparison_tables import VERDICTS, Compared
from ibic_fidelity.reports.tables import versions_table
from ibic_fidelity.scoring.comparison.funnel import Funnel
from ibic_fidelity.scoring.comparison.overall import Part
from ibic_fidelity.scoring.comparison.result import Comparison
from ibic_fidelity.scoring.comparison.weights import WeightSensitivity
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores

LONGEST_NAME = 31  # letters in the name of a sheet
#: Columns of numbers: name of the field, code of the heading, decimals.
Numbers = Sequence[tuple[str, str, int]]
INTERVAL: Numbers = (("ci_low", "reports.low", 1), ("ci_high", "reports.high", 1))
SHRUNKEN: Numbers = (
    ("estimate", "reports.shrunken_score", 1),
    ("std_error", "reports.std_error", 1),
    *INTERVAL,
    ("reliability", "reports.reliability_column", 2),
    ("expected_rank", "reports.rank_expected", 1),
    ("rank_low", "reports.rank_low", 0),
    ("rank_high", "reports.rank_high", 0),
    ("rank_low_all", "reports.rank_low_all", 0),
    ("rank_high_all", "reports.rank_high_all", 0),
    ("top_quarter", "reports.top_quarter", 3),
)
DIFFERENCES: Numbers = (
    ("first", "reports.first", 1),
    ("second", "reports.second", 1),
    ("estimate", "reports.difference", 1),
    ("std_error", "reports.std_error", 1),
    *INTERVAL,
    ("p_value", "reports.p_value", 3),
    ("p_adjusted", "reports.p_adjusted", 3),
    ("peers", "reports.peers_column", 0),
)
SCORES: Numbers = (
    ("n", "reports.n", 0),
    ("estimate", "reports.score", 1),
    ("std_error", "reports.std_error", 1),
    *INTERVAL,
)
FUNNEL: Numbers = (
    ("estimate", "reports.score", 1),
    ("std_error", "reports.std_error", 1),
    ("precision", "plotting.funnel_precision", 3),
)
WEIGHTS: Numbers = (
    ("estimate", "reports.score", 1),
    ("change_share", "reports.change_share", 3),
    ("total_low", "reports.low", 1),
    ("total_high", "reports.high", 1),
)
CUTS: Numbers = (
    ("cut", "reports.cut", 1),
    ("accuracy", "reports.cut_accuracy", 3),
    ("false_positive", "reports.false_positive", 3),
    ("false_negative", "reports.false_negative", 3),
    ("consistency", "reports.cut_consistency", 3),
    ("kappa", "reports.cut_kappa", 3),
    ("n", "reports.n", 0),
)
SHARED = {
    "yes": "reports.yes",
    "no": "reports.no",
    "unknown": "reports.unknown",
}
SIDES = {
    "below": "reports.side_below",
    "inside": "reports.side_inside",
    "above": "reports.side_above",
}


OUTSIDE = {
    "outside_95": "reports.outside_95",
    "outside_998": "reports.outside_998",
    "outside_95_spread": "reports.outside_95_spread",
    "outside_998_spread": "reports.outside_998_spread",
}


def comparison_sheets(made: Compared, notes: Sequence[str]) -> dict[str, Table]:
    """Return the sheets by name: what the workbook is, each part, who was left out, and what could not be made."""
    parts = made.overall.parts()
    sheets: dict[str, Table] = {}
    missing: list[tuple[str, str]] = []
    for name, part in parts.items():
        heading = _name(made, name)
        if isinstance(part, Message):
            missing.append((heading, made.message(part)))
        else:
            sheets[heading] = _sheet(made, part)
    bands = _bands(made, made.overall.shrunken)
    if bands.rows:
        sheets[made.say("reports.sheet_bands")] = bands
    filled = {name: table for name, table in sheets.items() if table.rows}
    gone = _left_out(made)
    if gone.rows:
        filled[made.say("reports.sheet_left_out")] = gone
    return {made.say("reports.sheet_readme"): _readme(made, list(filled), missing, notes), **filled}


def _name(made: Compared, part: str) -> str:
    if part.startswith("gap:"):
        label = next(gap.label[made.lang] for gap in made.instrument.gaps if gap.id == part[4:])
        return "".join(c for c in label if c not in "[]:*?/\\")[:LONGEST_NAME].strip()
    return made.say(f"reports.sheet_{part}")


def _sheet(made: Compared, part: Part) -> Table:
    if isinstance(part, ShrunkenScores):
        return _table(made, part.rows, SHRUNKEN, reason=True)
    if isinstance(part, Comparison):
        return _comparison(made, part)
    if isinstance(part, Funnel):
        return _table(made, part.rows, FUNNEL, tuple(map(_side, OUTSIDE)))
    if isinstance(part, Scores):
        return _table(made, part.rows, SCORES, ((("reports.area", 20), _area), (("reports.part", 34), _component)),
                      reason=True)  # fmt: skip
    if isinstance(part, WeightSensitivity):
        bands = ("band", "band_equal", "band_items", "band_given")
        return _table(made, part.rows, WEIGHTS, tuple(_band(name) for name in bands))
    return _table(made, part, CUTS, named=False)


Words = tuple[tuple[str, int], Callable[[Compared, Row], str]]


def _table(
    made: Compared, rows: Records, numbers: Numbers, words: Sequence[Words] = (), *, reason: bool = False,
    named: bool = True,
) -> Table:  # fmt: skip
    """Return rows with the code and name of their site, words, numbers, remark and reason."""
    say = made.say
    known = set(rows.columns)
    tail: list[Words] = [(("reports.remark", 36), _flag)] if "flag" in known else []
    if reason:
        tail.append((("reports.reason", 44), _reason))
    columns = (
        *((Column(say("reports.code"), width=10), Column(say("reports.name"), width=24)) if named else ()),
        *(Column(say(code), width=width) for (code, width), _ in words),
        *(Column(say(code), "number", 14, digits) for _, code, digits in numbers),
        *(Column(say(code), width=width) for (code, width), _ in tail),
    )
    shown = made.ordered(rows) if named else rows.rows()
    return Table("", columns, tuple(
        (
            *((Cell(printable(row["site"])), Cell(made.name(row["site"]))) if named else ()),
            *(Cell(tell(made, row)) for _, tell in words),
            *(Cell.number("", row[name]) for name, _, _ in numbers),
            *(Cell(tell(made, row)) for _, tell in tail),
        )
        for row in shown
    )).without_empty()  # fmt: skip


def _comparison(made: Compared, part: Comparison) -> Table:
    words: list[Words] = []
    if any(part.rows["item"]):
        words.append((("reports.question", 50), lambda made, row: made.item(row["item"]) if row["item"] else ""))
    sites = part.kind == "sites"
    if sites:
        words.append((("reports.other_code", 12), lambda _, row: printable(row["other"])))
    words.append((("reports.compared_with", 28), lambda made, row: _other(made, row, sites=sites)))
    numbers = [one for one in DIFFERENCES if one[0] != "peers" or part.kind == "peers"]
    words += [
        (("reports.conclusion", 24), lambda made, row: made.say(VERDICTS[row["verdict"]])),
        (("reports.shared_raters", 18), lambda made, row: made.say(SHARED[row["shared_raters"]])
         if row["shared_raters"] else ""),
    ]  # fmt: skip
    return _table(made, part.rows, numbers, words)


def _other(made: Compared, row: Row, *, sites: bool) -> str:
    if not row["other"]:
        return ""
    return made.name(row["other"]) if sites else made.group(row["other"])


def _bands(made: Compared, result: ShrunkenScores) -> Table:
    labels = {band.id: band.label[made.lang] for band in made.instrument.bands}
    kept = result.bands.where(np.isfinite(result.bands["probability"].astype(float)))
    numbers: Numbers = (("probability", "reports.band_probability", 3),
                        ("probability_with_gates", "reports.band_probability_gates", 3))  # fmt: skip
    return _table(made, kept, numbers, ((("reports.band", 44), lambda _, row: labels[row["band"]]),))


def _left_out(made: Compared) -> Table:
    rows = [
        (
            Cell(_name(made, name)),
            Cell(printable(row["site"])),
            Cell(made.name(row["site"])),
            Cell(made.item(row["item"]) if row.get("item") else ""),
            Cell(reason_words(row["reason"], made.lang)),
        )
        for name, part in made.overall.parts().items()
        if isinstance(part, Comparison | Funnel | WeightSensitivity)
        for row in part.left_out.rows()
    ]
    columns = (
        Column(made.say("reports.part"), width=30), Column(made.say("reports.code"), width=10),
        Column(made.say("reports.name"), width=24), Column(made.say("reports.question"), width=44),
        Column(made.say("reports.reason"), width=50),
    )  # fmt: skip
    return Table("", columns, tuple(rows)).without_empty()


def _readme(made: Compared, sheets: Sequence[str], missing: Sequence[tuple[str, str]], notes: Sequence[str]) -> Table:
    say, provenance = made.say, made.overall.provenance
    lines = [
        made.instrument.title[made.lang],
        say("reports.instrument_stamp", stamp=made.instrument.stamp(made.lang)),
        say("reports.comparison_title", sites=made.nouns, label=made.label),
    ]
    if provenance.synthetic:
        lines.append(f"{say('plotting.synthetic')}. {say('reports.synthetic_means', sites=made.nouns)}")
    lines += [say("reports.readme_sheets", sheets=", ".join(sheets)), say("reports.readme_numbers"), *notes]
    lines += [say("reports.part_missing", part=name, why=why) for name, why in missing]
    rows = [(Cell(line), Cell()) for line in lines] + list(versions_table(made, provenance).rows)
    return Table("", (Column(say("reports.version_what"), width=90), Column(say("reports.version_value"), width=60)),
                 tuple(rows))  # fmt: skip


def _flag(made: Compared, row: Row) -> str:
    return made.flag(row)


def _reason(made: Compared, row: Row) -> str:
    return reason_words(row["reason"], made.lang) if row["reason"] else ""


def _area(made: Compared, row: Row) -> str:
    return made.group(row["service_area"]) if row["service_area"] else made.say("reports.all_areas")


def _component(made: Compared, row: Row) -> str:
    return made.say(f"scoring.{row['component']}")


def _side(name: str) -> Words:
    return (OUTSIDE[name], 20), lambda made, row: made.say(SIDES[row[name]])


def _band(name: str) -> Words:
    code = "reports.band" if name == "band" else f"reports.{name}"

    def tell(made: Compared, row: Row) -> str:
        return next((band.label[made.lang] for band in made.instrument.bands if band.id == row[name]), "")

    return (code, 30), tell
