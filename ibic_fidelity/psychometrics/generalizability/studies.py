"""Variance components of a generalizability study: the engine that fits the design, intervals, and what to know."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    Floats,
    check_choice,
    check_confidence_level,
    end_share,
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.generalizability import _limits as limits
from ibic_fidelity.psychometrics.generalizability._balanced import MeanSquares, balanced_squares
from ibic_fidelity.psychometrics.generalizability._estimable import Model, model_of
from ibic_fidelity.psychometrics.generalizability._fits import Fit, fit_model
from ibic_fidelity.psychometrics.generalizability._ratings import (
    Ratings,
    check_nesting,
    mean_levels,
    named_effects,
    read_ratings,
)
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import Design, parse_design
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP

Items = Literal["fixed", "random"]
ComponentEstimator = Literal["REML", "ANOVA"]
ComponentInterval = Literal["satterthwaite", "profile", "none"]
MissingRatings = Literal["available", "raise"]

BALANCED = "balanced mean squares"
#: Degrees of freedom of a component, 2(σ²/SE)², below which its interval is not relied on; 0 ones are, too.
FEW_DF = 10.0


def variance_components(
    y: object,
    facets: Any,
    *,
    design: str | Design,
    items: Items = "fixed",
    estimator: ComponentEstimator = "REML",
    omit: Iterable[str] = (),
    interval: ComponentInterval = "satterthwaite",
    missing: MissingRatings = "available",
    confidence_level: float = 0.95,
    item: str = "item",
) -> VarianceComponents:
    r"""Estimate what of the variance of ratings is due to each facet of a design and their interactions.

    Parameters
    ----------
    y : array-like of shape (n,)
        Ratings, one a row; NaN where one is missing.
    facets : mapping of str to array-like, or frame
        For each facet of the design the condition of every rating: text or whole numbers, none missing.  A nested
        facet may have the same codes in each condition that it is nested in.
    design : str or Design
        In Brennan's notation, see `parse_design`: ``"(file : site) x rater x item"``.
    items : {"fixed", "random"}
        Whether the facet called `item` is fixed: its conditions are the only ones that matter, each has a mean of its
        own, and its own effect has no component.  Its interactions have.
    estimator : {"REML", "ANOVA"}
        Restricted maximum likelihood, for any data; or mean squares, for a complete balanced design.
    omit : sequence of str
        Names of effects, as printed (``"site × rater × item"``; x for × will do), that are pooled into the residual.
    interval : {"satterthwaite", "profile", "none"}
        Of the components: df·σ²/χ² with df = 2(σ²/SE)², or from the profile of the restricted likelihood, which is
        also what a component at 0 gets (by ANOVA: from mean squares).
    missing : {"available", "raise"}
        Leave out missing ratings, or refuse them.
    confidence_level : float
        Strictly between 0 and 1.
    item : str
        The facet that `items` is about.

    Returns
    -------
    VarianceComponents
        Components, errors, intervals; NaN with a reason where the data cannot tell a component from others.

    Raises
    ------
    UsageError
        Unknown facets or effects, missing codes or codes that are no whole numbers, a facet nested the other way round
        than declared, ANOVA with unbalanced data, or options that are unknown or exclude each other.
    ArgumentTypeError
        Ratings that are no numbers, or codes of mixed kinds.

    Warns
    -----
    UndefinedStatisticWarning
        No component is defined.

    Notes
    -----
    REML fits :math:`y = X\beta + \sum_j Z_j u_j + e` with one fixed mean, or one an item.  Interactions of a fixed
    facet are random and not restricted to sum to 0, so that the component of a site is the covariance of two different
    items of it.  Mean squares have the expectations of Cornfield & Tukey (1956).  Effects that the data cannot tell
    apart are not estimated: those with one level, with one rating a level (part of the residual), with the same levels
    as another effect, and those of a facet that is declared crossed while each of its conditions occurs in one
    condition of another facet.

    References
    ----------
    .. [1] Brennan, R. L. (2001). Generalizability theory. Springer.
    .. [2] Searle, S. R., Casella, G., & McCulloch, C. E. (1992). Variance components. Wiley.
    .. [3] Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
       Bulletin, 2, 110–114.

    Examples
    --------
    >>> import numpy as np
    >>> person, task, rater = (axis.ravel() for axis in np.indices((4, 2, 2)))
    >>> y = [5, 6, 5, 3, 9, 3, 7, 5, 3, 4, 5, 3, 7, 5, 3, 1]
    >>> made = variance_components(
    ...     y, {"p": person, "t": task, "r": rater}, design="p x (r : t)", estimator="ANOVA", interval="none"
    ... )
    >>> dict(zip([effect.name for effect in made.effects], made.untruncated.round(3).tolist(), strict=True))
    {'p': 0.0, 't': -0.167, 'r : t': 0.875, 'p × t': 0.667, 'p × r : t': 2.75}
    """
    check_choice("items", items, get_args(Items))
    check_choice("estimator", estimator, get_args(ComponentEstimator))
    check_choice("interval", interval, get_args(ComponentInterval))
    check_choice("missing", missing, get_args(MissingRatings))
    if estimator == "ANOVA" and interval == "profile":
        raise UsageError("psychometrics.anova_no_profile")
    level = check_confidence_level(confidence_level)
    parsed = design if isinstance(design, Design) else parse_design(design)
    omitted = named_effects(parsed, omit)
    if item != "item" and item not in parsed.facets:
        raise UsageError("psychometrics.facet_unknown", facet=item, known=list(parsed.facets))
    ratings = read_ratings(y, facets, parsed, missing=missing)
    check_nesting(ratings)
    model = model_of(ratings, item=item, items_fixed=items == "fixed", omitted=omitted)
    if estimator == "ANOVA":
        made = _by_squares(ratings, model, interval, level)
    else:
        made = _by_likelihood(ratings, model, item, interval, level)
    flags = (*_of_options(parsed, items, item, omitted), *model.flags, *_of_cells(ratings), *made.flags)
    result = _result(ratings, model, made, item, flags)
    if np.isnan(result.estimate).all():
        warn_undefined(next(reason for reason in result.reasons if reason is not None))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
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


def _by_squares(ratings: Ratings, model: Model, interval: str, level: float) -> _Made:
    squares = balanced_squares(ratings, (*model.fitted, model.effects[-1]), model.removed)
    values, covariance = squares.components, squares.covariance
    reason = _nothing_left(ratings, squares.df[-1])
    if reason is not None:
        return _undefined(model, reason, "ANOVA", BALANCED, interval, level)
    ci = []
    for i, value in enumerate(values):
        made = limits.squares_limits(squares.weights[i], squares.squares, squares.df, level)
        method = limits.SQUARES
        if value > 0.0:
            method = limits.SATTERTHWAITE
            made = limits.satterthwaite_limits(float(value), math.sqrt(covariance[i, i]), level)
        ci.append(_interval(made, level, method, interval))
    negative = [effect.name for effect, value in zip(model.fitted, values, strict=False) if value < 0.0]
    flags = [Message("psychometrics.components_negative", {"effects": negative})] if negative else []
    flags += _unreliable(ratings, model, (values, covariance), interval)
    return _Made(
        values, covariance, tuple(ci), "ANOVA", BALANCED, math.nan, True, (None,) * len(values), tuple(flags), squares
    )


def _by_likelihood(ratings: Ratings, model: Model, item: str, interval: str, level: float) -> _Made:
    n_fixed = ratings.levels(model.fixed)[1]
    reason = _nothing_left(ratings, ratings.n - n_fixed - 1)
    fit = None if reason else fit_model(ratings, model, item=item)
    if fit is None or fit.reason is not None:
        said = reason or (fit.reason if fit else None) or Message("psychometrics.no_variation", {"n": ratings.n})
        return _undefined(model, said, "REML", fit.engine if fit else "", interval, level)
    names = [effect.name for effect in (*model.fitted, model.effects[-1])]
    apart = Message("psychometrics.components_confounded", {"effects": [names[i] for i in fit.inseparable]})
    reasons = tuple(apart if i in fit.inseparable else None for i in range(len(names)))
    hidden = [i for i, effect in enumerate(model.fitted) if effect in model.reasons]
    ci = tuple(_likelihood_interval(fit, i, "none" if i in hidden else interval, level) for i in range(len(names)))
    flags = [] if fit.converged else [Message("psychometrics.reml_not_converged", {})]
    at_zero = [name for name, value in zip(names, fit.values, strict=True) if value == 0.0]
    if at_zero:
        flags.append(Message("psychometrics.reml_boundary", {"factors": ", ".join(at_zero)}))
    flags += _unreliable(ratings, model, (fit.values, fit.covariance), interval)
    return _Made(
        fit.values, fit.covariance, ci, "REML", fit.engine, fit.criterion, fit.converged, reasons, tuple(flags)
    )


def _likelihood_interval(fit: Fit, at: int, interval: str, level: float) -> ConfidenceInterval:
    """Return Satterthwaite's interval, or the profile's where that is asked for or the component is 0."""
    value, error = float(fit.values[at]), math.sqrt(max(float(fit.covariance[at, at]), 0.0))
    if interval == "none" or at in fit.inseparable:
        return _interval((math.nan, math.nan), level, interval, interval)
    guess = (math.nan, math.nan)
    if value > 0.0 and error > 0.0:
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


def _nothing_left(ratings: Ratings, df: float) -> Message | None:
    """Return why no component is defined, or None."""
    if ratings.n < 2 or without_spread(ratings.y[:, np.newaxis])[0]:
        return Message("psychometrics.no_variation", {"n": ratings.n})
    if df < 1:
        return Message("psychometrics.components_no_residual", {"n": ratings.n})
    return None


def _undefined(model: Model, reason: Message, estimator: str, engine: str, interval: str, level: float) -> _Made:
    k = len(model.fitted) + 1
    nothing = np.full(k, math.nan)
    ci = (_interval((math.nan, math.nan), level, interval, interval),) * k
    return _Made(nothing, np.full((k, k), math.nan), ci, estimator, engine, math.nan, False, (reason,) * k, ())


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


def _of_options(design: Design, items: str, item: str, omitted: frozenset[Any]) -> list[Message]:
    flags = []
    if items == "random" and item in design.facets:
        flags.append(Message("psychometrics.components_items_random", {"facet": item}))
    if omitted:
        names = [effect.name for effect in design.effects if effect in omitted]
        flags.append(Message("psychometrics.components_pooled", {"effects": names}))
    return flags


def _of_cells(ratings: Ratings) -> list[Message]:
    twice = ratings.n - ratings.levels(ratings.design.facets)[1]
    return [Message("psychometrics.components_cells_twice", {"n": twice})] if twice else []


def _result(ratings: Ratings, model: Model, made: _Made, item: str, flags: tuple[Message, ...]) -> VarianceComponents:
    """Put what was fitted at its place among all effects of the design."""
    effects, k = model.effects, len(model.effects)
    places = [effects.index(effect) for effect in (*model.fitted, effects[-1])]
    values, covariance = np.full(k, math.nan), np.full((k, k), math.nan)
    values[places] = made.values
    covariance[np.ix_(places, places)] = made.covariance
    empty = ConfidenceInterval(math.nan, math.nan, made.ci[0].confidence_level, "none")
    ci, reasons = [empty] * k, [model.reasons.get(effect) for effect in effects]
    for place, one, why in zip(places, made.ci, made.reasons, strict=True):
        if reasons[place] is None:
            ci[place], reasons[place] = one, why
    unknown = np.array([reason is not None for reason in reasons])
    values[unknown] = math.nan
    covariance[unknown] = covariance[:, unknown] = math.nan
    squares = np.full((2, k), math.nan)
    if made.squares is not None:
        squares[:, places] = made.squares.squares, made.squares.df
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diagonal(covariance))
    design = ratings.design
    return VarianceComponents(
        design=design,
        effects=effects,
        estimate=read_only(np.maximum(values, 0.0)),
        untruncated=read_only(values),
        std_error=read_only(np.where(errors > 0.0, errors, math.nan)),
        ci=tuple(ci),
        covariance=read_only(covariance),
        fixed=(item,) if model.fixed else (),
        levels={name: ratings.levels(ratings.conditions(name))[1] for name in design.facets},
        mean_levels=mean_levels(ratings, item),
        n=ratings.n,
        n_dropped=ratings.n_dropped,
        mean=float(ratings.y[0] + np.mean(ratings.y - ratings.y[0])),
        estimator=made.estimator,
        engine=made.engine,
        criterion=made.criterion,
        converged=made.converged,
        reasons=tuple(reasons),
        flags=flags,
        mean_squares=read_only(squares[0]),
        mean_square_df=read_only(squares[1]),
    )
