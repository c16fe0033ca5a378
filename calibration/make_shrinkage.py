"""Make calibration/shrinkage.csv: what shrunken scores, their bands and their ranks hold.

Run offline, from the root of the repository (about ten minutes on one core)::

    python calibration/make_shrinkage.py

True means of sites are logit-normal, or logit-t with three degrees of freedom; a unit's answer is the share met of four
parts whose probability is beta around the site's mean, which fits neither the working scale nor its normal errors.
Raw scores have the pooled spread that scoring uses.  Each setting draws its own named stream under one seed.  Limits of
coverage and slopes are over studies, since sites of one study share μ, τ² and the spread.  `kept` are the studies
whose reliability suffices for shrunken scores, `passed` those where it suffices for ranks, whatever their number of
sites, `firm` those where no note says that the top quarter rests on normal sites. Rules were chosen on another seed
(20261128) than the one that the table has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from coverage_table import write_table
from scipy.special import expit, logit

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.scoring.intervals import error_variance
from ibic_fidelity.scoring.posterior import posterior_draws, quarter_of, ranks_of
from ibic_fidelity.scoring.shrinkage import (
    FIRM_RELIABILITY,
    LEAGUE_SITES,
    all_withheld,
    between_sites,
    from_working_scale,
    league_withheld,
    working_scale,
)

SEED = 20261205
DRAWS = 1000
LEVEL = 0.95
WITHIN = 0.3  # of the four parts of one unit
SPREAD = (1 + 3 * WITHIN) / 4  # variance of a unit in units of θ(1 − θ)
T3 = ((0.05, 30), (0.15, 20), (0.3, 20))  # intraclass correlation and units where tails are heavy
CUTS = (0.5, 0.75, 0.9)
#: Studies by number of sites: about as many sites each.
STUDIES = {6: 400, 10: 400, 24: 200, 60: 100, 290: 30}
UNEVEN = (5, 5, 8, 12, 20, 30, 60, 200, 1000, 10_000)
TABLE = Path(__file__).with_name("shrinkage.csv")
COLUMNS = (
    "sites", "units", "icc", "mean", "tails", "studies", "reliability", "coverage", "mc_low", "mc_high", "mse_ratio",
    "bands_slope", "bands_low", "bands_high", "top_slope", "top_low", "top_high", "rank_coverage", "rank_all_coverage",
    "reml_zero", "adjusted_zero", "kept", "kept_coverage", "kept_mc_low", "kept_mc_high", "kept_bands_slope",
    "kept_bands_low", "kept_bands_high", "passed", "passed_bands_slope", "passed_bands_low", "passed_bands_high",
    "passed_top_slope", "passed_top_low", "passed_top_high", "firm", "firm_top_slope", "firm_top_low", "firm_top_high",
    "seed",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One cell; `units` 0 stands for uneven numbers, 5 to 10,000."""

    sites: int
    units: int
    icc: float
    mean: float
    tails: str = "normal"

    @property
    def name(self) -> str:
        """Return what names its stream."""
        return f"{self.sites}/{self.units}/{self.icc}/{self.mean}/{self.tails}"


def settings() -> list[Setting]:
    """Return the cells."""
    made = [
        Setting(sites, units, icc, mean)
        for sites in STUDIES
        for mean in (0.6, 0.88)
        for icc, units in ((0.05, 5), (0.05, 30), (0.15, 10), (0.30, 20))
    ]
    made += [Setting(k, units, icc, 0.6, "t3") for k in (10, 24, 60, 290) for icc, units in T3]
    return made + [Setting(sites, 0, 0.15, 0.6) for sites in (10, 24, 60, 290)]


