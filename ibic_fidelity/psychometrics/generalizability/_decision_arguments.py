"""Arguments of decision studies: which facets, how many conditions, which components are assumed."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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


def read_grid(g: VarianceComponents, measured: str, n: object) -> tuple[tuple[str, ...], Floats]:
    """Return the facets but the object, and the grid of their numbers of conditions (G, F)."""
    facets = tuple(facet for facet in g.design.facets if facet != measured)
    if not isinstance(n, Mapping):
        raise UsageError("psychometrics.decision_n", value=repr(n))
    unknown = [str(facet) for facet in n if facet not in facets]
    if unknown:
        raise UsageError("psychometrics.decision_facet", facets=unknown, known=facets)
    each = [_numbers(g, f, n[f]) if f in n else [observed(g, f)] for f in facets]
    return facets, np.array(list(itertools.product(*each)), dtype=np.float64).reshape(-1, len(facets))


def _numbers(g: VarianceComponents, facet: str, value: object) -> list[float]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    asked = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    if not asked:
        raise UsageError("psychometrics.decision_number", facet=facet, value=repr(value))
    made = []
    for one in asked:
        number = as_number(one)
        if number is None or not math.isfinite(number) or number < 1.0 or number != round(number):
            raise UsageError("psychometrics.decision_number", facet=facet, value=repr(one))
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
