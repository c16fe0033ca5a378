"""What the forms of the intraclass correlation are made of, with a complete table and with holes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, end_share, without_spread
from ibic_fidelity.psychometrics._clusters import Kernel, RowClusters
from ibic_fidelity.psychometrics._engines.mixedlm import RemlFit, reml_components
from ibic_fidelity.psychometrics.intraclass._incomplete_ratings import (
    RatingSums,
    adjusted_squares,
    degrees_of_freedom,
    exact_ratio_limits,
    parts_of,
    reml,
)
from ibic_fidelity.psychometrics.intraclass._mean_squares import ExpectedSquares, MeanSquares
from ibic_fidelity.psychometrics.intraclass._not_normal import Inflation, complete_log_f, of_tables
from ibic_fidelity.psychometrics.intraclass._one_way import reliability
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP

EXACT = "exact F"
EXACT_HOLES = "exact F (Wald), raters fixed"
SATTERTHWAITE = "F, Satterthwaite df (McGraw & Wong)"
MODIFIED = "modified large sample (Cappelleri & Ting)"
#: Added to the method whose degrees of freedom are divided by an inflation.
ADJUSTED = ", adjusted"
NOT_NORMAL = "psychometrics.icc_targets_not_normal"
#: Raters' over residual mean square from which Satterthwaite's interval of agreement may cover far too little.
RATERS_DIFFER = 8.0
#: The same ratio from which drawing targets, not raters, leaves out too much.
RATERS_NOTED = 2.0
#: Targets below which the percentile bootstrap covers too little.
FEW_TARGETS = 200
#: Degrees of freedom of the residual of a table with holes below which little is known of it.
FEW_DF = 10
_UNINFLATED = Inflation(np.array(1.0), np.array(1.0))
#: Of a variance, below which it is rounding beside what it is a part of.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One form of the coefficient, made from one table; NaN where `reason` says why."""

    method: str
    estimate: float
    ci: ConfidenceInterval
    ci_modified: ConfidenceInterval | None
    ci_adjusted: ConfidenceInterval
    ratings_per_target: float
    test: tuple[float, float, int, int]
    components: tuple[float, float, float]
    squares: tuple[float, float, float, float]
    reason: Message | None
    flags: tuple[Message, ...]
    notes: tuple[Message, ...]


def of_complete(values: Floats, definition: str, unit: str, level: float, clusters: RowClusters | None = None) -> Form:
    """Return a form of a complete table (n, k), by the analysis of variance."""
    squares = MeanSquares.of(values)
    n, k = squares.n, squares.k
    estimate, reason = _estimate(values, squares, definition, unit)
    f_value, p_value = squares.test(definition)
    low, high = (np.nan, np.nan) if reason else squares.limits(definition, unit, level)
    modified = _complete_limits(squares, definition, unit, level) if definition == "agreement" else None
    inflation, few = _inflation(values, definition, level, clusters)
    residual = float(squares.within if definition == "one-way" else squares.residual)
    of_raters = math.nan if definition == "one-way" else (float(squares.raters) - residual) / max(n, 1)
    return Form(
        method="ANOVA",
        estimate=estimate,
        ci=_interval(low, high, level, SATTERTHWAITE if definition == "agreement" else EXACT),
        ci_modified=None if modified is None else _none_if(reason, modified),
        ci_adjusted=_none_if(reason, _complete_limits(squares, definition, unit, level, inflation)),
        ratings_per_target=float(k),
        test=(float(f_value), float(p_value), max(n - 1, 0), squares.df_error(definition)),
        components=((float(squares.targets) - residual) / k, of_raters, residual),
        squares=tuple(float(part) for part in (squares.targets, squares.raters, squares.residual, squares.within)),  # type: ignore[arg-type]
        reason=reason,
        flags=() if reason else (*_flags(values, squares, definition), *inflation.flags(NOT_NORMAL), *few),
        notes=(),
    )


def complete_kernel(values: Floats, definition: str, unit: str) -> Kernel:
    """Return what gives the coefficients (replicates,) of a complete table from counts (replicates, n)."""

    def kernel(counts: Floats) -> Floats:
        squares = MeanSquares.resampled(values, counts)
        above, below = squares.icc(definition, unit)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(below > _ROUNDING * (squares.targets + squares.within), above / below, np.nan)

    return kernel


