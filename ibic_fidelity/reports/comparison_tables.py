"""The tables of the page on comparisons, and what it says of each part in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation import numbers
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.numbers import number, percent, probability
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import Row, area_label, check, reason_words, sites_in_order
from ibic_fidelity.plotting.sites import statistic_label
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Spoken, level_text
from ibic_fidelity.scoring.comparison.funnel import Funnel
from ibic_fidelity.scoring.comparison.overall import OverallComparison
from ibic_fidelity.scoring.comparison.result import HIGHER, LOWER, OPEN, Comparison
from ibic_fidelity.scoring.comparison.specificity import SPECIFICITIES
from ibic_fidelity.scoring.comparison.weights import WeightSensitivity
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores

VERDICTS = {
    HIGHER: "reports.verdict_higher",
    LOWER: "reports.verdict_lower",
    OPEN: "reports.verdict_open",
}
NAMED = 12  # sites that a sentence lists before it only counts


@dataclass(frozen=True, eq=False)
class Compared(Spoken):
    """A comparison, its instrument and a language."""

    overall: OverallComparison
    instrument: Instrument
    lang: Language

    def __post_init__(self) -> None:
        check(self.overall, self.instrument, self.lang)

    @property
    def label(self) -> str:
        """Return what is compared."""
        return statistic_label(self.instrument, self.overall.target, self.lang)

    @property
    def level(self) -> str:
        """Return the confidence level as text."""
        return level_text(self.overall.shrunken.confidence_level, self.lang)

    def points(self, value: float, digits: int = 0) -> str:
        """Return a score or a difference as text."""
        return number(value, self.lang, digits=digits)

    def span(self, row: Row) -> str:
        """Return an interval as text."""
        return numbers.interval(row["ci_low"], row["ci_high"], self.lang)

    def flag(self, row: Row) -> str:
        """Return in words what weakens an interval, or nothing."""
        return self.say(row["flag"]) if row["flag"] else ""

    def ordered(self, rows: Records) -> list[Row]:
        """Return rows by the name of their site."""
        found = rows.rows()
        place = {site: i for i, site in enumerate(sites_in_order(tuple({row["site"] for row in found}),
                                                                 self.instrument, "name"))}  # fmt: skip
        return sorted(found, key=lambda row: place[row["site"]])

    def listed(self, sites: Iterable[str]) -> str:
        """Return the names of sites, or how many they are where they are many."""
        names = [self.name(site) for site in sites_in_order(tuple(set(sites)), self.instrument, "name")]
        return ", ".join(names) if len(names) <= NAMED else f"{self.whole(len(names))} {self.nouns}"

    def item(self, name: str) -> str:
        """Return an item's label and idea."""
        item = self.instrument.by_item[name]
        return f"{item.label} {item.idea[self.lang]}"

    def group(self, name: str) -> str:
        """Return the label of a source or area, or a group's own name."""
        source = self.instrument.by_source.get(name)
        return source.label[self.lang] if source is not None else area_label(name, self.instrument, self.lang)


def left_out(made: Compared, part: Comparison | Funnel | WeightSensitivity) -> list[str]:
    """Return who is left out and why, a sentence a reason."""
    by_reason: dict[str, list[str]] = {}
    for row in part.left_out.rows():
        by_reason.setdefault(row["reason"], []).append(row["site"])
    return [
        made.say("reports.left_out", reason=reason_words(reason, made.lang), sites=made.listed(sites))
        for reason, sites in by_reason.items()
    ]


def shrunken_table(made: Compared, result: ShrunkenScores) -> Table:
    """Return shrunken scores with ranks, where they may be shown."""
    say = made.say
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        Column(say("reports.shrunken_score"), "number"),
        Column(say("reports.interval", level=made.level), "number"),
        Column("0–100", "strip"),
        Column(say("reports.reliability_column"), "number"),
        Column(say("reports.rank_marginal"), "number"),
        Column(say("reports.rank_simultaneous"), "number"),
        Column(say("reports.top_quarter"), "number"),
        Column(say("reports.remark"), width=30),
    )
    rows = tuple(_shrunken(made, row) for row in made.ordered(result.rows))
    return Table(say("reports.shrunken_caption", label=made.label, level=made.level), columns, rows).without_empty()


