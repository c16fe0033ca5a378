"""Two occasions: test–retest of surveys, raters' drift on files rated again, and re-audit of sites on fresh files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.occasion_pairs import (
    PairedItem,
    check_ids,
    check_waves,
    mean_of_common,
    of_fidelity,
    of_wave,
    paired_items,
    pairs,
    row_keys,
)
from ibic_fidelity.dossier.reaudit import agreement_rows, icc_rows, reaudited
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of
from ibic_fidelity.errors import IbicWarning, ResponseError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics import (
    cohen_kappa,
    limits_of_agreement,
    smallest_detectable_change,
    standard_error_of_measurement,
)
from ibic_fidelity.responses.model import Responses, SourceTable
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

Floats = NDArray[np.float64]
POINTS = 100.0  # of a score
LEAST_PAIRS = 3
FEW_PAIRS = 10  # with fewer, an interval says little


def occasion_reliability(
    responses: Responses,
    instrument: Instrument,
    *,
    first: str,
    second: str,
    confidence_level: float = 0.95,
) -> Statistics:
    """Return how well two occasions agree, between which nothing is thought to have changed.

    *Surveys.*  Respondents with the same id in both waves.  By component: ICC(A,1), standard error of
    measurement (from the analysis of variance, and from the differences), smallest detectable change of one
    respondent and of the mean of all, mean difference, limits of agreement and proportional bias.  By item:
    kappa, with quadratic weights for levels.

    *Drift.*  Files that the same rater rated in both waves.  By rater: mean change of a file's score, and
    kappa of all answers with quadratic weights.

    *Re-audit.*  Sites audited in both waves.  Files audited in both are left out of the second, so that none
    is common.  By component and total: ICC(A,1) over sites, mean difference, limits of agreement, and the
    share of sites whose two intervals overlap, beside the share expected if nothing has changed.

    The change hidden by error is made from the differences, so that a common shift between the occasions is
    not part of it: a mean over respondents does not average that out. The mean difference shows it.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    first, second : str
        Labels of the two waves.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    Statistics
        Differences are the second occasion less the first, in points of 100. A respondent's or a file's
        score is the mean over the items that have a value at both occasions. n is pairs, or sites.

    Raises
    ------
    UsageError
        A wave that is not there, the same wave twice, the later wave first, or other responses than those
        the instrument coded.
    ResponseError
        No row says its wave, no source has ids, or nothing is found in both waves.

    Notes
    -----
    Kappa of a rater stacks answers to different items, which differ in how common yes is; part of the
    agreement is that.  Its interval takes the answers of a file as one cluster.

    The expected share of overlapping intervals takes the errors of the two scores as normal and
    independent: with half widths h of z standard errors it is 2Φ(z (h₁ + h₂)/√(h₁² + h₂²)) − 1.

    Examples
    --------
    >>> from ibic_fidelity.studies.retest import simulate_retest
    >>> study = simulate_retest(seed=1)
    >>> result = occasion_reliability(study.responses, study.instrument, first="2026-03", second="2026-04")
    >>> {"retest_icc", "drift", "reaudit_icc"} <= set(result.table["statistic"])
    True
    """
    check_same_instrument(responses, instrument)
    check_waves(responses, instrument, first, second)
    check_ids(responses, instrument)
    preface = [Message("dossier.occasions", {"first": first, "second": second}), Message("dossier.two_occasions")]
    rows: list[Statistic] = []
    with warnings.catch_warnings():  # what is undefined carries its reason in the row
        warnings.simplefilter("ignore", IbicWarning)
        for table in responses.tables.values():
            if instrument.by_source[table.source].kind == "register":
                continue
            made, told = _of_source(table, instrument, first, second, confidence_level)
            rows += [row.where(source=table.source) for row in made]
            preface += told
        sites, told_of_sites = reaudited(responses, instrument, (first, second), confidence_level)
    rows += sites
    if not rows:
        raise ResponseError("dossier.no_overlap", first=first, second=second)
    return collected(
        Message("dossier.title_occasions"),
        rows,
        instrument,
        provenance=provenance_of(
            responses, instrument, {"first": first, "second": second, "confidence_level": confidence_level}
        ),
        confidence_level=confidence_level,
        preface=(*preface, *told_of_sites),
    )


def _of_source(
    table: SourceTable, instrument: Instrument, first: str, second: str, level: float
) -> tuple[list[Statistic], tuple[Message, ...]]:
    """Return the statistics of a source, and what has a pair in it and what has none."""
    source = instrument.by_source[table.source]
    named: dict[str, object] = {"source": source.label.as_dict()}
    if not table.has_ids:
        return [], (Message("dossier.source_without_ids", named),)
    halves = of_wave(table, first), of_wave(table, second)
    units = [set(row_keys(half)) for half in halves]
    if source.kind == "survey":
        rows = pairs(*(row_keys(half) for half in halves))
        counts = {"n": len(rows[0]), "first": len(units[0] - units[1]), "second": len(units[1] - units[0])}
        told = Message("dossier.answered_twice", {**named, **counts})
        items = list(paired_items(*halves, rows, instrument)) if len(rows[0]) else []
        return list(_retest(items, instrument, level)), (told,) if any(counts.values()) else ()
    keys = [row_keys(half, "rater") for half in halves]
    rows = pairs(*keys)
    raters = np.array([keys[0][row][-1] for row in rows[0]], dtype=object)
    by_same = {keys[0][row][:-1] for row in rows[0]}
    counts = {"n": len(by_same), "others": len((units[0] & units[1]) - by_same)}
    rated = (Message("dossier.rated_in_both", {**named, **counts}),)
    if not len(raters) or not any(raters):
        return [], rated if any(counts.values()) else ()
    items = list(paired_items(*halves, rows, instrument))
    return list(_drift(of_fidelity(items, instrument), raters, level)), rated


def _retest(items: list[PairedItem], instrument: Instrument, level: float) -> Iterator[Statistic]:
    for component in instrument.components:
        mine = [one for one in items if one.item.component == component.id]
        if mine:
            yield from (row.where(component=component.id) for row in _component(mine, level))
            yield from (row.where(component=component.id) for one in mine for row in _item(one, level))


def _component(items: list[PairedItem], level: float) -> Iterator[Statistic]:
    score = POINTS * mean_of_common(items)
    x = score[np.isfinite(score).all(axis=1)]
    if len(x) < LEAST_PAIRS:
        yield Statistic.of("retest_icc", len(x), np.nan, notes=(Message("dossier.too_few_pairs", {"n": len(x)}),))
        return
    yield from icc_rows("retest_icc", x, level, *_few(len(x)))
    sem = standard_error_of_measurement(x, definition="agreement", confidence_level=level)
    yield Statistic.of("sem", sem.n, sem.estimate, sem.ci, notes=notes_of(sem.reason, sem.flags))
    sem = standard_error_of_measurement(x, definition="differences", confidence_level=level)
    yield Statistic.of("sem_of_differences", sem.n, sem.estimate, sem.ci, notes=notes_of(sem.reason, sem.flags))
    change = smallest_detectable_change(x, definition="differences", confidence_level=level)
    notes = notes_of(change.reason, change.flags)
    yield Statistic.of("sdc", change.n, change.estimate, change.ci, notes=notes)
    yield Statistic.of("sdc_group", change.n, change.group, change.group_ci, notes=notes)
    limits = limits_of_agreement(x[:, 1], x[:, 0], confidence_level=level)
    yield from agreement_rows(limits)
    yield Statistic.of("proportional_bias", limits.n, limits.slope, limits.slope_ci, notes=_reason(limits.reason))


def _item(one: PairedItem, level: float) -> Iterator[Statistic]:
    known = np.isfinite(one.codes).all(axis=1)
    n_pairs = len(one.value)
    file = np.tile(np.arange(n_pairs), len(one.codes) // n_pairs)[known]
    n = len(np.unique(file))
    if n < LEAST_PAIRS:
        note = Message("dossier.too_few_pairs", {"n": n})
        yield Statistic.of("retest_kappa", n, np.nan, notes=(note,)).where(item=one.item.id)
        return
    weights = "quadratic" if len(one.categories) > 2 else None
    clusters = file if len(file) > n else None
    kappa = cohen_kappa(
        one.codes[known], weights=weights, categories=one.categories, clusters=clusters, confidence_level=level
    )
    yield Statistic.of("retest_kappa", n, kappa.estimate, kappa.ci, notes=notes_of(kappa.reason, kappa.flags)).where(
        item=one.item.id
    )


def _drift(items: list[PairedItem], raters: NDArray[np.object_], level: float) -> Iterator[Statistic]:
    score = POINTS * mean_of_common(items)
    for rater in sorted(set(raters.tolist())):
        mine = raters == rater
        made = [*_change(score[mine], level), *_stacked_kappa(items, mine, level)]
        yield from (row.where(rater=str(rater)) for row in made)


def _change(score: Floats, level: float) -> Iterator[Statistic]:
    x = score[np.isfinite(score).all(axis=1)]
    if len(x) < LEAST_PAIRS:
        yield Statistic.of("drift", len(x), np.nan, notes=(Message("dossier.too_few_pairs", {"n": len(x)}),))
        return
    limits = limits_of_agreement(x[:, 1], x[:, 0], confidence_level=level)
    yield Statistic.of("drift", limits.n, limits.estimate, limits.ci, notes=_few(len(x)))  # a mean: tails matter little


def _stacked_kappa(items: list[PairedItem], mine: NDArray[np.bool_], level: float) -> Iterator[Statistic]:
    """Yield kappa of a rater's answers of both waves to all items, each from 0 to 1, files as clusters."""
    answers, files = [], []
    for one in items:
        parts = len(one.codes) // len(mine)
        rows = np.tile(mine, parts)
        low, high = one.categories[0], one.categories[-1]
        answers.append((one.codes[rows] - low) / (high - low))
        files.append(np.tile(np.flatnonzero(mine), parts))
    x, file = np.concatenate(answers), np.concatenate(files)
    known = np.isfinite(x).all(axis=1)
    n = len(np.unique(file[known]))
    if n < LEAST_PAIRS:
        return
    kappa = cohen_kappa(x[known], weights="quadratic", clusters=file[known], confidence_level=level)
    yield Statistic.of("intra_rater_kappa", n, kappa.estimate, kappa.ci, notes=notes_of(kappa.reason, kappa.flags))


def _few(n: int) -> tuple[Message, ...]:
    return (Message("dossier.few_pairs", {"n": n, "least": FEW_PAIRS}),) if n < FEW_PAIRS else ()


def _reason(reason: Message | None) -> tuple[Message, ...]:
    return (reason,) if reason is not None else ()
