"""Make calibration/intraclass_coverage.csv: how often intervals of ICC and measurement error hold the truth.

Run offline, from the root of the repository (about eight minutes on one core)::

    python calibration/make_intraclass_coverage.py

Each cell draws its own named stream under one seed, so that cells can be added without moving others; intervals
that are compared see the same studies.  Studies are a leading axis; the kernels are those of the package.  Truth
comes from the parameters alone: for answers on few levels by Gauss–Hermite integration over the common part.
Average forms, smallest detectable changes and design effects are steps up of a single form, an error and ICC(1),
limits and all: they are covered alike, and stand in a few cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from make_psychometric_coverage import UNCUT, cut, latent_correlation, uncut
from scipy.special import ndtri, stdtrit

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics._clusters import RowClusters
from ibic_fidelity.psychometrics.intraclass import _icc_forms as forms
from ibic_fidelity.psychometrics.intraclass import agreement_limits as differences
from ibic_fidelity.psychometrics.intraclass._error_variance import (
    LEAST_FOR_NORMALITY,
    TOO_NARROW,
    error_limits,
    spread_ratio,
)
from ibic_fidelity.psychometrics.intraclass._incomplete_ratings import (
    RatingSums,
    adjusted_squares,
    degrees_of_freedom,
    exact_ratio_limits,
    parts_of,
    reml,
)
from ibic_fidelity.psychometrics.intraclass._mean_squares import ExpectedSquares, MeanSquares
from ibic_fidelity.psychometrics.intraclass._not_normal import Inflation, complete_log_f, of_groups, of_tables
from ibic_fidelity.psychometrics.intraclass._one_way import reliability, variance_ratio_limits
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP
from ibic_fidelity.psychometrics.resampling import bootstrap_estimates

SEED = 20261123
STUDIES = 2000
LEVEL = 0.95
REPLICATES = 500
#: Studies at once, which bounds the memory.
BLOCK = 500
SIZES = {"equal": (20,), "unequal": (5, 10, 20, 30, 100), "small": (1, 2, 3, 4, 6)}
TABLE = Path(__file__).with_name("intraclass_coverage.csv")
COLUMNS = ("statistic", "method", "data", "n", "k", "raters", "holes", "groups", "sizes", *COUNTED)
Z = float(ndtri(0.975))


@dataclass(frozen=True)
class Cell:
    """One cell; `raters` is their variance over that of the residual, `level` the coefficient planted."""

    statistic: str
    method: str
    data: str = "normal"
    level: float = 0.0
    n: int = 0
    k: int = 0
    raters: float = 0.0
    holes: str = ""
    groups: int = 0
    sizes: str = ""

    @property
    def name(self) -> str:
        """Return the name of the cell's random stream: methods share it."""
        parts = (self.family, self.data, self.level, self.n, self.k, self.raters, self.holes, self.groups, self.sizes)
        return "/".join(map(str, parts))

    @property
    def family(self) -> str:
        """Return what the studies are of."""
        return next(kind for kind in ("group", "loa", "error", "icc") if self.statistic.startswith(kind))

    @property
    def group_sizes(self) -> np.ndarray:
        """Return the sizes (J,), the pattern repeated."""
        pattern = SIZES[self.sizes]
        return np.array([pattern[i % len(pattern)] for i in range(self.groups)])


