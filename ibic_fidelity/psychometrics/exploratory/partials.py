"""Velicer's minimum average partial: how many components to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import CompleteTable, Floats, read_only, warn_undefined
from ibic_fidelity.psychometrics.exploratory._matrix import Correlation, Given, read_correlations

if TYPE_CHECKING:
    import pandas as pd

#: An item's variance that components have taken up, so that it has no partial correlations.
_TAKEN = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class MinimumAveragePartial:
    """Average partial correlations by number of components, as `minimum_average_partial` returns them.

    Attributes
    ----------
    n_components, n_components_power4 : int
        Where the average squared partial correlation is least, and that of the fourth power; −1 where it is
        not defined.
    averages, averages_power4 : array of float, shape (k − 1,)
        With 0, 1, … components partialled out; NaN where an item has nothing left.
    eigenvalues : array of float, shape (k,)
        Of the correlation matrix, falling.
    n, k, n_dropped : int
        Respondents (0 where not known), items, respondents left out by ``missing="listwise"``.
    correlation, missing : str
        Which correlations, and the missing-data rule.
    reason : Message or None
        Why it is not defined.
    flags : tuple of Message
        What a reader must know of the correlations.
    """

    n_components: int
    n_components_power4: int
    averages: Floats
    averages_power4: Floats
    eigenvalues: Floats
    n: int
    k: int
    n_dropped: int
    correlation: str
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a number of components.  Columns: components, average, average_power4."""
        columns = {
            "components": list(range(len(self.averages))),
            "average": self.averages.tolist(),
            "average_power4": self.averages_power4.tolist(),
        }
        return table(columns, extra=tuple(columns))

    def summary(self) -> str:
        """Return the numbers of components in English, then the flags."""
        if self.reason is not None:
            return f"The minimum average partial is not defined: {self.reason.text('en')}"
        head = (
            f"Minimum average partial ({self.correlation}, {self.k} items): {self.n_components} component(s); "
            f"{self.n_components_power4} by the fourth power."
        )
        return "\n".join([head, *(flag.text("en") for flag in self.flags)])


def minimum_average_partial(
    x: object,
    *,
    correlation: Correlation = "pearson",
    given: Given = "answers",
    missing: CompleteTable = "raise",
    smooth: bool = False,
) -> MinimumAveragePartial:
    r"""Return how many components leave the least partial correlations, by Velicer's test and its revision.

    Beside `parallel_analysis`: it errs towards too few where factors have few items or low loadings.  With four items
    of .6 a factor, three factors that correlate .5 were found in none of the samples, even of 1,000 respondents, and
    three uncorrelated ones in .60 (100 respondents) to .98 (1,000); the fourth power found them in .14–.29
    (calibration/exploratory_recovery.csv).

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, or with ``given="correlations"`` their correlations, three items at least; NaN is
        missing.
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
    MinimumAveragePartial
        Both numbers, and the averages that they come from; 0 is a possible answer.

    Raises
    ------
    UsageError
        Fewer than three items, missing answers under "raise", a matrix that holds no correlations, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No number: fewer than three respondents, constant items, or no correlations.

    Notes
    -----
    With m principal components partialled out of the items, q the correlations of what is left,

    .. math:: \mathrm{MAP}_m = \frac{1}{k(k - 1)} \sum_{i \ne j} q_{ij}^2, \quad m = 0, \dots, k - 2,

    is least at the number to keep [1]_; the revision takes :math:`q^4` [2]_.

    References
    ----------
    .. [1] Velicer, W. F. (1976). Determining the number of components from the matrix of partial correlations.
       Psychometrika, 41, 321–327.
    .. [2] Velicer, W. F., Eaton, C. A., & Fava, J. L. (2000). Construct explication through factor or component
       analysis. In R. D. Goffin & E. Helmes (Eds.), Problems and solutions in human assessment (pp. 41–71). Kluwer.

    Examples
    --------
    >>> import numpy as np
    >>> r = np.kron(np.eye(2), np.full((4, 4), 0.5)) + 0.5 * np.eye(8)
    >>> minimum_average_partial(r, given="correlations").n_components
    2
    """
    read = read_correlations(x, correlation=correlation, given=given, missing=missing, smooth=smooth, least=3)
    averages = np.full((2, read.k - 1), np.nan)
    spectrum = np.full(read.k, np.nan)
    if read.reason is not None:
        warn_undefined(read.reason)
    else:
        found, spectrum = average_partials(read.matrix[None])
        averages = found[:, 0]
    numbers = [-1 if np.isnan(row).all() else int(np.nanargmin(row)) for row in averages]
    flags = (*read.flags, *(() if read.reason or read.regular else (read.singular,)))
    return MinimumAveragePartial(
        n_components=numbers[0],
        n_components_power4=numbers[1],
        averages=read_only(averages[0]),
        averages_power4=read_only(averages[1]),
        eigenvalues=read_only(spectrum.copy()),
        n=read.n,
        k=read.k,
        n_dropped=read.n_dropped,
        correlation=read.correlation,
        missing=read.missing,
        reason=read.reason,
        flags=flags,
    )


def average_partials(matrices: Floats) -> tuple[Floats, Floats]:
    """Return average partial correlations (2, B, k − 1), squared and of power four, and eigenvalues of the first."""
    size, k = matrices.shape[:2]
    values, vectors = np.linalg.eigh(matrices)
    values, vectors = values[:, ::-1], vectors[:, :, ::-1]
    left = matrices.copy()
    made = np.full((2, size, k - 1), np.nan)
    at = np.arange(k)
    for m in range(k - 1):
        if m:
            component = vectors[:, :, m - 1]
            left = left - values[:, m - 1, None, None] * component[:, :, None] * component[:, None, :]
        own = left[:, at, at]
        good = (own > _TAKEN).all(axis=1)
        if not good.any():
            break
        root = np.sqrt(own[good])
        squares = np.square(left[good] / (root[:, :, None] * root[:, None, :]))
        squares[:, at, at] = 0.0
        made[0, good, m] = squares.sum(axis=(1, 2)) / (k * (k - 1))
        made[1, good, m] = np.square(squares).sum(axis=(1, 2)) / (k * (k - 1))
    return made, values[0]
