"""Make calibration/consistency_coverage.csv: how often intervals of internal consistency hold the truth.

Run offline, from the root of the repository (about ten minutes on one core)::

    python calibration/make_consistency_coverage.py

Omega, Spearman–Brown, stratified alpha, and the percentile bootstrap of these, of alpha and of Guttman's lambdas.
Answers are those of make_psychometric_coverage.py: a latent normal value, cut to levels.  Truth comes from the
parameters alone, by the correlations of the cut answers.  The methods of a design share its studies.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from make_psychometric_coverage import ANSWERS, LEVEL, correlation_of_answers, cut, latent_correlation

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics.consistency._intervals import (
    FEW,
    log_error_limits,
    not_reliable,
    one_decides,
    too_narrow,
    top_share,
)
from ibic_fidelity.psychometrics.consistency._moments import LEAST, influences, ratio_variances
from ibic_fidelity.psychometrics.consistency._omega import (
    OmegaFit,
    fit_tables,
    omega_kernel,
    omega_total,
    omega_variances,
)
from ibic_fidelity.psychometrics.consistency._one_factor import OneFactor, fit_one_factor
from ibic_fidelity.psychometrics.consistency.composites import _stratified_kernel, error_matrix, one_minus_ratio
from ibic_fidelity.psychometrics.consistency.guttman import lambda_kernel, lambdas_of
from ibic_fidelity.psychometrics.consistency.internal_consistency import alpha_kernel, alpha_of
from ibic_fidelity.psychometrics.consistency.two_items import _stepped_kernel, fisher_limits, stepped_up, z_error_ratio

SEED = 20261122
STUDIES = 2000
REPLICATES = 400
DELTA, ADJUSTED, BOOTSTRAP = "delta", "delta, adjusted", "bootstrap"
SIZES = (20, 50, 100, 200)
LAMBDAS = tuple(f"lambda{i}" for i in range(1, 7))
#: Lambdas whose percentile interval is always flagged.
BY_CHANCE = ("lambda4", "lambda6")
TABLE = Path(__file__).with_name("consistency_coverage.csv")
COLUMNS = ("statistic", "method", "data", "loadings", "n", "k", *COUNTED)
#: Latent loadings of congeneric items; strata correlate .6 where items within one correlate .5.
UNEQUAL = (0.45, 0.55, 0.65, 0.75, 0.85)
WITHIN, BETWEEN = 0.5, 0.3

Limits = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Design:
    """What is drawn: reliability is that of parallel items, for loadings "equal"."""

    statistic: str
    data: str
    loadings: str
    reliability: float
    n: int
    k: int
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of the random stream."""
        return f"{self.statistic}/{self.data}/{self.loadings}/{self.reliability}/{self.n}/{self.k}"

    @property
    def latent(self) -> np.ndarray:
        """Return the latent correlations (k, k)."""
        k = self.k
        if self.loadings == "unequal":
            made = np.outer(UNEQUAL, UNEQUAL)
        elif self.loadings == "strata":
            group = np.arange(k) // (k // 2)
            made = np.where(group[:, None] == group, WITHIN, BETWEEN)
        else:
            r = self.reliability / (k - (k - 1) * self.reliability)
            made = np.full((k, k), latent_correlation(r, self.data))
        return np.asarray(np.where(np.eye(k, dtype=bool), 1.0, made))

    @property
    def population(self) -> np.ndarray:
        """Return the correlations of the answers (k, k)."""
        unique = {r: correlation_of_answers(float(r), self.data) for r in np.unique(self.latent) if r < 1.0}
        return np.vectorize(lambda r: unique.get(r, 1.0))(self.latent)

    def draw(self, studies: int, rng: np.random.Generator) -> np.ndarray:
        """Return studies (studies, n, k)."""
        root = np.linalg.cholesky(self.latent)
        return cut(rng.standard_normal((studies, self.n, self.k)) @ root.T, self.data)