def cells() -> list[Cell]:
    """Return all cells of the table."""
    made = []
    for n, k, level in product((10, 30, 100, 300), (2, 3, 5, 8), (0.3, 0.7)):
        for raters, method in product((0.0, 0.1, 0.5, 2.0), ("McGraw-Wong", "modified")):
            made.append(Cell("icc_agreement", method, level=level, n=n, k=k, raters=raters))
        made += [Cell(f"icc_{form}", "exact F", level=level, n=n, k=k) for form in ("consistency", "one-way")]
    for raters, method in product((0.0, 0.5), ("McGraw-Wong", "modified")):
        made.append(Cell("icc_agreement_average", method, level=0.5, n=30, k=4, raters=raters))
    made += [Cell(f"icc_{form}_average", "exact F", level=0.5, n=30, k=4) for form in ("consistency", "one-way")]
    for data, n, k, level in product(("symmetric", "skewed", "ceiling60", "ceiling80"), (30, 100), (3, 6), (0.3, 0.7)):
        for raters, method in product((0.0, 0.5), ("McGraw-Wong", "modified")):
            made.append(Cell("icc_agreement", method, data, level, n, k, raters))
        made += [Cell(f"icc_{form}", "exact F", data, level, n, k) for form in ("consistency", "one-way")]
    for n, (k, holes) in product((15, 50), HOLED):
        if (n, k) == (15, 20):  # four in five such tables are not linked
            continue
        for level, raters in product((0.3, 0.7), (0.0, 0.5)):
            made.append(Cell("icc_agreement", "REML", "normal", level, n, k, raters, holes))
        made += [Cell(f"icc_{form}", "REML", "normal", 0.5, n, k, 0.0, holes) for form in ("consistency", "one-way")]
    for n, raters in product((30, 100, 300), (0.0, 0.5)):
        made.append(Cell("icc_agreement", "bootstrap", level=0.5, n=n, k=4, raters=raters))
    made += [
        Cell(f"icc_{form}", "bootstrap", level=0.5, n=n, k=4)
        for form, n in product(("consistency", "one-way"), (30, 100, 300))
    ]
    return made + error_cells() + group_cells() + adjusted_cells()


def adjusted_cells() -> list[Cell]:
    """Return the cells of adjusted intervals: skewed or heavy-tailed targets, holes, and targets in clusters."""
    made = []
    for data, n, k, level in product(("normal", *UNCUT), (15, 30, 100), (2, 4), (0.3, 0.7)):
        both = ("exact F", "exact F, adjusted") if data != "normal" else ("exact F, adjusted",)
        made += [Cell("icc_consistency", method, data, level, n, k) for method in both]
        both = ("modified", "modified, adjusted") if data != "normal" else ("modified, adjusted",)
        made += [Cell("icc_agreement", m, data, level, n, k, raters) for raters in (0.0, 0.5) for m in both]
    made += [Cell("icc_one-way", "exact F, adjusted", data, 0.5, 30, 4) for data in ("normal", *UNCUT)]
    made += [
        Cell("icc_consistency", method, f"clusters {name}", 0.7, math.prod(CLUSTERED[name][:2]), 2)
        for name in CLUSTERED
        for method in ("exact F, adjusted", "exact F, adjusted, over clusters")
    ]
    return made


#: Clusters of targets: how many, of how many targets, and the share of the targets' variance between them.
CLUSTERED = {"10x10": (10, 10, 0.3), "10x20": (10, 20, 0.5), "24x10": (24, 10, 0.3), "40x5": (40, 5, 0.5)}


HOLED = ((3, "10%"), (3, "30%"), (6, "10%"), (6, "30%"), (6, "50%"), (6, "pairs"), (20, "pairs"))


def error_cells() -> list[Cell]:
    """Return the cells of measurement error, smallest change and limits of agreement."""
    made = []
    for data, n, k in product(("normal", "t5", "laplace"), (10, 30, 100), (2, 3, 5)):
        made.append(Cell("error_consistency", "chi-square", data, n=n, k=k))
        made += [Cell("error_agreement", "Graybill-Wang", data, n=n, k=k, raters=r) for r in (0.0, 0.25, 1.0)]
    made += [Cell("error_consistency", "chi-square", data, 0.7, n, 3) for data, n in product(ORDINAL, (30, 100))]
    made += [Cell(f"error_change{of}", "chi-square", n=30, k=2) for of in ("", "_group")]
    for data, n, what in product(("normal", "t5", "laplace", "exponential"), (10, 30, 100), ("bias", "lower", "upper")):
        made.append(Cell(f"loa_{what}", "t" if what == "bias" else "noncentral t", data, n=n))
    return made


ORDINAL = ("symmetric", "ceiling60")


