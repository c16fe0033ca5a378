"""Make calibration/correlation_coverage.csv: how often intervals from polychoric correlations hold the truth.

Run offline, from the root of the repository (about fifteen minutes on one core)::

    python calibration/make_correlation_coverage.py

Polychoric, tetrachoric and polyserial correlations, ordinal alpha and categorical omega.  Answers are normal values
cut to levels; truth comes from the parameters alone.  All studies of a design are one stack of tables, computed by the
package's kernels; bias is the mean of the estimates less the truth.  The methods of a design share its studies.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from make_psychometric_coverage import ANSWERS, LEVEL
from scipy.special import ndtri

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.consistency._green_yang import (
    Scores,
    fit_least_squares,
    omega_gradient,
    sum_reliability,
)
from ibic_fidelity.psychometrics.consistency._intervals import log_error_limits
from ibic_fidelity.psychometrics.consistency.ordinal import alpha_of_matrices, few_for_weights
from ibic_fidelity.psychometrics.correlation._influence import (
    Influences,
    expected_influences,
    expected_variances,
    influences,
)
from ibic_fidelity.psychometrics.correlation._polychoric import as_matrices, fit_pairs
from ibic_fidelity.psychometrics.correlation._tables import PairTables, adjusted, count_pairs, pair_index, thresholds_of
from ibic_fidelity.psychometrics.correlation.polychoric import ADJUST, fisher_limits

SEED = 20261128
STUDIES, BOOTSTRAPPED, SERIAL = 2000, 200, 600
REPLICATES = 200
FISHER, DELTA, BOOTSTRAP = "Fisher's z", "delta", "bootstrap"
TABLE = Path(__file__).with_name("correlation_coverage.csv")
COLUMNS = ("statistic", "method", "data", "strength", "n", "k", "bias", *COUNTED)
SHARES = {
    **{name: shares for name, shares in ANSWERS.items() if shares},
    "three": (0.25, 0.50, 0.25),
    "yes80": (0.20, 0.80),
    "yes90": (0.10, 0.90),
}
PAIRS = ("tetrachoric_correlation", "polychoric_correlation")


@dataclass(frozen=True)
class Design:
    """What is drawn: strength is the correlation of a pair, or the loading of all items."""

    statistic: str
    data: str
    strength: float
    n: int
    k: int
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of the random stream; reliabilities of the same answers share it."""
        kind = self.statistic if self.k <= 2 else "scale"
        return f"{kind}/{self.data}/{self.strength}/{self.n}/{self.k}"

    @property
    def cuts(self) -> np.ndarray:
        """Return the thresholds."""
        return np.asarray(ndtri(np.cumsum(SHARES[self.data])[:-1]))

    @property
    def studies(self) -> int:
        """Return how many studies are drawn: fewer where each costs much."""
        if BOOTSTRAP in self.methods:
            return BOOTSTRAPPED
        return SERIAL if self.statistic == "polyserial_correlation" else STUDIES

    @property
    def truth(self) -> float:
        """Return the value in the population."""
        if self.k <= 2:
            return self.strength
        matrix = np.full((1, self.k, self.k), self.strength**2)
        matrix[0, np.arange(self.k), np.arange(self.k)] = 1.0
        if self.statistic == "ordinal_alpha":
            return float(alpha_of_matrices(matrix)[0])
        scores = Scores(np.tile(self.cuts, (1, self.k, 1)), np.ones((self.k, self.cuts.size)))
        return float(sum_reliability(scores, matrix, fit_least_squares(matrix, np.ones((self.k, self.k)))).found[0])

    def latent(self, studies: int, rng: np.random.Generator) -> np.ndarray:
        """Return the normal values (studies, n, k)."""
        common = abs(self.strength) if self.k <= 2 else self.strength**2
        drawn = rng.standard_normal((studies, self.n, self.k)) * math.sqrt(1.0 - common)
        return np.asarray(drawn + math.sqrt(common) * rng.standard_normal((studies, self.n, 1)))

    def draw(self, studies: int, rng: np.random.Generator) -> np.ndarray:
        """Return answers (studies, n, k)."""
        return np.searchsorted(self.cuts, self.latent(studies, rng)).astype(np.int8)


@dataclass(frozen=True)
class Cell:
    """One line of the table: a design and one of its methods."""

    design: Design
    method: str


