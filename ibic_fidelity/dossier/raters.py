"""Agreement of raters in an audit where two of them rated some of the same files: by component, item and rater."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.double_ratings import DoubleRatings, ItemRatings, double_ratings
from ibic_fidelity.dossier.occasion_pairs import one_wave
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of, notes_of_rater
from ibic_fidelity.dossier.unit_values import Labelled
from ibic_fidelity.errors import IbicWarning, ResponseError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.agreement._ratings import NamedWeights
from ibic_fidelity.psychometrics.agreement.krippendorff import MeasurementLevel, krippendorff_alpha
from ibic_fidelity.psychometrics.agreement.many_raters import fleiss_kappa, gwet_ac
from ibic_fidelity.psychometrics.agreement.result import AgreementCoefficient
from ibic_fidelity.psychometrics.agreement.severity import rater_severity
from ibic_fidelity.psychometrics.agreement.single_rater_results import RaterAgreement
from ibic_fidelity.psychometrics.agreement.single_raters import leave_one_out_agreement
from ibic_fidelity.psychometrics.agreement.two_raters import percent_agreement
from ibic_fidelity.psychometrics.intraclass.raters import intraclass_correlation
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of
from ibic_fidelity.scoring.raters import rater_linking

Floats = NDArray[np.float64]
POINTS = 100.0  # of a score
LEAST_UNITS = 3


def rater_agreement(
    responses: Responses, instrument: Instrument, *, wave: str | None = None, confidence_level: float = 0.95
) -> Statistics:
    """Return how far raters agree on the files that two of them rated.

    By item: percent agreement, Fleiss' kappa (quadratic weights for levels), Gwet's AC (AC1, or AC2 with the same
    weights), Krippendorff's alpha (nominal for yes and no, ordinal for levels), and how often raters agree on
    whether the item applies. By component: ICC(A,1) of a file's value and its standard error of measurement. By
    rater: severity, and agreement with the others.

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
        Only primary measures of audited sources. Files that one rater rated are left out, and counted. Parts of a
        checklist are ratings clustered in their file. A file's value is the mean of the items that all its raters
        have a value for, in points of 100 where a statistic has a unit.

    Raises
    ------
    UsageError
        The responses were coded by another instrument, or hold several waves and none is named.
    ResponseError
        No file was rated twice.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = rater_agreement(study.responses, study.instrument)
    >>> sorted(set(result.table["rater"]))[1:4]
    ['g01', 'g02', 'g03']
    """
    check_same_instrument(responses, instrument)
    responses = one_wave(responses, wave)
    rows: list[Statistic] = []
    preface: list[Message] = []
    for table in responses.tables.values():
        if instrument.by_source[table.source].kind != "audit":
            continue
        rated = double_ratings(table, instrument)
        source = instrument.by_source[table.source].label
        if rated is None:
            preface.append(Message("dossier.not_rated_twice", {"source": source.as_dict()}))
            continue
        counts = {"twice": len(rated.site), "n": rated.n_units, "raters": len(rated.raters)}
        preface.append(Message("dossier.rated_twice", {"source": source.as_dict(), **counts}))
        linking = rater_linking(table)
        if not linking.linked:
            preface.append(Message("dossier.not_linked", {"source": source.as_dict(), "why": Message(linking.why)}))
        with warnings.catch_warnings():  # what is undefined carries its reason in the row
            warnings.simplefilter("ignore", IbicWarning)
            rows += [row.where(source=table.source) for row in _rows(rated, instrument, confidence_level)]
    if not rows:
        raise ResponseError("dossier.no_double_rating")
    return collected(
        Message("dossier.title_raters"),
        rows,
        instrument,
        provenance=provenance_of(responses, instrument, {"confidence_level": confidence_level, "wave": wave}),
        confidence_level=confidence_level,
        preface=tuple(preface),
    )


def _rows(rated: DoubleRatings, instrument: Instrument, level: float) -> Iterator[Statistic]:
    for component in instrument.components:
        items = tuple(one for one in rated.items if one.item.component == component.id)
        if items:
            yield from (row.where(component=component.id) for row in _of_component(rated, items, level))
            for one in items:
                yield from (row.where(component=component.id, item=one.item.id) for row in _of_item(one, level))
    yield from _of_raters(rated, level)


def _of_component(rated: DoubleRatings, items: tuple[ItemRatings, ...], level: float) -> Iterator[Statistic]:
    score = rated.score(items)
    paired = np.isfinite(score).sum(axis=1) >= 2
    if paired.sum() < LEAST_UNITS:
        note = Message("dossier.too_few_rows", {"n": int(paired.sum())})
        yield Statistic.of("icc_agreement", paired.sum(), np.nan, notes=(note,))
        return
    x = POINTS * score[paired]
    sites = rated.site[paired]
    icc = intraclass_correlation(x, definition="agreement", missing="available", clusters=sites, confidence_level=level)
    yield Statistic.of("icc_agreement", icc.n, icc.estimate, icc.ci_adjusted, notes=notes_of(icc.reason, icc.flags))
    error = float(np.sqrt(icc.variance_raters + icc.variance_residual))
    yield Statistic.of("rater_sem", icc.n, error, notes=notes_of(icc.reason, ()))


class _Same(TypedDict):
    """What all coefficients of an item are asked for."""

    categories: tuple[float, ...]
    clusters: NDArray[np.intp] | None
    confidence_level: float


def _of_item(one: ItemRatings, level: float) -> Iterator[Statistic]:
    paired = np.isfinite(one.codes).sum(axis=1) >= 2  # so that all coefficients are of the same ratings
    if paired.sum() < LEAST_UNITS:
        note = Message("dossier.too_few_rows", {"n": int(paired.sum())})
        yield Statistic.of("percent_agreement", paired.sum(), np.nan, notes=(note,))
        return
    parts = len(one.file) > len(one.value)  # parts of a checklist are alike within their file
    codes, clusters = one.codes[paired], one.file[paired] if parts else None
    ordered = len(one.categories) > 2
    weights: NamedWeights | None = "quadratic" if ordered else None
    same = _Same(categories=one.categories, clusters=clusters, confidence_level=level)
    yield _coefficient("percent_agreement", percent_agreement(codes, **same))
    yield _coefficient("fleiss_kappa", fleiss_kappa(codes, weights=weights, **same))
    yield _coefficient("gwet_ac", gwet_ac(codes, weights=weights, **same))
    metric: MeasurementLevel = "ordinal" if ordered else "nominal"
    yield _coefficient("krippendorff_alpha", krippendorff_alpha(codes, measurement_level=metric, **same))
    if (one.applies == 0).any():
        applies = percent_agreement(one.applies, clusters=one.file if parts else None, confidence_level=level)
        ci = None if applies.std_error == 0 else applies.ci  # without any disagreement there is no error to show
        yield Statistic.of("applicability_agreement", applies.n_overlap, applies.estimate, ci)


def _coefficient(name: str, result: AgreementCoefficient) -> Statistic:
    return Statistic.of(name, result.n_overlap, result.estimate, result.ci, notes=notes_of(result.reason, result.flags))


def _of_raters(rated: DoubleRatings, level: float) -> Iterator[Statistic]:
    """Yield each rater's severity, in points of 100, and agreement with the others, over all items of all files."""
    points = POINTS * np.concatenate([one.value for one in rated.items])
    of_file = np.tile(np.arange(len(rated.site)), len(rated.items))
    severity = rater_severity(Labelled(points, rated.raters), clusters=of_file, confidence_level=level)
    agreements = [_with_others(rated, categories, level) for categories in _scales(rated)]
    for g, rater in enumerate(rated.raters):
        notes = notes_of_rater(rater, severity.rater_reasons[g], severity.flags)
        files = int(np.unique(of_file[_shared(points, g)]).size)
        yield Statistic.of("severity", files, severity.estimate[g], severity.ci[g], notes=notes).where(rater=rater)
        for agreement in agreements:
            notes = notes_of_rater(rater, agreement.rater_reasons[g], agreement.flags)
            name, kappa, ci = _name(agreement.categories), agreement.estimate[g], agreement.ci[g]
            yield Statistic.of(name, files, kappa, ci, notes=notes).where(rater=rater)


def _scales(rated: DoubleRatings) -> list[tuple[float, ...]]:
    return sorted({one.categories for one in rated.items})


def _name(categories: Floats) -> str:
    return "agreement_with_others" if len(categories) == 2 else "weighted_agreement_with_others"


def _with_others(rated: DoubleRatings, categories: tuple[float, ...], level: float) -> RaterAgreement:
    """Return each rater's agreement with the others over the items of one scale, answers clustered in files."""
    items = [one for one in rated.items if one.categories == categories]
    return leave_one_out_agreement(
        Labelled(np.concatenate([one.codes for one in items]), rated.raters),
        weights="quadratic" if len(categories) > 2 else None,
        categories=categories,
        clusters=np.concatenate([one.file for one in items]),
        confidence_level=level,
    )


def _shared(x: Floats, rater: int) -> NDArray[np.bool_]:
    """Return the rows (n,) that a rater and another one answered."""
    known = np.isfinite(x)
    return np.asarray(known[:, rater] & (known.sum(axis=1) >= 2))