def of_holes(cells: Floats, definition: str, unit: str, level: float, clusters: RowClusters | None = None) -> Form:
    """Return a form of a table (n, k) with holes, each row and column with a rating, by REML."""
    sums, parts = RatingSums.of(cells), parts_of(~np.isnan(cells))
    raters = definition != "one-way"
    df_targets, df_residual = (int(df) for df in degrees_of_freedom(sums, parts, raters=raters))
    squares = _holed_squares(sums, parts)
    error = squares[2] if raters else squares[3]
    reason = _not_separable(cells, parts, definition, error)
    n_holes = int(np.isnan(cells).sum())
    notes = [Message("psychometrics.icc_by_reml", {"n": n_holes})]
    fit = None if reason else _fit(cells, raters=raters)
    if fit is not None:
        reason, notes = fit.reason, [*notes, *fit.notes]
    components = _components(fit)
    size = float(sums.ratings_per_target) if unit == "average" else 1.0
    estimate = float(stepped(share(components, definition), size)) if reason is None else math.nan
    ci = _holed_interval(sums, parts, definition, size, level, estimate)
    inflation = _UNINFLATED
    few: tuple[Message, ...] = ()
    if not math.isnan(estimate):
        inflation, few = _holed_inflation(cells, definition, level, (df_targets, df_residual), clusters)
    f_value = _divided(_targets_adjusted(sums, error * df_residual, df_targets, raters=raters), error)
    return Form(
        method="REML",
        estimate=estimate,
        ci=ci,
        ci_modified=ci if definition == "agreement" else None,
        ci_adjusted=_holed_interval(sums, parts, definition, size, level, estimate, inflation),
        ratings_per_target=float(sums.ratings_per_target),
        test=(f_value, float(fdtrc(df_targets, df_residual, f_value)), df_targets, df_residual),
        components=components,
        squares=squares,
        reason=reason,
        flags=() if reason else (*_flags_of_holes(cells, definition, df_residual), *inflation.flags(NOT_NORMAL), *few),
        notes=tuple(notes),
    )


def holed_kernel(cells: Floats, definition: str, unit: str) -> Kernel:
    """Return what gives the coefficients (replicates,) of a table with holes from counts (replicates, n)."""

    def kernel(counts: Floats) -> Floats:
        sums = RatingSums.of(cells, counts)
        one_way = definition == "one-way"
        usable = _has_error(sums, one_way=one_way)
        estimates = np.full(len(counts), np.nan)
        if usable.any():
            some = sums.some(usable)
            made = share(reml(some, raters=not one_way), definition)
            estimates[usable] = stepped(made, some.ratings_per_target if unit == "average" else 1.0)
        return estimates

    return kernel


def _complete_limits(
    squares: MeanSquares, definition: str, unit: str, level: float, inflation: Inflation | None = None
) -> ConfidenceInterval:
    """Return the modified interval of agreement or the exact one of other forms, adjusted by an inflation."""
    factor = 1.0 if inflation is None else inflation.factor
    method = MODIFIED if definition == "agreement" else EXACT
    if inflation is not None:
        method = f"{method}{ADJUSTED}"
    if squares.n < 2:
        return _interval(math.nan, math.nan, level, method)
    if definition != "agreement":
        return _interval(*squares.limits(definition, unit, level, factor), level, method)
    size = float(squares.k) if unit == "average" else 1.0
    limits = ExpectedSquares.of(squares).deflated(factor).modified_limits(level)
    return _interval(stepped(limits[0], size), stepped(limits[1], size), level, method)


def _none_if(reason: Message | None, ci: ConfidenceInterval) -> ConfidenceInterval:
    """Return the interval, with NaN where there is a reason why nothing is defined."""
    return ci if reason is None else _interval(math.nan, math.nan, ci.confidence_level, ci.method)


def _inflation(
    values: Floats, definition: str, level: float, clusters: RowClusters | None
) -> tuple[Inflation, tuple[Message, ...]]:
    """Return how much more log F varies than with independent normal targets, and whether clusters are too few."""
    n, k = values.shape
    if clusters is None:
        return of_tables(values, definition, level), ()
    if n < 2:
        return _UNINFLATED, ()
    df = n * (k - 1) if definition == "one-way" else (n - 1) * (k - 1)
    normal = 2.0 / (n - 1) + 2.0 / df
    return Inflation.over(clusters, complete_log_f(values, definition), normal, level)


