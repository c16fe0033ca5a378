"""What the engines make of the ratings of a model: components, their intervals, and what to know of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Floats, Integers, end_share, without_spread
from ibic_fidelity.psychometrics.generalizability import _limits as limits
from ibic_fidelity.psychometrics.generalizability._balanced import MeanSquares, balanced_squares
from ibic_fidelity.psychometrics.generalizability._bootstrap import Bootstrap, bootstrap_components
from ibic_fidelity.psychometrics.generalizability._estimable import Model
from ibic_fidelity.psychometrics.generalizability._fits import Fit, fit_model
from ibic_fidelity.psychometrics.generalizability._ratings import Ratings
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP
from ibic_fidelity.psychometrics.resampling import percentile_interval

BALANCED = "balanced mean squares"
#: Degrees of freedom of a component, 2(σ²/SE)², below which its interval is not relied on; 0 ones are, too.
FEW_DF = 10.0
#: Of the ratings: what is left of them by rounding alone.
ROUNDING = 1e-12
#: Below this the χ² of Satterthwaite has no useful upper limit, and the profile likelihood takes its place.
LEAST_DF = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Components of the effects of a model that were fitted, and the residual."""

    values: Floats
    covariance: Floats
    ci: tuple[ConfidenceInterval, ...]
    estimator: str
    engine: str
    criterion: float
    converged: bool
    reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]
    squares: MeanSquares | None = None


def by_squares(ratings: Ratings, model: Model, interval: str, level: float) -> Made:
    squares = balanced_squares(ratings, (*model.fitted, model.effects[-1]), model.removed)
    values, covariance = squares.components, squares.covariance
    reason = _nothing_left(ratings, squares.df[-1])
    if reason is not None:
        return _undefined(model, reason, "ANOVA", BALANCED, interval, level)
    ci = []
    for i, value in enumerate(values):
        made = limits.squares_limits(squares.weights[i], squares.squares, squares.df, level)
        method = limits.SQUARES
        error = math.sqrt(covariance[i, i])
        if value > 0.0 and limits.degrees_of_freedom(float(value), error) >= LEAST_DF:
            method = limits.SATTERTHWAITE
            made = limits.satterthwaite_limits(float(value), error, level)
        ci.append(_interval(made, level, method, interval))
    negative = [effect.name for effect, value in zip(model.fitted, values, strict=False) if value < 0.0]
    flags = [Message("psychometrics.components_negative", {"effects": negative})] if negative else []
    flags += _unreliable(ratings, model, (values, covariance), interval)
    return Made(
        values, covariance, tuple(ci), "ANOVA", BALANCED, math.nan, True, (None,) * len(values), tuple(flags), squares
    )


def by_likelihood(
    ratings: Ratings, model: Model, item: str, interval: str, level: float, drawn: Bootstrap | None
) -> Made:
    codes, n_fixed = ratings.levels(model.fixed)
    reason = _nothing_left(ratings, ratings.n - n_fixed - 1)
    if reason is None and _only_fixed(ratings.y, codes, n_fixed):
        reason = Message("psychometrics.no_variation", {"n": ratings.n})
    if reason is None and any(_only_fixed(ratings.y, *ratings.levels(effect.indices)) for effect in model.fitted):
        reason = Message("psychometrics.components_no_residual", {"n": ratings.n})
    fit = None if reason else fit_model(ratings, model, item=item)
    if fit is None or fit.reason is not None:
        said = reason or (fit.reason if fit else None) or Message("psychometrics.no_variation", {"n": ratings.n})
        return _undefined(model, said, "REML", fit.engine if fit else "", interval, level)
    names = [effect.name for effect in (*model.fitted, model.effects[-1])]
    apart = Message("psychometrics.components_confounded", {"effects": [names[i] for i in fit.inseparable]})
    reasons = tuple(apart if i in fit.inseparable else None for i in range(len(names)))
    hidden = [i for i, effect in enumerate(model.fitted) if effect in model.reasons]
    flags: list[Message] = []
    if drawn is not None:
        ci, flags = _by_bootstrap(ratings, model, fit, hidden, drawn, item=item, level=level)
    else:
        ci = tuple(_likelihood_interval(fit, i, "none" if i in hidden else interval, level) for i in range(len(names)))
    flags += [] if fit.converged else [Message("psychometrics.reml_not_converged", {})]
    at_zero = [name for name, value in zip(names, fit.values, strict=True) if value == 0.0]
    if at_zero:
        flags.append(Message("psychometrics.reml_boundary", {"factors": ", ".join(at_zero)}))
    flags += _unreliable(ratings, model, (fit.values, fit.covariance), interval)
    return Made(fit.values, fit.covariance, ci, "REML", fit.engine, fit.criterion, fit.converged, reasons, tuple(flags))