@dataclass(frozen=True)
class Cell:
    """One line of the table: a design and one of its methods."""

    design: Design
    statistic: str
    method: str

    @property
    def truth(self) -> float:
        """Return the value in the population."""
        population = self.design.population[None]
        if self.statistic == "omega":
            fit = fit_one_factor(population)
            return float(omega_total(fit, np.ones((1, self.design.k)))[0])
        if self.statistic == "stratified_alpha":
            return float(one_minus_ratio(population, error_matrix(halves(self.design.k), self.design.k))[0])
        if self.statistic == "spearman_brown":
            return float(stepped_up(population[0, 0, 1], 2.0))
        if self.statistic == "alpha":
            k = self.design.k
            return float(k / (k - 1) * (1.0 - k / population.sum()))
        return float(lambdas_of(population)[0][0, LAMBDAS.index(self.statistic)])


def designs() -> Iterator[Design]:
    """Return all designs."""
    for data, truth, n, k in product(ANSWERS, (0.7, 0.9), (20, 50, 200), (3, 5, 10)):
        yield Design("omega", data, "equal", truth, n, k, (DELTA, ADJUSTED))
    for data, n in product(("normal", "skewed"), (50, 200)):
        yield Design("omega", data, "unequal", math.nan, n, 5, (DELTA, ADJUSTED, BOOTSTRAP))
    for data, truth, n in product(ANSWERS, (0.5, 0.8), (20, 50, 200)):
        yield Design("spearman_brown", data, "equal", truth, n, 2, (DELTA, ADJUSTED))
    for data, n in product(("normal", "skewed"), SIZES):
        yield Design("spearman_brown", data, "equal", 0.7, n, 2, (DELTA, ADJUSTED, BOOTSTRAP))
    for data, n, k in product(ANSWERS, (20, 50, 200), (6, 10)):
        yield Design("stratified_alpha", data, "strata", math.nan, n, k, (DELTA, ADJUSTED))
    for data, n in product(("normal", "skewed"), SIZES):
        yield Design("stratified_alpha", data, "strata", math.nan, n, 8, (DELTA, ADJUSTED, BOOTSTRAP))
    for data, n in product(("normal", "skewed", "ceiling60", "binary"), SIZES):
        yield Design("alpha", data, "equal", 0.7, n, 5, (BOOTSTRAP,))
    for data, n in product(("normal", "skewed"), SIZES):
        yield Design("lambdas", data, "unequal", math.nan, n, 5, (BOOTSTRAP,))


def cells() -> list[Cell]:
    """Return all lines of the table."""
    made = []
    for design in designs():
        statistics = LAMBDAS if design.statistic == "lambdas" else (design.statistic,)
        made += [Cell(design, statistic, method) for statistic in statistics for method in design.methods]
    return made


def halves(k: int) -> tuple[np.ndarray, ...]:
    """Return the columns of two strata of equal size."""
    return tuple(np.array_split(np.arange(k), 2))


