"""One target of every site, taken out of raw scores with what its error is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.intervals import error_variance, t_quantile
from ibic_fidelity.scoring.scores import Scores

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]
Index = NDArray[np.intp]
STEPS = 80  # halvings of the logarithm of κ: to the last bit
#: From calibration/comparison_coverage.csv: where both hold, differences cover .976–.989 instead of .95.
NEAR_BOUND, FEW_BEYOND = 15.0, 5.0
LEAST_KAPPA, MOST_KAPPA = 1e-12, 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """A target of some sites, each row a site, on 0–100; NaN where it is withheld or has no interval.

    `level` is the confidence level of the limits, `reason` the code of why there is nothing to compare. `kappa` is
    Var/θ(1 − θ), θ on 0–1, and `df` the degrees of freedom of the interval, both read back from it. Make one with
    `Figures.of`.
    """

    site: Objects
    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    reason: Objects
    flag: Objects
    kappa: Floats
    df: Floats
    level: float

    @classmethod
    def of(
        cls,
        site: Objects,
        estimate: Floats,
        std_error: Floats,
        low: Floats,
        high: Floats,
        reason: Objects,
        flag: Objects,
        *,
        level: float,
    ) -> Figures:
        """Return scores with what their intervals were made of."""
        kappa = _kappa(estimate, std_error)
        df = _degrees(estimate, low, high, kappa, level)
        return cls(site, estimate, std_error, low, high, reason, flag, kappa, df, level)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Return which sites have an estimate and an interval."""
        return np.isfinite(self.low) & np.isfinite(self.estimate) & (self.std_error > 0)

    @property
    def near_bound(self) -> bool:
        """Return whether the sites lie so near 0 or 100, with so few units, that differences are held too often.

        Half of them within `NEAR_BOUND` of it, and fewer than `FEW_BEYOND` effective units on the other side.
        """
        known = self.known
        if not known.any():
            return False
        beyond = np.minimum(self.estimate, 100 - self.estimate)[known]
        few = np.median(beyond / 100 / self.kappa[known]) < FEW_BEYOND
        return bool(few and np.median(beyond) < NEAR_BOUND)

    def take(self, rows: Index) -> Figures:
        """Return some rows, as often as they are named."""
        return Figures(
            site=self.site[rows],
            estimate=self.estimate[rows],
            std_error=self.std_error[rows],
            low=self.low[rows],
            high=self.high[rows],
            reason=self.reason[rows],
            flag=self.flag[rows],
            kappa=self.kappa[rows],
            df=self.df[rows],
            level=self.level,
        )


def _kappa(estimate: Floats, std_error: Floats) -> Floats:
    """Return the κ that a standard error was made of, which `error_variance` rises with."""
    m, variance = estimate / 100, (std_error / 100) ** 2
    low, high = np.full(len(m), np.log(LEAST_KAPPA)), np.full(len(m), np.log(MOST_KAPPA))
    for _ in range(STEPS):
        middle = (low + high) / 2
        small = error_variance(m, np.exp(middle)) < variance
        low, high = np.where(small, middle, low), np.where(small, high, middle)
    return np.where(np.isfinite(variance), np.exp((low + high) / 2), np.nan)


def _degrees(estimate: Floats, low: Floats, high: Floats, kappa: Floats, level: float) -> Floats:
    """Return the degrees of freedom of intervals, ∞ where they are as wide as normal ones.

    A limit θ of a score interval has (m − θ)² = t² κ θ(1 − θ); t and with it the degrees of freedom follow. For a sum
    of sources t is that of one score interval as wide.
    """
    from scipy.special import stdtridf

    with np.errstate(divide="ignore", invalid="ignore"):
        squares = [(estimate - limit) ** 2 / (limit * (100 - limit)) for limit in (low, high)]
        inside = [(limit > 0) & (limit < 100) for limit in (low, high)]
        q = np.sum([np.where(use, square, 0.0) for use, square in zip(inside, squares, strict=True)], axis=0)
        t = np.sqrt(q / np.maximum(np.sum(inside, axis=0), 1) / kappa)
        normal = float(t_quantile(np.array([np.inf]), level)[0])
        wide = t > normal * (1 + 1e-6)
        df = stdtridf((1 + level) / 2, np.where(wide, t, 2 * normal))
    return np.where(wide, np.maximum(df, 1.0), np.inf)


