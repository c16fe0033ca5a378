"""Reliability of components: which statistics fit follows from the declared measurement model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from ibic_fidelity.dossier.occasion_pairs import one_wave
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of
from ibic_fidelity.dossier.unit_values import Labelled, UnitValues, unit_values
from ibic_fidelity.errors import IbicWarning
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.consistency.composites import stratified_alpha
from ibic_fidelity.psychometrics.consistency.factor_reliability import mcdonald_omega
from ibic_fidelity.psychometrics.consistency.guttman import guttman_lambda
from ibic_fidelity.psychometrics.consistency.internal_consistency import cronbach_alpha
from ibic_fidelity.psychometrics.consistency.items import item_analysis
from ibic_fidelity.psychometrics.consistency.two_items import spearman_brown
from ibic_fidelity.psychometrics.intraclass.groups import group_mean_reliability
from ibic_fidelity.psychometrics.within_group import within_group_agreement
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

LEAST_ROWS = 3
FEW_SITES = 10
#: Said of the interval for normal answers; it does not weaken the adjusted one that stands in its place.
OF_NORMAL_ANSWERS = ("psychometrics.feldt_too_narrow", "psychometrics.interval_too_narrow")
#: Of an item with the rest of its scale; the others are of the item alone.
OF_COMPLETE_ROWS = ("item_rest_correlation", "alpha_if_deleted")
ITEM_STATISTICS = (
    "mean", "sd", "floor_share", "ceiling_share", "missing_share", "item_rest_correlation", "alpha_if_deleted",
)  # fmt: skip


def component_reliability(
    responses: Responses, instrument: Instrument, *, wave: str | None = None, confidence_level: float = 0.95
) -> Statistics:
    """Return the reliability statistics that each component's measurement model asks for.

    Reflective components get Cronbach's alpha, McDonald's omega total and Guttman's lambda 2 (with two items
    Spearman-Brown's) and item statistics; the reflective scales of one source together get stratified alpha.
    Every component gets ICC(1), ICC(2) and the design effect of its units' means by site, by analysis of variance
    and by REML. Components declared `shared` also get within-group agreement (rwg of the mean, rwg(j), awg, AD).
    A formative component gets no alpha: its items define it and need not agree.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    wave : str, optional
        The occasion to take, where there are several.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    Statistics
        Statistics of a scale as a whole are listwise within the component, those of an item alone take all its
        answers; a unit's mean takes its items with an answer; n is counted after that.

    Raises
    ------
    UsageError
        The responses were coded by another instrument, or hold several waves and none is named.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = component_reliability(study.responses, study.instrument)
    >>> "cronbach_alpha" in set(result.table["statistic"])
    True
    """
    check_same_instrument(responses, instrument)
    responses = one_wave(responses, wave)
    return collected(
        Message("dossier.title_reliability"),
        _all_rows(responses, instrument, confidence_level),
        instrument,
        provenance=provenance_of(responses, instrument, {"confidence_level": confidence_level, "wave": wave}),
        confidence_level=confidence_level,
    )


def _all_rows(responses: Responses, instrument: Instrument, confidence_level: float) -> Iterator[Statistic]:
    for answered in responses.tables.values():
        if instrument.by_source[answered.source].kind == "register":
            continue
        components = unit_values(answered, instrument)
        for values in components:
            for row in _rows(values, confidence_level):
                yield row.where(source=values.source, component=values.component.id)
        scales = [values for values in components if values.component.measurement_model == "reflective"]
        scales = [values for values in scales if len(values.items) > 1]
        if len(scales) > 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", IbicWarning)
                yield from (row.where(source=answered.source) for row in _composite(scales, confidence_level))


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


def _consistency(values: UnitValues, level: float) -> Iterator[Statistic]:
    """Yield what a reflective scale's items have in common, by the complete rows; n stands with each."""
    k = values.x.shape[1]
    if k < 2:
        yield Statistic.of("cronbach_alpha", 0, np.nan, notes=(Message("dossier.one_item"),))
        return
    n = int(np.isfinite(values.x).all(axis=1).sum())
    if n < LEAST_ROWS:
        yield Statistic.of("cronbach_alpha", n, np.nan, notes=(Message("dossier.too_few_rows", {"n": n}),))
        return
    x = Labelled(values.x, values.items)
    alpha = cronbach_alpha(x, clusters=values.site, missing="listwise", confidence_level=level)
    yield Statistic.of("cronbach_alpha", alpha.n, alpha.estimate, alpha.ci, notes=notes_of(alpha.reason, alpha.flags))
    notes = _of_adjusted(alpha.reason, alpha.flags)
    yield Statistic.of("cronbach_alpha_adjusted", alpha.n, alpha.estimate, alpha.ci_adjusted, notes=notes)
    if k == 2:
        two = spearman_brown(x, clusters=values.site, missing="listwise", confidence_level=level)
        yield Statistic.of(
            "spearman_brown", two.n, two.estimate, two.ci_adjusted, notes=_of_adjusted(two.reason, two.flags)
        )
    else:
        omega = mcdonald_omega(x, clusters=values.site, missing="listwise", confidence_level=level)
        yield Statistic.of(
            "mcdonald_omega", omega.n, omega.estimate, omega.ci_adjusted, notes=_of_adjusted(omega.reason, omega.flags)
        )
        lambdas = guttman_lambda(x, missing="listwise", confidence_level=level)
        yield Statistic.of("guttman_lambda2", lambdas.n, lambdas.lambda2, notes=notes_of(lambdas.reason, lambdas.flags))
    yield from _items(values)


