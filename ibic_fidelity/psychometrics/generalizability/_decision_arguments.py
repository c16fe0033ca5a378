"""Arguments of decision studies: which facets, how many conditions, which components are assumed."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, as_number
from ibic_fidelity.psychometrics.generalizability._decision_model import observed
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents

_SEPARATOR = re.compile(r"\s*[×:]\s*|\s+[xX]\s+")


@dataclass(frozen=True, slots=True, eq=False)
class UsedComponents:
    """Components that are used, which of them are estimated, and the names of those that the caller set."""

    variances: Floats
    estimated: Booleans
    assumed_zero: tuple[str, ...]
    given: dict[str, float]


def read_object(g: VarianceComponents, value: object) -> str:
    """Return the object of measurement, or raise unless it is a random facet that is nested in none."""
    free = tuple(f for f in g.design.facets if f not in g.fixed and not g.design.nested_in.get(f))
    if not isinstance(value, str) or value not in free:
        raise UsageError("psychometrics.decision_object", value=repr(value), choices=free)
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Numbers of conditions, as they were asked for.

    Attributes
    ----------
    facets : tuple of str
        All but the object of measurement.
    n : array (G, F)
        Conditions of each facet in each condition of what it is nested in.
    total : dict of str to array (G,)
        Conditions over all that a facet is nested in, of facets asked for so.
    outer : dict of str to tuple of int
        For each of these the places of the facets that it is nested in, outer ones first.
    most : array (F,)
        Conditions of the facets as given or observed, which the outer ones of a total do not exceed.
    split : tuple of (int, int)
        Places of a facet and of the one among whose conditions it is split.
    """

    facets: tuple[str, ...]
    n: Floats
    total: dict[str, Floats]
    outer: dict[str, tuple[int, ...]]
    most: Floats
    split: tuple[tuple[int, int], ...]


def read_grid(
    g: VarianceComponents, measured: str, n: object, total: object, split: object, *, whole: bool = True
) -> Grid:
    """Return the grid of numbers of conditions that the caller asks for."""
    facets = tuple(facet for facet in g.design.facets if facet != measured)
    asked_for = _named("n", n, facets)
    totals = _named("total", {} if total is None else total, facets)
    twice = [facet for facet in totals if facet in asked_for]
    inside = [facet for facet in totals if any(facet in g.design.nested_in[other] for other in totals)]
    if twice or inside:
        raise UsageError("psychometrics.decision_total_twice", facet=(twice or inside)[0])
    given = {**asked_for, **totals}
    each = [
        _numbers(g, f, given[f], "total" if f in totals else "n", whole=whole) if f in given else [observed(g, f)]
        for f in facets
    ]
    made = np.array(list(itertools.product(*each)), dtype=np.float64).reshape(-1, len(facets))
    most = np.array([max(numbers) for numbers in each])
    place = {facet: at for at, facet in enumerate(facets)}
    outer = {f: tuple(place[o] for o in reversed(g.design.nested_in[f]) if o != measured) for f in totals}
    asked = {facet: made[:, place[facet]].copy() for facet in totals}
    for facet, around in outer.items():
        rest = asked[facet].copy()
        for at in around:
            made[:, at] = np.minimum(made[:, at], rest)
            rest /= made[:, at]
        made[:, place[facet]] = rest
    return Grid(facets, made, asked, outer, most, _split(g, facets, split))


def _named(argument: str, given: object, facets: tuple[str, ...]) -> Mapping[Any, Any]:
    """Return a mapping of facets, or raise."""
    if not isinstance(given, Mapping):
        raise UsageError("psychometrics.decision_n", argument=argument, value=repr(given))
    unknown = [str(facet) for facet in given if facet not in facets]
    if unknown:
        raise UsageError("psychometrics.decision_facet", argument=argument, facets=unknown, known=facets)
    return given


def _split(g: VarianceComponents, facets: tuple[str, ...], split: object) -> tuple[tuple[int, int], ...]:
    """Return the places of facets of which one is split among the conditions of the other."""
    if split is None:
        return ()
    if not isinstance(split, Mapping):
        raise UsageError("psychometrics.decision_n", argument="split", value=repr(split))
    free = [facet for facet in facets if facet not in g.fixed]
    made = []
    for inner, among in split.items():
        nested = g.design.nested_in
        if inner not in free or among not in free or inner == among or inner in nested[among] or among in nested[inner]:
            raise UsageError("psychometrics.decision_split", inner=str(inner), among=str(among), known=free)
        if among in split:
            raise UsageError("psychometrics.decision_split", inner=str(inner), among=str(among), known=free)
        made.append((facets.index(inner), facets.index(among)))
    return tuple(made)


def _numbers(g: VarianceComponents, facet: str, value: object, argument: str, *, whole: bool) -> list[float]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    asked = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    if not asked:
        raise UsageError("psychometrics.decision_number", argument=argument, facet=facet, value=repr(value))
    made = []
    for one in asked:
        number = as_number(one)
        if number is None or not math.isfinite(number) or number < 1.0 or (whole and number != round(number)):
            raise UsageError("psychometrics.decision_number", argument=argument, facet=facet, value=repr(one))
        if facet in g.fixed and number > observed(g, facet):
            raise UsageError("psychometrics.decision_fixed", facet=facet, n=int(number), levels=observed(g, facet))
        made.append(number)
    return made


def read_components(g: VarianceComponents, assume_zero: object, given: object) -> UsedComponents:
    """Return the components with those that the caller assumes or gives."""
    values, estimated = g.estimate.copy(), np.isfinite(g.estimate)
    asked = (assume_zero,) if isinstance(assume_zero, str) else assume_zero
    if not isinstance(asked, Iterable):
        raise UsageError("psychometrics.decision_assumed_kind", value=repr(assume_zero))
    if given is not None and not isinstance(given, Mapping):
        raise UsageError("psychometrics.decision_given_kind", value=repr(given))
    assumed = []
    for name in asked:
        at = _place(g, name, "assume_zero")
        if estimated[at]:
            raise UsageError("psychometrics.decision_assumed_estimated", effect=g.effects[at].name)
        values[at] = 0.0
        assumed.append(g.effects[at].name)
    used = {}
    for name, value in (given or {}).items():
        at, number = _place(g, name, "given"), as_number(value)
        if number is None or not math.isfinite(number) or number < 0.0:
            raise UsageError("psychometrics.decision_given_value", effect=g.effects[at].name, value=repr(value))
        values[at], estimated[at] = number, False
        used[g.effects[at].name] = number
    return UsedComponents(values, estimated, tuple(assumed), used)


def _place(g: VarianceComponents, name: object, argument: str) -> int:
    """Return the place of the effect of that name, however its facets are ordered."""
    wanted = frozenset(_SEPARATOR.split(str(name).strip()))
    found = [i for i, effect in enumerate(g.effects) if effect.indices == wanted]
    if not found:
        known = tuple(effect.name for effect in g.effects)
        raise UsageError("psychometrics.decision_effect", argument=argument, effect=str(name), known=known)
    return found[0]
