"""One form of fit for the engines of variance components, and the choice between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Floats, Integers
from ibic_fidelity.psychometrics._engines.mixedlm import MixedModel
from ibic_fidelity.psychometrics.generalizability._design import Term, nested_design
from ibic_fidelity.psychometrics.generalizability._estimable import Model
from ibic_fidelity.psychometrics.generalizability._ratings import Ratings
from ibic_fidelity.psychometrics.generalizability._reml import fit_nested_reml
from ibic_fidelity.psychometrics.generalizability.design import Effect

NESTED, MIXED = "nested REML", "mixedlm"
#: What tells the levels of a term apart: site, assessor, file, rater, item; a file tells its assessor.
_KEYS: dict[frozenset[str], Term] = {
    frozenset("s"): "site",
    frozenset("si"): "site_item",
    frozenset("sa"): "assessor",
    frozenset("sf"): "file",
    frozenset("sfi"): "file_item",
    frozenset("r"): "rater",
    frozenset("ri"): "rater_item",
    frozenset("sfr"): "rater_file",
    frozenset("sr"): "rater_site",
    frozenset("i"): "item",
}
#: Columns of dense matrices, of all sites and of one, above which the sparse engine is taken.
_BORDER, _WITHIN = 3000, 1200
#: Share of the whole variance at which the residual is nothing, and the likelihood without bound.
_NOTHING = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Components of the fitted effects and the residual, and the profile of their criterion.

    Attributes
    ----------
    values : array (K + 1,)
    covariance : array (K + 1, K + 1)
        0 in the rows of components at the boundary.
    criterion : float
    converged : bool
    engine : str
    profile : callable
        Least criterion with one component, by its place, held at a value.
    inseparable : tuple of int
        Places of components that together carry a direction without information.
    reason : Message or None
        Why there is no fit.
    """

    values: Floats
    covariance: Floats
    criterion: float
    converged: bool
    engine: str
    profile: Callable[[int, float], float]
    inseparable: tuple[int, ...] = ()
    reason: Message | None = None


def fit_model(ratings: Ratings, model: Model, *, item: str) -> Fit:
    """Return the fit by REML, by the engine for designs nested in sites where it has the terms."""
    roles = _roles(ratings, item)
    terms = _terms(ratings, model, roles, item)
    if terms is None or not _small_enough(ratings, roles, item):
        made = _mixed(ratings, model)
    else:
        made = _nested(ratings, model, roles, terms, item)
    if made.reason is None and made.values[-1] <= _NOTHING * made.values.sum():
        return replace(made, reason=Message("psychometrics.components_no_residual", {"n": ratings.n}))
    return made


def _roles(ratings: Ratings, item: str) -> dict[str, str] | None:
    """Return the role of each facet: s, a, f, r, i; None where there are more of them."""
    design = ratings.design
    if item in design.facets and design.nested_in[item]:
        return None
    roles = {item: "i"} if item in design.facets else {}
    left = [name for name in design.facets if name != item]
    outer = [name for name in left if any(name in around for around in design.nested_in.values())]
    roots = [name for name in outer if not design.nested_in[name]] or left[:1]
    if len(roots) != 1 or item in outer:
        return None
    roles[roots[0]] = "s"
    left.remove(roots[0])
    middle = [name for name in outer if name not in roots]
    if len(middle) > 1:
        return None
    inside = [name for name in left if design.nested_in[name] and name not in middle]
    inside.sort(key=lambda name: (-len(design.nested_in[name]), -ratings.levels(ratings.conditions(name))[1]))
    for name in middle:
        roles[name] = "a"
    if inside:
        roles[inside[0]] = "f"
    raters = [name for name in left if name not in roles]
    if len(raters) > 1 or any(len(design.nested_in[name]) > 1 for name in raters):
        return None
    return roles | dict.fromkeys(raters, "r")


def _terms(ratings: Ratings, model: Model, roles: dict[str, str] | None, item: str) -> dict[Effect, Term] | None:
    """Return the engine's term of each effect, or None where one has none."""
    if roles is None or model.fixed - {item}:
        return None
    of_role = {role: name for name, role in roles.items()}
    own = "r" in of_role and bool(ratings.design.nested_in[of_role["r"]])
    terms: dict[Effect, Term] = {}
    for effect in model.fitted:
        key = frozenset(roles[name] for name in effect.indices)
        if "f" in key:
            key -= {"a"}
        if own and key in (frozenset("sr"), frozenset("sri")):
            key -= {"s"}
        if key not in _KEYS or _KEYS[key] in terms.values():
            return None
        terms[effect] = _KEYS[key]
    return terms


