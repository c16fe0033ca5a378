"""Make calibration/generalizability_coverage.csv and generalizability_recovery.csv.

How often intervals of variance components hold the truth, and how far off estimates of them and of Φ are in the mean.

Run offline, from the root of the repository (about ten minutes on one core)::

    OPENBLAS_NUM_THREADS=1 python calibration/make_generalizability_coverage.py

Two designs: "read twice", (file : site) × rater × item with two of several linked raters on each file of a site, by
REML, 500 studies a cell; and "read once", (file : site) × item, by mean squares, 2,000 studies.  Truth comes from the
parameters alone; for answers 0 and 1 from the bivariate normal distribution, the cut being the same for all items.
Whether a profile interval holds the truth is whether the criterion with the component held there is within the limit:
its ends are not looked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from scipy.special import chdtri, ndtri
from scipy.stats import multivariate_normal

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics.generalizability._balanced import balanced_squares
from ibic_fidelity.psychometrics.generalizability._estimable import model_of
from ibic_fidelity.psychometrics.generalizability._estimation import FEW_DF, LEAST_DF, PILED_UP
from ibic_fidelity.psychometrics.generalizability._fits import fit_model
from ibic_fidelity.psychometrics.generalizability._limits import (
    PROFILE,
    SATTERTHWAITE,
    degrees_of_freedom,
    satterthwaite_limits,
    squares_limits,
)
from ibic_fidelity.psychometrics.generalizability._ratings import named_effects, read_ratings
from ibic_fidelity.psychometrics.generalizability.design import parse_design

SEED = 20261122
LEVEL = 0.95
TWICE, ONCE = "(file : site) x rater x item", "(file : site) x item"
OMIT = ("site x rater", "site x rater x item")
STUDIES = {TWICE: 500, ONCE: 2000}
#: Latent variances by the printed name of the effect; the residual is what they leave of 1.
VARIANCES = {
    TWICE: {
        "site": 0.15, "rater": 0.06, "file : site": 0.12, "site × item": 0.06, "rater × item": 0.04,
        "file × rater : site": 0.06, "file × item : site": 0.12,
    },
    ONCE: {"site": 0.15, "file : site": 0.15, "site × item": 0.08},
}  # fmt: skip
TABLE = Path(__file__).with_name("generalizability_coverage.csv")
RECOVERY = Path(__file__).with_name("generalizability_recovery.csv")
ABOUT = ("design", "estimator", "answers", "effect", "sites", "files", "items", "raters", "holes")
RECOVERED = (*ABOUT, "truth", "studies", "mean", "bias", "relative_bias", "mc_error", "at_zero", "seed")
COLUMNS = ("design", "estimator", "answers", "effect", "method", "sites", "files", "items", "raters", "holes", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One design and the answers to it; `share` is that of ones, 0 for normal answers."""

    design: str
    sites: int
    files: int = 10
    items: int = 10
    raters: int = 0
    holes: float = 0.0
    share: float = 0.0
    site: float = 0.15

    @property
    def name(self) -> str:
        """Return the name of the cell's random stream."""
        return f"components/{'/'.join(str(getattr(self, part)) for part in self.__dataclass_fields__)}"

    @property
    def answers(self) -> str:
        """Return what the answers are."""
        return f"binary {self.share:g}" if self.share else "normal"

    @property
    def latent(self) -> dict[str, float]:
        """Return the latent variances, the residual last."""
        made = VARIANCES[self.design] | {"site": self.site}
        return made | {parse_design(self.design).residual.name: 1.0 - sum(made.values())}

    @property
    def truth(self) -> dict[str, float]:
        """Return the variances of the answers: for ones and zeros from their covariances."""
        if not self.share:
            return self.latent
        v = self.latent

        def shared(*names: str) -> float:
            rho = sum(v[name] for name in names)
            cut = float(ndtri(self.share))
            return float(multivariate_normal.cdf([cut, cut], cov=[[1.0, rho], [rho, 1.0]])) - self.share**2

        site = shared("site")
        of_file, of_item = shared("site", "file : site") - site, shared("site", "site × item") - site
        rest = self.share * (1 - self.share) - site - of_file - of_item
        return {"site": site, "file : site": of_file, "site × item": of_item, list(v)[-1]: rest}