def check_raw(*scores: object) -> None:
    """Raise unless all are raw scores of the way of working: shrunken ones are drawn together already."""
    for one in scores:
        if not isinstance(one, Scores):
            raise ArgumentTypeError("scoring.not_raw_scores", got=type(one).__name__)
        require_way_of_working(one.estimand, "A comparison")


def figures_of(
    scores: Scores, target: str, *, wave: str | None = None, service_area: str = "", source: str | None = None
) -> Figures:
    """Return a total, component or item of every site at one wave.

    Parameters
    ----------
    scores : Scores
        Raw scores.
    target : str
        Id of a total, component or item.
    wave : str, optional
        Which wave; may be left out where there is only one.
    service_area : str
        An area, or empty for whole sites.
    source : str, optional
        For an item asked of several sources, which; by default the one that enters the score.

    Raises
    ------
    UsageError
        There is no such target, wave or area, or several waves and none is named.
    """
    rows = scores.rows
    wave = the_wave(scores, wave)
    areas = known_areas(scores)
    if service_area and service_area not in areas:
        raise UsageError("scoring.unknown_area", value=repr(service_area), known=areas)
    level = rows["level"]
    of_item = (level == "item") if source is None else np.isin(level.astype(str), ["item", "triangulating"])
    is_target = ((level == "total") & (rows["statistic"] == target)) | (
        (level == "component") & (rows["component"] == target)
    )
    is_target |= of_item & (rows["item"] == target)
    if source is not None:
        is_target &= rows["source"] == source
    if not is_target.any():
        raise UsageError("scoring.unknown_target", value=repr(target), known=known_targets(scores))
    return _figures(scores, is_target & (rows["wave"] == wave) & (rows["service_area"] == service_area))


def _figures(scores: Scores, mask: NDArray[np.bool_]) -> Figures:
    kept = scores.rows.where(mask)
    order = np.argsort(kept["site"].astype(str), kind="stable")
    column = {name: kept[name][order] for name in ("site", "reason", "flag")}
    number = {name: kept[name][order].astype(np.float64) for name in ("estimate", "std_error", "ci_low", "ci_high")}
    reason = np.where((column["reason"] == "") & ~np.isfinite(number["ci_low"]), column["flag"], column["reason"])
    return Figures.of(
        site=column["site"],
        estimate=number["estimate"],
        std_error=number["std_error"],
        low=number["ci_low"],
        high=number["ci_high"],
        reason=reason.astype(object),
        flag=column["flag"],
        level=scores.confidence_level,
    )


def known_targets(scores: Scores) -> list[str]:
    """Return the ids of totals, components and items that were scored."""
    named: dict[str, None] = {}
    for level, column in (("total", "statistic"), ("component", "component"), ("item", "item")):
        named.update(dict.fromkeys(scores.rows[column][scores.rows["level"] == level].tolist()))
    return list(named)


def known_areas(scores: Scores) -> list[str]:
    """Return the service areas that were scored, sorted."""
    return sorted(set(scores.rows["service_area"].tolist()) - {""})


def known_waves(scores: Scores) -> list[str]:
    """Return the waves, sorted."""
    return sorted(set(scores.rows["wave"].tolist()))


def the_wave(scores: Scores, wave: str | None) -> str:
    """Return the wave that is meant."""
    waves: list[Any] = known_waves(scores)
    if wave is None:
        if len(waves) != 1:
            raise UsageError("scoring.which_wave", waves=waves)
        return str(waves[0])
    if wave not in waves:
        raise UsageError("scoring.unknown_wave", value=repr(wave), known=waves)
    return wave