def _small_enough(ratings: Ratings, roles: dict[str, str] | None, item: str) -> bool:
    of_role = {role: name for name, role in (roles or {}).items()}
    if "r" not in of_role:
        return True
    n_items = ratings.codes[item][1] if "i" in of_role else 1
    raters = ratings.conditions(of_role["r"])
    n_raters, site = ratings.levels(raters)[1], {of_role["s"]}
    both, n_both = ratings.levels(raters | site)
    site_of = np.empty(n_both, dtype=np.int64)
    site_of[both] = ratings.levels(site)[0]
    linked = 0 if ratings.design.nested_in[of_role["r"]] else n_raters
    return linked * n_items <= _BORDER and int(np.bincount(site_of).max()) * n_items <= _WITHIN


def _nested(ratings: Ratings, model: Model, roles: dict[str, str] | None, terms: dict[Effect, Term], item: str) -> Fit:
    of_role = {role: name for name, role in (roles or {}).items()}
    nothing = np.zeros(ratings.n, dtype=np.int64)

    def codes(role: str) -> Integers:
        return ratings.levels(ratings.conditions(of_role[role]))[0] if role in of_role else nothing

    design = nested_design(
        ratings.y, site=codes("s"), file=codes("f"), item=codes("i"), rater=codes("r"), assessor=codes("a"),
        terms=terms.values(), item_means=bool(model.fixed),
    )  # fmt: skip
    try:
        made = fit_nested_reml(design)
    except (np.linalg.LinAlgError, FloatingPointError):
        k = len(terms) + 1
        unknown: Floats = np.full(k, math.nan)
        why = Message("psychometrics.components_no_residual", {"n": ratings.n})
        return Fit(unknown, np.full((k, k), math.nan), math.nan, False, NESTED, lambda _at, _value: math.inf, (), why)
    order = [*(terms[effect] for effect in model.fitted), "residual"]
    names = list(made.components)
    places = [names.index(name) for name in order]
    values = np.array([made.components[name] for name in order])
    least = 1e-3 * max(made.components["residual"], 1e-3 * float(values.sum()))
    starts = {name: max(value, least) for name, value in made.components.items()}

    def profile(at: int, value: float) -> float:
        start = starts | {order[at]: value}
        try:
            fit = fit_nested_reml(design, held={order[at]: value}, start=start, tolerance=1e-6)
        except np.linalg.LinAlgError:
            return math.inf
        starts.update({name: max(value, least) for name, value in fit.components.items()})
        return fit.criterion

    covariance = np.nan_to_num(made.covariance[np.ix_(places, places)])
    information = made.information[np.ix_(places, places)]
    return Fit(values, covariance, made.criterion, made.converged, NESTED, profile, inseparable(information, values))


def _mixed(ratings: Ratings, model: Model) -> Fit:
    factors = {effect.name: ratings.levels(effect.indices)[0] for effect in model.fitted}
    fixed = ratings.levels(model.fixed)[0] if model.fixed else None
    made = MixedModel.fit(ratings.y, factors, fixed=fixed)
    information = made.information
    return Fit(
        made.values,
        made.covariance,
        made.criterion,
        made.converged,
        MIXED,
        made.profile,
        inseparable(information, made.values) if made.reason is None else (),
        made.reason,
    )


def inseparable(information: Floats, values: Floats, least: float = 1e-7) -> tuple[int, ...]:
    """Return the places of components above 0 that share a direction in which nothing is known."""
    free = np.flatnonzero((values > 0.0) & (np.diagonal(information) > 0.0))
    if not len(free):
        return ()
    part = information[np.ix_(free, free)]
    root = np.sqrt(np.diagonal(part))
    roots, vectors = np.linalg.eigh(part / np.outer(root, root))
    found = np.abs(vectors[:, roots < least]).max(axis=1, initial=0.0) > 0.1
    return tuple(free[found].tolist())
