"""Variance components of a generalizability study: the engine that fits the design, intervals, and what to know."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    check_choice,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.generalizability._bootstrap import checked_bootstrap
from ibic_fidelity.psychometrics.generalizability._estimable import Model, model_of
from ibic_fidelity.psychometrics.generalizability._estimation import Made, by_likelihood, by_squares
from ibic_fidelity.psychometrics.generalizability._ratings import (
    Ratings,
    check_nesting,
    mean_levels,
    named_effects,
    read_ratings,
)
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import Design, parse_design

Items = Literal["fixed", "random"]
ComponentEstimator = Literal["REML", "ANOVA"]
ComponentInterval = Literal["satterthwaite", "profile", "bootstrap", "none"]
MissingRatings = Literal["available", "raise"]


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
    fixed: Iterable[str] = (),
    bootstrap: int = 999,
    rng: np.random.Generator | int = 0,
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
    interval : {"satterthwaite", "profile", "bootstrap", "none"}
        Of the components: df·σ²/χ² with df = 2(σ²/SE)²; from the profile of the restricted likelihood, which is
        also what a component with fewer than two degrees of freedom gets, one at 0 too (by ANOVA: from mean squares);
        or percentiles of a parametric bootstrap.
    missing : {"available", "raise"}
        Leave out missing ratings, or refuse them.
    confidence_level : float
        Strictly between 0 and 1.
    item : str
        The facet that `items` is about.
    fixed : sequence of str
        Further facets that are fixed, such as ``("source",)``: each combination of the fixed facets has a mean of its
        own, and what a site has on just these sources is its score, not error.
    bootstrap : int
        Replicates of the parametric bootstrap.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

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
    if estimator == "ANOVA" and interval in {"profile", "bootstrap"}:
        raise UsageError("psychometrics.anova_no_profile")
    level = check_confidence_level(confidence_level)
    parsed = design if isinstance(design, Design) else parse_design(design)
    omitted = named_effects(parsed, omit)
    if item != "item" and item not in parsed.facets:
        raise UsageError("psychometrics.facet_unknown", facet=item, known=list(parsed.facets))
    ratings = read_ratings(y, facets, parsed, missing=missing)
    check_nesting(ratings)
    facets_fixed = _fixed_facets(parsed, items, item, fixed)
    model = model_of(ratings, fixed_facets=facets_fixed, omitted=omitted)
    if estimator == "ANOVA":
        made = by_squares(ratings, model, interval, level)
    else:
        drawn = checked_bootstrap(bootstrap, rng) if interval == "bootstrap" else None
        made = by_likelihood(ratings, model, item, interval, level, drawn)
    flags = (*_of_options(parsed, items, item, omitted), *model.flags, *_of_cells(ratings), *made.flags)
    result = _result(ratings, model, made, item, facets_fixed, flags)
    if np.isnan(result.estimate).all():
        warn_undefined(next(reason for reason in result.reasons if reason is not None))
    return result


def _fixed_facets(design: Design, items: str, item: str, fixed: Iterable[str]) -> tuple[str, ...]:
    """Return the facets that are fixed, in the order of the design."""
    given: object = fixed
    if not isinstance(given, Iterable):
        raise UsageError("psychometrics.facet_unknown", facet=repr(fixed), known=list(design.facets))
    named = (fixed,) if isinstance(fixed, str) else tuple(fixed)
    for facet in named:
        if facet not in design.facets or (design.nested_in[facet] and facet != item):
            known = [name for name in design.facets if not design.nested_in[name]]
            raise UsageError("psychometrics.facet_unknown", facet=str(facet), known=known)
    if items == "random" and item in named:
        raise UsageError("psychometrics.components_fixed_random", facet=item)
    chosen = {*named, *([item] if items == "fixed" and item in design.facets else [])}
    if len(chosen) == len(design.facets):
        raise UsageError("psychometrics.components_all_fixed", facets=list(design.facets))
    return tuple(facet for facet in design.facets if facet in chosen)


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


def _result(
    ratings: Ratings, model: Model, made: Made, item: str, fixed: tuple[str, ...], flags: tuple[Message, ...]
) -> VarianceComponents:
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
        fixed=fixed,
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