@cache
def planted(mean: float, icc: float) -> tuple[float, float]:
    """Return mean and standard deviation on the logit scale that give the mean and the intraclass correlation."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    low, high = 0.0, 6.0
    for _ in range(50):
        spread, left, right = (low + high) / 2, -8.0, 12.0
        for _ in range(50):
            middle = (left + right) / 2
            theta = expit(middle + spread * node)
            left, right = (middle, right) if weight @ theta < mean else (left, middle)
        between, within = weight @ (theta - mean) ** 2, SPREAD * (weight @ (theta * (1 - theta)))
        low, high = (spread, high) if between / (between + within) < icc else (low, spread)
    return middle, spread


def study(setting: Setting, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return true means, raw scores, their standard errors and degrees of freedom."""
    middle, spread = planted(setting.mean, setting.icc)
    z = rng.standard_t(3, setting.sites) / math.sqrt(3) if setting.tails == "t3" else rng.standard_normal(setting.sites)
    theta = expit(middle + spread * z)
    n = np.resize(UNEVEN, setting.sites) if setting.units == 0 else np.full(setting.sites, setting.units)
    first = (1 - WITHIN) / WITHIN
    site = np.repeat(np.arange(setting.sites), n)
    met = np.clip(theta, 1e-9, 1 - 1e-9)[site] * first
    answer = rng.binomial(4, rng.beta(met, first - met)) / 4
    m = np.bincount(site, answer) / n
    squares = np.bincount(site, (answer - m[site]) ** 2).sum()
    spread_of_units = 1.0
    for _ in range(50 if squares > 0 else 0):
        spread_of_units = squares / ((n - 1) * m * (1 - m) / (1 - spread_of_units / n)).sum()
    kappa = spread_of_units / n
    return theta, m, np.sqrt(error_variance(m, kappa)), float(n.sum() - setting.sites)


@dataclass(frozen=True)
class Found:
    """One study: what was claimed, and what is true."""

    covered: np.ndarray
    error: float
    raw_error: float
    bands: tuple[np.ndarray, np.ndarray]
    top: tuple[np.ndarray, np.ndarray]
    ranks: float
    all_ranks: bool
    reliability: float
    reml_zero: bool
    adjusted_zero: bool
    kept: bool
    passed: bool
    firm: bool


