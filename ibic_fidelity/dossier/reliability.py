"""Reliability of components: which statistics fit follows from the declared measurement model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.dossier.unit_values import UnitValues, unit_values
from ibic_fidelity.errors import IbicWarning
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.numbers import Style, coefficient, interval
from ibic_fidelity.foundation.results import ConfidenceInterval, Provenance, Records, table
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.internal_consistency import CronbachAlpha, cronbach_alpha
from ibic_fidelity.psychometrics.intraclass import GroupMeanReliability, group_mean_reliability
from ibic_fidelity.psychometrics.items import item_analysis
from ibic_fidelity.psychometrics.within_group import within_group_agreement
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 3


@dataclass(frozen=True, slots=True, eq=False)
class ComponentReliability:
    """Reliability statistics of every component and source.

    Attributes
    ----------
    rows : Records
        One row a statistic: source, component, item (empty for the component), site (empty for all),
        statistic, n, estimate, ci_low, ci_high, method.
    notes : tuple of tuple of Message
        For each row, why a statistic is not defined, or what weakens its interval.
    labels : mapping
        The printed label of each component and source, by id, in both languages.
    confidence_level : float
        Of the intervals.
    provenance : Provenance
        From what it was made.
    """

    rows: Records
    notes: tuple[tuple[Message, ...], ...]
    labels: dict[str, dict[str, str]]
    confidence_level: float
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return every statistic as a new frame."""
        columns: dict[str, Any] = {name: self.rows[name].tolist() for name in self.rows.columns}
        columns["ci_level"] = [self.confidence_level] * len(self.rows)
        columns["reason"] = [_joined(notes, "en") for notes in self.notes]
        return table(columns)

    def text(self, language: Language = "en") -> str:
        """Return the components' statistics, one component a paragraph; items and sites stand in `table`."""
        lines: list[str] = []
        if self.provenance.synthetic:
            lines.append(text("dossier.synthetic", language))
        for source, component in dict.fromkeys(zip(self.rows["source"], self.rows["component"], strict=True)):
            head = f"{self.labels[component][language]} [{component}], {self.labels[source][language]}"
            lines.append(f"\n{head}")
            mine = (self.rows["component"] == component) & (self.rows["source"] == source)
            whole = mine & (self.rows["item"] == "") & (self.rows["site"] == "")
            notes = [self.notes[i] for i in np.flatnonzero(whole)]
            rows = zip(self.rows.where(whole).rows(), notes, strict=True)
            lines += [f"  {_line(row, one, language)}" for row, one in rows]
        return "\n".join(lines)

    def summary(self) -> str:
        """Return the components' statistics in English."""
        return self.text("en")

    def __repr__(self) -> str:
        return self.summary()


def component_reliability(
    responses: Responses, instrument: Instrument, *, confidence_level: float = 0.95
) -> ComponentReliability:
    """Return the reliability statistics that each component's measurement model asks for.

    Reflective components get Cronbach's alpha and item statistics. Every component gets ICC(1) and ICC(2)
    of its units' means by site. Components declared `shared` also get within-group agreement (rwg of the
    mean, rwg(j), awg, AD). A formative component gets no alpha: its items define it and need not agree.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    ComponentReliability
        Alpha and item statistics are listwise within a component; a unit's mean takes its items with an
        answer; n is counted after that.

    Raises
    ------
    UsageError
        The responses were coded by another instrument.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = component_reliability(study.responses, study.instrument)
    >>> "cronbach_alpha" in set(result.table["statistic"])
    True
    """
    check_same_instrument(responses, instrument)
    rows: list[dict[str, Any]] = []
    for answered in responses.tables.values():
        if instrument.by_source[answered.source].kind == "register":
            continue
        for values in unit_values(answered, instrument):
            rows += [
                {"source": values.source, "component": values.component.id, **row}
                for row in _rows(values, confidence_level)
            ]
    labels = {part.id: part.label.as_dict() for part in (*instrument.components, *instrument.sources)}
    provenance = provenance_of(responses, instrument, {"confidence_level": confidence_level})
    names = ("site", "source", "component", "item", "statistic", "n", "estimate", "ci_low", "ci_high", "method")
    records = Records.of(**{name: [row[name] for row in rows] for name in names})
    return ComponentReliability(records, tuple(row["notes"] for row in rows), labels, confidence_level, provenance)


def _rows(values: UnitValues, confidence_level: float) -> Iterator[dict[str, Any]]:
    if len(values.x) < LEAST_ROWS:
        yield _row("n", len(values.x), np.nan, notes=(Message("dossier.too_few_rows", {"n": len(values.x)}),))
        return
    with warnings.catch_warnings():  # what is undefined carries its reason in the row
        warnings.simplefilter("ignore", IbicWarning)
        if values.component.measurement_model == "reflective":
            yield from _consistency(values, confidence_level)
        yield from _groups(values, confidence_level)
        if values.component.shared:
            yield from _agreement(values)


