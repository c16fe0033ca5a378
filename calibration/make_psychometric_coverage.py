"""Make calibration/psychometric_coverage.csv: how often the intervals of alpha and ICC(1) hold the truth.

Run offline, from the root of the repository (about two minutes on one core)::

    python calibration/make_psychometric_coverage.py

Each cell draws its own named stream under one seed, so that cells can be added without moving others.
Studies are a leading axis; the kernels are those of the package.  Truth comes from the parameters alone:
for answers on few levels by Gauss–Hermite integration over the common part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics._clusters import RowClusters, carrying, log_error, too_alike
from ibic_fidelity.psychometrics.consistency._intervals import one_decides, top_share
from ibic_fidelity.psychometrics.consistency._moments import influences
from ibic_fidelity.psychometrics.consistency.internal_consistency import (
    PILED_UP,
    SKEWED,
    TOO_NARROW,
    alpha_kernel,
    alpha_of,
    feldt_limits,
    normal_variance,
    variance_inflation,
)
from ibic_fidelity.psychometrics.intraclass._not_normal import of_groups
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP as ICC_PILED_UP
from ibic_fidelity.psychometrics.intraclass.groups import reliability, variance_ratio_limits

SEED = 20261121
STUDIES = 2000
LEVEL = 0.95
#: Shares of the answers, low to high; the last share is the ceiling; "normal" is not cut.
ANSWERS = {
    "normal": None,
    "symmetric": (0.07, 0.24, 0.38, 0.24, 0.07),
    "skewed": (0.05, 0.10, 0.15, 0.30, 0.40),
    "ceiling60": (0.04, 0.06, 0.10, 0.20, 0.60),
    "ceiling80": (0.02, 0.04, 0.06, 0.08, 0.80),
    "binary": (0.50, 0.50),
}
SIZES = {"equal": (20,), "unequal": (5, 10, 20, 30, 100)}
#: Answers that are not cut: skewed or heavy-tailed true scores with errors of the same kind (alpha), or groups with
#: normal members (ICC), all with mean 0 and variance 1.
UNCUT = ("exponential", "t4", "beta", "lognormal")
#: Clusters of respondents: how many, their sizes (the pattern repeated), and the share of all variance between them.
CLUSTERED = {
    "10x10, .3": (10, (10,), 0.3), "20x10, .3": (20, (10,), 0.3), "10x20, .5": (10, (20,), 0.5),
    "24x20, .15": (24, (20,), 0.15), "20x20, .5": (20, (20,), 0.5), "40x20, .5": (40, (20,), 0.5),
    "10x10, 0": (10, (10,), 0.0), "24x10, 0": (24, (10,), 0.0),
    "25 uneven, .1": (25, (5, 10, 20, 30, 100), 0.1), "25 uneven, .3": (25, (5, 10, 20, 30, 100), 0.3),
}  # fmt: skip
OVER_CLUSTERS = "Feldt, adjusted, over clusters"
#: Both intervals of alpha are tried on the same studies.
FELDT = ("Feldt", "Feldt, adjusted")
ADJUSTED = "exact F, adjusted"
TABLE = Path(__file__).with_name("psychometric_coverage.csv")
COLUMNS = ("statistic", "method", "data", "n", "k", "groups", "sizes", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One cell: for alpha n respondents and k items, for icc1 a number of groups and their sizes."""

    statistic: str
    method: str
    data: str
    truth: float
    n: int = 0
    k: int = 0
    groups: int = 0
    sizes: str = ""

    @property
    def name(self) -> str:
        """Return the name of the cell's random stream."""
        return f"{self.statistic}/{self.data}/{self.truth}/{self.n}/{self.k}/{self.groups}/{self.sizes}"

    @property
    def group_sizes(self) -> np.ndarray:
        """Return the sizes (J,), the pattern repeated."""
        pattern = SIZES[self.sizes]
        return np.array([pattern[i % len(pattern)] for i in range(self.groups)])