def _items(values: UnitValues) -> Iterator[Statistic]:
    """Yield what each item is like, from its own answers, and with the rest of the scale, from complete rows."""
    items = item_analysis(values.x, missing="available", low=values.low, high=values.high)
    complete = int(items.n_complete)
    for j, item in enumerate(values.items):
        for name in ITEM_STATISTICS:
            of_scale = name in OF_COMPLETE_ROWS
            n = complete if of_scale else int(items.n[j])
            yield Statistic.of(name, n, getattr(items, name)[j]).where(item=item)
        yield Statistic.of("alpha_of_scale", complete, items.alpha).where(item=item)


def _composite(scales: list[UnitValues], level: float) -> Iterator[Statistic]:
    """Yield the reliability of all reflective scales of one source taken together, each scale a stratum."""
    x = np.concatenate([values.x for values in scales], axis=1)
    strata = [values.component.id for values in scales for _ in values.items]
    n = int(np.isfinite(x).all(axis=1).sum())
    if n < LEAST_ROWS:
        yield Statistic.of("stratified_alpha", n, np.nan, notes=(Message("dossier.too_few_rows", {"n": n}),))
        return
    alpha = stratified_alpha(x, strata, clusters=scales[0].site, missing="listwise", confidence_level=level)
    notes = _of_adjusted(alpha.reason, alpha.flags)
    yield Statistic.of("stratified_alpha", alpha.n, alpha.estimate, alpha.ci_adjusted, notes=notes)


def _of_adjusted(reason: Message | None, flags: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(note for note in notes_of(reason, flags) if note.code not in OF_NORMAL_ANSWERS)


def _groups(values: UnitValues, level: float) -> Iterator[Statistic]:
    """Yield how alike the units of a site are, and what that means for the site's mean."""
    use = np.isfinite(values.mean)
    if len(set(values.site[use].tolist())) < 2:
        yield Statistic.of("icc1", int(use.sum()), np.nan, notes=(Message("dossier.one_site"),))
        return
    y, site = values.mean[use], values.site[use]
    n_sites = len(set(site.tolist()))
    few = (Message("dossier.few_sites", {"n": n_sites, "least": FEW_SITES}),) if n_sites < FEW_SITES else ()
    groups = group_mean_reliability(y, site, confidence_level=level)
    told = (*notes_of(groups.reason, groups.flags), *few)
    yield Statistic.of("icc1", groups.n, groups.icc1, groups.icc1_ci_adjusted, notes=told)
    yield Statistic.of("icc2", groups.n, groups.icc2, groups.icc2_ci_adjusted, notes=told)
    yield Statistic.of(
        "design_effect",
        groups.n,
        groups.design_effect,
        groups.design_effect_ci,
        notes=told,
    )
    by_site = zip(groups.groups, groups.group_sizes.tolist(), groups.group_std_errors.tolist(),
                  groups.group_reliabilities.tolist(), strict=True)  # fmt: skip
    for name, n, error, reliability in by_site:
        yield Statistic.of("site_std_error", n, error).where(site=str(name))
        yield Statistic.of("site_reliability", n, reliability).where(site=str(name))
    reml = group_mean_reliability(y, site, estimator="REML", confidence_level=level)
    told = (*notes_of(reml.reason, reml.flags), *few)
    yield Statistic.of("icc1_reml", reml.n, reml.icc1, reml.icc1_ci_adjusted, notes=told)
    yield Statistic.of("icc2_reml", reml.n, reml.icc2, reml.icc2_ci_adjusted, notes=told)


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
        flags = of_mean.flags if name == "rwg" else of_items.flags
        notes = tuple(note for note in flags if _is_of_index(note, name))
        yield Statistic.of(f"{name}_mean", of_items.n, index.mean, index.mean_ci, notes=notes)
        yield Statistic.of(f"{name}_median", of_items.n, index.median, method=method, notes=notes)
        by_group = zip(of_items.groups, of_items.group_n.tolist(), index.estimate.tolist(), index.reasons, strict=True)
        for group, n, estimate, reason in by_group:
            notes = notes_of(reason, ())
            yield Statistic.of(name, n, estimate, method=method, notes=notes).where(site=str(group))


def _is_of_index(note: Message, index: str) -> bool:
    """Return whether a flag of within-group agreement is about this index."""
    named = note.params.get("indices")
    if isinstance(named, list | tuple):
        return index in named
    return (index == "awg") == note.code.startswith("psychometrics.awg")