def _consistency(values: UnitValues, confidence_level: float) -> Iterator[dict[str, Any]]:
    k = values.x.shape[1]
    if k < 2:
        yield _row("cronbach_alpha", 0, np.nan, notes=(Message("dossier.one_item"),))
        return
    if np.isfinite(values.x).all(axis=1).sum() < LEAST_ROWS:
        n = int(np.isfinite(values.x).all(axis=1).sum())
        yield _row("cronbach_alpha", n, np.nan, notes=(Message("dossier.too_few_rows", {"n": n}),))
        return
    alpha = cronbach_alpha(values.x, missing="listwise", confidence_level=confidence_level)
    yield _row("cronbach_alpha", alpha.n, alpha.estimate, ci=alpha.ci, notes=_notes(alpha))
    notes = tuple(note for note in _notes(alpha) if note.code != "psychometrics.feldt_too_narrow")
    yield _row("cronbach_alpha_adjusted", alpha.n, alpha.estimate, ci=alpha.ci_adjusted, notes=notes)
    items = item_analysis(values.x, missing="listwise", low=values.low, high=values.high)
    for j, item in enumerate(values.items):
        for name in (
            "mean",
            "sd",
            "floor_share",
            "ceiling_share",
            "missing_share",
            "item_rest_correlation",
            "alpha_if_deleted",
        ):
            yield _row(name, int(items.n[j]), float(getattr(items, name)[j]), item=item)


def _groups(values: UnitValues, confidence_level: float) -> Iterator[dict[str, Any]]:
    use = np.isfinite(values.mean)
    if len(set(values.site[use].tolist())) < 2:
        yield _row("icc1", int(use.sum()), np.nan, notes=(Message("dossier.one_site"),))
        return
    groups = group_mean_reliability(values.mean[use], values.site[use], confidence_level=confidence_level)
    yield _row("icc1", groups.n, groups.icc1, ci=groups.icc1_ci, notes=_notes(groups))
    yield _row("icc2", groups.n, groups.icc2, ci=groups.icc2_ci, notes=_notes(groups))


def _agreement(values: UnitValues) -> Iterator[dict[str, Any]]:
    complete = np.isfinite(values.x).all(axis=1)
    if complete.sum() < LEAST_ROWS:
        return
    x, site = values.x[complete], values.site[complete]
    of_items = within_group_agreement(x, site, low=values.low, high=values.high)
    of_mean = within_group_agreement(x.mean(axis=1, keepdims=True), site, low=values.low, high=values.high)
    for name, index in (
        ("rwg", of_mean.rwg),
        ("rwg_j", of_items.rwg_j),
        ("awg", of_items.awg),
        ("ad", of_items.ad),
    ):
        method = f"null {of_items.null}" if name.startswith("rwg") else ""
        yield _row(f"{name}_mean", of_items.n, index.mean, method=method)
        yield _row(f"{name}_median", of_items.n, index.median, method=method)
        for group, n, estimate in zip(of_items.groups, of_items.group_n.tolist(), index.estimate.tolist(), strict=True):
            yield _row(name, n, estimate, site=str(group), method=method)


def _row(
    statistic: str,
    n: int,
    estimate: float,
    *,
    ci: ConfidenceInterval | None = None,
    notes: tuple[Message, ...] = (),
    item: str = "",
    site: str = "",
    method: str = "",
) -> dict[str, Any]:
    return {
        "site": site, "item": item, "statistic": statistic, "n": n, "estimate": estimate,
        "ci_low": np.nan if ci is None else ci.low, "ci_high": np.nan if ci is None else ci.high,
        "method": method if ci is None else ci.method, "notes": notes,
    }  # fmt: skip


def _line(row: dict[str, Any], notes: tuple[Message, ...], language: Language) -> str:
    name = text(f"dossier.name_{row['statistic']}", language)
    figure = coefficient(row["estimate"], language)
    if np.isfinite(row["ci_low"]):
        style: Style = "sv" if language == "sv" else "apa"
        figure += f" ({interval(row['ci_low'], row['ci_high'], style, digits=2)})"
    method = f", {row['method']}" if row["method"] else ""
    told = f"; {_joined(notes, language)}" if notes else ""
    return f"{name}: {figure}, n = {row['n']}{method}{told}"


def _notes(result: CronbachAlpha | GroupMeanReliability) -> tuple[Message, ...]:
    return (() if result.reason is None else (result.reason,)) + tuple(
        flag for flag in result.flags if flag != result.reason
    )


def _joined(notes: tuple[Message, ...], language: Language) -> str:
    return " ".join(note.text(language) for note in notes)
