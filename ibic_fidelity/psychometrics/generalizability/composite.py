"""Generalizability of a weighted composite of components, and what each component gives to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, percent
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    Floats,
    Integers,
    as_groups,
    as_number,
    as_vector,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.generalizability._ratings import read_ratings
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.decision_results import DecisionStudy
from ibic_fidelity.psychometrics.generalizability.decisions import decide
from ibic_fidelity.psychometrics.generalizability.design import Design, parse_design
from ibic_fidelity.psychometrics.generalizability.studies import ComponentEstimator, variance_components

if TYPE_CHECKING:
    import pandas as pd

FROM_SUMS = "variances of sums of two components"
#: Share of the variance by which two routes may differ before that is said.
_DIFFERENCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class CompositeGeneralizability:
    """Precision of a weighted composite, as `composite_generalizability` returns it.

    Attributes
    ----------
    components : tuple of str
        Names of the components, sorted.
    weights : array (C,)
        As they were given, equal ones otherwise.
    effects : tuple of str
        Effects that all components share: those of the design without the items.
    covariance : array (E, C, C)
        Variances and covariances of the components, for each effect.
    universe_correlation : array (C, C)
        Correlations of universe scores, NaN where a variance is 0; with few objects they can exceed 1.
    variance_components : VarianceComponents
        Of the composite itself.
    decision : DecisionStudy
        Of the composite: error, Eρ² and Φ with intervals.
    decisions : tuple of DecisionStudy, length C
        Of each component alone.
    universe_share, error_share : array (G, C)
        What each component gives to the composite's universe-score and absolute error variance, as a share: its own
        part and half of what it shares with each other one.
    n_cells, n_dropped : int
        Combinations of the facets used, and left out because a component lacks a rating there.
    method : str
        How the covariances are found.
    flags : tuple of Message
        What was left out, and where the two routes differ.
    """

    components: tuple[str, ...]
    weights: Floats
    effects: tuple[str, ...]
    covariance: Floats
    universe_correlation: Floats
    variance_components: VarianceComponents
    decision: DecisionStudy
    decisions: tuple[DecisionStudy, ...]
    universe_share: Floats
    error_share: Floats
    n_cells: int
    n_dropped: int
    method: str
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return Φ of the composite and of each component at the first point of the grid, one line each.

        Columns: component ("" for the composite), statistic, n, estimate, ci_low, ci_high, ci_level, method, reason,
        weight, universe_share, error_share.
        """
        made = (self.decision, *self.decisions)
        said = " ".join(flag.text("en") for flag in self.flags)
        return table(
            {
                "component": ["", *self.components],
                "statistic": ["phi"] * len(made),
                "n": [one.n_objects for one in made],
                "estimate": [float(one.phi[0]) for one in made],
                "ci_low": [float(one.low["phi"][0]) for one in made],
                "ci_high": [float(one.high["phi"][0]) for one in made],
                "ci_level": [one.confidence_level for one in made],
                "method": [one.method for one in made],
                "reason": [said] * len(made),
                "weight": [math.nan, *self.weights.tolist()],
                "universe_share": [1.0, *self.universe_share[0].tolist()],
                "error_share": [1.0, *self.error_share[0].tolist()],
            },
            extra=("weight", "universe_share", "error_share"),
        )

    def summary(self) -> str:
        """Return the composite's precision in English, then a line of what the components give, and flags."""
        parts = ", ".join(
            f"{name} (weight {weight:.3g}) Φ {coefficient(float(one.phi[0]), 'en')}, "
            f"{percent(float(true), 'en')} of true variance, {percent(float(error), 'en')} of error"
            for name, weight, one, true, error in zip(
                self.components,
                self.weights,
                self.decisions,
                self.universe_share[0],
                self.error_share[0],
                strict=True,
            )
        )
        return "\n".join(
            [
                f"Composite: {self.decision.summary()}",
                f"Components: {parts}.",
                *(flag.text("en") for flag in self.flags),
            ]
        )


