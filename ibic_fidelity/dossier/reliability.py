"""Reliability of components: which statistics fit follows from the declared measurement model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of
from ibic_fidelity.dossier.unit_values import UnitValues, unit_values
from ibic_fidelity.errors import IbicWarning
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.internal_consistency import cronbach_alpha
from ibic_fidelity.psychometrics.intraclass import group_mean_reliability
from ibic_fidelity.psychometrics.items import item_analysis
from ibic_fidelity.psychometrics.within_group import within_group_agreement
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

LEAST_ROWS = 3
ITEM_STATISTICS = (
    "mean", "sd", "floor_share", "ceiling_share", "missing_share", "item_rest_correlation", "alpha_if_deleted",
)  # fmt: skip


def component_reliability(
    responses: Responses, instrument: Instrument, *, confidence_level: float = 0.95
) -> Statistics:
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
    Statistics
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
    return collected(
        Message("dossier.title_reliability"),
        _all_rows(responses, instrument, confidence_level),
        instrument,
        provenance=provenance_of(responses, instrument, {"confidence_level": confidence_level}),
        confidence_level=confidence_level,
    )


def _all_rows(responses: Responses, instrument: Instrument, confidence_level: float) -> Iterator[Statistic]:
    for answered in responses.tables.values():
        if instrument.by_source[answered.source].kind == "register":
            continue
        for values in unit_values(answered, instrument):
            for row in _rows(values, confidence_level):
                yield row.where(source=values.source, component=values.component.id)


def _rows(values: UnitValues, confidence_level: float) -> Iterator[Statistic]:
    if len(values.x) < LEAST_ROWS:
        yield Statistic.of("n", len(values.x), np.nan, notes=(Message("dossier.too_few_rows", {"n": len(values.x)}),))
        return
    with warnings.catch_warnings():  # what is undefined carries its reason in the row
        warnings.simplefilter("ignore", IbicWarning)
        if values.component.measurement_model == "reflective":
            yield from _consistency(values, confidence_level)
        yield from _groups(values, confidence_level)
        if values.component.shared:
            yield from _agreement(values)


def _consistency(values: UnitValues, confidence_level: float) -> Iterator[Statistic]:
    k = values.x.shape[1]
    if k < 2:
        yield Statistic.of("cronbach_alpha", 0, np.nan, notes=(Message("dossier.one_item"),))
        return
    n = int(np.isfinite(values.x).all(axis=1).sum())
    if n < LEAST_ROWS:
        yield Statistic.of("cronbach_alpha", n, np.nan, notes=(Message("dossier.too_few_rows", {"n": n}),))
        return
    alpha = cronbach_alpha(values.x, missing="listwise", confidence_level=confidence_level)
    yield Statistic.of("cronbach_alpha", alpha.n, alpha.estimate, alpha.ci, notes=notes_of(alpha))
    notes = tuple(note for note in notes_of(alpha) if note.code != "psychometrics.feldt_too_narrow")
    yield Statistic.of("cronbach_alpha_adjusted", alpha.n, alpha.estimate, alpha.ci_adjusted, notes=notes)
    items = item_analysis(values.x, missing="listwise", low=values.low, high=values.high)
    for j, item in enumerate(values.items):
        for name in ITEM_STATISTICS:
            yield Statistic.of(name, items.n[j], getattr(items, name)[j]).where(item=item)


def _groups(values: UnitValues, confidence_level: float) -> Iterator[Statistic]:
    use = np.isfinite(values.mean)
    if len(set(values.site[use].tolist())) < 2:
        yield Statistic.of("icc1", int(use.sum()), np.nan, notes=(Message("dossier.one_site"),))
        return
    groups = group_mean_reliability(values.mean[use], values.site[use], confidence_level=confidence_level)
    yield Statistic.of("icc1", groups.n, groups.icc1, groups.icc1_ci, notes=notes_of(groups))
    yield Statistic.of("icc2", groups.n, groups.icc2, groups.icc2_ci, notes=notes_of(groups))


def _agreement(values: UnitValues) -> Iterator[Statistic]:
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
        yield Statistic.of(f"{name}_mean", of_items.n, index.mean, method=method)
        yield Statistic.of(f"{name}_median", of_items.n, index.median, method=method)
        for group, n, estimate in zip(of_items.groups, of_items.group_n.tolist(), index.estimate.tolist(), strict=True):
            yield Statistic.of(name, n, estimate, method=method).where(site=str(group))
