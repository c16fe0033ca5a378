"""What `polychoric_correlation` and `tetrachoric_correlation` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, percent
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers
from ibic_fidelity.psychometrics.correlation._tables import pair_index

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class PolychoricCorrelation:
    """Polychoric correlations of k items, as `polychoric_correlation` returns them; P = k(k − 1)/2 pairs.

    Attributes
    ----------
    estimate : array of float, (k, k)
        The correlations, 1 on the diagonal; NaN where a pair has none, ±1 where the likelihood has its maximum
        at the boundary (see `boundary`).  Smoothed where `smoothing` says so.
    std_error, std_error_expected : array of float, (k, k)
        Standard errors by cross-products of scores, which hold where two normal values do not fit the table, and
        by the expected information; NaN on the diagonal and at the boundary.
    ci_low, ci_high : array of float, (k, k)
        Limits, by the larger one of the two.
    confidence_level : float
        Of the limits.
    ci_method, definition : str
        How the limits were made; "polychoric" or "tetrachoric", two-step maximum likelihood.
    thresholds, threshold_std_errors : tuple of array of float
        Of each item, one fewer than its categories.
    categories : tuple of array of float
        The categories of each item that are in use, as they were given.
    asymptotic_covariance : array of float, (T + P, T + P), or None
        Covariances of the estimates: all thresholds, item by item, then the correlations of the lower triangle,
        column by column (r21, r31, …, r32, …), as lavaan orders them; lavaan's ``NACOV`` is n times this one.
    covariance_names : tuple of str
        What its rows stand for, such as ``"A1|1"`` and ``"A1~~A2"``.
    n_pairs : array of int, (k, k)
        Respondents who answered both items; on the diagonal, the item.
    empty_cells : array of int, (k, k)
        Empty cells of each pair's table.
    adjustment : array of float, (k, k)
        What was put into each empty cell of the pair's table, 0 where nothing was.
    boundary, converged : array of bool, (k, k)
        Pairs whose estimate is ±1; pairs whose estimate settled.
    smallest_eigenvalue : float
        Of the matrix before smoothing; below 0 the matrix is not positive semidefinite.
    smoothing : str
        "" or the method by which the matrix was made positive definite.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    items : tuple of str
        The items' labels.
    missing : str
        The missing-data rule.
    reasons : tuple of (Message or None)
        Why a pair has no estimate, in the order of the lower triangle, column by column.
    flags : tuple of Message
        What a reader must know: boundary, empty cells and adjustment, a matrix that is not positive definite.
    """

    estimate: Floats
    std_error: Floats
    std_error_expected: Floats
    ci_low: Floats
    ci_high: Floats
    confidence_level: float
    ci_method: str
    definition: str
    thresholds: tuple[Floats, ...]
    threshold_std_errors: tuple[Floats, ...]
    categories: tuple[Floats, ...]
    asymptotic_covariance: Floats | None
    n_pairs: Integers
    empty_cells: Integers
    adjustment: Floats
    boundary: Booleans
    converged: Booleans
    smallest_eigenvalue: float
    smoothing: str
    n: int
    k: int
    n_dropped: int
    items: tuple[str, ...]
    missing: str
    reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]

    @property
    def covariance_names(self) -> tuple[str, ...]:
        """Return what the rows of `asymptotic_covariance` stand for."""
        first, second = pair_index(self.k)
        names = [
            f"{item}|{t + 1}" for item, cuts in zip(self.items, self.thresholds, strict=True) for t in range(len(cuts))
        ]
        names += [f"{self.items[i]}~~{self.items[j]}" for i, j in zip(first, second, strict=True)]
        return tuple(names)

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a pair of items.

        Columns: item, statistic, n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, other_item,
        empty_cells, adjustment, boundary.
        """
        at = pair_index(self.k)
        pairs = len(at[0])
        text = ["" if reason is None else reason.text("en") for reason in self.reasons]
        return table(
            {
                "item": [self.items[i] for i in at[0]],
                "other_item": [self.items[j] for j in at[1]],
                "statistic": [f"{self.definition.split(',')[0]}_correlation"] * pairs,
                "n": self.n_pairs[at].tolist(),
                "estimate": self.estimate[at].tolist(),
                "std_error": self.std_error[at].tolist(),
                "ci_low": self.ci_low[at].tolist(),
                "ci_high": self.ci_high[at].tolist(),
                "ci_level": [self.confidence_level] * pairs,
                "method": [self.ci_method] * pairs,
                "reason": text,
                "empty_cells": self.empty_cells[at].tolist(),
                "adjustment": self.adjustment[at].tolist(),
                "boundary": self.boundary[at].tolist(),
            },
            extra=("other_item", "empty_cells", "adjustment", "boundary"),
        )

    @property
    def threshold_table(self) -> pd.DataFrame:
        """Return one line a threshold.  Columns: item, estimate, std_error, threshold, below, from_category."""
        lines = [
            (item, float(cut), float(error), t + 1, float(used[t]), float(used[t + 1]))
            for item, cuts, errors, used in zip(
                self.items, self.thresholds, self.threshold_std_errors, self.categories, strict=True
            )
            for t, (cut, error) in enumerate(zip(cuts, errors, strict=True))
        ]
        names = ("item", "estimate", "std_error", "threshold", "below", "from_category")
        columns = {name: [line[i] for line in lines] for i, name in enumerate(names)}
        return table(columns, extra=names[3:])

    def summary(self) -> str:
        """Return a few lines in English: what was estimated, the range of the correlations, then reasons and flags."""
        at = pair_index(self.k)
        known = self.estimate[at][~(self.estimate[at] != self.estimate[at])]
        head = (
            f"{self.definition.split(',')[0].capitalize()} correlations (two-step maximum likelihood) of {self.k} items"
        )
        used = f"{self.n} respondents, {self.n_dropped} left out for missing answers"
        spread = "no pair has an estimate"
        if known.size:
            ends = " to ".join(coefficient(float(end), "en") for end in (known.min(), known.max()))
            level = percent(self.confidence_level, "en")
            spread = f"{known.size} of {len(at[0])} pairs from {ends}; {level} intervals by {self.ci_method}"
        eigen = f"Smallest eigenvalue {coefficient(self.smallest_eigenvalue, 'en', digits=3)}"
        said = dict.fromkeys(reason.text("en") for reason in self.reasons if reason is not None)
        return "\n".join([f"{head}, {used}.", f"{spread}. {eigen}.", *said, *(flag.text("en") for flag in self.flags)])