def _shrunken(made: Compared, row: Row) -> tuple[Cell, ...]:
    site = Cell(made.named(row["site"]))
    if row["reason"]:
        words = made.say("plotting.withheld", reason=reason_words(row["reason"], made.lang))
        return (site, Cell(words, tone="withheld", span=3), *[Cell()] * 4, Cell(made.flag(row)))
    return (
        site,
        Cell.number(made.points(row["estimate"]), row["estimate"]),
        Cell(made.span(row)),
        Cell(strip=(row["ci_low"], row["estimate"], row["ci_high"])),
        Cell.number(numbers.coefficient(row["reliability"], made.lang), row["reliability"]),
        Cell(_ranks(row["rank_low"], row["rank_high"], made)),
        Cell(_ranks(row["rank_low_all"], row["rank_high_all"], made)),
        Cell(_probability(row["top_quarter"], made), row["top_quarter"] if math.isfinite(row["top_quarter"]) else None),
        Cell(made.flag(row)),
    )


def _ranks(low: float, high: float, made: Compared) -> str:
    return numbers.interval(low, high, made.lang) if math.isfinite(low) else ""


def _probability(value: float, made: Compared) -> str:
    return probability(value, made.lang) if math.isfinite(value) else ""


def bands_table(made: Compared, result: ShrunkenScores, *, gates: bool) -> Table:
    """Return the probability of each band, with held gates lowering it or without."""
    bands = made.instrument.bands
    name = "probability_with_gates" if gates else "probability"
    by_site: dict[str, dict[str, float]] = {}
    for row in result.bands.rows():
        by_site.setdefault(row["site"], {})[row["band"]] = row[name]
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        *(Column(_band_with_limits(band.label[made.lang]), "number", 20) for band in bands),
    )
    rows = tuple(
        (Cell(made.named(row["site"])), *(_share_cell(by_site[row["site"]][band.id], made) for band in bands))
        for row in made.ordered(result.rows)
        if not row["reason"] and row["site"] in by_site
    )
    return Table(made.say("reports.bands_caption_gates" if gates else "reports.bands_caption"), columns, rows)


def _band_with_limits(label: str) -> str:
    """Return a band's label without what is said of all bands: what stands after a semicolon in brackets."""
    head, _, tail = label.partition(";")
    return f"{head})" if tail and "(" in head else label


def _share_cell(value: float, made: Compared) -> Cell:
    return Cell(_probability(value, made), value if math.isfinite(value) else None, share=True)


def classification_table(made: Compared, rows: Records) -> Table:
    """Return how often each cut, and all together, put sites on the right side."""
    say = made.say
    columns = (
        Column(say("reports.cut"), "head", 20),
        Column(say("reports.cut_accuracy"), "number"),
        Column(say("reports.false_positive"), "number"),
        Column(say("reports.false_negative"), "number"),
        Column(say("reports.cut_consistency"), "number"),
    )
    made_rows = []
    for row in rows.rows():
        head = made.points(row["cut"]) if math.isfinite(row["cut"]) else say("reports.all_cuts")
        values = (row[name] for name in ("accuracy", "false_positive", "false_negative", "consistency"))
        made_rows.append((Cell(head), *(_share_cell(value, made) for value in values)))
    return Table(say("reports.classification_caption"), columns, tuple(made_rows))


