"""The verb: scores in, what may be published of them out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ibic_fidelity.disclosure.protection import Figure, Table, protected_counts
from ibic_fidelity.disclosure.published import PublishedScores
from ibic_fidelity.disclosure.rules import LEAST_PEOPLE, Rules, counted
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.bands import band_of
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.intervals import score_interval
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sources import POOLED
from ibic_fidelity.scoring.sums import composite_weights

Row = dict[str, Any]
Place = tuple[str, str, str]  # site, wave, service area
FEW, ITEMS, OTHERS = "disclosure.few", "disclosure.few_items", "disclosure.protects_other"
INTERVAL, END = "disclosure.no_interval", "disclosure.end"
#: Scoring's reasons that mean few answers: what they withhold is protected too.
FEW_IN_SCORING = ("scoring.too_few", "scoring.item_too_few")
#: Beside these reasons no number of answers is shown.
HIDES_N = (FEW, ITEMS, OTHERS, *FEW_IN_SCORING)
_LEVELS = ("item", "triangulating", "component", "total")
_ROWS = ("level", "site", "service_area", "wave", "source", "component", "item", "statistic", "n", "estimate", "ci_low",
         "ci_high", "method", "band", "band_with_gates", "reason", "flag")  # fmt: skip
_RESPONSE = ("site", "service_area", "wave", "source", "n", "eligible", "invited", "share_taken", "reason")
MEAN_TOLERANCE = 1e-6  # points of 100


def publish(
    scores: Scores | PublishedScores,
    instrument: Instrument,
    *,
    least: int = LEAST_PEOPLE,
    few: int = 10,
    pooled_sites: int = 5,
    protection: float = 25.0,
    end: float = 5.0,
) -> PublishedScores:
    """Return what may be published of scores: figures that show what few people answered are taken out.

    Hiding a role's figures does not take its answers out of the score.

    Parameters
    ----------
    scores : Scores or PublishedScores
        As `score_municipalities` returns them; what is published already, by the same rules, is returned as it is.
    instrument : Instrument
        By which they were made.
    least : int
        No figure rests on fewer respondents or files than this, and no smaller count is shown; at least 5.
    few : int
        Of fewer respondents than this no single items are shown, means are whole numbers, and the interval is made
        of the published mean and the spread pooled over sites, never of the site's own; at least 10.
    pooled_sites : int
        Over at least how many sites that spread must be pooled; below it there is no interval. At least 3.
    protection : float
        How many points of 100 a hidden figure stays uncertain by, whatever is worked out from the others; 10–50.
    end : float
        Means of few respondents nearer 0 or 100 than this are shown as `end` or 100 − `end`; 1–25.

    Returns
    -------
    PublishedScores
        Rounded to one decimal (whole numbers below `few`), each hidden figure with its reason.

    Raises
    ------
    UsageError
        The scores were made by another instrument or published by other rules, or a rule is too lax.
    ArgumentTypeError
        Something is neither Scores nor Instrument.

    Notes
    -----
    Missing answers have no table here, and counts of answers to single items stand with shown figures only.

    Components and totals are weighted means of items, and a site's items are those of its areas weighted by n. What
    this and the rounded figures leave open for a hidden one is found by linear programs; where it is narrower than
    `protection`, the cheapest figure that binds is hidden too (items before components, components before totals,
    areas before the whole, fewer answers before more).

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=6), seed=1)
    >>> published = ibic.publish(ibic.score_municipalities(study.responses, study.instrument), study.instrument)
    >>> sorted(set(published.rows["reason"]) - {""})[:1]
    ['disclosure.few']
    """
    rules = Rules(least=least, few=few, pooled_sites=pooled_sites, protection=float(protection), end=float(end))
    _check(scores, instrument)
    if isinstance(scores, PublishedScores):
        if dict(scores.rules) != rules.as_dict():
            raise UsageError("disclosure.other_rules", made=dict(scores.rules), asked=rules.as_dict())
        return scores
    return _Publishing(scores, instrument, rules).made()


def _check(scores: object, instrument: object) -> None:
    if not (isinstance(scores, Scores | PublishedScores) and isinstance(instrument, Instrument)):
        raise ArgumentTypeError("disclosure.wrong_kind", got=[type(one).__name__ for one in (scores, instrument)])
    if isinstance(scores, Scores):
        require_way_of_working(scores.estimand, "publish")
    made = scores.provenance
    if (made.instrument_id, made.instrument_sha256) != (instrument.id, instrument.sha256):
        raise UsageError(
            "disclosure.other_instrument",
            scored=f"{made.instrument_id} {made.instrument_version}",
            given=f"{instrument.id} {instrument.version}",
        )


class _Publishing:
    """One set of scores on its way to the public."""

    def __init__(self, scores: Scores, instrument: Instrument, rules: Rules) -> None:
        self.scores, self.instrument, self.rules = scores, instrument, rules
        self.sources = instrument.by_source
        self.counted = {name for name, source in self.sources.items() if counted(source)}
        self.people = {name for name, source in self.sources.items() if source.kind == "survey"}
        self.weights = composite_weights(instrument)
        self.primary = {item.id: item.primary.source for item in instrument.items}
        self.response = scores.response.rows()
        self.units = {(_place(row), row["source"]): int(row["n"]) for row in self.response}
        self.pooled = self._pooled()
        self.bands = {(_place(row), row["statistic"]): row for row in scores.bands.rows()}

    def made(self) -> PublishedScores:
        """Return what is published."""
        rows = self.scores.rows.rows()
        for row in rows:
            self._withhold(row)
        published = [self._rounded(row) for row in rows]
        collections: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            collections[row["site"], row["wave"]].append(place)
        for places in collections.values():
            for hide in self._table(rows, published, places):
                _hide(published[hide], OTHERS)
        response = self._responses()
        small = {(_place(row), row["source"]) for row in response if row["reason"]}
        for row in published:
            sources = self._sources(row) if row["level"] in ("component", "total") else {row["source"]}
            if row["reason"] in HIDES_N or any((_place(row), source) in small for source in sources):
                row["n"] = math.nan if row["n"] else 0
        return PublishedScores(
            rows=Records.of(**{name: [row[name] for row in published] for name in _ROWS}),
            response=Records.of(**{name: [row[name] for row in response] for name in _RESPONSE}),
            rules=self.rules.as_dict(),
            confidence_level=self.scores.confidence_level,
            notes=(Message("disclosure.rules", _said(self.rules)), *self.scores.notes),
            provenance=self.scores.provenance,
        )

    def _pooled(self) -> dict[tuple[bool, str], int]:
        """Return over how many sites the spread of a source is pooled, of whole sites and of areas."""
        sites: dict[tuple[bool, str], set[str]] = defaultdict(set)
        for row in self.response:
            if row["n"] > 1:
                sites[bool(row["service_area"]), row["source"]].add(row["site"])
        return {key: len(found) for key, found in sites.items()}

    def _sources(self, row: Row) -> set[str]:
        """Return the sources whose units a component or total rests on, registers apart."""
        if row["level"] in ("item", "triangulating"):
            return {row["source"]} & self.counted
        items = self.weights[row["level"], row["component"] or row["statistic"]]
        return {self.primary[item] for item in items} & self.counted

    def _withhold(self, row: Row) -> None:
        """Put the reason where a figure rests on too few."""
        if row["reason"]:
            return
        sources = self._sources(row)
        n = [self.units.get((_place(row), source), 0) for source in sources]
        if row["level"] in ("item", "triangulating") and sources:
            n = [int(row["n"])]
        if n and max(n) < self.rules.least:
            row["reason"] = FEW
        elif row["level"] in ("item", "triangulating") and sources & self.people and max(n) < self.rules.few:
            row["reason"] = ITEMS

    def _few(self, row: Row) -> bool:
        """Return whether few respondents, and nobody else, stand behind a figure."""
        sources = self._sources(row)
        n = [self.units.get((_place(row), source), 0) for source in sources]
        return bool(sources) and sources <= self.people and max(n) < self.rules.few

    def _rounded(self, row: Row) -> Row:
        """Return the figure as it is published if it is not hidden for the sake of another."""
        made = {**row, "band": "", "band_with_gates": ""}
        if row["reason"]:
            _hide(made, row["reason"])
            return made
        few = self._few(row)
        digits = 0 if few else 1
        estimate, low, high = row["estimate"], row["ci_low"], row["ci_high"]
        shown = round(estimate, digits)
        if few:
            shown = min(max(shown, self.rules.end), 100.0 - self.rules.end)
            if not self.rules.end <= estimate <= 100.0 - self.rules.end:
                made["flag"] = END
        if row["level"] == "total":
            band = self.bands.get((_place(row), row["statistic"]), {})
            made.update({name: band.get(name, "") for name in ("band", "band_with_gates")})
            shown = self._beside_cuts(shown, estimate, digits)
        if math.isfinite(low):
            low, high = self._interval(row, shown, digits)
        if not math.isfinite(low) and math.isfinite(row["ci_low"]):
            made.update(flag=INTERVAL, method="")
        made.update(estimate=shown, ci_low=low, ci_high=high)
        return made

    def _interval(self, row: Row, shown: float, digits: int) -> tuple[float, float]:
        """Return the limits, of few respondents made of the published mean and the pooled spread."""
        if digits:
            return round(row["ci_low"], digits), round(row["ci_high"], digits)
        own = [
            self.pooled.get((bool(row["service_area"]), source), 0) < self.rules.pooled_sites
            for source in self._sources(row)
        ]
        if any(own) or row["method"] != POOLED:
            return math.nan, math.nan
        q = _error_of(row["estimate"] / 100, row["ci_low"] / 100, row["ci_high"] / 100)
        low, high = score_interval(np.array([shown / 100]), np.array([q]), np.array([1.0]))
        return round(100 * float(low[0]), digits), round(100 * float(high[0]), digits)

    def _beside_cuts(self, shown: float, exact: float, digits: int) -> float:
        """Return a rounded total on its own side of the cuts between bands."""
        bands = self.instrument.bands
        if not bands:
            return shown
        before, after = band_of(np.array([exact, shown]) / 100, bands).tolist()
        step = 10.0**-digits
        return float(round(shown + step * ((before > after) - (before < after)), digits))

    def _table(self, rows: list[Row], published: list[Row], places: list[int]) -> list[int]:
        """Return which rows of one site and wave must be hidden for the sake of those already hidden."""
        sensitive = [
            place
            for place in places
            if rows[place]["reason"] in (FEW, ITEMS, *FEW_IN_SCORING)
            and rows[place]["n"]
            and rows[place]["source"] in self.counted
        ]
        if not sensitive:
            return []
        figures = {place: self._figure(place, rows[place]) for place in places}
        shown = {}
        for place in places:
            value = published[place]["estimate"]
            if math.isfinite(value):
                half = 0.5 if self._few(rows[place]) else 0.05
                low, high = value - half, value + half
                if published[place]["flag"] == END:
                    low, high = (0.0, high) if value < 50 else (low, 100.0)
                shown[place] = (max(low, 0.0) - 1e-9, min(high, 100.0) + 1e-9)
        table = Table(figures, self._relations([rows[place] for place in places]), shown)
        return table.protect(sensitive, self.rules.protection)

    def _figure(self, place: int, row: Row) -> Figure:
        area = row["service_area"]
        if row["level"] in ("item", "triangulating"):
            form = {(area, row["source"], row["item"]): 1.0}
        else:
            items = self.weights[row["level"], row["component"] or row["statistic"]]
            form = {(area, self.primary[item], item): weight for item, weight in items.items()}
        level = _LEVELS.index(row["level"])
        return Figure(place, form, (level == 3, area == "", level, row["n"], area, row["source"], place))

    def _relations(self, rows: list[Row]) -> list[Mapping[Any, float]]:
        """Return that a site's item is the mean of its areas' and of what has no area, weighted by n."""
        n: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        exact: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for row in rows:
            if row["level"] in ("item", "triangulating") and row["n"]:
                n[row["source"], row["item"]][row["service_area"]] = int(row["n"])
                exact[row["source"], row["item"]][row["service_area"]] = row["estimate"]
        made: list[Mapping[Any, float]] = []
        for (source, item), by_area in n.items():
            areas = {area: count for area, count in by_area.items() if area}
            whole, rest = by_area.get("", 0), by_area.get("", 0) - sum(areas.values())
            if not areas or not whole or rest < 0:
                continue
            parts = {(area, source, item): count / whole for area, count in areas.items()}
            if source not in self.counted and (rest or not _is_mean(exact[source, item], areas, whole)):
                continue  # a register says its own whole, which may not be what its areas sum to
            if rest:
                parts["?", source, item] = rest / whole
            made.append({("", source, item): -1.0, **parts})
        return made

    def _responses(self) -> list[Row]:
        """Return how many answered, small counts hidden and protected."""
        made = [{**{name: row[name] for name in _RESPONSE if name in row}, "reason": ""} for row in self.response]
        groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in made:
            groups[row["site"], row["wave"], row["source"]].append(row)
        for (*_, source), group in groups.items():
            if source not in self.counted:
                continue
            for row in group:
                apart = self.sources[source].apart and 0 < row["invited"] < self.rules.least
                if apart or 0 < row["n"] < self.rules.least:
                    row["reason"] = FEW
            areas = [row for row in group if row["service_area"]]
            whole = next((row for row in group if not row["service_area"]), None)
            if whole is None or sum(row["n"] for row in areas) < whole["n"]:
                continue
            known, small = [row["n"] for row in areas], [bool(row["reason"]) for row in areas]
            hidden, hide_whole = protected_counts(known, small, self.rules.least)
            for row, hide in zip((*areas, whole), (*hidden, hide_whole), strict=True):
                row["reason"] = row["reason"] or (OTHERS if hide else "")
        for row in made:
            if row["reason"]:
                row.update(dict.fromkeys(("n", "eligible", "invited", "share_taken"), math.nan))
            row["share_taken"] = round(row["share_taken"], 2) if math.isfinite(row["share_taken"]) else math.nan
            row["n"] = float(row["n"])
        return made


def _hide(row: Row, reason: str) -> None:
    row.update(estimate=math.nan, ci_low=math.nan, ci_high=math.nan, method="", flag="", band="", band_with_gates="")
    row["reason"] = reason


def _is_mean(exact: Mapping[str, float], areas: Mapping[str, int], whole: int) -> bool:
    """Return whether the figure of the whole is the mean of the areas', weighted by their n."""
    mean = sum(exact[area] * count for area, count in areas.items()) / whole
    return abs(mean - exact[""]) < MEAN_TOLERANCE


def _place(row: Row) -> Place:
    return row["site"], row["wave"], row["service_area"]


def _error_of(m: float, low: float, high: float) -> float:
    """Return t²κ of a score interval (m − θ)² = t²κ θ(1 − θ), from the end at which it is told best."""
    if m >= 0.5:
        return max(m * m / (low * high) - 1.0, 0.0)
    return max((1 - m) ** 2 / ((1 - low) * (1 - high)) - 1.0, 0.0)


def _said(rules: Rules) -> dict[str, object]:
    return {name: value for name, value in rules.as_dict().items() if name != "pooled_sites"}
