"""Answers as codes of ordered categories, and the tables of all pairs of items, counted in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Floats, Integers, as_matrix, complete_rows, read_only
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE

#: Categories of an item above which answers are no longer ordered categories.
MOST = 20
#: Respondents whose one-hot codes are counted at a time: exact in float32, and near the size of a cache.
_ROWS = 8192

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Codes (n, k), 0, 1, … of the categories in use, −1 for missing; each item's categories; labels."""

    codes: Codes
    categories: tuple[Floats, ...]
    labels: tuple[str, ...]
    n_dropped: int

    @property
    def sizes(self) -> Integers:
        """Return the number of categories in use of each item (k,)."""
        return np.array([len(used) for used in self.categories], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PairTables:
    """Tables of all pairs (P, C, C), first item before second, and counts of each item's categories (k, C)."""

    tables: Floats
    margins: Floats
    first: Integers
    second: Integers


def read_answers(x: object, missing: str, *, argument: str = "x", least_columns: int = 2) -> Answers:
    """Return answers as codes, or raise where they are no ordered categories."""
    n_given = 0
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.ndim == 2 and x.shape[1] >= least_columns:
        values: NDArray[Any] = x
        labels = tuple(str(i + 1) for i in range(x.shape[1]))
        n_given = len(x)
    else:
        matrix = as_matrix(x, argument=argument, least_columns=least_columns)
        values, labels, n_given = matrix.cells, matrix.labels, len(matrix.cells)
        if missing != "available":
            complete = complete_rows(matrix.cells, matrix.labels, missing, argument=argument)
            values = values if complete.all() else values[complete]
    codes, used = code_columns(values, labels, argument)
    return Answers(codes, used, labels, n_given - len(values))


def code_columns(values: NDArray[Any], labels: tuple[str, ...], argument: str) -> tuple[Codes, tuple[Floats, ...]]:
    """Return codes (n, k), −1 for missing, and each column's categories, or raise."""
    codes = np.empty(values.shape, dtype=np.int8, order="F")
    used = []
    for column, label in enumerate(labels):
        found = _categories(values[:, column], label, argument)
        used.append(found)
        codes[:, column] = _coded(values[:, column], found)
    return read_only(codes), tuple(used)


def _categories(answers: NDArray[Any], label: str, argument: str) -> Floats:
    """Return the categories in use, increasing, or raise."""
    if answers.dtype.kind == "f":
        known = answers[~np.isnan(answers)]
        whole = known == np.round(known)
        if not whole.all():
            value = float(known[np.argmin(whole)])
            raise UsageError(
                "psychometrics.not_categories", argument=argument, column=label, value=f"{value:g}", most=MOST
            )
        answers = known
    if not answers.size:
        return np.empty(0)
    low, high = int(answers.min()), int(answers.max())
    if high - low < 10_000:
        shifted = np.subtract(answers, low, dtype=np.float64).astype(np.intp)
        found = np.flatnonzero(np.bincount(shifted)).astype(np.float64) + low
    else:
        found = np.asarray(np.unique(answers), dtype=np.float64)
    if found.size > MOST:
        raise UsageError("psychometrics.too_many_categories", argument=argument, column=label, n=found.size, most=MOST)
    return read_only(found)


def _coded(answers: NDArray[Any], categories: Floats) -> Codes:
    """Return the codes of one item, −1 for missing."""
    if not categories.size:
        return np.full(answers.shape, -1, dtype=np.int8)
    low = categories[0]
    if categories[-1] - low == categories.size - 1 and answers.dtype.kind in "iu":
        return np.asarray(answers - answers.dtype.type(low), dtype=np.int8)
    made = np.searchsorted(categories, answers).astype(np.int8)
    if answers.dtype.kind == "f":
        made[np.isnan(answers)] = -1
    return made


def pair_index(k: int) -> tuple[Integers, Integers]:
    """Return first and second items (P,) of all pairs, in the order of the lower triangle, column by column."""
    first, second = np.triu_indices(k, 1)
    return first.astype(np.int64), second.astype(np.int64)


def count_pairs(codes: Codes, size: int) -> PairTables:
    """Return the tables of all pairs of items, from codes (n, k) below `size`; −1 is missing.

    One product of one-hot codes with themselves a block of respondents: the only pass over respondents.
    """
    n, k = codes.shape
    total = np.zeros((k * size, k * size))
    levels = np.arange(size, dtype=np.int8)
    for start in range(0, n, _ROWS):
        block = np.ascontiguousarray(codes[start : start + _ROWS])
        hot = (block[:, :, None] == levels).reshape(len(block), k * size).astype(np.float32)
        total += hot.T @ hot
    cells = total.reshape(k, size, k, size)
    first, second = pair_index(k)
    own = np.arange(k)
    margins = cells[own, :, own, :][:, np.arange(size), np.arange(size)]
    return PairTables(np.ascontiguousarray(cells[first, :, second, :]), margins, first, second)


def thresholds_of(margins: Floats) -> Floats:
    """Return the thresholds (…, C − 1) of counts of categories (…, C), infinite ones where nothing lies beyond."""
    total = margins.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.cumsum(margins, axis=-1)[..., :-1] / total
    return np.asarray(np.clip(ndtri(below), -INFINITE, INFINITE))


def adjusted(counted: PairTables, sizes: Integers, added: tuple[float, float]) -> tuple[Floats, Floats, Integers]:
    """Return tables (P, C, C) with empty cells filled, what was put into each one (P,), and how many were empty (P,).

    A two-by-two table with one empty cell gets the first number in it, and its margins are kept; one with two
    empty cells is left.  Larger tables get the second number in every empty cell.
    """
    tables = counted.tables
    inside = np.arange(tables.shape[1]) < sizes[:, None]
    cells = inside[counted.first][:, :, None] & inside[counted.second][:, None, :]
    holes = cells & (tables == 0)
    empty = holes.sum(axis=(1, 2))
    two = (sizes[counted.first] == 2) & (sizes[counted.second] == 2)
    adjustment = np.where(two, np.where(empty == 1, added[0], 0.0), np.where(empty > 0, added[1], 0.0))
    if not (adjustment > 0).any():
        return tables, np.zeros(len(tables)), empty
    moved = holes[:, 0, 0] | holes[:, 1, 1]
    signs = np.zeros(tables.shape)
    signs[:, :2, :2] = np.where(moved, 1.0, -1.0)[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    change = np.where(two[:, None, None], signs, holes)
    return tables + adjustment[:, None, None] * change, adjustment, empty