def cells() -> list[Cell]:
    """Return all cells of the table."""
    return [
        Cell(ONCE, 24), Cell(ONCE, 8), Cell(ONCE, 24, site=0.02), Cell(ONCE, 8, files=5, site=0.02),
        Cell(ONCE, 24, share=0.5), Cell(ONCE, 24, share=0.8), Cell(ONCE, 60, share=0.8),
        Cell(TWICE, 24, raters=8), Cell(TWICE, 8, raters=6), Cell(TWICE, 24, raters=8, holes=0.2),
        Cell(TWICE, 24, raters=3),
    ]  # fmt: skip


def codes(cell: Cell) -> dict[str, np.ndarray]:
    """Return the codes of every rating: the same in all studies of a cell, holes too."""
    rng = stream(SEED, f"{cell.name}/holes")
    site, file, slot, item = (
        a.ravel() for a in np.indices((cell.sites, cell.files, min(cell.raters, 2) or 1, cell.items))
    )
    kept = rng.random(len(site)) >= cell.holes
    if cell.holes:  # uneven sites, too
        kept &= file < rng.integers(cell.files // 2, cell.files + 1, cell.sites)[site]
    made = {"site": site[kept], "file": file[kept], "item": item[kept]}
    if cell.raters:
        step = 1 + made["site"] // cell.raters % (cell.raters - 1)
        made["rater"] = (made["site"] + slot[kept] * step) % cell.raters
    return made


def studies(cell: Cell, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Draw the answers of n studies."""
    of = codes(cell)
    design = parse_design(cell.design)
    ratings = read_ratings(np.zeros(len(of["site"])), of, design, missing="raise")
    effects = [effect for effect in design.effects if effect.name in cell.latent]
    levels = [ratings.levels(effect.indices) for effect in effects]
    scale = [math.sqrt(cell.latent[effect.name]) for effect in effects]
    for _ in range(n):
        y = sum(s * rng.standard_normal(k)[at] for s, (at, k) in zip(scale, levels, strict=True))
        yield (y <= ndtri(cell.share)).astype(float) if cell.share else np.asarray(y)


def intervals(cell: Cell, y: np.ndarray) -> tuple[dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]:
    """Return lower and upper limits and flags (effects,) of each method, and estimates, by the package's kernels."""
    design = parse_design(cell.design)
    ratings = read_ratings(y, codes(cell), design, missing="raise")
    omitted = named_effects(design, OMIT if cell.raters else ())
    model = model_of(ratings, fixed_facets=("item",), omitted=omitted)
    truth = np.array([cell.truth[effect.name] for effect in (*model.fitted, model.effects[-1])])
    if not cell.raters:
        squares = balanced_squares(ratings, (*model.fitted, model.effects[-1]), model.removed)
        values, covariance = squares.components, squares.covariance
        limits = [
            satterthwaite_limits(value, math.sqrt(covariance[i, i]), LEVEL)
            if value > 0.0 and degrees_of_freedom(value, math.sqrt(covariance[i, i])) >= LEAST_DF
            else squares_limits(squares.weights[i], squares.squares, squares.df, LEVEL)
            for i, value in enumerate(values)
        ]
        low, high = np.array(limits).T
        return {SATTERTHWAITE: (low, high, flagged(y, values, covariance))}, np.maximum(values, 0.0)
    fit = fit_model(ratings, model, item="item")
    flags = flagged(y, fit.values, fit.covariance)
    within = np.array([fit.profile(i, t) - fit.criterion <= chdtri(1.0, 1.0 - LEVEL) for i, t in enumerate(truth)])
    under = fit.values < truth
    low = np.where(within, 0.0, np.where(under, 0.0, np.inf))
    high = np.where(within, np.inf, np.where(under, 0.0, np.inf))
    made = [
        satterthwaite_limits(value, math.sqrt(fit.covariance[i, i]), LEVEL)
        if value > 0.0 and degrees_of_freedom(value, math.sqrt(fit.covariance[i, i])) >= LEAST_DF
        else (low[i], high[i])
        for i, value in enumerate(fit.values)
    ]
    below, above = np.array(made).T
    return {SATTERTHWAITE: (below, above, flags), PROFILE: (low, high, flags)}, fit.values


def flagged(y: np.ndarray, values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return of which components the package flags the interval."""
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    few = [v <= 0.0 or degrees_of_freedom(v, e) < FEW_DF for v, e in zip(values, errors, strict=True)]
    return np.array(few) | (end_share(y[:, np.newaxis])[0] >= PILED_UP)


@cache
def fitted(cell: Cell, n: int) -> list[tuple[dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]]:
    """Return what n studies of a cell give."""
    return [intervals(cell, y) for y in studies(cell, n, stream(SEED, cell.name))]


def phi(cell: Cell, components: dict[str, float]) -> float:
    """Return Φ of a site's mean over the cell's files, two raters and fixed items."""
    n = {"file": cell.files, "item": cell.items, "rater": min(cell.raters, 2) or 1}
    true = error = 0.0
    for effect in parse_design(cell.design).effects:
        if effect.name not in components:
            continue
        part = components[effect.name] / math.prod(n[facet] for facet in effect.indices - {"site"})
        true += part if effect.indices <= {"site", "item"} else 0.0
        error += 0.0 if effect.indices <= {"site", "item"} else part
    return true / (true + error)


def recovery(cell: Cell, n: int | None = None) -> Iterator[dict[str, object]]:
    """Return how far off the estimates of a cell are in the mean, a line an effect, and one of Φ without holes."""
    order = [effect.name for effect in parse_design(cell.design).effects if effect.name in cell.truth]
    values = np.array([estimates for _, estimates in fitted(cell, n or STUDIES[cell.design])])
    columns = {effect: (values[:, i], cell.truth[effect]) for i, effect in enumerate(order)}
    if not cell.holes:
        found = np.array([phi(cell, dict(zip(order, row, strict=True))) for row in values])
        columns["phi"] = (found, phi(cell, cell.truth))
    for effect, (estimates, truth) in columns.items():
        bias = float(estimates.mean()) - truth
        yield {
            "design": cell.design, "estimator": "REML" if cell.raters else "ANOVA", "answers": cell.answers,
            "effect": effect, "sites": cell.sites, "files": cell.files, "items": cell.items,
            "raters": cell.raters or "", "holes": cell.holes, "truth": round(truth, 8), "studies": len(estimates),
            "mean": f"{estimates.mean():.5f}", "bias": f"{bias:.5f}", "relative_bias": f"{bias / truth:.4f}",
            "mc_error": f"{estimates.std(ddof=1) / math.sqrt(len(estimates)):.5f}",
            "at_zero": f"{np.mean(estimates == 0.0):.4f}", "seed": SEED,
        }  # fmt: skip


def rows(cell: Cell, n: int | None = None) -> Iterator[dict[str, object]]:
    """Return the lines of a cell, one an effect and method."""
    n = n or STUDIES[cell.design]
    made = [one for one, _ in fitted(cell, n)]
    order = [effect.name for effect in parse_design(cell.design).effects if effect.name in cell.truth]
    for method in made[0]:
        low, high, flags = (np.array([one[method][part] for one in made]) for part in range(3))
        for i, effect in enumerate(order):
            yield {
                "design": cell.design, "estimator": "REML" if cell.raters else "ANOVA", "answers": cell.answers,
                "effect": effect, "method": method, "sites": cell.sites, "files": cell.files, "items": cell.items,
                "raters": cell.raters or "", "holes": cell.holes,
                **counted(low[:, i], high[:, i], round(cell.truth[effect], 8), flags[:, i], SEED),
            }  # fmt: skip


def main() -> None:
    """Write both tables."""
    write_table(TABLE, COLUMNS, (row for cell in cells() for row in rows(cell)))
    write_table(RECOVERY, RECOVERED, (row for cell in cells() for row in recovery(cell)))


if __name__ == "__main__":
    main()
