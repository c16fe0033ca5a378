"""Make calibration/exploratory_coverage.csv and exploratory_recovery.csv: factors, their fit, and omega hierarchical.

Run offline, from the root of the repository (about ten minutes on one core)::

    python calibration/make_exploratory_coverage.py

The first table has how often the intervals of RMSEA and omega hierarchical hold the truth; the second how often
parallel analysis and MAP find the number of factors, and the bias of loadings and factor correlations.  Items load
one factor each, .6; answers are normal, or cut to five skewed levels (latent normal values; truth by the correlations
of the cut answers).  Misfit is a tenth of an item's variance that neighbours of different factors share.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from make_psychometric_coverage import LEVEL, correlation_of_answers, cut

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import read_only
from ibic_fidelity.psychometrics.exploratory._extraction import extract
from ibic_fidelity.psychometrics.exploratory._fit import fit_of
from ibic_fidelity.psychometrics.exploratory._hierarchy import basic_interval, hierarchy_of, omega_h_kernel, omegas
from ibic_fidelity.psychometrics.exploratory._matrix import correlation_matrix, degrees_of_freedom
from ibic_fidelity.psychometrics.exploratory._order import matched
from ibic_fidelity.psychometrics.exploratory._rotation import best_of, random_starts, rotate
from ibic_fidelity.psychometrics.exploratory.hierarchical import LEAST
from ibic_fidelity.psychometrics.exploratory.parallel import parallel_analysis
from ibic_fidelity.psychometrics.exploratory.partials import average_partials
from ibic_fidelity.psychometrics.resampling import percentile_interval

SEED = 20261128
STUDIES = {"rmsea": 1000, "omega_h": 400, "numbers": 100, "loadings": 500}
REPLICATES = 200
ITEMS = 4  # a factor
LOADING = 0.6
COVERAGE = Path(__file__).with_name("exploratory_coverage.csv")
RECOVERY = Path(__file__).with_name("exploratory_recovery.csv")
COLUMNS = ("statistic", "method", "data", "factors", "phi", "misfit", "n", "k", *COUNTED)
RECOVERED = (
    "statistic", "method", "data", "factors", "phi", "n", "k",
    "truth", "studies", "mean", "sd", "bias", "right", "seed",
)  # fmt: skip


@dataclass(frozen=True)
class Design:
    """What is drawn."""

    data: str
    factors: int
    phi: float
    misfit: float
    n: int

    @property
    def name(self) -> str:
        """Return the name of the random stream."""
        return f"{self.data}/{self.factors}/{self.phi}/{self.misfit}/{self.n}"

    @property
    def k(self) -> int:
        """Return the number of items."""
        return ITEMS * max(self.factors, 2)

    @property
    def pattern(self) -> np.ndarray:
        """Return the loadings (k, m) of the latent values."""
        return np.kron(np.eye(self.factors), np.full((self.k // self.factors, 1), LOADING))

    @property
    def latent(self) -> np.ndarray:
        """Return the latent correlations (k, k)."""
        m = self.factors
        phi = np.full((m, m), self.phi) + (1.0 - self.phi) * np.eye(m)
        made = self.pattern @ phi @ self.pattern.T
        for i in range(0, self.k - ITEMS, 2):
            made[i, i + ITEMS] += self.misfit
            made[i + ITEMS, i] += self.misfit
        np.fill_diagonal(made, 1.0)
        return made

    @property
    def population(self) -> np.ndarray:
        """Return the correlations of the answers (k, k)."""
        unique = {r: correlation_of_answers(float(r), self.data) for r in np.unique(self.latent) if r < 1.0}
        return np.vectorize(lambda r: unique.get(r, 1.0))(self.latent)

    def draw(self, studies: int, part: str) -> np.ndarray:
        """Return studies (studies, n, k)."""
        root = np.linalg.cholesky(self.latent)
        rng = stream(SEED, "exploratory", part, self.name)
        return cut(rng.standard_normal((studies, self.n, self.k)) @ root.T, self.data)


def omega_designs() -> list[Design]:
    """Return the designs of omega hierarchical."""
    made = [Design("normal", 3, phi, 0.0, n) for phi, n in product((0.3, 0.6), (100, 200, 500, 1000))]
    return [*made, Design("skewed", 3, 0.6, 0.0, 500), Design("skewed", 3, 0.6, 0.0, 1000)]


def rmsea_cells() -> list[tuple[Design, str]]:
    """Return designs and extractions of RMSEA."""
    return [
        (Design("normal", 3, 0.3, misfit, n), method)
        for misfit, n, method in product((0.0, 0.1), (100, 200, 500, 1000), ("ml", "minres"))
    ]


def rmsea_limits(design: Design, method: str, studies: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Return lower and upper limits (studies,) and the truth."""
    m, k = design.factors, design.k
    matrices = correlation_matrix(design.draw(studies, "rmsea"))
    found = extract(matrices, m, method)
    made = []
    for matrix, loadings in zip(matrices, found.loadings, strict=True):
        made.append(fit_of(matrix, model(loadings), m, design.n, LEVEL, tested=True).rmsea_ci)
    population = extract(design.population[None], m, method)
    ratio = np.linalg.solve(model(population.loadings[0]), design.population)
    discrepancy = max(float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - k), 0.0)
    truth = math.sqrt(discrepancy / degrees_of_freedom(k, m)) if design.misfit else 0.0
    return np.array([ci.low for ci in made]), np.array([ci.high for ci in made]), truth


