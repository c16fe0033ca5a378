"""What can be worked out of hidden figures from those shown, and which more must be hidden.

Every component and total is a weighted mean of items, and a site's item the mean of its areas' weighted by their n.
With the figures shown, each known to its rounding, this is a system of linear inequalities; the least and the
largest value that a hidden figure can have in it are two linear programs (the attacker's problem of cell suppression,
Fischetti & Salazar, 2000).  Where they lie too near each other, the cheapest figure of those that bind is hidden too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: A dual value below this binds nothing.
_BINDS = 1e-9


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a site and wave as a linear form of its items.

    Attributes
    ----------
    row : int
        Where it stands in the published rows.
    form : mapping
        Variable to weight.
    cost : tuple
        What hiding it costs; the least is hidden first.
    """

    row: int
    form: Mapping[Any, float]
    cost: tuple[Any, ...]


@dataclass
class Table:
    """The figures of one site and wave: linear relations between variables, and what is shown of which figure.

    `shown` maps a figure's row to the limits that the published value leaves for it.
    """

    figures: Mapping[int, Figure]
    relations: Sequence[Mapping[Any, float]]
    shown: dict[int, tuple[float, float]]

    def protect(self, sensitive: Sequence[int], width: float) -> list[int]:
        """Hide more figures until every sensitive one can be anything within `width`; return which were hidden.

        What is hidden adds to what is possible, so that values once found possible stay so and spare programs.
        """
        extra: list[int] = []
        for figures, relations in self._blocks():
            names = {name: place for place, name in enumerate(dict.fromkeys(n for f in figures for n in f.form))}
            names.update({n: len(names) + i for i, n in enumerate(_others(relations, names))})
            possible: list[Floats] = []
            rows = {figure.row for figure in figures}
            goals = {row: _matrix([self.figures[row].form], names)[0] for row in sensitive if row in rows}
            self._spread(list(goals.values()), width, figures, relations, names, possible)
            for goal in goals.values():
                while not _apart(possible, goal, width):
                    low, high, binding = self._program(goal, figures, relations, names, possible)
                    if high - low >= width or not binding:
                        break
                    cheapest = min(binding, key=lambda one: self.figures[one].cost)
                    del self.shown[cheapest]
                    extra.append(cheapest)
        return extra

    def _spread(
        self,
        goals: Sequence[Floats],
        width: float,
        figures: Sequence[Figure],
        relations: Sequence[Mapping[Any, float]],
        names: Mapping[Any, int],
        possible: list[Floats],
    ) -> None:
        """Find values that are possible and far apart for many forms at once: at the ends of their sum."""
        left = list(goals)
        while len(left) > 1:
            self._program(np.sum(left, axis=0), figures, relations, names, possible)
            still = [goal for goal in left if not _apart(possible, goal, width)]
            if not possible or len(still) == len(left):
                return
            left = still

    def _program(
        self,
        goal: Floats,
        figures: Sequence[Figure],
        relations: Sequence[Mapping[Any, float]],
        names: Mapping[Any, int],
        possible: list[Floats],
    ) -> tuple[float, float, list[int]]:
        """Return the least and largest value of a form, and the shown figures that bind it."""
        from scipy.optimize import linprog

        facts = [figure for figure in figures if figure.row in self.shown]
        if not facts:
            return 0.0, 100.0, []
        inside = _matrix([fact.form for fact in facts], names)
        limits = np.array([self.shown[fact.row] for fact in facts])
        options: dict[str, Any] = {"A_ub": np.vstack([inside, -inside])}
        options["b_ub"] = np.concatenate([limits[:, 1], -limits[:, 0]])
        if relations:
            options.update(A_eq=_matrix(relations, names), b_eq=np.zeros(len(relations)))
        ends, binds = [], np.zeros(len(facts), dtype=bool)
        for sign in (1.0, -1.0):
            made = linprog(sign * goal, bounds=(0.0, 100.0), method="highs", **options)
            if made.x is None:  # figures that do not fit together tell nothing for certain
                return 0.0, 100.0, []
            ends.append(float(goal @ made.x))
            possible.append(made.x)
            binds |= np.abs(made.ineqlin.marginals).reshape(2, -1).max(axis=0) > _BINDS
        return ends[0], ends[1], [fact.row for fact, bound in zip(facts, binds, strict=True) if bound]

    def _blocks(self) -> list[tuple[list[Figure], list[Mapping[Any, float]]]]:
        """Return figures and relations in blocks that share no variable."""
        joined: dict[Any, Any] = {}

        def root(name: Any) -> Any:
            while joined.setdefault(name, name) != name:
                name = joined[name]
            return name

        forms = [*(figure.form for figure in self.figures.values()), *self.relations]
        for first, *others in forms:
            for other in others:
                joined[root(other)] = root(first)
        blocks: dict[Any, tuple[list[Figure], list[Mapping[Any, float]]]] = {}
        for figure in self.figures.values():
            blocks.setdefault(root(next(iter(figure.form))), ([], []))[0].append(figure)
        for relation in self.relations:
            blocks[root(next(iter(relation)))][1].append(relation)
        return list(blocks.values())


def _others(relations: Sequence[Mapping[Any, float]], names: Mapping[Any, int]) -> list[Any]:
    """Return the variables of relations that no figure has: what has no area."""
    return list(dict.fromkeys(name for relation in relations for name in relation if name not in names))


def _matrix(forms: Sequence[Mapping[Any, float]], names: Mapping[Any, int]) -> Floats:
    made = np.zeros((len(forms), len(names)))
    for line, form in zip(made, forms, strict=True):
        for name, weight in form.items():
            line[names[name]] = weight
    return made


def _apart(possible: Sequence[Floats], goal: Floats, width: float) -> bool:
    """Return whether a form differs by a width between values found possible."""
    if len(possible) < 2:
        return False
    values = np.stack(possible) @ goal
    return bool(np.ptp(values) >= width)


def protected_counts(known: Sequence[int], hidden: Sequence[bool], least: int) -> tuple[list[bool], bool]:
    """Return which counts of parts to hide, and whether their sum, so that none below `least` can be worked out.

    Parts with nobody are shown.  What is hidden for being small is known to lie from 1 to least − 1, and what is hidden
    for another's sake to be `least` or more.

    Examples
    --------
    >>> protected_counts([3, 12, 30], [True, False, False], 5)
    ([True, True, False], False)
    >>> protected_counts([1, 1, 30], [True, True, False], 5)
    ([True, True, True], False)
    >>> protected_counts([4, 4], [True, True], 5)
    ([True, True], True)
    """
    made = list(hidden)
    total = sum(count for count, hide in zip(known, hidden, strict=True) if hide)
    rest = sum(hidden) - 1  # the other small ones
    if rest < 0 or (rest and min(least - 1, total - rest) > max(1, total - (least - 1) * rest)):
        return made, False
    others = sorted((count, place) for place, count in enumerate(known) if count and not made[place])
    for count, place in others:
        made[place] = True
        total += count - least  # what is hidden for another's sake is known to be at least that
        if total - rest > 1:
            return made, False
    return made, True
