"""Whether correlations are such that factors can be looked for: KMO and Bartlett's test of sphericity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, number
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import CompleteTable, Floats, read_only, warn_undefined
from ibic_fidelity.psychometrics.exploratory._matrix import Correlated, Correlation, Given, read_correlations

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class SamplingAdequacy:
    """The Kaiser–Meyer–Olkin measure, as `sampling_adequacy` returns it.

    Attributes
    ----------
    estimate : float
        Of all items.
    of_items : array of float, shape (k,)
        Of each item.
    items : tuple of str
        The items' labels.
    n, k, n_dropped : int
        Respondents (0 where not known), items, respondents left out by ``missing="listwise"``.
    correlation, missing : str
        Which correlations, and the missing-data rule.
    reason : Message or None
        Why it is not defined.
    flags : tuple of Message
        What a reader must know of the correlations.
    """

    estimate: float
    of_items: Floats
    items: tuple[str, ...]
    n: int
    k: int
    n_dropped: int
    correlation: str
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line for all items and one an item.  Columns: item, statistic, n, estimate, reason."""
        said = " ".join(m.text("en") for m in (*((self.reason,) if self.reason else ()), *self.flags))
        rows = self.k + 1
        return table(
            {
                "item": ["", *self.items],
                "statistic": ["kmo"] * rows,
                "n": [self.n] * rows,
                "estimate": [self.estimate, *self.of_items.tolist()],
                "reason": [said] * rows,
            }
        )

    def summary(self) -> str:
        """Return a few lines in English: the measure, its lowest item, then the flags."""
        if self.reason is not None:
            return f"KMO is not defined: {self.reason.text('en')}"
        low = int(np.argmin(self.of_items))
        least = f"lowest {self.items[low]} {coefficient(float(self.of_items[low]), 'en')}"
        head = f"KMO {coefficient(self.estimate, 'en')} ({self.correlation}), {self.k} items, {least}."
        return "\n".join([head, *(flag.text("en") for flag in self.flags)])


