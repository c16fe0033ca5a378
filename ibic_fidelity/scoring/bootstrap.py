"""Rescaled cluster bootstrap of totals and components, beside the linearised intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.parallel import map_tasks
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING, Estimand
from ibic_fidelity.scoring.grouping import Group, Nesting
from ibic_fidelity.scoring.intervals import score_interval, t_quantile
from ibic_fidelity.scoring.measures import measure_values
from ibic_fidelity.scoring.sums import Target, unit_means
from ibic_fidelity.scoring.weighting import unit_weights

if TYPE_CHECKING:
    from ibic_fidelity.scoring.sources import SourceReport

Floats = NDArray[np.float64]
Aim = tuple[Mapping[str, float], NDArray[np.object_], Floats]
COLUMNS = ("site", "wave", "level", "component", "statistic", "replicates", "estimate", "std_error", "percentile_low",
           "percentile_high", "score_low", "score_high", "clusters", "reason")  # fmt: skip
LEAST_REPLICATES = 100
SITES_A_TASK = 16  # fixed, so that the random numbers of a site are the same for any n_jobs
NOTHING = Records.of(**{name: [] for name in COLUMNS})


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One source of one site: weighted sums of values and of answers by cluster, (C, k), and weights (k, T)."""

    values: Floats
    answered: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Some sites, each with its sources that are drawn and what stands fast, (T,), and how to resample."""

    sites: Sequence[tuple[Sequence[_Drawn], Floats]]
    replicates: int
    confidence_level: float


def check_bootstrap(bootstrap: object, seed: object, estimand: Estimand) -> None:
    """Refuse a number of replicates that is none or too few, one without a seed, and a finite population."""
    if (
        isinstance(bootstrap, bool)
        or not isinstance(bootstrap, int)
        or 0 < bootstrap < LEAST_REPLICATES
        or bootstrap < 0
    ):
        raise UsageError("scoring.bootstrap", value=repr(bootstrap), least=LEAST_REPLICATES)
    if bootstrap and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise UsageError("scoring.bootstrap_seed", value=repr(seed))
    if bootstrap and estimand != WAY_OF_WORKING:
        raise UsageError("scoring.bootstrap_this_period")


def bootstrap_limits(
    reports: Sequence[SourceReport],
    groups: Sequence[Group],
    targets: Mapping[Target, Aim],
    instrument: Instrument,
    *,
    replicates: int,
    confidence_level: float,
    seed: int,
    n_jobs: int,
) -> Records:
    """Return standard errors and limits of totals and components from resampled clusters.

    In every site and source n − 1 of its n clusters are drawn with replacement (Rao & Wu 1988): a cluster drawn r
    times has the weight r n/(n − 1), a factor that a ratio does not see, and the variance of the replicates is then
    that of linearisation for linear statistics. Replicates are of the whole estimate: each item a ratio, components
    and totals over them. Registers and sources with one row a site are not drawn; raters and occasions are in no
    replicate, so compare with the linearised interval only where those are small.

    Parameters
    ----------
    reports, groups
        All sources of whole sites.
    targets : mapping
        For each target the weights of its items, in each group the reason why it is withheld, and its estimate.
    instrument : Instrument
    replicates, confidence_level, seed, n_jobs
        As in `score_municipalities`.

    Returns
    -------
    Records
        One row a site and target, 0–100, NaN with the reason where it is withheld, where a source of it has one
        cluster, or where no source of it is drawn. ``percentile_low`` and ``percentile_high`` are quantiles of the
        replicates; ``score_low`` and ``score_high`` the score interval with their variance, and t with the fewest
        clusters − 1 (NaN where the replicates do not differ).

    References
    ----------
    Rao, J. N. K., & Wu, C. F. J. (1988). Resampling inference with complex survey data. Journal of the American
    Statistical Association, 83, 231–241.
    """
    size, names = len(groups), list(targets)
    fixed = np.zeros((size, len(names)))
    drawn: list[list[_Drawn]] = [[] for _ in range(size)]
    clusters = np.full((size, len(names)), np.inf)
    for report in reports:
        primary = [item.id for item, measure in instrument.measures_of(report.source.id) if measure.role == "primary"]
        weights = np.array([[targets[name][0].get(item, 0.0) for name in names] for item in primary])
        if not primary:
            continue
        if report.source.kind == "register" or report.source.single:
            estimate = np.stack([report.said["measure", item].estimate for item in primary], axis=1)
            fixed += np.nan_to_num(estimate) @ weights
            continue
        values, answered = _by_cluster(report.nest, instrument, primary)
        bounds = np.append(report.nest.group_clusters, len(values))
        for place, start, end in zip(report.nest.group, bounds[:-1], bounds[1:], strict=True):
            drawn[place].append(_Drawn(values[start:end], answered[start:end], weights))
            used = weights.any(axis=0)
            clusters[place, used] = np.minimum(clusters[place, used], end - start)
    sites = [(drawn[g], fixed[g]) for g in range(size)]
    tasks = [
        _Task(sites[start : start + SITES_A_TASK], replicates, confidence_level)
        for start in range(0, size, SITES_A_TASK)
    ]
    found = np.concatenate(map_tasks(_resample, tasks, seed=seed, name="scoring/bootstrap", n_jobs=n_jobs))
    return _rows(found, groups, targets, clusters, replicates, confidence_level)


def _by_cluster(nest: Nesting, instrument: Instrument, primary: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the weighted sums of values and of answers of every item by cluster, shape (clusters, k)."""
    weight = unit_weights(nest)
    values, answered = np.empty((2, len(nest.cluster_rows), len(primary)))
    column = {item: j for j, item in enumerate(primary)}
    for one in measure_values(nest.table, instrument):
        if one.measure.role == "primary":
            value, there = unit_means(one, nest)
            values[:, column[one.item.id]] = np.add.reduceat(value * weight, nest.cluster_units)
            answered[:, column[one.item.id]] = np.add.reduceat(there * weight, nest.cluster_units)
    return values, answered