def cells() -> list[Cell]:
    """Return all cells of the table."""
    alphas = product(ANSWERS, (0.5, 0.7, 0.9), (20, 50, 200), (3, 5, 10))
    iccs = product(ANSWERS, (0.05, 0.15, 0.30), (12, 24, 50), SIZES)
    heavy = product(UNCUT, (0.7, 0.9), (20, 50, 200))
    of_groups = product(UNCUT, (0.05, 0.20), (12, 24, 50), SIZES)
    clustered = product(CLUSTERED, (*FELDT, OVER_CLUSTERS))
    return [
        *(Cell("alpha", method, data, truth, n=n, k=k) for data, truth, n, k in alphas for method in FELDT),
        *(Cell("alpha", method, data, truth, n=n, k=5) for data, truth, n in heavy for method in FELDT),
        *(Cell("alpha", method, f"clusters {name}", 0.8, clustered_n(name), 5) for name, method in clustered),
        *(
            Cell("icc1", method, data, truth, groups=j, sizes=sizes)
            for data, truth, j, sizes in (
                *of_groups,
                *product(("normal", "symmetric", "skewed"), (0.05, 0.15, 0.30), (12, 24, 50), SIZES),
            )
            for method in (("exact F", ADJUSTED) if data in UNCUT else (ADJUSTED,))
        ),
        *(Cell("icc1", "exact F", data, truth, groups=j, sizes=sizes) for data, truth, j, sizes in iccs),
    ]


def clustered_n(name: str) -> int:
    """Return the respondents of a clustered design."""
    return len(clusters_of(name))


def clusters_of(name: str) -> np.ndarray:
    """Return the cluster of each respondent (n,)."""
    number, pattern, _ = CLUSTERED[name]
    return np.repeat(np.arange(number), [pattern[i % len(pattern)] for i in range(number)])