def found_of(setting: Setting, rng: np.random.Generator) -> Found:
    """Return what one study finds."""
    theta, m, se, df = study(setting, rng)
    y, variance = working_scale(m, se)
    between = between_sites(y, variance, df=df)
    drawn = posterior_draws(y, variance, df=df, draws=DRAWS, rng=rng)
    ranks = ranks_of(drawn, LEVEL)
    score = from_working_scale(drawn)
    low, high = np.quantile(score, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    true_rank = (-theta).argsort().argsort() + 1
    reliability = float((between.variance / (between.variance + variance)).mean())
    return Found(
        covered=(low <= theta) & (theta <= high),
        error=float(((score.mean(axis=0) - theta) ** 2).mean()),
        raw_error=float(((m - theta) ** 2).mean()),
        bands=(
            np.concatenate([(score >= cut).mean(axis=0) for cut in CUTS]),
            np.concatenate([theta >= cut for cut in CUTS]),
        ),
        top=(ranks.top_quarter, true_rank <= quarter_of(setting.sites)),
        ranks=float(((ranks.low <= true_rank) & (true_rank <= ranks.high)).mean()),
        all_ranks=bool(((ranks.low_all <= true_rank) & (true_rank <= ranks.high_all)).all()),
        reliability=reliability,
        reml_zero=between.unadjusted == 0,
        adjusted_zero=between.variance <= 0,
        kept=not all_withheld(setting.sites, reliability),
        passed=not league_withheld(max(setting.sites, LEAGUE_SITES), reliability),
        firm=reliability >= FIRM_RELIABILITY,
    )


def slope(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float, float]:
    """Return the slope of what is true on the logit of its probability (1: calibrated), limits clustered by study."""
    if len(pairs) < 10:
        return math.nan, math.nan, math.nan
    x = [np.stack([np.ones(len(p)), logit(np.clip(p, 0.5 / DRAWS, 1 - 0.5 / DRAWS))], axis=1) for p, _ in pairs]
    stacked, true = np.concatenate(x), np.concatenate([t for _, t in pairs]).astype(float)
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = expit(stacked @ beta)
        bread = (stacked * (fitted * (1 - fitted))[:, None]).T @ stacked + 1e-9 * np.eye(2)
        beta = beta + np.clip(np.linalg.solve(bread, stacked.T @ (true - fitted)), -1, 1)
    scores = np.array([part.T @ (t - expit(part @ beta)) for part, (_, t) in zip(x, pairs, strict=True)])
    inverse = np.linalg.inv(bread)
    half = 1.96 * math.sqrt((inverse @ scores.T @ scores @ inverse)[1, 1])
    return float(beta[1]), float(beta[1]) - half, float(beta[1]) + half


def coverage(made: list[Found]) -> tuple[float, float, float]:
    """Return the share of sites whose interval holds the truth, with limits clustered by study."""
    if len(made) < 10:
        return math.nan, math.nan, math.nan
    covered = np.array([one.covered.mean() for one in made])
    half = 1.96 * covered.std(ddof=1) / math.sqrt(len(made))
    return float(covered.mean()), float(covered.mean()) - half, float(covered.mean()) + half


def row_of(setting: Setting, studies: int | None = None, *, seed: int = SEED) -> dict[str, object]:
    """Return the line of a cell."""
    rng = stream(seed, "calibration/shrinkage", setting.name)
    made = [found_of(setting, rng) for _ in range(studies or STUDIES[setting.sites])]
    kept = [one for one in made if one.kept]
    covered, held = coverage(made), coverage(kept)
    passed = [one for one in made if one.passed]
    bands, kept_bands = slope([one.bands for one in made]), slope([one.bands for one in kept])
    top, passed_top = slope([one.top for one in made]), slope([one.top for one in passed])
    passed_bands = slope([one.bands for one in passed])
    firm = [one for one in made if one.firm]
    firm_top = slope([one.top for one in firm])
    figures = {
        "reliability": np.mean([one.reliability for one in made]),
        "coverage": covered[0], "mc_low": covered[1], "mc_high": covered[2],
        "mse_ratio": sum(one.error for one in made) / sum(one.raw_error for one in made),
        "bands_slope": bands[0], "bands_low": bands[1], "bands_high": bands[2],
        "top_slope": top[0], "top_low": top[1], "top_high": top[2],
        "rank_coverage": np.mean([one.ranks for one in made]),
        "rank_all_coverage": np.mean([one.all_ranks for one in made]),
        "reml_zero": np.mean([one.reml_zero for one in made]),
        "adjusted_zero": np.mean([one.adjusted_zero for one in made]),
        "kept": len(kept) / len(made), "kept_coverage": held[0], "kept_mc_low": held[1], "kept_mc_high": held[2],
        "kept_bands_slope": kept_bands[0], "kept_bands_low": kept_bands[1], "kept_bands_high": kept_bands[2],
        "passed": len(passed) / len(made),
        "passed_bands_slope": passed_bands[0], "passed_bands_low": passed_bands[1],
        "passed_bands_high": passed_bands[2],
        "passed_top_slope": passed_top[0], "passed_top_low": passed_top[1], "passed_top_high": passed_top[2],
        "firm": len(firm) / len(made),
        "firm_top_slope": firm_top[0], "firm_top_low": firm_top[1], "firm_top_high": firm_top[2],
    }  # fmt: skip
    return {
        "sites": setting.sites, "units": setting.units or "5 to 10000", "icc": setting.icc, "mean": setting.mean,
        "tails": setting.tails, "studies": len(made), **{name: f"{value:.3f}" for name, value in figures.items()},
        "seed": seed,
    }  # fmt: skip


def rows() -> Iterator[dict[str, object]]:
    """Return all lines."""
    for setting in settings():
        yield row_of(setting)


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, rows())


if __name__ == "__main__":
    main()
