"""Scores as a report needs them: by site, in words, with what may not be printed taken out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ibic_fidelity.disclosure.rules import LEAST_PEOPLE, few_people
from ibic_fidelity.foundation import numbers
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Source
from ibic_fidelity.plotting._rows import (
    FEW_PEOPLE,
    Order,
    Row,
    area_label,
    check,
    cuts_of,
    hidden,
    in_totals,
    printable,
    reason_words,
    shown_rows,
    site_name,
    sites_in_order,
)
from ibic_fidelity.scoring.bands import HELD, UNDECIDED
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING
from ibic_fidelity.scoring.scores import Scores

Place = tuple[str, str, str]  # site, wave, service area
OTHER_AREA = "reports.hidden_for_others"


class Spoken:
    """An instrument and a language, and what every report says in them."""

    instrument: Instrument
    lang: Language

    def say(self, code: str, /, **params: object) -> str:
        """Return a text in the language of the report."""
        return text(code, self.lang, **params)

    def message(self, message: Message) -> str:
        """Return a message in the language of the report."""
        return message.text(self.lang)

    def name(self, site: str) -> str:
        """Return the name of a site, or its code."""
        return site_name(site, self.instrument)

    def named(self, site: str) -> str:
        """Return the name of a site with its code, where it has both."""
        name, code = self.name(site), printable(site)
        return name if name == code else f"{name} ({code})"

    def whole(self, value: float) -> str:
        """Return a count as text."""
        return numbers.number(value, self.lang)

    @property
    def noun(self) -> str:
        """Return what one site is called."""
        return self.instrument.site.one[self.lang]

    @property
    def nouns(self) -> str:
        """Return what several sites are called."""
        return self.instrument.site.many[self.lang]


@dataclass(frozen=True, eq=False)
class Material(Spoken):
    """Scores, their instrument and a language, with the rows of every place looked up once.

    `rows`, `gates`, `bands`, `missing` and `response` map a place to its rows.
    """

    scores: Scores
    instrument: Instrument
    lang: Language
    rows: Mapping[Place, list[Row]] = field(init=False)
    gates: Mapping[Place, list[Row]] = field(init=False)
    bands: Mapping[Place, list[Row]] = field(init=False)
    missing: Mapping[Place, list[Row]] = field(init=False)
    response: Mapping[Place, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        check(self.scores, self.instrument, self.lang)
        rows = shown_rows(self.scores.rows, self.instrument)
        _protect_areas(rows, self.instrument)
        object.__setattr__(self, "rows", _by_place(rows))
        for name in ("gates", "bands", "missing", "response"):
            records: Records = getattr(self.scores, name)
            object.__setattr__(self, name, _by_place(records.rows()))

    @property
    def synthetic(self) -> bool:
        """Return whether these are simulated data."""
        return self.scores.provenance.synthetic

    @property
    def of_way_of_working(self) -> bool:
        """Return whether the scores are of the way of working, not of this period only."""
        return self.scores.estimand == WAY_OF_WORKING

    def sites(self, order: Order = "name") -> list[str]:
        """Return the sites, by name."""
        return sites_in_order(tuple({place[0] for place in self.rows}), self.instrument, order)

    def waves(self, site: str | None = None) -> list[str]:
        """Return the waves of a site, or of all."""
        return sorted({place[1] for place in self.rows if site in (None, place[0])})

    def areas(self, site: str, wave: str) -> list[str]:
        """Return the named service areas of a site, in the order of the instrument, others after."""
        found = {place[2] for place in self.rows if place[:2] == (site, wave) and place[2]}
        known = [area.id for area in self.instrument.service_areas if area.id in found]
        return [*known, *sorted(found - set(known))]

    def area(self, area: str) -> str:
        """Return the label of a service area."""
        return area_label(area, self.instrument, self.lang)

    @property
    def entering(self) -> tuple[str, ...]:
        """Return the ids of components that enter a total (all, without totals)."""
        return tuple(part.id for part in in_totals(self.instrument))

    def score(self, value: float, *, cuts: bool = False) -> str:
        """Return a score as text, on the right side of the bands where they hold for it."""
        return numbers.beside_cuts(value, self.lang, cuts_of(self.scores, self.instrument) if cuts else ())

    def interval(self, row: Row) -> str:
        """Return the interval of a row as text."""
        return numbers.interval(row["ci_low"], row["ci_high"], self.lang)

    def probability(self, value: float) -> str:
        """Return the probability of a gate as text."""
        return numbers.probability(value, self.lang, (UNDECIDED, HELD))

    @property
    def level(self) -> str:
        """Return the confidence level as text."""
        return level_text(self.scores.confidence_level, self.lang)

    def why(self, row: Row) -> str:
        """Return in words why a score is withheld, naming what it lacks."""
        words = reason_words(row["reason"], self.lang)
        lacking = self._lacking(row)
        return f"{words} ({lacking})" if lacking else words

    def flag(self, row: Row) -> str:
        """Return in words what weakens the interval of a row, or nothing."""
        return self.say(row["flag"]) if row["flag"] else ""

    def _lacking(self, row: Row) -> str:
        if row["reason"] in (FEW_PEOPLE, OTHER_AREA):
            return ""
        place = (row["site"], row["wave"], row["service_area"])
        needed = self._needed(row)
        if row["reason"] == "scoring.item_too_few":
            if row["level"] not in ("component", "total"):
                return self._least(row["n"], self.instrument.by_source[row["source"]].item_minimum)
            level, reason = "item", "scoring.item_too_few"
            short = {one["item"] for one in self.rows[place] if (one["level"], one["reason"]) == (level, reason)}
            return ", ".join(item.label for item in self.instrument.items if item.id in short & needed)
        sources = {self.instrument.by_item[item].primary.source for item in needed} or {row["source"]}
        return ", ".join(self._short_source(source, place) for source in self._not_enough(sources, place))

    def _needed(self, row: Row) -> set[str]:
        """Return the items that a component or total is made of."""
        if row["level"] == "component":
            parts = {row["component"]}
        elif row["level"] == "total":
            total = next(one for one in self.instrument.totals if one.id == row["statistic"])
            parts = {part.id for part in self.instrument.components_of(total)}
        else:
            return set()
        return {item.id for item in self.instrument.items if item.component in parts}

    def _not_enough(self, sources: set[str], place: Place) -> list[str]:
        enough = {row["source"] for row in self.response.get(place, ()) if row["enough"]}
        return [source.id for source in self.instrument.sources if source.id in sources - enough]

    def _short_source(self, name: str, place: Place) -> str:
        source = self.instrument.by_source[name]
        row = next((row for row in self.response.get(place, ()) if row["source"] == name), None)
        if row is None or row["n"] == 0:
            return f"{source.label[self.lang]}: 0"
        return f"{source.label[self.lang]}: {self._least(row['n'], minimum(source, census=row['census']))}"

    def unable(self, source: Source, place: Place) -> tuple[float, float]:
        """Return how many persons were drawn for a source, and how many of them could not answer; NaN if not told."""
        invited = {row["source"]: row["invited"] for row in self.response.get(place, ())}
        if not source.drawn:
            return math.nan, math.nan
        drawn = sum(invited.get(name, math.nan) for name in source.drawn)
        unable = drawn - invited.get(source.id, math.nan)
        return (drawn, unable) if drawn > 0 and unable >= 0 else (math.nan, math.nan)

    def untold(self, place: Place) -> frozenset[str]:
        """Return the sources whose counts would tell of fewer than five who answer for, or instead of, somebody.

        Where one area of a site is so, its other areas are too, since the whole would give it away.
        """
        site, wave, area = place
        places = [one for one in self.response if one[:2] == (site, wave) and one[2]] if area else [place]
        found = set()
        for one in places:
            for row in self.response.get(one, ()):
                source = self.instrument.by_source[row["source"]]
                if source.apart and any(0 < row[name] < LEAST_PEOPLE for name in ("n", "invited")):
                    found.add(source.id)
                if source.apart and 0 < self.unable(source, one)[1] < LEAST_PEOPLE:
                    found.add(source.id)
        return frozenset(found)

    def _least(self, n: int, least: int) -> str:
        return self.say("reports.least", n=self.whole(n), least=self.whole(least))


def level_text(share: float, lang: Language) -> str:
    """Return a confidence level as text."""
    return numbers.percent(share, lang, digits=0 if math.isclose(100 * share, round(100 * share)) else 1)


def minimum(source: Source, *, census: bool) -> int:
    """Return the smallest number of units of a source from which a figure is made."""
    return source.census_minimum or source.minimum if census else source.minimum


def hidden_people(row: Row, instrument: Instrument) -> bool:
    """Return whether a row of counts stands for too few people to be printed."""
    return few_people(row["source"], row["rows"], instrument)


def _by_place(rows: list[Row]) -> dict[Place, list[Row]]:
    places: dict[Place, list[Row]] = {}
    for row in rows:
        places.setdefault((row["site"], row["wave"], row["service_area"]), []).append(row)
    return places


def _protect_areas(rows: list[Row], instrument: Instrument) -> None:
    """Withhold, where people's answers in one area are withheld, those of the site's other areas too.

    From the whole and the other areas the withheld one could be worked out.
    """
    people = {source.id for source in instrument.sources if source.kind == "survey"}
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row["service_area"] and row["source"] in people:
            target = (row["site"], row["wave"], row["level"], row["source"], row["component"], row["item"])
            groups.setdefault(target, []).append(row)
    for group in groups.values():
        if any(row["reason"] and row["n"] for row in group):
            for row in group:
                if not row["reason"]:
                    row.update(hidden(), reason=OTHER_AREA)