def uncut(data: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return values with mean 0 and variance 1: skewed, heavy-tailed, or normal."""
    if data == "exponential":
        return rng.exponential(1.0, shape) - 1.0
    if data == "t4":
        return rng.standard_t(4, shape) / math.sqrt(2.0)
    if data == "beta":
        return (rng.beta(0.5, 3.0, shape) - 1.0 / 7.0) / math.sqrt(1.5 / (3.5**2 * 4.5))
    if data == "lognormal":
        square = 0.8**2
        return (rng.lognormal(0.0, 0.8, shape) - math.exp(square / 2)) / math.sqrt(
            math.expm1(square) * math.exp(square)
        )
    return rng.standard_normal(shape)


def cut(latent: np.ndarray, data: str) -> np.ndarray:
    """Return answers: standard normal as it is, or cut to levels 0, 1, … of the given shares."""
    shares = ANSWERS.get(data)
    if shares is None:
        return latent
    return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), latent).astype(np.float64)


def correlation_of_answers(latent_correlation: float, data: str) -> float:
    """Return the correlation of two answers whose latent parts correlate so (one common normal part)."""
    shares = ANSWERS.get(data)
    if shares is None:
        return latent_correlation
    nodes, weights = np.polynomial.hermite_e.hermegauss(201)
    weights = weights / weights.sum()
    cuts = ndtri(np.cumsum(shares)[:-1])
    common = math.sqrt(latent_correlation) * nodes[:, None]
    above = ndtr((common - cuts) / math.sqrt(1.0 - latent_correlation))
    expected = above.sum(axis=1)  # an answer is the number of cuts that it exceeds
    levels = np.arange(len(shares))
    mean = levels @ np.array(shares)
    variance = np.square(levels - mean) @ np.array(shares)
    return float((weights @ np.square(expected) - mean**2) / variance)


@cache
def latent_correlation(correlation: float, data: str) -> float:
    """Return the latent correlation that gives answers this correlation."""
    return float(brentq(lambda r: correlation_of_answers(r, data) - correlation, 1e-9, 0.9999, xtol=1e-14))


def draw(cell: Cell, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return studies (studies, n, k) of alpha, or (studies, members) of icc1, group after group."""
    if cell.statistic == "alpha":
        r = latent_correlation(cell.truth / (cell.k - (cell.k - 1) * cell.truth), cell.data)
        common = uncut(cell.data, (studies, cell.n, 1), rng)
        own = uncut(cell.data, (studies, cell.n, cell.k), rng)
        if cell.data.startswith("clusters"):
            name = cell.data.removeprefix("clusters ")
            (number, _, share), of = CLUSTERED[name], clusters_of(name)
            common, own = (
                math.sqrt(1 - share) * part + math.sqrt(share) * rng.standard_normal((studies, number, width))[:, of]
                for part, width in ((common, 1), (own, cell.k))
            )
    else:
        r = latent_correlation(cell.truth, cell.data)
        sizes = cell.group_sizes
        common = np.repeat(uncut(cell.data, (studies, len(sizes)), rng), sizes, axis=1)
        own = rng.standard_normal((studies, int(sizes.sum())))
    return cut(math.sqrt(r) * common + math.sqrt(1.0 - r) * own, cell.data)


def limits(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper limits (studies,) by the package's kernels."""
    if cell.method == OVER_CLUSTERS:
        widened = over_clusters(cell, data)[0]
        return feldt_limits(alpha_of(data), cell.n, cell.k, LEVEL, np.maximum(widened, 1.0))
    if cell.statistic == "alpha":
        inflation = np.maximum(variance_inflation(data), 1.0) if cell.method == "Feldt, adjusted" else 1.0
        return feldt_limits(alpha_of(data), cell.n, cell.k, LEVEL, inflation)
    sizes, means, within = sums_of_groups(cell, data)
    factor = of_groups(sizes, means, within, LEVEL).factor if cell.method == ADJUSTED else 1.0
    low, high = variance_ratio_limits(sizes, means, within.sum(axis=1), LEVEL, factor)
    return reliability(low, 1.0), reliability(high, 1.0)


def sums_of_groups(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sizes (J,), means and sums of squares within (studies, J)."""
    sizes = cell.group_sizes
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(data, starts, axis=1) / sizes
    return sizes, means, np.add.reduceat(np.square(data - np.repeat(means, sizes, axis=1)), starts, axis=1)


def over_clusters(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how much alpha varies over clusters beside independent rows, widened, and whether they are too few."""
    codes = clusters_of(cell.data.removeprefix("clusters "))
    clusters, normal = RowClusters(codes, int(codes.max()) + 1), normal_variance(cell.n, cell.k)
    spreads = [clusters.spread(log_error(alpha_kernel(study))) for study in data]
    few = [too_alike(spread.variance / normal, carrying(spread.deviations), spread.n) for spread in spreads]
    return np.array([spread.widened(LEVEL) / normal for spread in spreads]), np.array(few)


def flagged(cell: Cell, data: np.ndarray) -> np.ndarray:
    """Return in which studies (studies,) the package flags this interval."""
    if cell.statistic == "icc1":
        piled_up = end_share(data[..., np.newaxis])[..., 0] >= ICC_PILED_UP
        return piled_up | of_groups(*sums_of_groups(cell, data), LEVEL).narrow
    piled_up, ratio = end_share(data).mean(axis=-1), np.sqrt(variance_inflation(data))
    decides = one_decides(top_share(influences(data)[0]), ratio)
    if cell.method == OVER_CLUSTERS:
        return over_clusters(cell, data)[1] | decides
    if cell.method == "Feldt, adjusted":
        return (piled_up >= PILED_UP) | decides
    return (piled_up >= SKEWED) | (ratio > TOO_NARROW) | decides


def row(cell: Cell) -> dict[str, object]:
    """Return one line of the table."""
    data = draw(cell, STUDIES, stream(SEED, cell.name))
    low, high = limits(cell, data)
    return {
        "statistic": cell.statistic, "method": cell.method, "data": cell.data,
        "n": cell.n or int(cell.group_sizes.sum()), "k": cell.k or "",
        "groups": cell.groups or "", "sizes": cell.sizes,
        **counted(low, high, cell.truth, flagged(cell, data), SEED),
    }  # fmt: skip


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, map(row, cells()))


if __name__ == "__main__":
    main()
