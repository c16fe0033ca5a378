"""Reading and checking of arguments: done once, at the public edge, so that kernels only compute.

Input is read by duck typing, without pandas: whatever has ``to_numpy`` or ``__array__``, and nested lists.
"""

from __future__ import annotations

import math
import numbers
import warnings
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError
from ibic_fidelity.foundation.messages import Message

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

#: What to do with missing answers where the coefficient is defined on complete tables.
CompleteTable = Literal["raise", "listwise"]
#: What to do with missing answers where holes belong to the definition, too.
HolesAllowed = Literal["raise", "listwise", "available"]

COMPLETE_TABLE: tuple[CompleteTable, ...] = get_args(CompleteTable)
HOLES_ALLOWED: tuple[HolesAllowed, ...] = get_args(HolesAllowed)

Array = TypeVar("Array", bound=NDArray[Any])

_MISSING_TYPES = ("NoneType", "NAType", "NaTType", "MaskedConstant")
_NUMBER_TYPES = (numbers.Real, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A table read from the caller: read-only float64 values (n, k), NaN for missing, and k column labels."""

    cells: Floats
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Group membership read from the caller: codes (n,) into sorted labels, −1 for a missing group."""

    codes: Integers
    labels: tuple[Any, ...]


def as_matrix(x: object, *, argument: str = "x", least_columns: int = 1, vector: bool = False) -> Matrix:
    """Return a table of numbers as float64 values (n, k) and labels.

    Parameters
    ----------
    x : array-like of shape (n, k)
        A numpy array (of floats, integers, booleans or Python objects), a frame of pandas (nullable types
        too) or polars, or a list of rows.  NaN, None and ``pandas.NA`` are missing.
    argument : str
        The name of the argument, for messages.
    least_columns : int
        How many columns are needed.
    vector : bool
        Take one dimension as a table of one column.

    Returns
    -------
    Matrix
        Values that cannot be written to, and the column names; an array's columns are "1", "2", ….

    Raises
    ------
    ArgumentTypeError
        Something is no number (text, dates, complex numbers), or the rows are of unequal length.
    UsageError
        Wrong number of dimensions or columns, infinite values, or two columns of the same name.
    """
    raw = _raw_array(x)
    if raw.ndim == 1 and any(isinstance(row, list | tuple) for row in raw[:1]):
        raise ArgumentTypeError("psychometrics.unequal_rows", argument=argument)
    if raw.ndim == 1 and vector:
        raw = raw[:, np.newaxis]
    if raw.ndim != 2:
        raise UsageError("psychometrics.not_a_table", argument=argument, n=raw.ndim)
    labels = _labels(x, raw.shape[1])
    if len(set(labels)) < len(labels):
        twice = sorted({label for label in labels if labels.count(label) > 1})
        raise UsageError("psychometrics.labels_twice", argument=argument, labels=twice)
    if raw.shape[1] < least_columns:
        raise UsageError("psychometrics.too_few_items", argument=argument, n=raw.shape[1], least=least_columns)
    return Matrix(_numbers(raw, labels, argument), labels)


def dimensions(x: object) -> int:
    """Return how many dimensions an array, frame or nested list has; rows of unequal length are one."""
    return int(_raw_array(x).ndim)


def as_vector(y: object, *, argument: str = "y") -> Floats:
    """Return one number a row as read-only float64 values (n,); see `as_matrix`."""
    raw = _raw_array(y)
    if raw.ndim != 1:
        raise UsageError("psychometrics.not_a_vector", argument=argument, n=raw.ndim)
    return _numbers(raw[:, np.newaxis], ("1",), argument)[:, 0]


def as_groups(groups: object, n: int, *, argument: str = "groups", data: str = "x") -> Groups:
    """Return group membership as codes and sorted labels.

    Parameters
    ----------
    groups : array-like of shape (n,)
        One label a row, all numbers or all text; NaN, None and ``pandas.NA`` are missing.
    n : int
        The number of rows that it must have.
    argument, data : str
        The names of the arguments, for messages.

    Returns
    -------
    Groups
        Codes (n,) and labels in sorted order, so that the order of rows and of categories changes nothing.

    Raises
    ------
    UsageError
        Not one dimension, or not n rows.
    ArgumentTypeError
        Labels that are neither all numbers nor all text.
    """
    raw = _raw_array(groups)
    if raw.ndim != 1:
        raise UsageError("psychometrics.not_a_vector", argument=argument, n=raw.ndim)
    if raw.shape[0] != n:
        raise UsageError("psychometrics.lengths_differ", argument=argument, n=raw.shape[0], data=data, rows=n)
    if raw.dtype.kind in "biuf":
        known = ~np.isnan(raw)
        labels, found = np.unique(raw[known], return_inverse=True)
        if raw.dtype.kind == "f" and np.all(labels == np.round(labels)) and np.all(np.abs(labels) < 2**53):
            labels = labels.astype(np.int64)
    else:
        plain = raw.astype(object)
        known = np.array([not _is_missing(label) for label in plain], dtype=bool)
        kept = plain[known]
        if not (all(isinstance(v, str) for v in kept) or all(isinstance(v, _NUMBER_TYPES) for v in kept)):
            raise ArgumentTypeError("psychometrics.groups_mixed", argument=argument)
        labels, found = np.unique(kept, return_inverse=True)
    codes = np.full(n, -1, dtype=np.int64)
    codes[known] = found
    return Groups(codes, tuple(labels.tolist()))


def complete_rows(values: Floats, labels: tuple[str, ...], missing: str, *, argument: str = "x") -> Booleans:
    """Return which rows are complete, or raise where there are holes and the policy is "raise"."""
    holes = np.isnan(values)
    if missing == "raise" and holes.any():
        row, column = (int(i) for i in np.argwhere(holes)[0])
        n = int(holes.sum())
        raise UsageError("psychometrics.missing_values", argument=argument, n=n, row=row + 1, column=labels[column])
    return np.asarray(~holes.any(axis=1))


def known_groups_rows(groups: Groups, missing: str, *, argument: str = "groups") -> Booleans:
    """Return which rows have a group, or raise where some have none and the policy is "raise"."""
    known = groups.codes >= 0
    if missing == "raise" and not known.all():
        row = int(np.argmin(known)) + 1
        raise UsageError("psychometrics.missing_groups", argument=argument, n=int((~known).sum()), row=row)
    return np.asarray(known)


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise unless the value is one of the choices, which the message prints."""
    if not isinstance(value, str) or value not in choices:
        raise UsageError("psychometrics.unknown_choice", argument=argument, value=repr(value), choices=choices)


def check_confidence_level(confidence_level: object) -> float:
    """Return the confidence level as a float, or raise unless it is strictly between 0 and 1."""
    level = as_number(confidence_level)
    if level is None or not 0.0 < level < 1.0:
        raise UsageError("psychometrics.confidence_level", value=repr(confidence_level))
    return level


def as_number(value: object) -> float | None:
    """Return a number as a float, or None for what is no number (booleans are none)."""
    if isinstance(value, bool | np.bool_):
        return None
    return float(value) if isinstance(value, int | float | np.integer | np.floating) else None


def check_limits(low: object, high: object, k: int) -> tuple[Floats, Floats]:
    """Return the lowest and highest possible answer of k items, from one number for all or one an item."""
    pair = []
    for argument, limit in (("low", low), ("high", high)):
        raw = np.atleast_1d(_raw_array(limit))
        if raw.ndim != 1 or raw.shape[0] not in (1, k):
            raise UsageError("psychometrics.limit_shape", argument=argument, k=k)
        pair.append(np.broadcast_to(_numbers(raw[:, np.newaxis], ("1",), argument)[:, 0], (k,)))
    lowest, highest = pair
    if not np.all(lowest < highest):
        raise UsageError("psychometrics.limits", low=_shown(lowest), high=_shown(highest))
    return lowest, highest


def check_within(matrix: Matrix, low: Floats, high: Floats, *, argument: str = "x") -> None:
    """Raise where an answer is outside its item's limits."""
    outside = (matrix.cells < low) | (matrix.cells > high)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise UsageError(
            "psychometrics.outside_limits",
            argument=argument,
            value=f"{matrix.cells[row, column]:g}",
            row=row + 1,
            column=matrix.labels[column],
            low=f"{low[column]:g}",
            high=f"{high[column]:g}",
            n=int(outside.sum()),
        )


def warn_undefined(message: Message, *, stacklevel: int = 3) -> None:
    """Warn that a statistic is not defined; by default the warning points to the caller of our caller."""
    warnings.warn(UndefinedStatisticWarning(message.code, **message.params), stacklevel=stacklevel)


def read_only(array: Array) -> Array:
    """Return an array that cannot be written to."""
    array.flags.writeable = False
    return array


def without_spread(columns: Floats) -> Booleans:
    """Return which columns (…, n, k) hold one value only, up to what rounding of sums can add."""
    if columns.shape[-2] == 0:
        return np.ones((*columns.shape[:-2], columns.shape[-1]), dtype=bool)
    low, high = columns.min(axis=-2), columns.max(axis=-2)
    rounding = 16.0 * np.finfo(np.float64).eps * np.maximum(np.abs(low), np.abs(high))
    return np.asarray(high - low <= rounding)


def end_share(columns: Floats) -> Floats:
    """Return the share at the lowest or at the highest answer, the larger one, of columns (…, n, k)."""
    low = (columns == columns.min(axis=-2, keepdims=True)).mean(axis=-2)
    high = (columns == columns.max(axis=-2, keepdims=True)).mean(axis=-2)
    return np.asarray(np.maximum(low, high))


def _raw_array(x: object) -> NDArray[Any]:
    """Return whatever the caller gave as an array, text and all."""
    if isinstance(x, np.ma.MaskedArray):
        plain = np.array(x.data, dtype=object)
        plain[np.ma.getmaskarray(x)] = None
        return plain
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "to_numpy"):
        return np.asarray(x.to_numpy())
    if isinstance(x, list | tuple):
        try:
            array = np.asarray(x)
        except ValueError:
            return _ragged(x)
        return array if array.dtype.kind in "biuf" else np.asarray(x, dtype=object)
    return np.asarray(x)