def _by_bootstrap(
    ratings: Ratings, model: Model, fit: Fit, hidden: list[int], drawn: Bootstrap, *, item: str, level: float
) -> tuple[tuple[ConfidenceInterval, ...], list[Message]]:
    """Return percentiles of the parametric bootstrap, and what is to be said of them."""
    values = bootstrap_components(ratings, model, fit, item=item, drawn=drawn)
    ci = []
    for at, column in enumerate(values.T):
        known = at not in hidden and at not in fit.inseparable
        ci.append(percentile_interval(column if known else column[:0], level, limits.BOOTSTRAP)[0])
    failed = int(np.isnan(values).any(axis=1).sum())
    flags = [Message("psychometrics.components_bootstrap", {"n": len(values)})]
    if failed:
        flags.append(Message("psychometrics.components_bootstrap_failed", {"n": failed, "of": len(values)}))
    return tuple(ci), flags


def _likelihood_interval(fit: Fit, at: int, interval: str, level: float) -> ConfidenceInterval:
    """Return Satterthwaite's interval, or the profile's where that is asked for or the component is 0."""
    value, error = float(fit.values[at]), math.sqrt(max(float(fit.covariance[at, at]), 0.0))
    if interval == "none" or at in fit.inseparable:
        return _interval((math.nan, math.nan), level, interval, interval)
    guess = (math.nan, math.nan)
    if value > 0.0 and error > 0.0 and (interval == "profile" or limits.degrees_of_freedom(value, error) >= LEAST_DF):
        guess = limits.satterthwaite_limits(value, error, level)
        if interval == "satterthwaite":
            return _interval(guess, level, limits.SATTERTHWAITE, interval)
    made = limits.profile_limits(
        lambda held: fit.profile(at, held), value, fit.criterion, guess, level, float(fit.values[-1])
    )
    return _interval(made, level, limits.PROFILE, interval)


def _interval(made: tuple[float, float], level: float, method: str, interval: str) -> ConfidenceInterval:
    if interval == "none":
        return ConfidenceInterval(math.nan, math.nan, level, "none")
    return ConfidenceInterval(*made, level, method)


def _only_fixed(y: Floats, codes: Integers, n_levels: int) -> bool:
    """Return whether all ratings of each level are equal, but for rounding, so that nothing is left of them."""
    means = np.bincount(codes, weights=y, minlength=n_levels) / np.bincount(codes, minlength=n_levels)
    left = np.abs(y - means[codes]).max()
    return bool(left <= ROUNDING * max(float(np.abs(y).max()), float(np.finfo(float).tiny)))


def _nothing_left(ratings: Ratings, df: float) -> Message | None:
    """Return why no component is defined, or None."""
    if ratings.n < 2 or without_spread(ratings.y[:, np.newaxis])[0]:
        return Message("psychometrics.no_variation", {"n": ratings.n})
    if df < 1:
        return Message("psychometrics.components_no_residual", {"n": ratings.n})
    return None


def _undefined(model: Model, reason: Message, estimator: str, engine: str, interval: str, level: float) -> Made:
    k = len(model.fitted) + 1
    nothing = np.full(k, math.nan)
    ci = (_interval((math.nan, math.nan), level, interval, interval),) * k
    return Made(nothing, np.full((k, k), math.nan), ci, estimator, engine, math.nan, False, (reason,) * k, ())


def _unreliable(ratings: Ratings, model: Model, made: tuple[Floats, Floats], interval: str) -> list[Message]:
    """Return which intervals of components, with their covariance, are not reliable."""
    if interval == "none":
        return []
    flags = []
    values, errors = made[0], np.sqrt(np.maximum(np.diagonal(made[1]), 0.0))
    few = [
        effect.name
        for effect, value, error in zip((*model.fitted, model.effects[-1]), values, errors, strict=True)
        if effect not in model.reasons
        and (value <= 0.0 or limits.degrees_of_freedom(float(value), float(error)) < FEW_DF)
    ]
    if few:
        flags.append(Message("psychometrics.components_few_df", {"effects": few, "least": FEW_DF}))
    share = float(end_share(ratings.y[:, np.newaxis])[0])
    if share >= PILED_UP:
        flags.append(Message("psychometrics.icc_interval_not_reliable", {"share": share}))
    return flags