def _holed_inflation(
    cells: Floats, definition: str, level: float, df: tuple[int, int], clusters: RowClusters | None
) -> tuple[Inflation, tuple[Message, ...]]:
    """Return the same of a table with holes, by a jackknife over targets where there are no clusters."""
    one_way = definition == "one-way"
    size = float(RatingSums.of(cells).ratings_per_target)

    def kernel(counts: Floats) -> Floats:
        sums = RatingSums.of(cells, counts)
        made = np.full(len(counts), np.nan)
        usable = _has_error(sums, one_way=one_way)
        if usable.any():
            of_targets, _, residual = reml(sums.some(usable), raters=not one_way)
            made[usable] = np.log1p(size * of_targets / residual)
        return made

    alone = RowClusters(np.arange(len(cells)), len(cells))
    made, few = Inflation.over(clusters or alone, kernel, 2.0 / df[0] + 2.0 / df[1], level)
    return made, few if clusters else ()


def _has_error(sums: RatingSums, *, one_way: bool) -> Booleans:
    """Return the replicates (…,) that leave a residual."""
    rest = sums.within_targets()
    if not one_way:
        rest = sums.residual_squares(np.full(sums.squares.shape, np.inf), raters=True)
    return np.asarray(rest > 1e-10 * sums.squares)


def _fit(cells: Floats, *, raters: bool) -> RemlFit:
    targets, columns = np.nonzero(~np.isnan(cells))
    factors = {"targets": targets, "raters": columns} if raters else {"targets": targets}
    return reml_components(cells[targets, columns], factors)


def _components(fit: RemlFit | None) -> tuple[float, float, float]:
    if fit is None:
        return (math.nan,) * 3
    made = fit.components
    return made["targets"], made.get("raters", math.nan), made["residual"]


def share(components: tuple[Floats, Floats, Floats] | tuple[float, float, float], definition: str) -> Floats:
    """Return the coefficient of one rating from variances of targets, raters and residual."""
    of_targets, of_raters, residual = components
    error = residual + of_raters if definition == "agreement" else residual
    return np.asarray(of_targets / (of_targets + error))


def stepped(coefficient: Floats | float, size: Floats | float) -> Floats:
    """Return the reliability of the mean of `size` ratings; −∞ where the denominator is not positive."""
    below = 1.0 + (np.asarray(size) - 1.0) * coefficient
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(below <= 0.0), -np.inf, size * coefficient / below)


def _targets_adjusted(sums: RatingSums, rest: float, df: int, *, raters: bool) -> float:
    """Return the mean square of targets, adjusted for raters where these are in the model."""
    return _divided(float(sums.residual_squares(np.array(0.0), raters=raters)) - rest, df)


def _holed_squares(sums: RatingSums, parts: int) -> tuple[float, float, float, float]:
    """Return the mean squares of targets and raters, each adjusted for the other, residual and within targets."""
    with np.errstate(divide="ignore", invalid="ignore"):
        made = adjusted_squares(sums, parts)
        within = sums.within_targets() / (sums.n_ratings - sums.n)
    found = [float(part) for part in (made.targets, made.raters, made.residual, within)]
    of_targets, of_raters, residual, within_targets = (part if math.isfinite(part) else math.nan for part in found)
    return of_targets, of_raters, residual, within_targets


def _holed_interval(
    sums: RatingSums,
    parts: int,
    definition: str,
    size: float,
    level: float,
    estimate: float,
    inflation: Inflation | None = None,
) -> ConfidenceInterval:
    """Return Wald's exact interval, or for agreement the modified one from adjusted mean squares."""
    method = {"agreement": f"{MODIFIED}, adjusted mean squares", "one-way": EXACT}.get(definition, EXACT_HOLES)
    factor = 1.0 if inflation is None else inflation.factor
    if inflation is not None:
        method = f"{method}{ADJUSTED}"
    if math.isnan(estimate) or bool(np.isnan(factor)):
        return _interval(math.nan, math.nan, level, method)
    if definition == "agreement":
        low, high = (
            stepped(limit, size) for limit in adjusted_squares(sums, parts).deflated(factor).modified_limits(level)
        )
    else:
        tail, two_way = (1.0 - level) / 2.0, definition == "consistency"
        ratios = exact_ratio_limits(sums, parts, tail, raters=two_way, inflation=factor)
        low, high = (reliability(ratio, size) for ratio in ratios)
    return _interval(min(float(low), estimate), max(float(high), estimate), level, method)