def model(loadings: np.ndarray) -> np.ndarray:
    """Return the model's correlations (k, k) of unrotated loadings."""
    made = loadings @ loadings.T
    np.fill_diagonal(made, 1.0)
    return made


def of_population(design: Design, method: str = "minres") -> tuple[np.ndarray, np.ndarray]:
    """Return oblimin loadings (1, k, m) and correlations (1, m, m) of the population, the best of many starts."""
    found = extract(design.population[None], design.factors, method)
    starts = random_starts(design.factors, 50, stream(SEED, "exploratory", "population"))
    turned = rotate(found.loadings, "oblimin", starts)
    best = [best_of(turned)[0]]
    return turned.loadings[best], turned.phi[best]


def omega_h_truth(design: Design) -> float:
    """Return omega hierarchical of the population."""
    loadings, phi = of_population(design)
    made = hierarchy_of(loadings, phi, None)
    return float(omegas(design.population[None], made.general, ((loadings @ phi) * loadings).sum(axis=2))[0][0])


def oblique(matrices: np.ndarray, m: int, method: str = "minres") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return oblimin loadings (B, k, m), correlations (B, m, m), and which converged."""
    found = extract(matrices, m, method)
    if m == 1:
        sign = np.sign(found.loadings.sum(axis=1, keepdims=True))
        return found.loadings * sign, np.ones((len(matrices), 1, 1)), found.converged
    starts = np.broadcast_to(random_starts(m, 1, np.random.default_rng(0)), (len(matrices), m, m))
    turned = rotate(found.loadings, "oblimin", starts)
    return turned.loadings, turned.phi, found.converged & turned.converged


def omega_h_limits(design: Design, studies: int) -> tuple[np.ndarray, np.ndarray]:
    """Return basic bootstrap limits (studies,) of omega hierarchical, by the package's kernels."""
    rng = stream(SEED, "exploratory", "bootstrap", design.name)
    data = design.draw(studies, "omega_h")
    matrices = correlation_matrix(data)
    loadings, phi, good = oblique(matrices, 3)
    made = hierarchy_of(loadings, phi, None)
    estimates = omegas(matrices, made.general, ((loadings @ phi) * loadings).sum(axis=2))[0]
    limits = np.full((studies, 2), np.nan)
    for i in np.flatnonzero(good):
        unique = 1.0 - ((loadings[i] @ phi[i]) * loadings[i]).sum(axis=1)
        kernel = omega_h_kernel(read_only(data[i]), loadings[i], unique, "minres", None)
        drawn = rng.multinomial(design.n, np.full(design.n, 1.0 / design.n), size=REPLICATES).astype(np.float64)
        known = kernel(drawn)[:, 0]
        known = known[~np.isnan(known)]
        if known.size:
            ci, _ = percentile_interval(known, LEVEL)
            turned = basic_interval(float(estimates[i]), ci)
            limits[i] = turned.low, turned.high
    return limits[:, 0], limits[:, 1]


def coverage_row(statistic: str, design: Design, method: str, studies: int) -> dict[str, object]:
    """Return one line of the table of coverage."""
    if statistic == "rmsea":
        low, high, truth = rmsea_limits(design, method, studies)
        flag = np.zeros(studies, dtype=bool)
    else:
        (low, high), truth = omega_h_limits(design, studies), omega_h_truth(design)
        flag = np.full(studies, design.n < LEAST)
    return {
        "statistic": statistic, "method": method, "data": design.data, "factors": design.factors, "phi": design.phi,
        "misfit": design.misfit, "n": design.n, "k": design.k, **counted(low, high, round(truth, 10), flag, SEED),
    }  # fmt: skip


