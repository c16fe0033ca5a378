"""The polychoric matrix that ordinal reliability rests on: of the whole sample, and of bootstrap replicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.consistency._green_yang import Scores
from ibic_fidelity.psychometrics.correlation._influence import Influences, expected_influences, influences
from ibic_fidelity.psychometrics.correlation._polychoric import PairFit, as_matrices, fit_pairs
from ibic_fidelity.psychometrics.correlation._tables import (
    Answers,
    Codes,
    PairTables,
    adjusted,
    count_pairs,
    thresholds_of,
)
from ibic_fidelity.psychometrics.correlation.polychoric import ADJUST

#: From matrices (B, k, k) and thresholds (B, k, C − 1) to a statistic (B,).
Statistic = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """The sample's codes, tables, thresholds (k, C − 1), fits of pairs and influences."""

    answers: Answers
    counted: PairTables
    thresholds: Floats
    fit: PairFit
    influence: Influences
    adjustment: Floats

    @classmethod
    def of(cls, answers: Answers) -> Whole:
        """Return the estimates of complete answers."""
        sizes = answers.sizes
        counted = count_pairs(answers.codes, max(int(sizes.max(initial=0)), 2))
        tables, adjustment, _ = adjusted(counted, sizes, ADJUST)
        thresholds = thresholds_of(counted.margins)
        fit = fit_pairs(tables, thresholds[counted.first], thresholds[counted.second])
        return cls(answers, counted, thresholds, fit, influences(counted, thresholds, fit.rho), adjustment)

    @property
    def matrix(self) -> Floats:
        """Return the polychoric matrix (k, k)."""
        return as_matrices(self.fit.rho, len(self.thresholds))

    @property
    def weights(self) -> Floats:
        """Return one over the variance of each correlation (k, k)."""
        _, variances = self.influence.variances(self.counted)
        return as_matrices(1.0 / variances, len(self.thresholds))

    @property
    def steps(self) -> Floats:
        """Return the steps of the scores from category to category (k, C − 1)."""
        made = np.zeros(self.thresholds.shape)
        for row, used in zip(made, self.answers.categories, strict=True):
            row[: max(len(used) - 1, 0)] = np.diff(used)
        return made

    @property
    def scores(self) -> Scores:
        """Return thresholds and steps of the sample."""
        return Scores(self.thresholds[None], self.steps)

    def variances(self, by_threshold: Floats, by_pair: Floats) -> tuple[float, float]:
        """Return two variances of a statistic with these derivatives (k, C − 1) and (P,).

        From the respondents' influences by cross-products of scores, and by the expected information.
        """
        expected, _ = expected_influences(self.counted, self.thresholds, self.fit.rho)
        both = (self._moved(of, by_threshold, by_pair) for of in (self.influence, expected))
        found, model = (float(np.square(moved).sum()) for moved in both)
        return found, model

    def _moved(self, of: Influences, by_threshold: Floats, by_pair: Floats) -> Floats:
        """Return the influence (n,) of respondents on the statistic."""
        codes = self.answers.codes.astype(np.int64)
        made = np.zeros(len(codes))
        of_items = np.einsum("ktc,kt->kc", of.thresholds, by_threshold)
        for item, by_code in enumerate(of_items):
            made += by_code[codes[:, item]]
        weighted = of.correlations * by_pair[:, None, None]
        for i, j, by_codes in zip(self.counted.first, self.counted.second, weighted, strict=True):
            made += by_codes[codes[:, i], codes[:, j]]
        return made

    def undefined(self) -> Message | None:
        """Return why there is no matrix to compute from."""
        labels = np.asarray(self.answers.labels)
        n = len(self.answers.codes)
        if n < 2:
            return Message("psychometrics.too_few_respondents", {"n": n})
        still = self.answers.sizes < 2
        if still.any():
            return Message("psychometrics.items_one_category", {"items": tuple(labels[still].tolist())})
        ends = self.fit.boundary | ~self.fit.converged
        if ends.any():
            at = np.flatnonzero(ends)[:5]
            pairs = tuple(f"{labels[self.counted.first[p]]}–{labels[self.counted.second[p]]}" for p in at)
            return Message("psychometrics.ordinal_boundary", {"n": int(ends.sum()), "pairs": pairs})
        return None


def replicate_kernel(whole: Whole, statistic: Statistic) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to a statistic (B,), NaN where a replicate has no matrix."""
    sizes = whole.answers.sizes
    size = whole.counted.tables.shape[1]
    hot = _one_hot(whole.answers.codes, size)
    k = len(sizes)
    first, second = whole.counted.first, whole.counted.second

    def kernel(counts: Floats) -> Floats:
        tables = np.empty((len(counts), *whole.counted.tables.shape))
        margins = np.empty((len(counts), k, size))
        for one, of_one, row in zip(tables, margins, counts.astype(np.float32), strict=True):
            total = (hot.T @ (hot * row[:, None])).reshape(k, size, k, size)
            of_one[:] = np.einsum("kckc->kc", total)
            filled, _, _ = adjusted(PairTables(total[first, :, second, :], of_one, first, second), sizes, ADJUST)
            one[:] = filled
        thresholds = thresholds_of(margins)
        flat = (len(counts) * first.size, -1)
        fit = fit_pairs(
            tables.reshape(flat[0], size, size),
            thresholds[:, first].reshape(flat),
            thresholds[:, second].reshape(flat),
            start=np.tile(whole.fit.rho, len(counts)),
            tolerance=1e-7,
        )
        matrices = as_matrices(np.where(fit.boundary, np.nan, fit.rho).reshape(-1, first.size), k)
        known = np.isfinite(matrices).all(axis=(1, 2))
        return np.where(known, statistic(matrices, thresholds), np.nan)

    return kernel


def _one_hot(codes: Codes, size: int) -> Floats:
    """Return the codes (n, k) as nought and one (n, k · size), in single precision."""
    levels = np.arange(size, dtype=np.int8)
    hot = (np.ascontiguousarray(codes)[:, :, None] == levels).reshape(len(codes), -1)
    return np.asarray(hot, dtype=np.float32)