def limits(design: Design, data: np.ndarray) -> Limits:
    """Return lower and upper limits and flags (studies,) of each method, or lambda, by the package's kernels."""
    made: Limits = {}
    piled_up = end_share(data).mean(axis=-1)
    unreliable = not_reliable(piled_up, design.n)
    share = top_share(influences(data)[0])
    kernel_of: Callable[[int], Callable[[np.ndarray], np.ndarray]]
    if design.statistic == "omega":
        whole = fit_tables(data)
        omega = np.where(whole.defined, omega_total(whole.fit, whole.sd), np.nan)
        normal, free = omega_variances(data, whole)
        scale = np.square(1.0 - omega)
        both = (normal / scale, np.fmax(normal, free) / scale)
        pair = [log_error_limits(omega, variance, design.n, LEVEL) for variance in both]
        with np.errstate(invalid="ignore"):
            ratio = np.sqrt(free / normal)
        unreliable = unreliable | (whole.fit.uniquenesses <= 0).any(axis=-1)
        kernel_of = lambda i: omega_kernel(data[i], _one(whole, i)) if whole.defined[i] else _undefined  # noqa: E731
    elif design.statistic == "stratified_alpha":
        error = error_matrix(halves(design.k), design.k)
        centred = data - data.mean(axis=1, keepdims=True)
        estimate = one_minus_ratio(centred.swapaxes(1, 2) @ centred, error)
        normal, free = ratio_variances(data, error)
        pair = [log_error_limits(estimate, variance, design.n, LEVEL) for variance in (normal, np.fmax(normal, free))]
        ratio = np.sqrt(free / normal)
        kernel_of = lambda i: _stratified_kernel(data[i], error)  # noqa: E731
    elif design.statistic == "spearman_brown":
        centred = data - data.mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            r = (centred[..., 0] * centred[..., 1]).sum(axis=1) / np.sqrt(np.square(centred).sum(axis=1).prod(axis=-1))
        ratio = z_error_ratio(data)
        pair = [fisher_limits(r, design.n, 2.0, LEVEL, widened) for widened in (1.0, np.maximum(ratio, 1.0))]
        kernel_of = lambda i: _stepped_kernel(data[i], 2.0)  # noqa: E731
    elif design.statistic == "alpha":
        pair, ratio = [], np.ones(len(data))
        defined = ~np.isnan(alpha_of(data))
        kernel_of = lambda i: alpha_kernel(data[i]) if defined[i] else _undefined  # noqa: E731
    else:
        pair, ratio = [], np.ones(len(data))
        kernel_of = lambda i: lambda_kernel(data[i], np.ones(design.k))  # noqa: E731
    decides = one_decides(share, ratio) & (design.n >= FEW)
    for method, (low, high) in zip((DELTA, ADJUSTED), pair, strict=False):
        narrow = too_narrow(piled_up, ratio) if method == DELTA else False
        made[method] = (low, high, unreliable | decides | narrow)
    if BOOTSTRAP in design.methods:
        quantiles = bootstrap(design, len(data), kernel_of)
        weak = not_reliable(piled_up, design.n) | (design.n < LEAST)
        for column in range(quantiles.shape[-1]):
            name = LAMBDAS[column] if design.statistic == "lambdas" else BOOTSTRAP
            flag = weak | (name in BY_CHANCE) if design.statistic == "lambdas" else weak
            made[name] = (quantiles[:, 0, column], quantiles[:, 1, column], flag)
    return made


def bootstrap(
    design: Design, studies: int, kernel_of: Callable[[int], Callable[[np.ndarray], np.ndarray]]
) -> np.ndarray:
    """Return percentile limits (studies, 2, statistics)."""
    rng = stream(SEED, design.name, "bootstrap")
    offset = design.n * np.arange(REPLICATES)[:, None]
    made = []
    for i in range(studies):
        drawn = rng.integers(0, design.n, (REPLICATES, design.n)) + offset
        counts = np.bincount(drawn.ravel(), minlength=REPLICATES * design.n).reshape(REPLICATES, design.n)
        estimates = kernel_of(i)(counts.astype(np.float64)).reshape(REPLICATES, -1)
        estimates = estimates[~np.isnan(estimates).any(axis=1)]
        tails = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
        width = estimates.shape[1]
        made.append(np.quantile(estimates, tails, axis=0) if len(estimates) else np.full((2, width), np.nan))
    return np.array(made)


def _undefined(counts: np.ndarray) -> np.ndarray:
    return np.full(len(counts), np.nan)


def _one(whole: OmegaFit, i: int) -> OmegaFit:
    at = slice(i, i + 1)
    fit = whole.fit
    one = OneFactor(fit.loadings[at], fit.uniquenesses[at], fit.discrepancy[at], fit.converged[at])
    return OmegaFit(whole.matrices[at], whole.sd[at], whole.regular[at], one)


@lru_cache(maxsize=1)
def studied(design: Design, studies: int) -> Limits:
    """Return the limits of a design's studies."""
    return limits(design, design.draw(studies, stream(SEED, design.name)))


def row(cell: Cell, studies: int) -> dict[str, object]:
    """Return one line of the table."""
    design = cell.design
    key = cell.statistic if design.statistic == "lambdas" else cell.method
    low, high, flag = studied(design, studies)[key]
    return {
        "statistic": cell.statistic, "method": cell.method, "data": design.data, "loadings": design.loadings,
        "n": design.n, "k": design.k, **counted(low, high, round(cell.truth, 10), flag, SEED),
    }  # fmt: skip


def main() -> None:
    """Write the table; a number given is that of studies, for a trial."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES
    path = TABLE if studies == STUDIES else TABLE.with_suffix(".trial.csv")
    write_table(path, COLUMNS, (row(cell, studies) for cell in cells()))


if __name__ == "__main__":
    main()