def _resample(task: _Task, rng: np.random.Generator) -> Floats:
    """Return the variance and the two quantiles of every site's replicates, shape (sites, 3, T)."""
    ends = np.array([1 - task.confidence_level, 1 + task.confidence_level]) / 2
    found = np.full((len(task.sites), 3, len(task.sites[0][1])), np.nan)
    first = np.arange(task.replicates)[:, None]
    for position, (sources, fixed) in enumerate(task.sites):
        made = np.tile(fixed, (task.replicates, 1))
        for source in sources:
            n = len(source.values)
            if n < 2:
                made += _ratios(np.ones((1, 1)), source) @ source.weights
                continue
            index = rng.integers(0, n, (task.replicates, n - 1))
            index += first * n
            times = np.bincount(index.ravel(), minlength=task.replicates * n).reshape(-1, n).astype(np.float64)
            made += _ratios(times, source) @ source.weights
        found[position, 0] = made.var(axis=0, ddof=1)
        found[position, 1:] = _quantiles(made, ends)
    return found


def _ratios(times: Floats, source: _Drawn) -> Floats:
    """Return every item's estimate in every replicate, the site's own mean where no drawn cluster answered it."""
    own = source.values.sum(axis=0) / np.maximum(source.answered.sum(axis=0), 1e-300)
    answered = times @ source.answered
    ratios: Floats = times @ source.values
    if answered.min() > 0:
        ratios /= answered
        return ratios
    return np.where(answered > 0, ratios / np.where(answered > 0, answered, 1.0), own)


def _quantiles(made: Floats, ends: Floats) -> Floats:
    """Return two quantiles of every column, by linear interpolation as `numpy.quantile` does."""
    place = ends * (len(made) - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, len(made) - 1)
    columns = np.ascontiguousarray(made.T)
    columns.partition(np.unique([low, high]), axis=1)
    part = place - low
    return np.stack([columns[:, i] * (1 - p) + columns[:, j] * p for i, j, p in zip(low, high, part, strict=True)])


def _rows(
    found: Floats,
    groups: Sequence[Group],
    targets: Mapping[Target, Aim],
    clusters: Floats,
    replicates: int,
    confidence_level: float,
) -> Records:
    size = len(groups)
    columns: dict[str, list[NDArray[np.object_] | Floats]] = {name: [] for name in COLUMNS}
    for position, ((level, name), (_, reason, estimate)) in enumerate(targets.items()):
        variance, low, high = found[:, :, position].T
        count = clusters[:, position]
        undrawn = np.select([count < 2, np.isinf(count)], ["scoring.one_cluster", "scoring.not_drawn"], "")
        why = np.where(reason == "", undrawn, reason)
        with np.errstate(invalid="ignore", divide="ignore"):
            product = estimate * (1 - estimate)
            kappa = np.where(variance > 0, variance / (product + variance), np.nan)
        limits = score_interval(estimate, kappa, t_quantile(np.maximum(count - 1, 1), confidence_level))
        shown = {"std_error": np.sqrt(variance), "percentile_low": low, "percentile_high": high,
                 "score_low": limits[0], "score_high": limits[1]}  # fmt: skip
        for column, value in shown.items():
            columns[column].append(np.where(why == "", 100 * value, np.nan))
        columns["estimate"].append(100 * estimate)
        texts = {"level": level, "component": name if level == "component" else "",
                 "statistic": name if level == "total" else ""}  # fmt: skip
        for column, text in texts.items():
            columns[column].append(np.full(size, text, dtype=object))
        columns["site"].append(np.array([group[0] for group in groups], dtype=object))
        columns["wave"].append(np.array([group[1] for group in groups], dtype=object))
        columns["replicates"].append(np.full(size, replicates))
        columns["clusters"].append(np.where(np.isfinite(count), count, np.nan))
        columns["reason"].append(why.astype(object))
    order = np.arange(size * len(targets)).reshape(len(targets), size).T.ravel()
    return Records.of(**{name: np.concatenate(parts)[order] for name, parts in columns.items()})
