"""How severe raters are, from the files that two of them rated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.responses.model import SourceTable
from ibic_fidelity.scoring.intervals import RaterSpread

Floats = NDArray[np.float64]
SITES_PER_RATER = 3
COMMON_FILES = 10
LEAST_PAIRS_BEYOND = 10  # with fewer, intervals were narrower than without any double rating
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Rows of the same unit by two raters: `first` and `second` are row numbers, shape (P,)."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Linking:
    """Whether rater severity can be told from the site.

    `linked` holds where every rater rates units of at least three sites, or ten that another rates too, and
    double ratings join all raters into one network; otherwise `why` is the code of what is lacking.
    """

    linked: bool
    why: str
    pairs: Pairs


def rater_linking(table: SourceTable) -> Linking:
    """Return whether an audit is linked, and its pairs of ratings of the same unit."""
    used = np.unique(table.rater.codes)
    named = [code for code in used if table.rater.labels[code]]
    pairs = rating_pairs(table)
    if len(named) < len(used) or not named:
        return Linking(False, "scoring.raters_unnamed", pairs)
    if len(named) == 1:
        return Linking(False, "scoring.one_rater", pairs)
    if not len(pairs.first):
        return Linking(False, "scoring.no_double_rating", pairs)
    if _networks(table.rater.codes[pairs.first], table.rater.codes[pairs.second], used) > 1:
        return Linking(False, "scoring.raters_not_joined", pairs)
    width = len(table.site.labels)
    seen = np.unique(table.rater.codes.astype(np.int64) * width + table.site.codes) // width
    common = np.bincount(table.rater.codes[np.concatenate([pairs.first, pairs.second])], minlength=used.max() + 1)
    if ((np.bincount(seen)[used] < SITES_PER_RATER) & (common[used] < COMMON_FILES)).any():
        return Linking(False, "scoring.rater_few_sites", pairs)
    return Linking(True, "", pairs)


def rating_pairs(table: SourceTable) -> Pairs:
    """Return consecutive ratings of the same unit, of which rows in canonical order are neighbours."""
    same = np.ones(max(table.n - 1, 0), dtype=bool)
    for key in (table.site, table.wave, table.service_area, table.cluster, table.unit):
        same &= key.codes[1:] == key.codes[:-1]
    first = np.flatnonzero(same)
    return Pairs(first, first + 1)


def rater_spread(
    difference: Floats, scale: Floats, first: NDArray[np.int32], second: NDArray[np.int32]
) -> RaterSpread | None:
    """Estimate the variance of rater severity from differences between two ratings of the same unit.

    Parameters
    ----------
    difference : ndarray, shape (P,)
        First minus second rating, on 0–1.
    scale : ndarray, shape (P,)
        θ(1 − θ) of the unit's group.
    first, second : ndarray of int, shape (P,)
        Who rated.

    Returns
    -------
    RaterSpread or None
        In units of θ(1 − θ). The severities are estimated by least squares over the network of pairs;
        what their squares hold of sampling error is subtracted, and what falls below 0 is set to 0.
        ``None`` where fewer than `LEAST_PAIRS_BEYOND` pairs go beyond what joins the raters.
    """
    raters, flat = np.unique(np.concatenate([first, second]), return_inverse=True)
    a, b = flat[: len(first)], flat[len(first) :]
    design = np.zeros((len(a), len(raters)))
    design[np.arange(len(a)), a] = 1.0
    design[np.arange(len(a)), b] -= 1.0
    rank = int(np.linalg.matrix_rank(design.T @ design)) if len(a) else 0
    residual_df = len(a) - rank
    if rank < 1 or residual_df < LEAST_PAIRS_BEYOND:
        return None
    inverse = np.linalg.pinv(design.T @ design, hermitian=True)
    standardised = difference / np.sqrt(np.maximum(scale, 1e-3))
    severity = inverse @ (design.T @ standardised)
    residual = float(((standardised - design @ severity) ** 2).sum()) / residual_df
    observed = float((severity**2).sum()) / rank
    variance = max(observed - residual * float(np.trace(inverse)) / rank, 0.0)
    df = rank * (variance / observed) ** 2 if observed > 0 else float(rank)
    return RaterSpread(variance, max(df, 1.0), "double_ratings")


def reading_spread(difference: Floats, estimate: Floats, reading: Floats) -> tuple[float, float, int]:
    """Return the variance of one reading of a document in units of θ(1 − θ), its df, and discordant pairs.

    Parameters
    ----------
    difference : ndarray, shape (P,)
        Between two readings of the same document, on 0–1; NaN where one has no answer.
    estimate, reading : ndarray, shape (P,)
        The estimate of the document's group, and the number that turns the variance of one reading into
        that of the estimate.
    """
    use = np.isfinite(difference) & np.isfinite(estimate)
    product = float((estimate[use] * (1 - estimate[use])).sum())
    if not use.any() or product == 0:
        return np.nan, np.inf, 0
    half = float((difference[use] ** 2).sum()) / 2
    variance = half / product
    for _ in range(20):  # m(1 − m) falls short of θ(1 − θ) by the variance of m
        kappa = np.minimum(variance * reading[use], 0.8)
        variance = half / float((estimate[use] * (1 - estimate[use]) / (1 - kappa)).sum())
    return variance, float(use.sum()), int((np.abs(difference[use]) > ROUNDING).sum())


def _networks(a: NDArray[np.int32], b: NDArray[np.int32], nodes: NDArray[np.int32]) -> int:
    """Return how many separate networks the pairs leave among the raters."""
    root = {int(node): int(node) for node in nodes}

    def find(node: int) -> int:
        while root[node] != node:
            node = root[node]
        return node

    for x, y in set(zip(a.tolist(), b.tolist(), strict=True)):
        root[find(x)] = find(y)
    return len({find(node) for node in root})