def funnel_table(made: Compared, result: Funnel) -> Table:
    """Return how many lie outside each pair of limits, beside how many would by chance."""
    say = made.say
    columns = (
        Column(say("reports.funnel_limits"), "head", 40),
        Column(say("reports.funnel_below"), "number"),
        Column(say("reports.funnel_above"), "number"),
        Column(say("reports.funnel_expected"), "number"),
        Column(say("reports.funnel_who"), width=60),
    )
    rows = []
    for row in result.counts.rows():
        level = number(100 * row["level"], made.lang, digits=0 if row["level"] == 0.95 else 1)
        code = "plotting.funnel_limits_spread" if row["spread"] else "plotting.funnel_limits"
        column = f"outside_{str(row['level'])[2:]}" + ("_spread" if row["spread"] else "")
        who = result.rows["site"][result.rows[column] != "inside"].tolist()
        rows.append((
            Cell(say(code, level=level)),
            Cell.number(made.whole(row["below"]), row["below"]),
            Cell.number(made.whole(row["above"]), row["above"]),
            Cell.number(made.points(row["expected"], 1), row["expected"]),
            Cell(made.listed(who) if who else ""),
        ))  # fmt: skip
    return Table(say("reports.funnel_caption", label=made.label), columns, tuple(rows)).without_empty()


def pairs_table(made: Compared, result: Comparison) -> Table:
    """Return, for each site, from how many others it is told apart."""
    say = made.say
    counts: dict[str, Counter[str]] = {}
    turned = {HIGHER: LOWER, LOWER: HIGHER, OPEN: OPEN}
    for row in result.rows.rows():
        counts.setdefault(row["site"], Counter())[row["verdict"]] += 1
        counts.setdefault(row["other"], Counter())[turned[row["verdict"]]] += 1
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        Column(say("reports.higher_than"), "number"),
        Column(say("reports.lower_than"), "number"),
        Column(say("reports.open_to"), "number"),
    )
    rows = tuple(
        (
            Cell(made.named(site)),
            *(Cell.number(made.whole(counts[site][verdict]), counts[site][verdict]) for verdict in VERDICTS),
        )
        for site in sites_in_order(tuple(counts), made.instrument, "name")
    )
    return Table(say("reports.pairs_caption", sites=made.nouns), columns, rows)


def differences_table(made: Compared, result: Comparison, caption: str, first: str, second: str) -> Table:
    """Return a difference a site with its interval and verdict."""
    say = made.say
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        *((Column(say("reports.group_column")),) if result.kind == "peers" else ()),
        Column(first, "number"),
        Column(second, "number"),
        Column(say("reports.difference"), "number"),
        Column(say("reports.interval", level=level_text(result.confidence_level, made.lang)), "number"),
        Column(say("reports.conclusion"), width=24),
        Column(say("reports.remark"), width=30),
    )
    rows = tuple(
        (
            Cell(made.named(row["site"])),
            *((Cell(made.group(row["other"]), note=_peers(row, made)),) if result.kind == "peers" else ()),
            Cell.number(made.points(row["first"]), row["first"]),
            Cell.number(made.points(row["second"]), row["second"]),
            Cell.number(signed(row["estimate"], made), row["estimate"]),
            Cell(made.span(row)),
            Cell(say(VERDICTS[row["verdict"]])),
            Cell(made.flag(row)),
        )
        for row in made.ordered(result.rows)
    )
    return Table(caption, columns, rows).without_empty()


def _peers(row: Row, made: Compared) -> str:
    return made.say("reports.peers_n", n=made.whole(row["peers"]))


def signed(value: float, made: Compared) -> str:
    """Return a difference with its sign."""
    return f"+{made.points(value)}" if round(value) > 0 else made.points(value)


def specificity_table(made: Compared, scores: Scores) -> Table:
    """Return the parts of the score by how specific they are, the ones specific to IBIC first."""
    known = set(scores.rows["component"].tolist())
    kinds = [f"specificity_{name}" for name in SPECIFICITIES if f"specificity_{name}" in known]
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        *(Column(made.say(f"scoring.{name}"), "number", 18) for name in kinds),
    )
    whole = scores.rows.where((scores.rows["level"] == "component") & (scores.rows["service_area"] == ""))
    by_site: dict[str, dict[str, Row]] = {}
    for row in whole.rows():
        by_site.setdefault(row["site"], {})[row["component"]] = row
    rows = tuple(
        (Cell(made.named(site)), *(_score_cell(by_site[site][name], made) for name in kinds))
        for site in sites_in_order(tuple(by_site), made.instrument, "name")
    )
    return Table(made.say("reports.specificity_caption", level=made.level), columns, rows)


