"""Reading of ratings: units by raters with holes, the categories, and the weights of disagreements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Booleans,
    Floats,
    HolesAllowed,
    Integers,
    Matrix,
    as_groups,
    as_matrix,
    as_vector,
    check_choice,
    complete_rows,
    known_groups_rows,
    read_only,
)
from ibic_fidelity.psychometrics.agreement._linearised import of_pairs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Weights that can be named; others are given as a matrix.
NamedWeights = Literal["linear", "quadratic", "ordinal"]
Weights: TypeAlias = "NamedWeights | ArrayLike | None"

NAMED_WEIGHTS: tuple[NamedWeights, ...] = get_args(NamedWeights)
UNWEIGHTED = "unweighted"
GIVEN = "given"


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Ratings of the units used.

    `codes` (…, n, r) point into `values` (q,), −1 for a hole; `counts` (…, n, q) are how many raters put the
    unit into each category.  Whole studies may lead: the public functions have one, calibration has many.
    `clusters` (n,) says to which of the clusters 0, 1, … a unit belongs, None where units are independent.
    """

    codes: Integers
    counts: Floats
    values: Floats
    n_dropped: int
    clusters: Integers | None = None

    @property
    def n_clusters(self) -> int | None:
        """Clusters of the units used."""
        return None if self.clusters is None else int(np.unique(self.clusters).size)

    @property
    def n_ratings(self) -> Floats:
        """Ratings of each unit (…, n)."""
        return np.asarray(self.counts.sum(axis=-1))

    @property
    def overlapping(self) -> Booleans:
        """Which units (…, n) have two ratings or more."""
        return np.asarray(self.n_ratings >= 2)

    @property
    def paired(self) -> tuple[int, Integers | None]:
        """Units with two ratings or more, and their clusters, of the first study: what pairs, and rules, rest on."""
        return of_pairs(self.clusters, self.overlapping if self.counts.ndim == 2 else self.overlapping[0])

    @property
    def n_raters(self) -> int:
        """Raters with any rating of the units used."""
        return int((self.codes >= 0).any(axis=0).sum())

    @property
    def shares(self) -> Floats:
        """Each unit's ratings as shares of the categories (…, n, q)."""
        return np.asarray(self.counts / self.n_ratings[..., np.newaxis])


def read_ratings(
    x: object,
    *,
    missing: HolesAllowed,
    categories: object = None,
    least_ratings: int = 1,
    two_raters: bool = False,
    clusters: object = None,
) -> Ratings:
    """Return the ratings of the units that a coefficient is made from.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers, NaN for a hole.
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or leave out only units with fewer ratings
        than `least_ratings`.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used.
    least_ratings : int
        How many ratings a unit needs.
    two_raters : bool
        Whether there must be exactly two raters.
    clusters : array-like of shape (units,), optional
        To which cluster each unit belongs; a unit without one is left out, or raises under "raise".

    Returns
    -------
    Ratings
        Codes, counts and categories.
    """
    check_choice("missing", missing, HOLES_ALLOWED)
    matrix = as_matrix(x, least_columns=0)
    raters = matrix.cells.shape[1]
    if two_raters and raters != 2:
        raise UsageError("psychometrics.two_raters", n=raters)
    if raters < 2:
        raise UsageError("psychometrics.one_rater_column", argument="x", n=raters)
    used = complete_rows(matrix.cells, matrix.labels, missing)
    if missing == "available":
        used = np.asarray((~np.isnan(matrix.cells)).sum(axis=1) >= least_ratings)
    of_units = read_clusters(clusters, used, missing)
    return ratings_of(matrix, used, categories, of_units)


def ratings_of(matrix: Matrix, used: Booleans, categories: object, of_units: Integers | None) -> Ratings:
    """Return the ratings of the rows used of a table that was read."""
    values = _categories(matrix, used, categories)
    cells = matrix.cells[used]
    known = ~np.isnan(cells)
    codes = np.where(known, np.searchsorted(values, np.where(known, cells, 0.0)), -1).astype(np.int64)
    n, q = cells.shape[0], values.shape[0]
    flat = (np.arange(n)[:, np.newaxis] * q + codes)[known]
    counts = np.bincount(flat, minlength=n * q).reshape(n, q).astype(np.float64)
    return Ratings(read_only(codes), read_only(counts), values, int((~used).sum()), of_units)


def read_clusters(clusters: object, used: Booleans, missing: str) -> Integers | None:
    """Return the clusters of the units used, numbered 0, 1, …; units without one are taken out of `used`."""
    if clusters is None:
        return None
    groups = as_groups(clusters, used.shape[0], argument="clusters")
    used &= known_groups_rows(groups, missing, argument="clusters")
    return read_only(np.unique(groups.codes[used], return_inverse=True)[1].astype(np.int64))


def read_weights(weights: object, values: Floats) -> tuple[str, Floats]:
    """Return the name of the weights and their matrix (q, q): 1 for the same category, less for others.

    Linear and quadratic weights fall with the distance of the categories' numbers, or its square; ordinal ones
    with the number of pairs among the categories from one to the other (Gwet, 2014, section 3.5).
    """
    q = values.shape[0]
    if weights is None:
        return UNWEIGHTED, read_only(np.eye(q))
    if isinstance(weights, str):
        check_choice("weights", weights, NAMED_WEIGHTS)
        return weights, read_only(_named(weights, values))
    matrix = as_matrix(weights, argument="weights").cells
    if matrix.shape != (q, q):
        raise UsageError("psychometrics.weights_shape", rows=matrix.shape[0], columns=matrix.shape[1], k=q)
    proper = np.all(np.diag(matrix) == 1) and np.all((matrix >= 0) & (matrix <= 1))
    if not proper or not np.array_equal(matrix, matrix.T):
        raise UsageError("psychometrics.weights_values")
    return GIVEN, matrix


def _named(weights: str, values: Floats) -> Floats:
    """Return the matrix of named weights."""
    q = values.shape[0]
    if q < 2:
        return np.ones((q, q))
    places = np.arange(q, dtype=np.float64) if weights == "ordinal" else values
    distance = np.abs(places[:, np.newaxis] - places)
    if weights == "quadratic":
        distance = np.square(distance)
    elif weights == "ordinal":
        distance = distance * (distance + 1.0) / 2.0
    return np.asarray(1.0 - distance / distance.max())


def _categories(matrix: Matrix, used: Booleans, categories: object) -> Floats:
    """Return the categories, given or found in the rows used, or raise where they do not increase or do not cover."""
    known = ~np.isnan(matrix.cells) & used[:, np.newaxis]
    if categories is None:
        return read_only(np.unique(matrix.cells[known]))
    values = as_vector(categories, argument="categories")
    if values.size == 0 or not np.all(np.isfinite(values)) or not np.all(np.diff(values) > 0):
        raise UsageError("psychometrics.categories_increasing")
    outside = known & ~np.isin(matrix.cells, values)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise UsageError(
            "psychometrics.outside_categories",
            value=f"{matrix.cells[row, column]:g}",
            row=row + 1,
            column=matrix.labels[column],
            n=int(outside.sum()),
            categories=[f"{value:g}" for value in values],
        )
    return values
