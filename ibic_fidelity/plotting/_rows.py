"""What may be drawn or printed of scores, in what words, and in what order."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from typing import Any, Literal

from ibic_fidelity.disclosure.published import PublishedScores
from ibic_fidelity.disclosure.rules import LEAST_PEOPLE
from ibic_fidelity.dossier.statistics import Statistic, Statistics
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, Language, Message, text
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Component
from ibic_fidelity.scoring.comparison.overall import OverallComparison
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores

Row = dict[str, Any]
#: What was made of one instrument's answers.
Scored = Scores | ShrunkenScores | OverallComparison | PublishedScores
Order = Literal["name", "code"]

FEW_PEOPLE = "plotting.few_people"
_NUMBERS = ("estimate", "std_error", "ci_low", "ci_high")
_BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def check(result: Scored | Statistics, instrument: Instrument, lang: Language) -> None:
    """Refuse an unknown language, and an instrument by which the result was not made."""
    check_language(lang)
    made = result.provenance
    if (made.instrument_id, made.instrument_sha256) != (instrument.id, instrument.sha256):
        raise UsageError(
            "plotting.other_instrument",
            scored=f"{made.instrument_id} {made.instrument_version}",
            given=f"{instrument.id} {instrument.version}",
        )


def check_language(lang: Language) -> None:
    """Refuse an unknown language."""
    if lang not in LANGUAGES:
        raise UsageError("plotting.language", value=repr(lang), choices=list(LANGUAGES))


def shown_rows(rows: Records, instrument: Instrument) -> list[Row]:
    """Return the rows as mappings, figures of fewer than five people taken out and the reason put in.

    Scoring withholds by each source's minimum, which may be 1 for a source that by nature has one row;
    where that row is a person's answers it is not printed either.
    """
    people = {source.id for source in instrument.sources if source.kind == "survey"}
    made = rows.rows()
    for row in made:
        if row["source"] in people and row["n"] < LEAST_PEOPLE and not row["reason"]:
            row.update(hidden(), reason=FEW_PEOPLE)
    return made


def shown_statistics(statistics: Statistics, instrument: Instrument) -> list[Statistic]:
    """Return statistics, those of fewer than five people taken out and the reason put in.

    Where a single site's is taken out, so is that of the next smallest: from the mean over sites and all
    others the first could be worked out.
    """
    people = {source.id for source in instrument.sources if source.kind == "survey"}
    made: list[Statistic] = []
    groups: dict[tuple[str, ...], list[tuple[bool, int, int]]] = {}
    for row in statistics:
        answers = row.source in people and math.isfinite(row.estimate)
        small = answers and row.n < LEAST_PEOPLE
        if answers and row.site:
            group = (row.source, row.component, row.item, row.rater, row.statistic)
            groups.setdefault(group, []).append((small, row.n, len(made)))
        made.append(_without(row, Message(FEW_PEOPLE, {"n": LEAST_PEOPLE})) if small else row)
    for members in groups.values():
        shown = sorted((n, place) for small, n, place in members if not small)
        if len(members) - len(shown) == 1 and shown:
            place = shown[0][1]
            made[place] = _without(made[place], Message("plotting.hidden_for_site"))
    return made


def _without(row: Statistic, why: Message) -> Statistic:
    return replace(row, estimate=math.nan, ci_low=math.nan, ci_high=math.nan, method="", notes=(why,))


def hidden() -> Row:
    """Return what stands in a row whose numbers are not shown."""
    return {**dict.fromkeys(_NUMBERS, math.nan), "flag": "", "method": ""}


def reason_words(code: str, lang: Language) -> str:
    """Return the reason of a withheld score in a few words."""
    return text(code, lang, n=LEAST_PEOPLE) if code == FEW_PEOPLE else Message(code).text(lang)


def in_totals(instrument: Instrument) -> tuple[Component, ...]:
    """Return the components that enter a total, or all where the instrument has no total."""
    entering = {dimension for total in instrument.totals for dimension in total.dimensions}
    return tuple(part for part in instrument.components if not entering or part.dimension in entering)


def cuts_of(scores: Scores, instrument: Instrument) -> tuple[float, ...]:
    """Return the lower cuts of the bands, none where the scores are not of the way of working."""
    return band_cuts(instrument) if scores.estimand == WAY_OF_WORKING else ()


def band_cuts(instrument: Instrument) -> tuple[float, ...]:
    """Return where bands begin, 0–100, without the lowest."""
    return tuple(round(100 * band.low, 6) for band in instrument.bands if band.low > 0)


def printable(name: str) -> str:
    r"""Return a name in one line, without control characters and marks that turn the direction of text.

    Examples
    --------
    >>> printable("Håbo\x00\n kommun")
    'Håbo kommun'
    """
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Cs") else c for c in name if unicodedata.bidirectional(c) not in _BIDI
    )
    return " ".join("".join(kept).split())


def site_name(site: str, instrument: Instrument) -> str:
    """Return the name of a site, or its code where the register has none."""
    return printable(instrument.register_codes.get(site, site)) or "?"


def area_label(area: str, instrument: Instrument, lang: Language) -> str:
    """Return the label of a service area, or its name in the data where the instrument does not know it."""
    return next((known.label[lang] for known in instrument.service_areas if known.id == area), printable(area))


def sites_in_order(sites: tuple[str, ...], instrument: Instrument, order: Order) -> list[str]:
    """Return sites by name in Swedish alphabetical order, or by code; never by score."""
    if order == "code":
        return sorted(sites)
    return sorted(sites, key=lambda site: (alphabetical(site_name(site, instrument)), site))


def alphabetical(name: str) -> str:
    """Return what to sort by so that å, ä, ö come last, in that order, and 2 before 10.

    Examples
    --------
    >>> sorted(["Örebro", "Ale", "Åre", "Älvdalen", "Område 10", "Område 2"], key=alphabetical)
    ['Ale', 'Område 2', 'Område 10', 'Åre', 'Älvdalen', 'Örebro']
    """
    plain = name.casefold().translate({ord("å"): "{", ord("ä"): "|", ord("ö"): "}"})
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), plain)