def number_cells() -> list[tuple[Design, str]]:
    """Return designs and correlations of the number of factors."""
    structures = ((1, 0.0), (3, 0.0), (3, 0.5))
    made = [Design("normal", m, phi, 0.0, n) for (m, phi), n in product(structures, (100, 300, 1000))]
    made += [Design("skewed", 1, 0.0, 0.0, n) for n in (100, 300, 1000)]
    made += [Design("skewed", 3, phi, 0.0, n) for phi, n in ((0.0, 100), (0.5, 300))]
    return [*((design, "pearson") for design in made), (Design("skewed", 3, 0.5, 0.0, 300), "polychoric")]


def number_rows(design: Design, correlation: str, studies: int) -> Iterator[dict[str, object]]:
    """Yield how often each rule finds the number of factors."""
    data = design.draw(studies, "numbers")
    found: dict[str, list[int]] = {"parallel, components": [], "parallel, factors": []}
    for i, x in enumerate(data):
        made = parallel_analysis(x, correlation=correlation, n_replicates=100, rng=i)
        found["parallel, components"].append(made.n_components)
        found["parallel, factors"].append(made.n_factors)
    if correlation == "pearson":
        averages, _ = average_partials(correlation_matrix(data))
        found["MAP"], found["MAP, power 4"] = (list(part.argmin(axis=1)) for part in averages)
    for rule, numbers in found.items():
        got = np.asarray(numbers, dtype=np.float64)
        yield recovered("number_of_factors", f"{rule}, {correlation}", design, float(design.factors), got, right=True)


def loading_rows(design: Design, method: str, studies: int) -> Iterator[dict[str, object]]:
    """Yield the bias of loadings and of factor correlations."""
    loadings, phi, good = oblique(correlation_matrix(design.draw(studies, "loadings")), design.factors, method)
    order, signs = matched(loadings[good], design.pattern)
    own = np.take_along_axis(loadings[good], order[:, None, :], axis=2) * signs[:, None, :]
    at = design.pattern > 0
    between = np.take_along_axis(phi[good], order[:, :, None], axis=1)
    between = np.take_along_axis(between, order[:, None, :], axis=2) * signs[:, :, None] * signs[:, None, :]
    upper = np.triu_indices(design.factors, 1)
    truth, truth_phi = of_population(design, method)
    main = float(np.abs(truth[0]).max(axis=1).mean())
    yield recovered("loading", method, design, main, own[:, at].mean(axis=1))
    yield recovered("cross_loading", method, design, 0.0, own[:, ~at].mean(axis=1))
    phi_truth = float(np.abs(truth_phi[0][upper]).mean())
    yield recovered("factor_correlation", method, design, phi_truth, between[:, upper[0], upper[1]].mean(axis=1))


def recovered(
    statistic: str, method: str, design: Design, truth: float, found: np.ndarray, *, right: bool = False
) -> dict[str, object]:
    """Return one line of the table of recovery."""
    return {
        "statistic": statistic, "method": method, "data": design.data, "factors": design.factors, "phi": design.phi,
        "n": design.n, "k": design.k, "truth": round(truth, 6), "studies": len(found), "mean": f"{found.mean():.4f}",
        "sd": f"{found.std(ddof=1):.4f}", "bias": f"{found.mean() - truth:.4f}",
        "right": f"{(found == truth).mean():.4f}" if right else "", "seed": SEED,
    }  # fmt: skip


def main() -> None:
    """Write both tables; a number given divides the studies, for a trial."""
    part = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    studies = {name: number // part for name, number in STUDIES.items()}

    def coverage() -> Iterator[dict[str, object]]:
        for design, method in rmsea_cells():
            yield coverage_row("rmsea", design, method, studies["rmsea"])
        for design in omega_designs():
            yield coverage_row("omega_h", design, "basic bootstrap", studies["omega_h"])

    def recovery() -> Iterator[dict[str, object]]:
        for n, phi, method in product((100, 300, 1000), (0.0, 0.5), ("minres", "ml")):
            yield from loading_rows(Design("normal", 3, phi, 0.0, n), method, studies["loadings"])
        for design, correlation in number_cells():
            few = studies["numbers"] // (4 if correlation == "polychoric" else 2 if design.n > 300 else 1)
            yield from number_rows(design, correlation, few)

    suffix = ".csv" if part == 1 else ".trial.csv"
    write_table(COVERAGE.with_suffix(suffix), COLUMNS, coverage())
    write_table(RECOVERY.with_suffix(suffix), RECOVERED, recovery())


if __name__ == "__main__":
    main()
