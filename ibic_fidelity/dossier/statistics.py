"""What every part of the dossier returns: statistics, one a row, each with what weakens it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.numbers import Style, coefficient, interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, Provenance, Records, table
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.exploratory.parallel import ParallelAnalysis

if TYPE_CHECKING:
    import pandas as pd

#: What a row is about, from the whole to the parts.
LEVELS = ("component", "item", "rater", "site")
#: How a statistic is printed where it is no coefficient: a share as a percentage, others with their own unit.
SHARES = frozenset({
    "percent_agreement", "applicability_agreement", "floor_share", "ceiling_share", "missing_share", "right_share",
    "same_answer_levels",
    "overlap_share", "overlap_expected", "one_factor_share",
})  # fmt: skip
VALUES = frozenset({
    "mean", "sd", "design_effect", "severity", "drift", "sem", "sdc", "sdc_group", "mean_difference",
    "lower_limit", "upper_limit", "mean_deviation", "n_sites", "n_units", "n_pairs", "sem_of_differences",
    "proportional_bias", "site_std_error",
})  # fmt: skip
#: Families of statistics, one an effect of a design, that are printed alike.
SHARE_FAMILIES, VALUE_FAMILIES = ("share_", "error_"), ("sd_", "sem_")
#: Numbers of things, printed whole.
COUNTS = frozenset({
    "needed_files", "needed_respondents", "parallel_factors", "parallel_components", "map_components", "n_scales",
})  # fmt: skip
MOST_NAMED = 4  # statistics that a remark names; more are not listed


def is_count(statistic: str) -> bool:
    """Return whether a statistic is a number of things, printed whole."""
    return statistic in COUNTS or statistic.startswith("needed_with_")


def is_share(statistic: str) -> bool:
    """Return whether a statistic is printed as a percentage."""
    return statistic in SHARES or statistic.startswith(SHARE_FAMILIES)


def is_value(statistic: str) -> bool:
    """Return whether a statistic has a unit of its own and no bounds."""
    return statistic in VALUES or is_count(statistic) or statistic.startswith(VALUE_FAMILIES)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic: of what, its value and interval, and notes on them."""

    statistic: str
    n: int
    estimate: float
    ci_low: float = np.nan
    ci_high: float = np.nan
    method: str = ""
    notes: tuple[Message, ...] = ()
    source: str = ""
    component: str = ""
    item: str = ""
    rater: str = ""
    site: str = ""

    @classmethod
    def of(
        cls,
        statistic: str,
        n: int,
        estimate: float,
        ci: ConfidenceInterval | None = None,
        *,
        method: str = "",
        notes: tuple[Message, ...] = (),
    ) -> Statistic:
        """Return a statistic of a component; `where` says of what else."""
        if ci is None:
            return cls(statistic, int(n), float(estimate), method=method, notes=notes)
        return cls(statistic, int(n), float(estimate), float(ci.low), float(ci.high), ci.method, notes)

    def where(self, **place: str) -> Statistic:
        """Return the same statistic of another source, component, item, rater or site."""
        return replace(self, **place)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Statistics of an instrument in use, one a row.

    Attributes
    ----------
    title : Message
        What they are about.
    rows : Records
        source, component, item, rater, site, statistic, n, estimate, ci_low, ci_high, method. Empty item,
        rater or site: over all of them.
    notes : tuple of tuple of Message
        For each row, why a statistic is not defined, or what weakens its interval.
    preface : tuple of Message
        What must be known of all of them.
    labels : mapping
        The printed label of each component, source and item, by id, in both languages.
    confidence_level : float
        Of the intervals.
    provenance : Provenance
        From what they were made.
    screes : mapping
        Parallel analyses by source and component, where there are any; an empty component is the whole source.
    """

    title: Message
    rows: Records
    notes: tuple[tuple[Message, ...], ...]
    preface: tuple[Message, ...]
    labels: Mapping[str, Mapping[Language, str]]
    confidence_level: float
    provenance: Provenance
    screes: Mapping[tuple[str, str], ParallelAnalysis] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """Return every statistic as a new frame, reasons in English."""
        return self.table_in("en")

    def table_in(self, language: Language) -> pd.DataFrame:
        """Return every statistic as a new frame, reasons in a language."""
        columns: dict[str, Any] = {name: self.rows[name].tolist() for name in self.rows.columns}
        columns["ci_level"] = [self.confidence_level] * len(self.rows)
        columns["reason"] = [joined(notes, language) for notes in self.notes]
        return table(columns, extra=("rater",))

    def with_rows(self, rows: Iterable[Statistic]) -> Statistics:
        """Return the same with other rows, such as those that may be shown."""
        made = list(rows)
        return replace(self, rows=_records(made), notes=tuple(row.notes for row in made))

    def level(self, name: str) -> list[Statistic]:
        """Return the rows of one of `LEVELS`, in their order, with their notes."""
        return [row for row in self if level_of(row) == name]

    def __iter__(self) -> Iterator[Statistic]:
        for row, notes in zip(self.rows.rows(), self.notes, strict=True):
            yield Statistic(**row, notes=notes)

    def label(self, name: str, language: Language) -> str:
        """Return the printed label of a component, source or item; of anything else its own name."""
        return self.labels[name][language] if name in self.labels else name

    def heading(self, language: Language = "en") -> str:
        """Return what the statistics are about and what must be known of all of them."""
        lines = [self.title.text(language)]
        if self.provenance.synthetic:
            lines.append(text("dossier.synthetic", language))
        return "\n".join([*lines, *(message.text(language) for message in self.preface)])

    def text(self, language: Language = "en") -> str:
        """Return what there is by component, item and rater; sites stand in `table`."""
        lines = [self.heading(language)]
        for (source, component), rows in groupby(self, key=lambda row: (row.source, row.component)):
            names = [f"{self.label(component, language)} [{component}]"] if component else []
            names += [self.label(source, language)] if source else []
            lines.append(f"\n{', '.join(names)}")
            lines += [f"  {line}" for line in self._lines(list(rows), language)]
        return "\n".join(lines)

    def _lines(self, rows: list[Statistic], language: Language) -> Iterator[str]:
        """Yield a line for each statistic of a component, one for each note, and one for each item and rater."""
        whole = [row for row in rows if level_of(row) == "component"]
        for row in whole:
            method = f", {row.method}" if row.method else ""
            star = "*" if row.notes else ""
            yield f"{self.name(row, language)}: {self.figure(row, language)}, n = {row.n}{method}{star}"
        for note in dict.fromkeys(note for row in whole for note in row.notes):
            of = [self.name(row, language) for row in whole if note in row.notes]
            named = f" ({'; '.join(of)})" if 1 < len(whole) > len(of) <= MOST_NAMED else ""
            yield f"  * {note.text(language)}{named}"
        parts = [row for row in rows if level_of(row) in {"item", "rater"}]
        said: dict[Message, list[str]] = {}
        for (item, rater), of_part in groupby(parts, key=lambda row: (row.item, row.rater)):
            told = list(of_part)
            figures = "; ".join(
                f"{self.name(row, language)} {self.figure(row, language)}{'*' if row.notes else ''}" for row in told
            )
            head = text("dossier.rater", language, rater=rater) if rater else self.label(item, language)
            yield f"  {head}: {figures}, n = {max(row.n for row in told)}"
            for note in dict.fromkeys(note for row in told for note in row.notes):
                said.setdefault(note, []).append(rater or item)
        for note, of in said.items():
            yield f"    * {note.text(language)} ({', '.join(of)})"

    def name(self, row: Statistic, language: Language) -> str:
        """Return what a statistic is called."""
        return text(f"dossier.name_{row.statistic}", language)

    def figure(self, row: Statistic, language: Language) -> str:
        """Return a statistic with its interval, as it is printed."""
        estimate, limits = shown(row, language)
        return f"{estimate} ({limits})" if limits else estimate

    def summary(self) -> str:
        """Return the statistics in English."""
        return self.text("en")

    def __repr__(self) -> str:
        return self.summary()


def collected(
    title: Message,
    rows: Iterable[Statistic],
    instrument: Instrument,
    *,
    provenance: Provenance,
    confidence_level: float,
    preface: tuple[Message, ...] = (),
    screes: Mapping[tuple[str, str], ParallelAnalysis] | None = None,
) -> Statistics:
    """Return statistics as a result."""
    made = list(rows)
    parts = (*instrument.components, *instrument.totals, *instrument.sources)
    labels: dict[str, Mapping[Language, str]] = {part.id: {"sv": part.label.sv, "en": part.label.en} for part in parts}
    for item in instrument.items:
        labels[item.id] = {"sv": f"{item.label} {item.idea.sv}", "en": f"{item.label} {item.idea.en}"}
    return Statistics(
        title=title,
        rows=_records(made),
        notes=tuple(row.notes for row in made),
        preface=preface,
        labels=labels,
        confidence_level=confidence_level,
        provenance=provenance,
        screes=screes or {},
    )


def _records(rows: Sequence[Statistic]) -> Records:
    names = [part.name for part in fields(Statistic) if part.name != "notes"]
    return Records.of(**{name: [getattr(row, name) for row in rows] for name in names})


def level_of(row: Statistic) -> str:
    """Return what a row is about: one of `LEVELS`."""
    return "site" if row.site else "rater" if row.rater else "item" if row.item else "component"


def notes_of(reason: Message | None, flags: Iterable[Message]) -> tuple[Message, ...]:
    """Return why a result is not defined and what weakens it, each once."""
    said = (*((reason,) if reason is not None else ()), *flags)
    return tuple(dict.fromkeys(said))


def notes_of_rater(rater: str, reason: Message | None, flags: Iterable[Message]) -> tuple[Message, ...]:
    """Return what is said of one rater: the reason, and flags that name this rater among others."""
    return notes_of(reason, [flag for flag in flags if rater in _named(flag)])


def _named(flag: Message) -> list[str]:
    named = flag.params.get("raters", ())
    return [str(name) for name in named] if isinstance(named, list | tuple) else []


def joined(notes: tuple[Message, ...], language: Language) -> str:
    """Return notes as one text."""
    return " ".join(note.text(language) for note in notes)


def shown(row: Statistic, language: Language) -> tuple[str, str]:
    """Return an estimate and its limits as they are printed; no text for limits that are not there."""
    style: Style = "sv" if language == "sv" else "apa"
    bounded = np.isfinite(row.ci_low) and np.isfinite(row.ci_high)
    if is_count(row.statistic):
        style = "sv" if language == "sv" else "en"
        limits = interval(row.ci_low, row.ci_high, style) if bounded else ""
        open_end = np.isfinite(row.ci_low) and np.isinf(row.ci_high)
        limits = f"{number(row.ci_low, style)}–∞" if open_end else limits
        return number(row.estimate, style), limits
    if is_share(row.statistic):
        limits = interval(100 * row.ci_low, 100 * row.ci_high, style) if bounded else ""
        return percent(row.estimate, language), limits
    if is_value(row.statistic):
        style = "sv" if language == "sv" else "en"
        limits = interval(row.ci_low, row.ci_high, style, digits=2) if bounded else ""
        return number(row.estimate, style, digits=2), limits
    limits = interval(row.ci_low, row.ci_high, style, digits=2) if bounded else ""
    return coefficient(row.estimate, language), limits