def _score_cell(row: Row, made: Compared) -> Cell:
    if row["reason"]:
        return Cell(made.say("plotting.withheld", reason=reason_words(row["reason"], made.lang)), tone="withheld")
    return Cell(f"{made.points(row['estimate'])} ({made.span(row)})", row["estimate"])


def sources_table(made: Compared, result: Comparison) -> Table:
    """Return, for each question and source beside, in how many sites it is answered otherwise than the primary one."""
    say = made.say
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in result.rows.rows():
        groups.setdefault((row["item"], row["other"]), []).append(row)
    columns = (
        Column(say("reports.question"), "head", 44),
        Column(say("reports.source_scored"), width=22),
        Column(say("reports.source_beside"), width=22),
        Column(made.nouns.capitalize(), "number"),
        Column(say("reports.median_difference"), "number"),
        Column(say("reports.beside_lower"), "number"),
        Column(say("reports.beside_higher"), "number"),
        Column(say("reports.verdict_open").capitalize(), "number"),
    )
    rows = []
    for item in made.instrument.items:
        for source in made.instrument.sources:
            found = groups.get((item.id, source.id), [])
            if not found:
                continue
            counts = Counter(row["verdict"] for row in found)
            middle = float(np.median([row["estimate"] for row in found]))
            rows.append((
                Cell(made.item(item.id)),
                Cell(made.group(item.primary.source)),
                Cell(made.group(source.id)),
                Cell.number(made.whole(len(found)), len(found)),
                Cell.number(signed(middle, made), middle),
                *(Cell.number(made.whole(counts[verdict]), counts[verdict]) for verdict in VERDICTS),
            ))  # fmt: skip
    return Table(say("reports.sources_beside_caption"), columns, tuple(rows))


def weights_table(made: Compared, result: WeightSensitivity) -> Table:
    """Return the sites whose band other weights change."""
    say = made.say
    labels = {band.id: band.label[made.lang].split(" (")[0] for band in made.instrument.bands}
    columns = (
        Column(made.noun.capitalize(), "head", 28),
        Column(say("reports.score"), "number"),
        Column(say("reports.band"), width=24),
        Column(say("reports.band_equal"), width=24),
        Column(say("reports.band_items"), width=24),
        Column(say("reports.band_given"), width=24),
        Column(say("reports.change_share"), "number"),
        Column(say("reports.total_drawn"), "number"),
    )
    rows = []
    for row in made.ordered(result.rows):
        others = [row[name] for name in ("band_equal", "band_items", "band_given")]
        if row["change_share"] < 0.05 and all(name in ("", row["band"]) for name in others):
            continue
        rows.append((
            Cell(made.named(row["site"])),
            Cell.number(made.points(row["estimate"]), row["estimate"]),
            Cell(labels.get(row["band"], "")),
            *(Cell(labels.get(name, "")) for name in others),
            Cell(percent(row["change_share"], made.lang), row["change_share"], share=True),
            Cell(numbers.interval(row["total_low"], row["total_high"], made.lang)),
        ))  # fmt: skip
    return Table(say("reports.weights_caption"), columns, tuple(rows)).without_empty()


def verdicts(made: Compared, result: Comparison, code: str) -> str:
    """Return in a sentence how many differences are told apart."""
    counts = Counter(result.rows["verdict"].tolist())
    apart = made.whole(counts[HIGHER] + counts[LOWER])
    said = made.say(
        code, n=made.whole(len(result.rows)), sites=made.nouns, higher=made.whole(counts[HIGHER]),
        lower=made.whole(counts[LOWER]), open=made.whole(counts[OPEN]), apart=apart,
    )  # fmt: skip
    return f"{said} {false_rate(made, result)}".strip()


def false_rate(made: Compared, result: Comparison) -> str:
    """Return how many of the sure differences are expected to be false, where there are any."""
    if not (result.rows["verdict"] != OPEN).any():
        return ""
    return made.say("reports.false_rate", rate=percent(result.false_discovery, made.lang))
