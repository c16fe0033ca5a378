"""Variance components of a complete balanced design from mean squares.

The expected mean square of an effect is Σ π σ² over the effects that hold its facets, π the product of the numbers of
conditions of the facets that are not in them (Brennan, 2001, Generalizability theory, section 3.4; Cornfield & Tukey,
1956, Annals of Mathematical Statistics 27, 907-949).  A fixed facet whose interactions stay random changes the expected
mean square of its own effect alone, which has no component.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._ratings import Ratings
from ibic_fidelity.psychometrics.generalizability.design import Effect


@dataclass(frozen=True, slots=True, eq=False)
class MeanSquares:
    """Mean squares of effects, the residual last, and the components as their combinations.

    Attributes
    ----------
    effects : tuple of Effect
    squares, df : array (E,)
    weights : array (E, E)
        Components are ``weights @ squares``.
    """

    effects: tuple[Effect, ...]
    squares: Floats
    df: Floats
    weights: Floats

    @property
    def components(self) -> Floats:
        """Return the estimates, negative ones as they are."""
        return np.asarray(self.weights @ self.squares)

    @property
    def covariance(self) -> Floats:
        """Return the covariance of the estimates: 2 MS²/df of each mean square."""
        return np.asarray((self.weights * (2.0 * self.squares**2 / self.df)) @ self.weights.T)


def balanced_squares(ratings: Ratings, effects: tuple[Effect, ...], removed: tuple[Effect, ...]) -> MeanSquares:
    """Return the mean squares of a complete balanced design.

    Parameters
    ----------
    ratings : Ratings
    effects : tuple of Effect
        Those with a component, the residual last; what is in neither argument is pooled into it.
    removed : tuple of Effect
        Fixed effects, taken out of the residual without a component.

    Raises
    ------
    UsageError
        Cells are missing, filled more than once, or numbers of conditions differ.
    """
    axes = {name: at for at, name in enumerate(ratings.design.facets)}
    table = _table(ratings)
    rest = table - table.mean()
    df_left = table.size - 1
    squares, df = [], []
    for effect in (*removed, *effects[:-1]):
        part = _contrasts(table, effect, axes)
        rest -= part
        n = np.array([table.shape[axes[name]] for name in effect.facets])
        of_effect = int(np.prod(n - 1) * np.prod([table.shape[axes[name]] for name in effect.within], dtype=int))
        df_left -= of_effect
        if effect not in removed:
            squares.append(float(np.square(part).sum()) * table.size / part.size / of_effect)
            df.append(of_effect)
    squares.append(float(np.square(rest).sum()) / df_left if df_left else np.nan)
    df.append(df_left)
    return MeanSquares(effects, np.array(squares), np.array(df, dtype=float), _weights(effects, axes, table.shape))


def _table(ratings: Ratings) -> Floats:
    """Return the ratings with one axis a facet, moved so that large offsets cost no digits."""
    design = ratings.design
    places, shape = [], []
    for name in design.facets:
        within, n_within = ratings.levels(design.nested_in[name])
        both, n_both = ratings.levels(ratings.conditions(name))
        outer = np.empty(n_both, dtype=np.int64)
        outer[both] = within
        counts = np.bincount(outer, minlength=n_within)
        order = np.argsort(outer, kind="stable")
        number = np.empty(n_both, dtype=np.int64)
        number[order] = np.arange(n_both) - np.repeat(np.cumsum(counts) - counts, counts)
        if (counts != counts[0]).any():
            raise UsageError("psychometrics.design_unbalanced", facet=name)
        places.append(number[both])
        shape.append(int(counts[0]))
    at = np.ravel_multi_index(tuple(places), tuple(shape))
    filled = np.bincount(at, minlength=int(np.prod(shape)))
    if (filled != 1).any():
        raise UsageError(
            "psychometrics.design_not_complete", empty=int((filled == 0).sum()), twice=int((filled > 1).sum())
        )
    table = np.empty(len(filled))
    table[at] = ratings.y - ratings.y[0]
    return table.reshape(shape)


def _contrasts(table: Floats, effect: Effect, axes: dict[str, int]) -> Floats:
    """Return what an effect's levels add, other axes of length 1."""
    others = tuple(at for name, at in axes.items() if name not in effect.indices)
    part: Floats = table.mean(axis=others, keepdims=True)
    for name in effect.facets:
        part = part - part.mean(axis=axes[name], keepdims=True)
    return part


def _weights(effects: tuple[Effect, ...], axes: dict[str, int], shape: tuple[int, ...]) -> Floats:
    expected = np.zeros((len(effects), len(effects)))
    for i, one in enumerate(effects):
        for j, other in enumerate(effects):
            if j == len(effects) - 1:
                expected[i, j] = 1.0
            elif one.indices <= other.indices and i < len(effects) - 1:
                expected[i, j] = np.prod([shape[at] for name, at in axes.items() if name not in other.indices])
    return np.asarray(np.linalg.inv(expected))
