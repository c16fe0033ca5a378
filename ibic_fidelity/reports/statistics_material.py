"""Statistics as a report needs them: by section, in words, with what may not be printed taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ibic_fidelity.dossier.statistics import Statistic, Statistics, level_of
from ibic_fidelity.foundation.messages import Language, Message, catalogue
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import check, printable, shown_statistics
from ibic_fidelity.plotting.statistics import coefficient_name
from ibic_fidelity.reports.material import Spoken, level_text

#: Statistics that one text explains.
ALIKE = {
    "lower_limit": "limits_of_agreement",
    "upper_limit": "limits_of_agreement",
    "floor_share": "end_shares",
    "ceiling_share": "end_shares",
    "icc1_reml": "icc1",
    "site_reliability": "icc2",
    "kappa_lower_limit": "certified_kappa",
    "kappa_lower_limit_weighted": "certified_kappa",
    "icc2_reml": "icc2",
    "alpha_of_scale": "cronbach_alpha",
    "retest_kappa": "cohen_kappa",
    "rater_sem": "sem",
    "same_answer_levels": "percent_agreement",
    "weighted_agreement_with_others": "agreement_with_others",
    "certified_kappa_weighted": "certified_kappa",
    "sem_of_differences": "sem",
    "overlap_share": "overlap",
    "overlap_expected": "overlap",
    "retest_icc_consistency": "retest_icc",
    "reaudit_icc_consistency": "reaudit_icc",
}
#: Families of statistics that one text explains.
FAMILIES = {"share_": "share_site", "sd_": "sd_site", "error_": "error_rater", "needed_with_": "needed_files"}
#: Statistics for which limits between good and poor are often cited.
OFTEN_JUDGED = frozenset({
    "fleiss_kappa", "cohen_kappa", "gwet_ac", "krippendorff_alpha", "retest_kappa", "intra_rater_kappa",
    "agreement_with_others", "weighted_agreement_with_others", "certified_kappa", "certified_kappa_weighted",
    "icc_agreement", "retest_icc", "reaudit_icc",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Section:
    """The statistics of one component (empty: of the whole source) from one source."""

    source: str
    component: str
    rows: tuple[Statistic, ...]

    def level(self, name: str) -> tuple[Statistic, ...]:
        """Return the rows of one of `LEVELS`."""
        return tuple(row for row in self.rows if level_of(row) == name)


@dataclass(frozen=True, eq=False)
class StatisticsMaterial(Spoken):
    """Statistics, their instrument and a language; `rows` are the statistics that may be printed."""

    statistics: Statistics
    instrument: Instrument
    lang: Language
    rows: tuple[Statistic, ...] = field(init=False)

    def __post_init__(self) -> None:
        check(self.statistics, self.instrument, self.lang)
        object.__setattr__(self, "rows", tuple(shown_statistics(self.statistics, self.instrument)))

    @property
    def synthetic(self) -> bool:
        """Return whether these are simulated data."""
        return self.statistics.provenance.synthetic

    @property
    def level(self) -> str:
        """Return the confidence level as text."""
        return level_text(self.statistics.confidence_level, self.lang)

    def of_level(self, name: str) -> tuple[Statistic, ...]:
        """Return the rows of one of `LEVELS`."""
        return tuple(row for row in self.rows if level_of(row) == name)

    def label(self, name: str) -> str:
        """Return the label of a component, source or item."""
        return printable(self.statistics.label(name, self.lang))

    def names(self, rows: Iterable[Statistic]) -> list[str]:
        """Return the statistics that occur, in their order."""
        return list(dict.fromkeys(row.statistic for row in rows))

    def sections(self) -> list[Section]:
        """Return the statistics by source and component, in the order in which they come."""
        parts: dict[tuple[str, str], list[Statistic]] = {}
        for row in self.rows:
            parts.setdefault((row.source, row.component), []).append(row)
        return [Section(source, component, tuple(rows)) for (source, component), rows in parts.items()]

    def heading(self, section: Section) -> str:
        """Return what a section is called."""
        return " – ".join(self.label(name) for name in (section.component, section.source) if name)

    def about(self) -> list[tuple[str, str]]:
        """Return each statistic that occurs and is explained, with what it says and does not say."""
        told: dict[str, list[str]] = {}
        for name in self.names(self.rows):
            code = self._explained(name)
            if code:
                told.setdefault(code, []).append(name)
        return [
            (self._term(code, names), self.say(code, site=self.noun, sites=self.nouns)) for code, names in told.items()
        ]

    def _explained(self, name: str) -> str:
        for family, known in FAMILIES.items():
            if name.startswith(family):
                return f"reports.about_{known}"
        plain = name.removesuffix("_mean").removesuffix("_median")
        for known in (ALIKE.get(name, name), plain, plain.rstrip("0123456789")):
            code = f"reports.about_{known}"
            if code in catalogue(self.lang):
                return code
        return ""

    def _term(self, code: str, names: Sequence[str]) -> str:
        base = code.removeprefix("reports.about_")
        if len(names) > 1 and f"dossier.name_{base}" in catalogue(self.lang):
            return coefficient_name(base, self.lang)
        return ", ".join([coefficient_name(names[0], self.lang), *(self.say(f"dossier.name_{n}") for n in names[1:])])

    def reading(self) -> list[str]:
        """Return how what occurs is to be read, a paragraph each."""
        told = [self.say("reports.reading_interval", level=self.level), self.say("reports.reading_undefined")]
        if any(row.statistic in OFTEN_JUDGED for row in self.rows):
            told.append(self.say("reports.reading_no_words"))
        if any(row.statistic.startswith(("rwg", "awg", "ad_")) for row in self.rows):
            told.append(self.say("reports.reading_shared", site=self.noun))
        return told

    def preface(self) -> list[str]:
        """Return what must be known of all of them."""
        told = [self.message(message) for message in self.statistics.preface]
        if any(row.rater for row in self.rows):
            told.append(self.say("reports.raters_use"))
        return told

    def reason(self, row: Statistic) -> str:
        """Return in words why a statistic is not there."""
        return " ".join(map(self.message, row.notes)) or self.say("plotting.no_reason")


class Remarks:
    """Remarks that stand once below tables, and in them as numbers."""

    def __init__(self, material: StatisticsMaterial) -> None:
        self._material = material
        self.texts: list[str] = []

    def mark(self, notes: Iterable[Message]) -> str:
        """Return the numbers of some remarks."""
        numbers = []
        for note in dict.fromkeys(notes):
            said = self._material.message(note)
            if said not in self.texts:
                self.texts.append(said)
            numbers.append(self.texts.index(said) + 1)
        return ", ".join(map(str, sorted(set(numbers))))