def composite_generalizability(
    y: object,
    facets: Any,
    component: object,
    *,
    design: str | Design,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    n: Mapping[str, int | Sequence[int]] | None = None,
    object_of_measurement: str = "site",
    estimator: ComponentEstimator = "REML",
    confidence_level: float = 0.95,
    item: str = "item",
) -> CompositeGeneralizability:
    r"""Return how precise a weighted composite of components is, and what each component gives to it.

    Items are fixed and belong to one component each; a component's score in a cell (a file, or a file as one rater
    saw it) is the mean of its items there.  Files and raters are shared: their effects covary between components.

    Parameters
    ----------
    y : array-like of shape (ratings,)
        Ratings; NaN is missing.
    facets : mapping of str to array-like of shape (ratings,)
        The condition of each facet of the design, as in `variance_components`.
    component : array-like of shape (ratings,)
        The component of each rating's item.
    design : str or Design
        As in `variance_components`, with the items: ``"(file : site) x item"``.
    weights : mapping of str to float, or sequence of float, optional
        One a component, by name or in sorted order; equal ones that add up to 1 otherwise.
    n : mapping of str to int or sequence of int, optional
        Conditions as in `decision_study`; as observed otherwise.
    object_of_measurement : str
        As in `decision_study`.
    estimator : {"REML", "ANOVA"}
        As in `variance_components`.
    confidence_level : float
        Between 0 and 1.
    item : str
        The name of the facet of items; it may be absent where `y` are scores of components already.

    Returns
    -------
    CompositeGeneralizability
        Decision studies of composite and components, covariances for each effect, and contributions.

    Raises
    ------
    UsageError
        One component, weights that do not fit, a facet nested in items, components that share no units, and what
        `variance_components` and `decision_study` raise.

    Warns
    -----
    UndefinedStatisticWarning
        As in `decision_study`.

    Notes
    -----
    The composite :math:`\sum_c w_c X_c` is made in every cell that has all components, and its variance components
    are estimated as those of any rating: universe-score variance, error, Φ and their intervals come from there.  The
    covariances are, effect by effect, those of sums on the same cells,

    .. math:: \sigma_{cd} = \tfrac{1}{2}\left[\sigma^2(X_c + X_d) - \sigma^2(X_c) - \sigma^2(X_d)\right],

    so that :math:`\sigma^2 = \sum_c\sum_d w_c w_d\sigma_{cd}` [1]_: exactly by the analysis of variance before
    negative components are put to 0, nearly by REML.  The part of c is :math:`w_c\sum_d w_d\sigma_{cd}`.

    References
    ----------
    .. [1] Brennan, R. L. (2001). Generalizability theory (chapters 9–10). Springer.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> site, file, item = (axis.ravel() for axis in np.indices((12, 8, 4)))
    >>> y = rng.normal(size=12)[site] + rng.normal(size=(12, 8))[site, file] + rng.normal(size=site.size)
    >>> part = np.where(item < 2, "follow-up", "planning")
    >>> made = composite_generalizability(
    ...     y, {"site": site, "file": file, "item": item}, part, design="(file : site) x item", weights=[0.5, 0.5]
    ... )
    >>> print([f"{value:.3f}" for value in (made.decision.phi[0], *made.universe_share[0])])
    ['0.943', '0.492', '0.508']
    """
    parsed = design if isinstance(design, Design) else parse_design(design)
    reduced = _without_items(parsed, item)
    cells = _read_cells(y, facets, component, reduced, parsed, item)
    used = _weights(weights, cells.labels)

    def estimated(scores: Floats) -> VarianceComponents:
        return variance_components(scores, cells.facets, design=reduced, estimator=estimator, interval="none")

    count = len(cells.labels)
    alone = [estimated(cells.scores[:, c]) for c in range(count)]
    covariance = np.zeros((len(alone[0].effects), count, count))
    for c in range(count):
        covariance[:, c, c] = alone[c].untruncated
        for d in range(c):
            both = estimated(cells.scores[:, c] + cells.scores[:, d]).untruncated
            covariance[:, c, d] = covariance[:, d, c] = (both - alone[c].untruncated - alone[d].untruncated) / 2.0
    whole = estimated(cells.scores @ used)
    decision, *of_components = (
        decide(
            one,
            n={} if n is None else n,
            object_of_measurement=object_of_measurement,
            cut=None,
            assume_zero=(),
            given=None,
            confidence_level=confidence_level,
        )
        for one in (whole, *alone)
    )
    for reason in dict.fromkeys(reason for one in (decision, *of_components) for reason in one.reasons.values()):
        warn_undefined(reason)
    grid = np.column_stack(list(decision.n.values()))
    model = decision.model
    by_effect = model.weights(grid)
    shares = [_shares(by_effect * mask, covariance, used) for mask in (model.universe, model.absolute)]
    return CompositeGeneralizability(
        components=cells.labels,
        weights=read_only(used),
        effects=model.names,
        covariance=read_only(covariance),
        universe_correlation=_correlation(np.tensordot(by_effect[0] * model.universe, covariance, 1)),
        variance_components=whole,
        decision=decision,
        decisions=tuple(of_components),
        universe_share=shares[0],
        error_share=shares[1],
        n_cells=len(cells.scores),
        n_dropped=cells.n_dropped,
        method=FROM_SUMS,
        flags=(*cells.flags, *_differs(whole, covariance, used)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Scores of components (cells, C) in cells that have all of them."""

    scores: Floats
    facets: dict[str, Integers]
    labels: tuple[str, ...]
    n_dropped: int
    flags: tuple[Message, ...]


def _without_items(design: Design, item: str) -> Design:
    inside = [facet for facet, outer in design.nested_in.items() if item in outer]
    if inside:
        raise UsageError("psychometrics.composite_nested", facet=inside[0], item=item)
    effects = tuple(effect for effect in design.effects if item not in effect.indices)
    return Design(design.text, tuple(facet for facet in design.facets if facet != item), effects)


def _read_cells(y: object, facets: Any, component: object, reduced: Design, design: Design, item: str) -> _Cells:
    values = as_vector(y)
    groups = as_groups(component, len(values), argument="component", data="y")
    unknown = int((groups.codes < 0).sum())
    if unknown:
        raise UsageError("psychometrics.composite_missing", n=unknown)
    if len(groups.labels) < 2:
        raise UsageError("psychometrics.composite_few", n=len(groups.labels))
    ratings = read_ratings(values, facets, design, missing="available")
    part = groups.codes[~np.isnan(values)]
    cell, n_cells = ratings.levels(reduced.facets)
    count = len(groups.labels)
    place = cell * count + part
    number = np.bincount(place, minlength=n_cells * count).reshape(n_cells, count)
    sums = np.bincount(place, weights=ratings.y, minlength=n_cells * count).reshape(n_cells, count)
    whole = (number > 0).all(axis=1)
    if not whole.any():
        raise UsageError("psychometrics.composite_unlinked", facets=reduced.facets)
    first = np.full(n_cells, -1)
    first[cell[::-1]] = np.arange(ratings.n)[::-1]
    flags = []
    if not whole.all():
        flags.append(Message("psychometrics.composite_left_out", {"n": int((~whole).sum()), "of": n_cells}))
    if item in design.facets:
        items = np.array([len(np.unique(ratings.codes[item][0][part == c])) for c in range(count)])
        short = int((number[whole] < items).sum())
        if short:
            of = int(whole.sum()) * count
            flags.append(Message("psychometrics.composite_items_missing", {"n": short, "of": of}))
    return _Cells(
        scores=sums[whole] / number[whole],
        facets={name: ratings.codes[name][0][first[whole]] for name in reduced.facets},
        labels=tuple(str(label) for label in groups.labels),
        n_dropped=int((~whole).sum()),
        flags=tuple(flags),
    )


def _weights(weights: object, labels: tuple[str, ...]) -> Floats:
    """Return one weight a component, or raise."""
    if weights is None:
        return np.full(len(labels), 1.0 / len(labels))
    given: list[object] = []
    if isinstance(weights, Mapping):
        named = {str(name): value for name, value in weights.items()}
        given = [named.get(label) for label in labels] if set(named) == set(labels) else []
    elif isinstance(weights, Sequence | np.ndarray) and not isinstance(weights, str):
        given = list(weights)
    numbers = [as_number(value) for value in given]
    made = np.array([math.nan if number is None else number for number in numbers])
    if len(made) != len(labels) or not np.isfinite(made).all() or not np.any(made):
        raise UsageError("psychometrics.composite_weights", value=repr(weights), components=labels)
    return made


def _shares(by_effect: Floats, covariance: Floats, weights: Floats) -> Floats:
    """Return what each component gives (G, C) to the sum over effects, as a share of it."""
    counts = np.abs(by_effect).sum(axis=0) > 0.0
    used = np.where(counts[:, np.newaxis, np.newaxis], covariance, 0.0)
    parts = np.tensordot(by_effect, used, 1) @ weights * weights
    total = parts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return read_only(np.asarray(parts / np.where(total > 0.0, total, np.nan)))


def _correlation(covariance: Floats) -> Floats:
    deviation = np.sqrt(np.where(np.diagonal(covariance) > 0.0, np.diagonal(covariance), np.nan))
    return read_only(covariance / np.outer(deviation, deviation))


def _differs(whole: VarianceComponents, covariance: Floats, weights: Floats) -> tuple[Message, ...]:
    """Return whether the composite's components are not those of the matrices."""
    put_together = np.einsum("ecd,c,d->e", covariance, weights, weights)
    away = np.abs(put_together - whole.untruncated) / np.nansum(np.abs(whole.untruncated))
    known = away[np.isfinite(away)]
    most = float(known.max()) if known.size else 0.0
    if most <= _DIFFERENCE:
        return ()
    return (Message("psychometrics.composite_disagrees", {"share": most}),)