def _ragged(rows: list[Any] | tuple[Any, ...]) -> NDArray[Any]:
    array = np.empty(len(rows), dtype=object)
    array[:] = [tuple(row) if np.iterable(row) and not isinstance(row, str) else row for row in rows]
    return array


def _labels(x: object, k: int) -> tuple[str, ...]:
    columns = getattr(x, "columns", None)
    if columns is None:
        return tuple(str(i) for i in range(1, k + 1))
    return tuple(str(column) for column in columns)


def _numbers(raw: NDArray[Any], labels: tuple[str, ...], argument: str) -> Floats:
    """Return a two-dimensional array of anything as read-only float64, or raise."""
    if raw.dtype.kind in "biuf":
        values = np.array(raw, dtype=np.float64)
    else:
        plain = raw.astype(object)
        _refuse_text(plain, labels, argument)
        cells = [math.nan if _is_missing(value) else float(value) for value in plain.flat]
        values = np.array(cells, dtype=np.float64).reshape(plain.shape)
    if np.isinf(values).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise UsageError("psychometrics.infinite", argument=argument, row=row + 1, column=labels[column])
    return read_only(values)


def _refuse_text(plain: NDArray[Any], labels: tuple[str, ...], argument: str) -> None:
    """Raise at the first cell that is neither a number nor missing."""
    bad = tuple(
        kind
        for kind in {type(value) for value in plain.flat}
        if kind.__name__ not in _MISSING_TYPES and not issubclass(kind, _NUMBER_TYPES)
    )
    if not bad:
        return
    row, column = next(at for at in np.ndindex(plain.shape) if type(plain[at]) in bad)
    raise ArgumentTypeError(
        "psychometrics.not_a_number",
        argument=argument,
        value=repr(plain[row, column]),
        row=row + 1,
        column=labels[column],
    )


def _is_missing(value: object) -> bool:
    return type(value).__name__ in _MISSING_TYPES or (isinstance(value, numbers.Real) and value != value)  # noqa: PLR0124


def _shown(limits: Floats) -> str:
    unique = np.unique(limits)
    return ", ".join(f"{limit:g}" for limit in unique)