def designs() -> Iterator[Design]:
    """Return all designs."""
    for data, strength, n in product(("binary", "yes80", "yes90"), (0.0, 0.3, 0.6, 0.9), (50, 100, 200, 500)):
        yield Design("tetrachoric_correlation", data, strength, n, 2, (FISHER,))
    for data, strength, n in product(
        ("three", "symmetric", "skewed", "ceiling60", "ceiling80"), (0.0, 0.3, 0.6, 0.9), (30, 50, 100, 200, 500)
    ):
        yield Design("polychoric_correlation", data, strength, n, 2, (FISHER,))
    for data, strength, n in product(("binary", "symmetric", "ceiling60"), (0.0, 0.6), (50, 200)):
        yield Design("polyserial_correlation", data, strength, n, 2, (FISHER,))
    scales = [
        *product(("binary", "yes80", "three", "symmetric", "ceiling60"), (0.6,), (5,), (50, 100, 200, 500)),
        *product(("binary", "yes80", "three", "symmetric", "ceiling60"), (0.5,), (10,), (50, 200)),
        *product(("binary", "symmetric"), (0.8,), (5,), (50, 200)),
    ]
    for data, strength, k, n in scales:
        for statistic in ("ordinal_alpha", "categorical_omega", "categorical_omega_dwls"):
            yield Design(statistic, data, strength, n, k, (DELTA,))
    for statistic, data, n in product(("ordinal_alpha", "categorical_omega"), ("symmetric",), (100, 300)):
        yield Design(statistic, data, 0.6, n, 4, (DELTA, BOOTSTRAP))


def cells() -> list[Cell]:
    """Return all lines of the table."""
    return [Cell(design, method) for design in designs() for method in design.methods]


Limits = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def limits(design: Design, x: np.ndarray) -> tuple[Limits, np.ndarray]:
    """Return lower and upper limits and flags (studies,) of each method, and the estimates (studies,)."""
    if design.statistic in PAIRS:
        return of_pairs(x)
    return of_scales(design, x)


def stacked(x: np.ndarray) -> PairTables:
    """Return the tables of all pairs of all studies (studies, n, k), items numbered on from study to study."""
    size, k = int(x.max()) + 1, x.shape[2]
    counted_of = [count_pairs(one, size) for one in x]
    first, second = pair_index(k)
    shift = k * np.arange(len(x))[:, None]
    return PairTables(
        np.concatenate([one.tables for one in counted_of]),
        np.concatenate([one.margins for one in counted_of]),
        (first + shift).ravel(),
        (second + shift).ravel(),
    )


@dataclass(frozen=True)
class Estimated:
    """A stack of studies with their estimates."""

    stack: PairTables
    thresholds: np.ndarray
    rho: np.ndarray
    defined: np.ndarray
    adjustment: np.ndarray


def estimated(x: np.ndarray) -> Estimated:
    """Return thresholds and correlations of all studies."""
    stack = stacked(x)
    sizes = np.where((stack.margins > 0).sum(axis=1) < 2, 1, stack.margins.shape[1])
    tables, adjustment, _ = adjusted(stack, sizes, ADJUST)
    thresholds = thresholds_of(stack.margins)
    fit = fit_pairs(tables, thresholds[stack.first], thresholds[stack.second])
    return Estimated(stack, thresholds, fit.rho, np.abs(fit.rho) < 1.0, adjustment)


def of_pairs(x: np.ndarray) -> tuple[Limits, np.ndarray]:
    """Return the limits of correlations of two items."""
    made = estimated(x)
    _, variances = influences(made.stack, made.thresholds, made.rho).variances(made.stack)
    expected = expected_variances(made.stack, made.thresholds, made.rho)
    low, high = fisher_limits(made.rho, np.sqrt(np.fmax(variances, expected)), LEVEL)
    return {FISHER: (low, high, made.adjustment > 0)}, np.where(made.defined, made.rho, np.nan)


@lru_cache(maxsize=1)
def scales_of(design: Design, studies: int) -> tuple[Estimated, Influences, Influences]:
    """Return the estimates of scales, which several statistics share, and the influences of both kinds."""
    made = estimated(design.draw(studies, stream(SEED, design.name)))
    of = influences(made.stack, made.thresholds, made.rho)
    return made, of, expected_influences(made.stack, made.thresholds, made.rho)[0]


