"""Item analysis: how each item behaves alone and with the rest of its scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Booleans,
    Floats,
    HolesAllowed,
    Integers,
    Matrix,
    as_matrix,
    check_choice,
    check_limits,
    check_within,
    complete_rows,
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.consistency._category_use import category_use, pairwise_item_rest
from ibic_fidelity.psychometrics.consistency.internal_consistency import alpha_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class ItemAnalysis:
    """Item analysis, as `item_analysis` returns it; arrays have one value an item.

    Attributes
    ----------
    items : tuple of str
        The items' labels.
    n : array of int
        Answers that mean, sd, skewness, floor and ceiling are made from.
    mean, sd, skewness : array of float
        Mean; standard deviation (n − 1); adjusted Fisher–Pearson skewness (as SAS, SPSS and pandas).
    floor_share, ceiling_share : array of float
        Share (0–1) of the answers at `low` and at `high`.
    missing_share : array of float
        Share (0–1) of all rows given in which the answer is missing, before any row is left out.
    item_rest_correlation : array of float
        Corrected item-total correlation: with the sum of the *other* items, over the complete rows.
    item_rest_available : array of float
        The same from pairwise covariances, which take every answer given; equal where nothing is missing.
    alpha_if_deleted : array of float
        Cronbach's alpha of the other items.
    alpha : float
        Cronbach's alpha of the scale, to be compared with `alpha_if_deleted`.
    n_rows, n_complete : int
        Rows given; complete rows, which the correlations and alphas are made from.
    categories : array of float
        The answers that could be given: whole numbers between `low` and `high`, or those observed.  Empty
        above 50.
    category_counts : array of float of shape (items, categories)
        How often each was given, 0 for one that nobody gave, NaN outside an item's own limits.
    low, high : array of float
        The limits that floor and ceiling refer to.
    limits : {"given", "observed"}
        Where the limits come from.  Observed ones are the lowest and highest answer to *any* item.
    in_scale : array of bool
        False for an item without any answer, which ``missing="available"`` leaves out of the scale.
    missing : str
        The missing-data rule.
    flags : tuple of Message
        Constant items, items without answers, items that may need reversing, what is not defined.
    """

    items: tuple[str, ...]
    n: Integers
    mean: Floats
    sd: Floats
    skewness: Floats
    floor_share: Floats
    ceiling_share: Floats
    missing_share: Floats
    item_rest_correlation: Floats
    item_rest_available: Floats
    alpha_if_deleted: Floats
    alpha: float
    n_rows: int
    n_complete: int
    categories: Floats
    category_counts: Floats
    low: Floats
    high: Floats
    limits: Literal["given", "observed"]
    in_scale: Booleans
    missing: str
    flags: tuple[Message, ...]

    def flags_of(self, item: str) -> tuple[Message, ...]:
        """Return the flags that concern an item."""
        return tuple(flag for flag in self.flags if flag.params.get("item") == item)

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an item.

        Columns: item, n, reason (the item's flags), and mean, sd, skewness, floor_share, ceiling_share,
        missing_share, item_rest_correlation, item_rest_available, alpha_if_deleted, alpha (of the whole scale).
        """
        figures = (
            "mean", "sd", "skewness", "floor_share", "ceiling_share", "missing_share",
            "item_rest_correlation", "item_rest_available", "alpha_if_deleted",
        )  # fmt: skip
        reasons = [" ".join(flag.text("en") for flag in self.flags_of(item)) for item in self.items]
        columns = {name: getattr(self, name).tolist() for name in figures}
        alpha = [self.alpha] * len(self.items)
        return table(
            {"item": self.items, "n": self.n.tolist(), "reason": reasons, **columns, "alpha": alpha},
            extra=(*figures, "alpha"),
        )

    @property
    def category_table(self) -> pd.DataFrame:
        """Return one line an item and category, unused ones too.

        Columns: item, n (answers of the item), category, count, share.
        """
        shares = self.category_shares
        kept = [(i, j) for i, row in enumerate(self.category_counts) for j in np.flatnonzero(~np.isnan(row))]
        columns: dict[str, list[Any]] = {
            "item": [self.items[i] for i, _ in kept],
            "n": [int(self.n[i]) for i, _ in kept],
            "category": [float(self.categories[j]) for _, j in kept],
            "count": [int(self.category_counts[at]) for at in kept],
            "share": [float(shares[at]) for at in kept],
        }
        return table(columns, extra=("category", "count", "share"))

    @property
    def category_shares(self) -> Floats:
        """Return `category_counts` as shares (0–1) of each item's answers."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.category_counts / self.n[:, None])

    def summary(self) -> str:
        """Return a few lines in English: the scale, items without which alpha is larger, then the flags."""
        alpha = coefficient(self.alpha, "en")
        lines = [f"{len(self.items)} items, {self.n_complete} of {self.n_rows} rows complete, alpha {alpha}."]
        pairs = zip(self.items, self.alpha_if_deleted.tolist(), strict=True)
        larger = [f"{item} ({coefficient(other, 'en')})" for item, other in pairs if other > self.alpha]
        if larger:
            lines.append(f"Alpha ({alpha}) is larger without: {', '.join(larger)}.")
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])


def item_analysis(
    x: object,
    *,
    missing: HolesAllowed = "raise",
    low: float | ArrayLike | None = None,
    high: float | ArrayLike | None = None,
) -> ItemAnalysis:
    r"""Return item statistics, item-rest correlations and alpha if an item is deleted.

    The correlations and alphas describe *reflective* scales.  An item of a formative component is part of
    the definition: a low item-rest correlation is no reason to drop it.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as numbers, reversed items already reversed, at least two items; NaN is missing.
    missing : {"raise", "listwise", "available"}
        Raise where an answer is missing; leave out respondents with any missing answer; or describe each
        item by its own answers, while correlations and alphas still come from the complete rows (of the
        items that have any answer at all).
    low, high : float or array-like of shape (items,), optional
        The lowest and highest answer that the scale allows, both or neither.  Without them floor and
        ceiling refer to the lowest and highest answer observed in any item.

    Returns
    -------
    ItemAnalysis
        Arrays of one value an item, the scale's alpha, and flags.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", infinite values, answers outside the limits,
        only one of the limits, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Some figures are not defined and are NaN; `flags` tell which and why.  One warning a call.

    Notes
    -----
    The item-rest correlation is :math:`r(x_i, \sum_{j \ne i} x_j)` [1]_; a negative one flags the item as
    possibly not reversed.  `item_rest_available` puts into it covariances of each pair of items, from all who
    answered both, as psych does by default; these need not come from any one sample, so that it is beside the
    one over complete rows and not instead of it.  Skewness is
    :math:`G_1 = m_3 / m_2^{3/2} \cdot \sqrt{n(n-1)}/(n-2)` [2]_, for n ≥ 3.  Alpha if deleted needs three items.

    References
    ----------
    .. [1] Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric theory (3rd ed.). McGraw-Hill.
    .. [2] Joanes, D. N., & Gill, C. A. (1998). Comparing measures of sample skewness and kurtosis. The
       Statistician, 47, 183–189.

    Examples
    --------
    >>> x = [[1, 2, 4], [2, 2, 3], [3, 4, 3], [4, 5, 1], [4, 4, 2]]
    >>> result = item_analysis(x, low=1, high=5)
    >>> result.item_rest_correlation.round(3).tolist()
    [0.271, 0.408, -0.898]
    >>> [flag.code for flag in result.flags]
    ['psychometrics.item_negative_rest']
    >>> result.category_counts[0].astype(int).tolist()
    [1, 1, 1, 2, 0]
    """
    check_choice("missing", missing, HOLES_ALLOWED)
    matrix = as_matrix(x, least_columns=2)
    n_rows, k = matrix.cells.shape
    answered = ~np.isnan(matrix.cells)
    lowest, highest, limits = _limits(matrix, low, high)
    any_answer = np.asarray(answered.any(axis=0))
    in_scale = any_answer if missing == "available" else np.ones_like(any_answer)
    complete = complete_rows(matrix.cells[:, in_scale], matrix.labels, missing)
    n_complete = int(complete.sum())
    values = matrix.cells if missing == "available" else matrix.cells[complete]
    n, mean, sd, skewness = _moments(values)
    scale = matrix.cells[complete][:, in_scale]
    rest, deleted, available = np.full((3, k), np.nan)
    rest[in_scale], deleted[in_scale] = _with_the_rest(scale)
    available[any_answer] = pairwise_item_rest(matrix.cells[:, any_answer])
    categories, counts = category_use(values, lowest, highest, given=limits == "given")
    alpha = float(alpha_of(scale))
    with np.errstate(invalid="ignore"):
        floor = (values == lowest).sum(axis=0) / n
        ceiling = (values == highest).sum(axis=0) / n
        missing_share = (~answered).sum(axis=0) / np.float64(n_rows)
    flags = _flags(matrix.labels, any_answer, sd, rest, alpha=alpha, n=n_complete, k=int(in_scale.sum()))
    figures = (mean, sd, skewness, floor, ceiling, missing_share, rest, deleted)
    n_undefined = sum(int(np.isnan(figure).sum()) for figure in figures) + int(np.isnan(alpha))
    if n_undefined:
        warn_undefined(Message("psychometrics.items_undefined", {"n": n_undefined, "reasons": flags}))
    mean, sd, skewness, floor, ceiling, missing_share, rest, deleted = map(read_only, figures)
    return ItemAnalysis(
        items=matrix.labels,
        n=read_only(n),
        mean=mean,
        sd=sd,
        skewness=skewness,
        floor_share=floor,
        ceiling_share=ceiling,
        missing_share=missing_share,
        item_rest_correlation=rest,
        item_rest_available=read_only(available),
        alpha_if_deleted=deleted,
        alpha=alpha,
        n_rows=n_rows,
        n_complete=n_complete,
        categories=read_only(categories),
        category_counts=read_only(counts),
        low=lowest,
        high=highest,
        limits=limits,
        in_scale=read_only(in_scale.copy()),
        missing=missing,
        flags=flags,
    )


def _limits(matrix: Matrix, low: object, high: object) -> tuple[Floats, Floats, Literal["given", "observed"]]:
    """Return the limits of each item, given or observed over all items."""
    k = matrix.cells.shape[1]
    if (low is None) != (high is None):
        raise UsageError("psychometrics.one_limit", given="high" if low is None else "low")
    if low is not None:
        lowest, highest = check_limits(low, high, k)
        check_within(matrix, lowest, highest)
        return lowest, highest, "given"
    known = matrix.cells[~np.isnan(matrix.cells)]
    bounds = (known.min(), known.max()) if known.size else (np.nan, np.nan)
    return read_only(np.full(k, bounds[0])), read_only(np.full(k, bounds[1])), "observed"


def _moments(values: Floats) -> tuple[Integers, Floats, Floats, Floats]:
    """Return n, mean, sd (n − 1) and adjusted skewness of columns (n, k) with holes."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    still = np.array([without_spread(column[at, None])[0] if at.any() else True
                      for column, at in zip(values.T, known.T, strict=True)])  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0) / n
        centred = np.where(known, values - mean, 0.0)
        squares = np.where(still, 0.0, np.square(centred).sum(axis=0))
        sd = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
        m3 = (centred**3).sum(axis=0) / n
        g1 = m3 / (squares / n) ** 1.5
        skewness = np.where((n > 2) & ~still, g1 * np.sqrt(n * (n - 1.0)) / (n - 2.0), np.nan)
    return n, mean, sd, skewness