def group_cells() -> list[Cell]:
    """Return the cells of ICC(1), ICC(2) and the design effect by REML."""
    what = product(("icc1", "icc2", "design_effect"), (0.0, 0.05, 0.15, 0.30), (12, 24, 50), SIZES)
    return [
        Cell(f"group_{statistic}", "REML, exact F", "normal", level, groups=groups, sizes=sizes)
        for statistic, level, groups, sizes in what
        if statistic == "icc1" or groups == 24
    ]


def truth(cell: Cell) -> float:
    """Return what the interval is to hold."""
    if cell.family == "loa":
        return {"bias": 0.0, "lower": -Z, "upper": Z}[cell.statistic[4:]]
    if cell.family == "error":
        if cell.data in ORDINAL:
            return math.sqrt(answer_variance(cell.data) * (1.0 - cell.level))
        change = {"error_change": Z * math.sqrt(2.0), "error_change_group": Z * math.sqrt(2.0 / cell.n)}
        return change.get(cell.statistic, math.sqrt(1.0 + cell.raters))
    if cell.family == "group":
        sizes = cell.group_sizes
        total, kish = sizes.sum(), np.square(sizes).sum() / sizes.sum()
        effective = (total - kish) / (cell.groups - 1)
        steps = {
            "group_icc2": effective * cell.level / (1 + (effective - 1) * cell.level),
            "group_design_effect": 1 + (kish - 1) * cell.level,
        }
        return float(steps.get(cell.statistic, cell.level))
    return cell.k * cell.level / (1 + (cell.k - 1) * cell.level) if cell.statistic.endswith("average") else cell.level


def answer_variance(data: str) -> float:
    """Return the variance of a cut answer, from the shares."""
    from make_psychometric_coverage import ANSWERS

    shares = np.array(ANSWERS[data])
    levels = np.arange(len(shares))
    return float(np.square(levels - levels @ shares) @ shares)


