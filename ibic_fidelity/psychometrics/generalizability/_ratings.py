"""Ratings and their facets, read once: codes, levels of effects, and which of these the data can tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.psychometrics._arguments import Floats, Integers, as_groups, as_vector
from ibic_fidelity.psychometrics.generalizability._design import _compact
from ibic_fidelity.psychometrics.generalizability.design import Design, Effect

Levels = tuple[Integers, int]


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Ratings without missing ones, and the codes of their facets.

    Attributes
    ----------
    y : array (n,)
    codes : dict of str to (array (n,), int)
        Codes 0, 1, … of each facet as they were given, and how many there are.
    n_dropped : int
        Ratings left out because missing.
    """

    design: Design
    y: Floats
    codes: dict[str, Levels]
    n_dropped: int
    _known: dict[frozenset[str], Levels] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of ratings."""
        return len(self.y)

    def levels(self, facets: Iterable[str]) -> Levels:
        """Return codes (n,) of the combinations of facets that occur, and how many there are."""
        wanted = frozenset(facets)
        if wanted not in self._known:
            made, n_levels = np.zeros(self.n, dtype=np.int64), 1
            for name in self.design.facets:
                if name in wanted:
                    codes, n_codes = self.codes[name]
                    made, n_levels = _compact(made * n_codes + codes)
            self._known[wanted] = made, n_levels
        return self._known[wanted]

    def conditions(self, facet: str) -> frozenset[str]:
        """Return the facets that tell one condition of a facet from another: itself and what it is nested in."""
        return frozenset((facet, *self.design.nested_in[facet]))

    def refines(self, fine: Iterable[str], coarse: Iterable[str]) -> bool:
        """Return whether each level of some facets lies in one level of others."""
        fine, coarse = frozenset(fine), frozenset(coarse)
        return coarse <= fine or self.levels(fine | coarse)[1] == self.levels(fine)[1]


def read_ratings(y: object, facets: Any, design: Design, *, missing: str) -> Ratings:
    """Return ratings and facets as the caller gave them, missing ratings left out."""
    values = as_vector(y)
    holes = np.isnan(values)
    if missing == "raise" and holes.any():
        row = int(np.argmax(holes)) + 1
        raise UsageError("psychometrics.missing_values", argument="y", n=int(holes.sum()), row=row, column="1")
    kept = ~holes
    codes = {}
    for name in design.facets:
        found, n_codes = _codes(facets, name, len(values))
        codes[name] = _compact(found[kept]) if holes.any() and kept.any() else (found, n_codes)
    if not kept.any():
        raise UsageError("psychometrics.components_no_ratings", n=len(values))
    return Ratings(design, values[kept], codes, int(holes.sum()))


def _codes(facets: Any, name: str, n: int) -> Levels:
    if not hasattr(facets, "keys"):
        raise ArgumentTypeError("psychometrics.facets_type", kind=type(facets).__name__)
    if name not in facets:
        raise UsageError("psychometrics.facet_unknown", facet=name, known=[str(one) for one in facets])
    column = facets[name]
    groups = as_groups(column, n, argument=name, data="y")
    if (groups.codes < 0).any():
        raise UsageError(
            "psychometrics.facet_missing",
            facet=name,
            n=int((groups.codes < 0).sum()),
            row=int(np.argmax(groups.codes < 0)) + 1,
        )
    broken = [label for label in groups.labels if isinstance(label, float) and label != round(label)]
    if broken:
        raise UsageError("psychometrics.facet_not_whole", facet=name, value=repr(broken[0]))
    return groups.codes, len(groups.labels)


def check_nesting(ratings: Ratings) -> None:
    """Raise where a facet is declared nested the other way round than the data are."""
    nested_in = ratings.design.nested_in
    for inner, around in nested_in.items():
        for outer in around if ratings.codes[inner][1] > 1 else ():
            others = frozenset(around) - {outer}
            inside = others | {inner}
            outside = frozenset((outer, *nested_in[outer])) - {inner}
            if ratings.refines(outside, inside) and not ratings.refines(inside, outside):
                raise UsageError("psychometrics.nested_the_other_way", inner=inner, outer=outer)


def unlinked(ratings: Ratings, facets: Iterable[str]) -> dict[str, str]:
    """Return for each facet declared crossed whose conditions occur in one condition of another, that other one.

    Only where the other one has several conditions; both could be a facet of one condition each way.
    """
    found: dict[str, str] = {}
    nested_in = ratings.design.nested_in
    for facet, other in permutations(tuple(facets)[::-1], 2):
        mine, its = ratings.conditions(facet), ratings.conditions(other)
        if facet in found or other in nested_in[facet] or facet in nested_in[other] or nested_in[other]:
            continue
        if nested_in[facet] or ratings.levels(its)[1] < 2 or ratings.levels(mine)[1] < 2:
            continue
        if ratings.refines(mine, its) and (other not in found or not ratings.refines(its, mine)):
            found[facet] = other
    return found


def mean_levels(ratings: Ratings, item: str) -> dict[str, float]:
    """Return the harmonic mean number of conditions of each facet in what it is nested in or observed with.

    That is its nest, and of the facets crossed with it those with more conditions: raters a file, not files a rater.
    Items are counted a rating, not ratings an item.
    """
    design = ratings.design
    sizes = {name: ratings.levels(ratings.conditions(name))[1] for name in design.facets}
    made = {}
    for name in design.facets:
        others = set(design.nested_in[name])
        for other in design.facets:
            inside = name in design.nested_in[other] or other in design.nested_in[name] or other == name
            if not inside and other != item and (name == item or sizes[other] > sizes[name]):
                others |= ratings.conditions(other)
        made[name] = _harmonic(ratings, others - {name}, ratings.conditions(name))
    return made


def _harmonic(ratings: Ratings, outer: set[str], inner: frozenset[str]) -> float:
    of_outer, n_outer = ratings.levels(outer)
    both, n_both = ratings.levels(outer | inner)
    outer_of_both = np.empty(n_both, dtype=np.int64)
    outer_of_both[both] = of_outer
    counts = np.bincount(outer_of_both, minlength=n_outer)
    return float(counts[0]) if (counts == counts[0]).all() else float(n_outer / np.sum(1.0 / counts))


def named_effects(design: Design, names: Iterable[str]) -> frozenset[Effect]:
    """Return the effects that have the given names, which may write x for ×."""
    if isinstance(names, str):
        names = (names,)
    by_name = {_plain(effect.name): effect for effect in design.effects}
    found = set()
    for name in names:
        effect = by_name.get(_plain(str(name)))
        if effect is None or effect == design.residual:
            known = [one.name for one in design.effects if one != design.residual]
            raise UsageError("psychometrics.effect_unknown", effect=str(name), known=known)
        found.add(effect)
    return frozenset(found)


def _plain(name: str) -> str:
    crossed, *around = name.replace("×", " x ").split(":")
    facets = sorted(part for part in crossed.split() if part != "x")
    return " x ".join(facets) + "".join(f" : {part.strip()}" for part in around)
