"""The correlation matrix that every part of this room starts from: of answers, or given."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ibic_fidelity.errors import IbicWarning, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    Booleans,
    Floats,
    as_matrix,
    check_choice,
    complete_rows,
    read_only,
    without_spread,
)
from ibic_fidelity.psychometrics.consistency._moments import correlations, covariances
from ibic_fidelity.psychometrics.correlation.polychoric import polychoric_correlation

Correlation = Literal["pearson", "polychoric"]
Given = Literal["answers", "correlations"]
CORRELATIONS: tuple[Correlation, ...] = get_args(Correlation)
GIVEN: tuple[Given, ...] = get_args(Given)
#: Smallest eigenvalue of a matrix that is not singular.
SINGULAR = 1e-10
#: How far a matrix given may be from symmetry, ones in the diagonal and ±1, as printed tables are.
_PRINTED = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Correlated:
    """Correlations (k, k), NaN where `reason` says why there are none; complete answers (n, k) or None.

    `n` is 0 where it is not known.  `smallest` is the smallest eigenvalue.
    """

    matrix: Floats
    values: Floats | None
    n: int
    n_dropped: int
    items: tuple[str, ...]
    correlation: str
    missing: str
    smallest: float
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def k(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def regular(self) -> bool:
        """Return whether the matrix is positive definite."""
        return self.reason is None and self.smallest > SINGULAR

    @property
    def singular(self) -> Message:
        """Return that the matrix is singular or not positive definite."""
        return Message("psychometrics.matrix_singular", {"value": self.smallest, "n": self.n, "k": self.k})


def read_correlations(
    x: object,
    *,
    given: str = "answers",
    correlation: str = "pearson",
    n: object = None,
    missing: str = "raise",
    smooth: bool = False,
    least: int = 2,
) -> Correlated:
    """Return the correlations of answers, or those given, or raise."""
    check_choice("given", given, GIVEN)
    check_choice("correlation", correlation, CORRELATIONS)
    check_choice("missing", missing, COMPLETE_TABLE)
    matrix = as_matrix(x, least_columns=least)
    if given == "correlations":
        return _given(matrix.cells, matrix.labels, n, correlation, missing)
    if n is not None:
        raise UsageError("psychometrics.n_is_counted", value=repr(n))
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    values = matrix.cells[complete]
    dropped = int((~complete).sum())
    reason = _undefined(values, matrix.labels)
    flags: tuple[Message, ...] = ()
    made = np.full((values.shape[1],) * 2, np.nan)
    if reason is None and correlation == "polychoric":
        made, reason, flags = _polychoric(values, x, matrix.labels, smooth=smooth)
    elif reason is None:
        made = correlation_matrix(values)
    smallest = math.nan if reason else float(np.linalg.eigvalsh(made)[0])
    return Correlated(
        read_only(made), values, len(values), dropped, matrix.labels, correlation, missing, smallest, reason, flags
    )


def correlation_matrix(values: Floats) -> Floats:
    """Return the product-moment correlations (…, k, k) of tables (…, n, k) whose columns vary."""
    made = covariances(values)
    sd = np.sqrt(np.diagonal(made, axis1=-2, axis2=-1))
    made = made / (sd[..., :, None] * sd[..., None, :])
    at = np.arange(made.shape[-1])
    made[..., at, at] = 1.0
    return np.asarray(made)


def resampled_correlations(covariance: Floats) -> tuple[Floats, Booleans]:
    """Return correlations (B, k, k) of covariances and whether each is not singular (B,)."""
    matrices, _, regular = correlations(covariance)
    return matrices, regular


def _undefined(values: Floats, labels: tuple[str, ...]) -> Message | None:
    """Return why complete answers (n, k) have no correlations."""
    if len(values) < 3:
        return Message("psychometrics.too_few_for_correlations", {"n": len(values)})
    still = without_spread(values)
    if still.any():
        return Message("psychometrics.omega_constant_items", {"items": tuple(np.asarray(labels)[still].tolist())})
    return None


def _polychoric(
    values: Floats, x: object, labels: tuple[str, ...], *, smooth: bool
) -> tuple[Floats, Message | None, tuple[Message, ...]]:
    """Return polychoric correlations, or why there are none, and what is said of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IbicWarning)  # what is undefined is the reason, here
        made = polychoric_correlation(Labelled(values, labels), asymptotic_covariance=False, smooth=smooth)
    lacking = tuple(dict.fromkeys(reason for reason in made.reasons if reason is not None))
    if lacking:
        return np.full(made.estimate.shape, np.nan), lacking[0], made.flags
    return np.array(made.estimate), None, made.flags


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A table with the names of its columns, as a frame has them."""

    cells: Floats
    columns: tuple[str, ...]

    def to_numpy(self) -> Floats:
        """Return the values."""
        return self.cells


def _given(cells: Floats, labels: tuple[str, ...], n: object, correlation: str, missing: str) -> Correlated:
    """Return correlations that were given, or raise where they are none."""
    k = cells.shape[1]
    if cells.shape[0] != k:
        raise UsageError("psychometrics.not_square", rows=cells.shape[0], columns=k)
    at = np.arange(k)
    wrong = ~(np.abs(cells - cells.T) <= _PRINTED) | ~(np.abs(cells) <= 1.0 + _PRINTED)
    wrong[at, at] = ~(np.abs(cells[at, at] - 1.0) <= _PRINTED)
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        value = f"{cells[row, column]:g}"
        raise UsageError("psychometrics.not_correlations", value=value, row=row + 1, column=labels[column])
    known = 0
    if n is not None:
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 3:
            raise UsageError("psychometrics.n_of_matrix", value=repr(n))
        known = int(n)
    made = 0.5 * (cells + cells.T)
    made[at, at] = 1.0
    smallest = float(np.linalg.eigvalsh(made)[0])
    return Correlated(read_only(made), None, known, 0, labels, correlation, missing, smallest, None, ())


def check_factors(n_factors: object, k: int) -> int:
    """Return the number of factors, or raise unless the items can identify as many."""
    most = max((m for m in range(1, k) if degrees_of_freedom(k, m) >= 0), default=0)
    if not isinstance(n_factors, int | np.integer) or isinstance(n_factors, bool) or not 1 <= n_factors <= most:
        raise UsageError("psychometrics.factors_number", value=repr(n_factors), k=k, most=most)
    return int(n_factors)


def degrees_of_freedom(k: int, m: int) -> int:
    """Return those of m factors of k items, ((k − m)² − k − m)/2."""
    return ((k - m) ** 2 - k - m) // 2