def draw(cell: Cell, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return tables (studies, n, k), differences (studies, n), or members (studies, N) group after group."""
    if cell.family == "loa":
        return noise(cell.data, (studies, cell.n), rng)
    if cell.family == "group":
        sizes = cell.group_sizes
        common = np.repeat(rng.standard_normal((studies, len(sizes))), sizes, axis=1)
        own = rng.standard_normal((studies, int(sizes.sum())))
        return math.sqrt(cell.level) * common + math.sqrt(1.0 - cell.level) * own
    if cell.family == "error" and cell.data not in ORDINAL:
        of_raters = math.sqrt(cell.raters) * rng.standard_normal((studies, 1, cell.k))
        of_targets = rng.standard_normal((studies, cell.n, 1))
        return of_targets + of_raters + noise(cell.data, (studies, cell.n, cell.k), rng)
    latent = cell.data in UNCUT or cell.data == "normal" or cell.data.startswith("clusters")
    r = cell.level if latent else latent_correlation(cell.level, cell.data)
    of_raters = math.sqrt((1.0 - r) * cell.raters / (1.0 + cell.raters)) * rng.standard_normal((studies, 1, cell.k))
    of_targets = math.sqrt(r) * targets(cell.data, (studies, cell.n, 1), rng)
    own = math.sqrt((1.0 - r) / (1.0 + cell.raters)) * rng.standard_normal((studies, cell.n, cell.k))
    table = of_targets + of_raters + own
    made = table if latent else cut(table, cell.data)
    return np.where(holes(cell, studies, rng), np.nan, made) if cell.holes else made


def targets(data: str, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the targets' own values (studies, n, 1), those of one cluster alike."""
    if not data.startswith("clusters"):
        return uncut(data, shape, rng)
    number, size, share = CLUSTERED[data.removeprefix("clusters ")]
    common = np.repeat(rng.standard_normal((shape[0], number, 1)), size, axis=1)
    return math.sqrt(share) * common + math.sqrt(1.0 - share) * rng.standard_normal(shape)


def noise(data: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return values with mean 0 and variance 1."""
    if data == "t5":
        return rng.standard_t(5, shape) / math.sqrt(5.0 / 3.0)
    if data == "laplace":
        return rng.laplace(0.0, math.sqrt(0.5), shape)
    if data == "exponential":
        return rng.exponential(1.0, shape) - 1.0
    return rng.standard_normal(shape)


def holes(cell: Cell, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return what is missing (studies, n, k): a share at random, or all but two raters; each target keeps one."""
    order = rng.random((studies, cell.n, cell.k))
    if cell.holes == "pairs":
        return order > np.sort(order, axis=-1)[..., 1:2]
    missing = order < float(cell.holes.rstrip("%")) / 100.0
    return missing & ~(missing.all(axis=-1, keepdims=True) & (np.arange(cell.k) == 0))


def limits(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lower and upper limits and whether the package flags them, each (studies,)."""
    others = {"loa": limits_of_differences, "group": limits_of_groups, "error": limits_of_error}
    if cell.family in others:
        return others[cell.family](cell, data)
    if cell.holes:
        return limits_with_holes(cell, data)
    definition = cell.statistic.split("_")[1]
    squares = MeanSquares.of(data)
    piled_up = end_share(data.reshape(len(data), -1, 1))[..., 0] >= PILED_UP
    unit = "average" if cell.statistic.endswith("average") else "single"
    if cell.method == "bootstrap":
        return *bootstrapped(data, definition), piled_up | forms.bootstrap_is_short(
            squares.n, squares.raters, squares.residual, definition
        )
    inflation, few = inflated(cell, data, definition)
    piled_up = piled_up | inflation.narrow | few
    factor = inflation.factor if "adjusted" in cell.method else 1.0
    if cell.method.startswith("modified"):
        size = cell.k if unit == "average" else 1.0
        made = ExpectedSquares.of(squares).deflated(factor).modified_limits(LEVEL)
        low, high = (forms.stepped(limit, size) for limit in made)
        return low, high, piled_up | (cell.k == 2)
    low, high = squares.limits(definition, unit, LEVEL, factor)
    differ = (definition == "agreement") & (squares.raters >= forms.RATERS_DIFFER * squares.residual)
    return low, high, piled_up | differ | (definition == "agreement" and cell.k == 2)


def inflated(cell: Cell, data: np.ndarray, definition: str) -> tuple[Inflation, np.ndarray | bool]:
    """Return the inflation (studies,), over clusters where the method says so, and whether these are too few."""
    if not cell.method.endswith("clusters"):
        return of_tables(data, definition, LEVEL), False
    number, size, _ = CLUSTERED[cell.data.removeprefix("clusters ")]
    clusters = RowClusters(np.repeat(np.arange(number), size), number)
    normal = 2.0 / (cell.n - 1) + 2.0 / ((cell.n - 1) * (cell.k - 1))
    made = [Inflation.over(clusters, complete_log_f(study, definition), normal, LEVEL) for study in data]
    ratio, factor = (np.array([float(getattr(one, name)) for one, _ in made]) for name in ("ratio", "factor"))
    # the adjusted interval is the answer to a large ratio: only too few clusters are left to flag
    return Inflation(np.ones_like(ratio), factor), np.array([bool(few) for _, few in made])


def limits_with_holes(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the limits of tables with holes; NaN where the ratings are not linked or leave no residual."""
    definition = cell.statistic.split("_")[1]
    low, high, few = np.full(len(data), np.nan), np.full(len(data), np.nan), np.zeros(len(data), dtype=bool)
    for start in range(0, len(data), BLOCK):
        block = data[start : start + BLOCK]
        linked = np.array([parts_of(~np.isnan(one)) == 1 for one in block])
        sums, linked = separable(RatingSums.of(block), linked, definition)
        few[start : start + BLOCK][linked] = (
            degrees_of_freedom(sums, 1, raters=definition != "one-way")[1] < forms.FEW_DF
        )
        made = reml(sums, raters=definition != "one-way")
        if definition == "agreement":
            least, most = adjusted_squares(sums, 1).modified_limits(LEVEL)
        else:
            ratios = exact_ratio_limits(sums, 1, (1.0 - LEVEL) / 2.0, raters=definition == "consistency")
            least, most = (reliability(ratio, 1.0) for ratio in ratios)
        estimate = forms.share(made, definition)
        at = start + np.flatnonzero(linked)
        low[at], high[at] = np.minimum(least, estimate), np.maximum(most, estimate)
    return low, high, few


def separable(sums: RatingSums, linked: np.ndarray, definition: str) -> tuple[RatingSums, np.ndarray]:
    """Return the studies in which the package estimates, and which they are (studies,)."""
    found = linked & (degrees_of_freedom(sums, 1, raters=definition != "one-way")[1] >= 1)
    return sums.some(found), found


def bootstrapped(data: np.ndarray, definition: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile limits (studies,), each study with samples of its own."""
    rng = stream(SEED, "bootstrap", definition)
    made = []
    for study in data:
        kernel = forms.complete_kernel(study, definition, "single")
        made.append(np.nanquantile(bootstrap_estimates(kernel, len(study), REPLICATES, rng), [0.025, 0.975]))
    low, high = np.transpose(made)
    return low, high


def limits_of_error(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the limits of the standard error of measurement, or of the smallest detectable change."""
    definition = "agreement" if cell.statistic == "error_agreement" else "consistency"
    low, high = error_limits(MeanSquares.of(data), definition, LEVEL)
    factor = {"error_change": Z * math.sqrt(2.0), "error_change_group": Z * math.sqrt(2.0 / cell.n)}
    times = factor.get(cell.statistic, 1.0)
    piled_up = end_share(data.reshape(len(data), -1, 1))[..., 0] >= PILED_UP
    return times * low, times * high, piled_up | (spread_ratio(data) > TOO_NARROW) | (cell.n < LEAST_FOR_NORMALITY)


def limits_of_differences(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the limits of the bias, or of a limit of agreement."""
    n, what = cell.n, cell.statistic[4:]
    bias, spread = data.mean(axis=1), data.std(axis=1, ddof=1)
    flagged = (differences.spread_of_limits(data, Z) > differences.TOO_NARROW) | (cell.n < LEAST_FOR_NORMALITY)
    if what == "bias":
        half = stdtrit(n - 1, 0.975) * spread / math.sqrt(n)
        return bias - half, bias + half, flagged
    inner, outer = (edge * spread for edge in differences.exact_edges(n, Z, LEVEL))
    return (bias + inner, bias + outer, flagged) if what == "upper" else (bias - outer, bias - inner, flagged)


def limits_of_groups(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the limits of ICC(1), ICC(2) or the design effect by REML, cut at 0."""
    sizes = cell.group_sizes
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(data, starts, axis=1) / sizes
    within = np.add.reduceat(np.square(data - np.repeat(means, sizes, axis=1)), starts, axis=1)
    ratios = [np.maximum(ratio, 0.0) for ratio in variance_ratio_limits(sizes, means, within.sum(axis=1), LEVEL)]
    kish = np.square(sizes).sum() / sizes.sum()
    effective = (sizes.sum() - kish) / (cell.groups - 1)
    low, high = (reliability(ratio, effective if cell.statistic == "group_icc2" else 1.0) for ratio in ratios)
    if cell.statistic == "group_design_effect":
        low, high = (1.0 + (kish - 1.0) * limit for limit in (low, high))
    piled_up = end_share(data[..., np.newaxis])[..., 0] >= PILED_UP
    return low, high, piled_up | of_groups(sizes, means, within, LEVEL).narrow


def row(cell: Cell) -> dict[str, object]:
    """Return one line of the table."""
    low, high, flagged = limits(cell, draw(cell, STUDIES, stream(SEED, cell.name)))
    return {
        "statistic": cell.statistic, "method": cell.method, "data": cell.data, "n": cell.n or "", "k": cell.k or "",
        "raters": cell.raters, "holes": cell.holes, "groups": cell.groups or "", "sizes": cell.sizes,
        **counted(low, high, truth(cell), flagged, SEED),
    }  # fmt: skip


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, map(row, cells()))


if __name__ == "__main__":
    main()