def of_scales(design: Design, x: np.ndarray) -> tuple[Limits, np.ndarray]:
    """Return the limits of reliabilities."""
    studies, n, k = x.shape
    made, of, expected = scales_of(replace(design, statistic="scale"), studies)
    matrices = as_matrices(made.rho.reshape(studies, -1), k)
    thresholds = made.thresholds.reshape(studies, k, -1)
    known = made.defined.reshape(studies, -1).all(axis=1)
    by_cut, by_pair = np.zeros(thresholds.shape), np.zeros((studies, k * (k - 1) // 2))
    if design.statistic == "ordinal_alpha":
        estimates = alpha_of_matrices(matrices)
        by_pair += (2.0 * k * k / (k - 1) / matrices.sum(axis=(1, 2)) ** 2)[:, None]
    else:
        weights = np.ones((studies, k, k))
        if design.statistic.endswith("dwls"):
            variances = of.variances(made.stack)[1].reshape(studies, -1)
            weights = as_matrices(1.0 / np.where(variances > 0, variances, 1.0), k)
        fit = fit_least_squares(np.where(known[:, None, None], matrices, np.eye(k)), weights)
        steps = np.ones((k, thresholds.shape[2]))
        estimates = sum_reliability(Scores(thresholds, steps), matrices, fit).found
        known &= fit.proper
        for i in np.flatnonzero(known):
            own = Scores(thresholds[i : i + 1], steps)
            by_cut[i], by_pair[i] = omega_gradient(own, matrices[i], weights[i], fit.loadings[i])
    variance = np.fmax(*(respondents_variance(x, one, by_cut, by_pair) for one in (of, expected)))
    with np.errstate(invalid="ignore"):
        low, high = log_error_limits(estimates, variance / np.square(1.0 - estimates), n, LEVEL)
    flags = (made.adjustment.reshape(studies, -1) > 0).any(axis=1)
    if design.statistic.endswith("dwls"):
        flags |= few_for_weights(n)
    low, high = np.where(known, low, np.nan), np.where(known, high, np.nan)
    return {DELTA: (low, high, flags)}, np.where(known, estimates, np.nan)


def respondents_variance(x: np.ndarray, of: Influences, by_cut: np.ndarray, by_pair: np.ndarray) -> np.ndarray:
    """Return the sum of squared influences (studies,) on a statistic with these derivatives."""
    studies, n, k = x.shape
    at = np.arange(studies)[:, None]
    items = np.einsum("sktc,skt->skc", of.thresholds.reshape(studies, k, *of.thresholds.shape[1:]), by_cut)
    pairs = of.correlations.reshape(studies, -1, *of.correlations.shape[1:]) * by_pair[:, :, None, None]
    total = np.zeros((studies, n))
    for item in range(k):
        total += items[:, item][at, x[:, :, item]]
    for pair, (i, j) in enumerate(zip(*pair_index(k), strict=True)):
        total += pairs[:, pair][at, x[:, :, i], x[:, :, j]]
    return np.asarray(np.square(total).sum(axis=1))


def public(design: Design, studies: int, rng: np.random.Generator) -> tuple[Limits, np.ndarray]:
    """Return the limits by the public functions, a study at a time."""
    lines: dict[str, list[tuple[float, float, bool]]] = {method: [] for method in design.methods}
    estimates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        if design.statistic == "polyserial_correlation":
            for z in design.latent(studies, rng):
                result = pm.polyserial_correlation(z[:, 0], np.searchsorted(design.cuts, z[:, 1]))
                lines[FISHER].append((result.ci_low[0, 0], result.ci_high[0, 0], bool(result.flags)))
                estimates.append(result.estimate[0, 0])
        else:
            function = {"ordinal_alpha": pm.ordinal_alpha, "categorical_omega": pm.categorical_omega}[design.statistic]
            for seed, x in enumerate(design.draw(studies, rng)):
                result = function(x, bootstrap=REPLICATES, rng=seed)
                flagged = bool(result.flags)
                lines[DELTA].append((result.ci.low, result.ci.high, flagged))
                lines[BOOTSTRAP].append((result.ci_bootstrap.low, result.ci_bootstrap.high, flagged))
                estimates.append(result.estimate)
    made = {method: tuple(np.array(column) for column in zip(*line, strict=True)) for method, line in lines.items()}
    return made, np.array(estimates)  # type: ignore[return-value]


@lru_cache(maxsize=1)
def studied(design: Design, studies: int) -> tuple[Limits, np.ndarray]:
    """Return the limits and estimates of a design's studies."""
    rng = stream(SEED, design.name)
    if design.statistic == "polyserial_correlation" or BOOTSTRAP in design.methods:
        return public(design, studies, rng)
    return limits(design, design.draw(studies, rng))


def row(cell: Cell, most: int) -> dict[str, object]:
    """Return one line of the table."""
    design = cell.design
    found, estimates = studied(design, min(design.studies, most))
    low, high, flag = found[cell.method]
    return {
        "statistic": design.statistic, "method": cell.method, "data": design.data, "strength": design.strength,
        "n": design.n, "k": design.k, "bias": f"{np.nanmean(estimates) - design.truth:.4f}",
        **counted(low, high, round(design.truth, 10), flag, SEED),
    }  # fmt: skip


def main() -> None:
    """Write the table; a number given is that of studies, for a trial."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES
    path = TABLE if most == STUDIES else TABLE.with_suffix(".trial.csv")
    write_table(path, COLUMNS, (row(cell, most) for cell in cells()))


if __name__ == "__main__":
    main()