@dataclass(frozen=True, slots=True, eq=False)
class BartlettSphericity:
    """Bartlett's test that no items correlate, as `bartlett_sphericity` returns it.

    Attributes
    ----------
    chi_square, p_value : float
        The statistic, χ²-distributed where no items correlate, and the chance of one as large.
    df : int
        k(k − 1)/2.
    n, k, n_dropped : int
        Respondents, items, respondents left out by ``missing="listwise"``.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why it is not defined.
    """

    chi_square: float
    df: int
    p_value: float
    n: int
    k: int
    n_dropped: int
    missing: str
    reason: Message | None

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a figure.  Columns: statistic, n, estimate, reason."""
        names = ("chi_square", "df", "p_value")
        figures = (self.chi_square, float(self.df), self.p_value)
        said = self.reason.text("en") if self.reason else ""
        return table({"statistic": names, "n": [self.n] * 3, "estimate": figures, "reason": [said] * 3})

    def summary(self) -> str:
        """Return the test in one line of English."""
        if self.reason is not None:
            return f"Bartlett's test is not defined: {self.reason.text('en')}"
        p = "p < .001" if self.p_value < 0.001 else f"p = {number(self.p_value, 'apa', digits=3)}"
        chi = number(self.chi_square, "en", digits=2)
        return f"Bartlett's test of sphericity: χ²({self.df}) = {chi}, {p}, n = {self.n}."


def sampling_adequacy(
    x: object,
    *,
    correlation: Correlation = "pearson",
    given: Given = "answers",
    missing: CompleteTable = "raise",
    smooth: bool = False,
) -> SamplingAdequacy:
    r"""Return the Kaiser–Meyer–Olkin measure of sampling adequacy, of all items and of each.

    How much items correlate beyond pairs: near 1, what two items share is shared by others, too; at .5 and below
    there is nothing for a factor to gather.  It says nothing of how many factors there are.

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, or with ``given="correlations"`` their correlations; NaN is missing.
    correlation : {"pearson", "polychoric"}
        Of answers, which to take.
    given : {"answers", "correlations"}
        What `x` holds.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    smooth : bool
        Make a polychoric matrix that is not positive definite so; a flag tells it.

    Returns
    -------
    SamplingAdequacy
        The measure, 0 to 1.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", a matrix that holds no correlations, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        NaN: fewer than three respondents, constant items, no correlations, or a singular matrix, whose
        partial correlations are not defined.

    Notes
    -----
    With correlations r and partial correlations q given all other items (of the inverse of R) [1]_,

    .. math:: \mathrm{KMO} = \frac{\sum_{i \ne j} r_{ij}^2}{\sum_{i \ne j} r_{ij}^2 + \sum_{i \ne j} q_{ij}^2}.

    Computed here and not by factor-analyzer, which gives the same (a test compares them) but takes no matrix,
    and whose import costs more than a second.

    References
    ----------
    .. [1] Kaiser, H. F., & Rice, J. (1974). Little Jiffy, Mark IV. Educational and Psychological Measurement, 34,
       111–117.

    Examples
    --------
    >>> r = [[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]]
    >>> print(f"{sampling_adequacy(r, given='correlations').estimate:.3f}")
    0.628
    """
    read = read_correlations(x, correlation=correlation, given=given, missing=missing, smooth=smooth)
    reason = _not_inverted(read)
    estimate, of_items = math.nan, np.full(read.k, np.nan)
    if reason is None:
        estimate, of_items = _kmo(read.matrix)
        if math.isnan(estimate):
            reason = Message("psychometrics.nothing_correlates")
    if reason is not None:
        warn_undefined(reason)
    return SamplingAdequacy(
        estimate=estimate,
        of_items=read_only(of_items),
        items=read.items,
        n=read.n,
        k=read.k,
        n_dropped=read.n_dropped,
        correlation=read.correlation,
        missing=read.missing,
        reason=reason,
        flags=read.flags,
    )


def bartlett_sphericity(
    x: object, *, given: Given = "answers", n: int | None = None, missing: CompleteTable = "raise"
) -> BartlettSphericity:
    r"""Return Bartlett's test that no items correlate.

    With a hundred respondents or more it rejects for next to any set of items: that it does is no sign that
    factors are there.  For normal answers; it is not defined for polychoric correlations.

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, or with ``given="correlations"`` their correlations; NaN is missing.
    given : {"answers", "correlations"}
        What `x` holds.
    n : int, optional
        With ``given="correlations"``, and needed then: from how many respondents they are.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.

    Returns
    -------
    BartlettSphericity
        The statistic, its degrees of freedom and p.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", a matrix that holds no correlations or has no `n`,
        `n` with answers, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        NaN: fewer than three respondents, constant items, or a singular matrix.

    Notes
    -----
    .. math:: \chi^2 = -\left(n - 1 - \frac{2k + 5}{6}\right) \log |R|, \quad df = k(k - 1)/2 \quad \text{[1]_}

    References
    ----------
    .. [1] Bartlett, M. S. (1951). The effect of standardization on a χ² approximation in factor analysis.
       Biometrika, 38, 337–344.

    Examples
    --------
    >>> r = [[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]]
    >>> result = bartlett_sphericity(r, given="correlations", n=100)
    >>> print(f"{result.chi_square:.2f}, df {result.df}")
    46.45, df 3
    """
    read = read_correlations(x, given=given, n=n, missing=missing)
    if given == "correlations" and read.n == 0:
        raise UsageError("psychometrics.n_of_matrix", value=repr(n))
    k, chi_square, p_value = read.k, math.nan, math.nan
    df = k * (k - 1) // 2
    reason = _not_inverted(read)
    if reason is not None:
        warn_undefined(reason)
    else:
        scale = read.n - 1 - (2 * k + 5) / 6
        chi_square = max(-scale * float(np.linalg.slogdet(read.matrix)[1]), 0.0)
        p_value = float(chdtrc(df, chi_square))
    return BartlettSphericity(chi_square, df, p_value, read.n, k, read.n_dropped, read.missing, reason)


def _not_inverted(read: Correlated) -> Message | None:
    """Return why the matrix has no inverse to use."""
    return read.reason or (None if read.regular else read.singular)


def _kmo(matrix: Floats) -> tuple[float, Floats]:
    """Return the measure of all items, and of each (k,), of a matrix (k, k) that is not singular."""
    inverse = np.linalg.inv(matrix)
    root = np.sqrt(np.diagonal(inverse))
    partial = inverse / np.outer(root, root)
    plain = matrix.copy()
    np.fill_diagonal(partial, 0.0)
    np.fill_diagonal(plain, 0.0)
    r, q = np.square(plain), np.square(partial)
    with np.errstate(invalid="ignore"):
        return float(np.divide(r.sum(), r.sum() + q.sum())), r.sum(axis=0) / (r + q).sum(axis=0)