def _not_separable(cells: Floats, parts: int, definition: str, error: float) -> Message | None:
    """Return why components cannot be told apart in a table with holes, or None."""
    n, k = cells.shape
    known = cells[~np.isnan(cells)]
    two_way = definition != "one-way"
    rules = (
        (n < 2, Message("psychometrics.too_few_targets", {"n": n})),
        (bool(without_spread(known[:, np.newaxis])[0]), Message("psychometrics.no_variation", {"n": known.size})),
        (known.size == n, Message("psychometrics.targets_rated_once", {"n": n})),
        (
            two_way and (known.size - n - k + parts < 1 or n - parts < 1),
            Message("psychometrics.raters_do_not_overlap", {"k": k}),
        ),
        (definition == "agreement" and parts > 1, Message("psychometrics.raters_not_linked", {"parts": parts})),
        (error <= 1e-10 * float(known.var()), Message("psychometrics.reml_no_residual", {"n": n})),
    )
    return next((message for holds, message in rules if holds), None)


def _estimate(values: Floats, squares: MeanSquares, definition: str, unit: str) -> tuple[float, Message | None]:
    """Return the coefficient of a complete table (n, k), or NaN and the reason."""
    n = squares.n
    if n < 2:
        return math.nan, Message("psychometrics.too_few_targets", {"n": n})
    if without_spread(values.reshape(-1, 1))[0]:
        return math.nan, Message("psychometrics.no_variation", {"n": values.size})
    if definition != "one-way" and bool(without_spread(values).all()):
        return math.nan, Message("psychometrics.targets_alike", {"n": n})
    above, below = (float(part) for part in squares.icc(definition, unit))
    # as small as rounding makes it beside what it is the difference of
    if below <= _ROUNDING * (float(squares.targets) + float(squares.within)):
        return math.nan, Message("psychometrics.target_means_equal", {"n": n})
    return above / below, None


def _flags(values: Floats, squares: MeanSquares, definition: str) -> tuple[Message, ...]:
    """Return whether the interval is not reliable with these ratings (n, k)."""
    flags = [*_piled_up(values.reshape(-1)), *_two_raters(squares.k, definition)]
    of_raters, of_rest = float(squares.raters), float(squares.residual)
    if definition == "agreement" and of_raters > 0.0 and of_raters >= RATERS_DIFFER * of_rest:
        ratio = of_raters / of_rest if of_rest > 0.0 else math.inf
        flags.append(Message("psychometrics.agreement_interval_few_raters", {"ratio": ratio, "k": squares.k}))
    return tuple(flags)


def bootstrap_is_short(n: int, of_raters: Floats, residual: Floats, definition: str) -> Booleans:
    """Return where (…,) the percentile bootstrap of n targets covers too little: few of them, or raters who differ."""
    few = np.full(np.shape(of_raters), n < FEW_TARGETS)
    return np.asarray(few | ((definition == "agreement") & (of_raters >= RATERS_NOTED * residual)))


def bootstrap_flags(made: Form, n: int, definition: str, clusters: RowClusters | None) -> tuple[Message, ...]:
    """Return whether the bootstrap interval of a form of n targets, or clusters, is not reliable."""
    if clusters is not None and clusters.n < FEW_TARGETS:
        return (Message("psychometrics.bootstrap_few_clusters", {"n": clusters.n, "least": FEW_TARGETS}),)
    _, of_raters, residual, _ = made.squares
    if not bootstrap_is_short(n, np.array(of_raters), np.array(residual), definition):
        return ()
    return (Message("psychometrics.icc_bootstrap_short", {"n": n, "least": FEW_TARGETS}),)


def _flags_of_holes(cells: Floats, definition: str, df: int) -> tuple[Message, ...]:
    """Return whether the interval of a table with holes is not reliable."""
    flags = [*_piled_up(cells[~np.isnan(cells)]), *_two_raters(cells.shape[1], definition)]
    if df < FEW_DF:
        flags.append(Message("psychometrics.icc_holes_few_df", {"df": df}))
    return tuple(flags)


def _two_raters(k: int, definition: str) -> tuple[Message, ...]:
    if definition != "agreement" or k > 2:
        return ()
    return (Message("psychometrics.agreement_two_raters"),)


def _piled_up(values: Floats) -> tuple[Message, ...]:
    piled = float(end_share(values[:, np.newaxis])[0])
    if piled < PILED_UP:
        return ()
    return (Message("psychometrics.icc_interval_not_reliable", {"share": float(piled)}),)


def _divided(above: float, below: float) -> float:
    return above / below if below > 0.0 else math.nan


def _interval(low: Floats | float, high: Floats | float, level: float, method: str) -> ConfidenceInterval:
    return ConfidenceInterval(float(low), float(high), level, method)