def _with_the_rest(scale: Floats) -> tuple[Floats, Floats]:
    """Return item-rest correlations and alphas if deleted of a complete table (n, k)."""
    n, k = scale.shape
    if n < 2 or k < 2:
        return np.full(k, np.nan), np.full(k, np.nan)
    centred = scale - scale.mean(axis=0)
    rest = scale.sum(axis=1, keepdims=True) - scale
    rest_centred = centred.sum(axis=1, keepdims=True) - centred
    own, others = np.square(centred).sum(axis=0), np.square(rest_centred).sum(axis=0)
    still = without_spread(rest)
    undefined = still | without_spread(scale)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (centred * rest_centred).sum(axis=0) / np.sqrt(own * others)
        # alpha of the k − 1 others: their item variances are all the variances without one's own
        deleted = (k - 1) / (k - 2) * (1.0 - (own.sum() - own) / others) if k > 2 else np.full(k, np.nan)
    return np.where(undefined, np.nan, np.clip(correlation, -1.0, 1.0)), np.where(still, np.nan, deleted)


def _flags(
    labels: tuple[str, ...], answered: Booleans, sd: Floats, rest: Floats, *, alpha: float, n: int, k: int
) -> tuple[Message, ...]:
    """Return what a reader must know, items first, then the scale of k items and n complete rows."""
    flags = []
    for column, item in enumerate(labels):
        if not answered[column]:
            flags.append(Message("psychometrics.item_all_missing", {"item": item}))
        elif sd[column] == 0:
            flags.append(Message("psychometrics.item_constant", {"item": item}))
        elif rest[column] < 0:
            flags.append(Message("psychometrics.item_negative_rest", {"item": item, "r": float(rest[column])}))
        elif n > 1 and k > 1 and np.isnan(rest[column]):
            flags.append(Message("psychometrics.item_rest_undefined", {"item": item, "n": n}))
    if n < 3 or k < 3:
        flags.append(Message("psychometrics.too_small_for_all", {"n": n, "k": k}))
    if n > 1 and k > 1 and np.isnan(alpha):
        flags.append(Message("psychometrics.sum_constant", {"n": n}))
    return tuple(flags)
