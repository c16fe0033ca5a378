"""Parallel analysis: how many eigenvalues are larger than those of answers that have nothing in common."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    CompleteTable,
    Floats,
    as_number,
    check_choice,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.exploratory._matrix import Correlated, Correlation, Given, read_correlations
from ibic_fidelity.psychometrics.exploratory._simulated import reduced_eigenvalues, replicates
from ibic_fidelity.psychometrics.resampling import as_generator

if TYPE_CHECKING:
    import pandas as pd

ParallelMethod = Literal["permutation", "normal"]
PARALLEL_METHODS: tuple[ParallelMethod, ...] = get_args(ParallelMethod)


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis:
    """Eigenvalues beside those of unrelated answers, as `parallel_analysis` returns them; arrays have k values.

    Attributes
    ----------
    n_components, n_factors : int
        How many eigenvalues, from the first on without a gap, are above the quantile: of the correlation
        matrix, and of the matrix with communalities in its diagonal; −1 where they are not defined.
    components, factors : array of float
        Eigenvalues of the correlation matrix, falling (the scree), and of the reduced one.
    component_quantiles, factor_quantiles : array of float
        The quantile of those of the replicates.
    component_means, factor_means : array of float
        Their means.
    quantile : float
        Which one.
    n_replicates, n_undefined : int
        Replicates drawn, and those without correlations, which are left out.
    method, correlation, missing : str
        "permutation" or "normal"; which correlations; the missing-data rule.
    items : tuple of str
        The items' labels.
    n, k, n_dropped : int
        Respondents, items, respondents left out by ``missing="listwise"``.
    reason : Message or None
        Why there are no numbers.
    flags : tuple of Message
        What a reader must know.
    """

    n_components: int
    n_factors: int
    components: Floats
    factors: Floats
    component_quantiles: Floats
    factor_quantiles: Floats
    component_means: Floats
    factor_means: Floats
    quantile: float
    n_replicates: int
    n_undefined: int
    method: str
    correlation: str
    missing: str
    items: tuple[str, ...]
    n: int
    k: int
    n_dropped: int
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an eigenvalue.

        Columns: position, component, component_quantile, component_mean, factor, factor_quantile, factor_mean.
        """
        columns = {
            "position": list(range(1, self.k + 1)),
            "component": self.components.tolist(),
            "component_quantile": self.component_quantiles.tolist(),
            "component_mean": self.component_means.tolist(),
            "factor": self.factors.tolist(),
            "factor_quantile": self.factor_quantiles.tolist(),
            "factor_mean": self.factor_means.tolist(),
        }
        return table(columns, extra=tuple(columns))

    def summary(self) -> str:
        """Return the numbers in English, then the flags."""
        if self.reason is not None:
            return f"Parallel analysis is not defined: {self.reason.text('en')}"
        head = (
            f"Parallel analysis ({self.correlation}, {self.method}, {self.n_replicates} replicates, "
            f"{percent(self.quantile, 'en')} quantile): {self.n_components} component(s), {self.n_factors} factor(s); "
            f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers."
        )
        return "\n".join([head, *(flag.text("en") for flag in self.flags)])


def parallel_analysis(
    x: object,
    *,
    correlation: Correlation = "pearson",
    method: ParallelMethod = "permutation",
    n_replicates: int = 200,
    quantile: float = 0.95,
    given: Given = "answers",
    n: int | None = None,
    missing: CompleteTable = "raise",
    smooth: bool = False,
    rng: np.random.Generator | int = 0,
) -> ParallelAnalysis:
    r"""Return how many components and common factors stand out from answers that have nothing in common.

    Two counts, as psych's ``fa.parallel`` gives them: of the eigenvalues of the correlation matrix (Horn's, of
    components), and of those of the matrix with communalities in its diagonal (of common factors), which tends to
    give more.  Where they differ, the range is the answer; read it with theory and `minimum_average_partial`.

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, or with ``given="correlations"`` their correlations, three items at least; NaN is
        missing.
    correlation : {"pearson", "polychoric"}
        Which, of the answers and of every replicate.
    method : {"permutation", "normal"}
        Each item's own answers in random order, or normal values (for polychoric correlations cut at the
        items' own shares, so that replicates have as many categories).  A matrix given knows "normal" only.
    n_replicates : int
        How many tables without common factors to draw, 20 at least.
    quantile : float
        Of the replicates' eigenvalues, which the answers' must be above, between 0 and 1.
    given : {"answers", "correlations"}
        What `x` holds.
    n : int, optional
        With ``given="correlations"``, and needed then: from how many respondents they are.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    smooth : bool
        Make a polychoric matrix that is not positive definite so; a flag tells it.
    rng : int or numpy.random.Generator
        Seed or generator of the replicates.

    Returns
    -------
    ParallelAnalysis
        Both numbers, the eigenvalues (scree) and those of the replicates.

    Raises
    ------
    UsageError
        Fewer than three items, missing answers under "raise", a matrix that holds no correlations or has no `n`,
        permutation of a matrix, polychoric correlations of a matrix, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No numbers: fewer than three respondents, constant items, or no correlations.

    Notes
    -----
    Communalities are those of one minres factor, of the answers and of each replicate [1]_ [2]_ [3]_.  Permuting
    keeps each item's answers as they are; psych draws them with replacement.

    *Recovery* (calibration/exploratory_recovery.csv; loadings of .6, four items a factor).  One factor, or three
    uncorrelated ones, are counted right in .96–1.00 of samples from 100 respondents on, by both counts.  Of three
    factors that correlate .5, the count of common factors is right in .66 with 100 respondents and .98–1.00 with
    300, that of components in .16 and .69–.78: components miss factors that correlate.  For five skewed categories
    polychoric correlations did no better than product-moment ones (.96 of 25 samples against .98 of 100).

    References
    ----------
    .. [1] Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika, 30,
       179–185.
    .. [2] Humphreys, L. G., & Montanelli, R. G. (1975). An investigation of the parallel analysis criterion for
       determining the number of common factors. Multivariate Behavioral Research, 10, 193–205.
    .. [3] Buja, A., & Eyuboglu, N. (1992). Remarks on parallel analysis. Multivariate Behavioral Research, 27, 509–540.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(300, 2)) @ np.kron(np.eye(2), np.full(4, 0.7)) + 0.7 * rng.normal(size=(300, 8))
    >>> result = parallel_analysis(x, n_replicates=50)
    >>> result.n_components, result.n_factors
    (2, 2)
    """
    check_choice("method", method, PARALLEL_METHODS)
    count, level = _checked(n_replicates, quantile)
    generator = as_generator(rng, "psychometrics/parallel")
    read = read_correlations(x, correlation=correlation, given=given, n=n, missing=missing, smooth=smooth, least=3)
    if given == "correlations":
        if read.n == 0:
            raise UsageError("psychometrics.n_of_matrix", value=repr(n))
        if method == "permutation" or correlation == "polychoric":
            raise UsageError("psychometrics.parallel_of_matrix")
    k, drawn = read.k, np.full((2, 1, read.k), np.nan)
    own, lost = np.full((2, 1, k), np.nan), 0
    if read.reason is not None:
        warn_undefined(read.reason)
    else:
        own = _both(read.matrix[None])
        drawn = np.concatenate(
            [_both(block) for block in replicates(read.values, read.n, k, correlation, method, count, generator)],
            axis=1,
        )
        lost = int(np.isnan(drawn).any(axis=(0, 2)).sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no replicate at all: NaN
        limits, means = np.nanquantile(drawn, level, axis=1), np.nanmean(drawn, axis=1)
    numbers = [-1 if read.reason else retained(own[i, 0], limits[i]) for i in (0, 1)]
    return ParallelAnalysis(
        n_components=numbers[0],
        n_factors=numbers[1],
        components=read_only(own[0, 0].copy()),
        factors=read_only(own[1, 0].copy()),
        component_quantiles=read_only(limits[0].copy()),
        factor_quantiles=read_only(limits[1].copy()),
        component_means=read_only(means[0].copy()),
        factor_means=read_only(means[1].copy()),
        quantile=level,
        n_replicates=count,
        n_undefined=count if read.reason else lost,
        method=method,
        correlation=correlation,
        missing=read.missing,
        items=read.items,
        n=read.n,
        k=k,
        n_dropped=read.n_dropped,
        reason=read.reason,
        flags=() if read.reason else tuple(_flags(read, lost, count)),
    )


def retained(own: Floats, limits: Floats) -> int:
    """Return how many eigenvalues (k,), from the first on, are above their limits (k,)."""
    below = ~(own > limits)
    return int(np.argmax(below)) if below.any() else len(own)


def _both(matrices: Floats) -> Floats:
    """Return eigenvalues (2, B, k) of matrices and of their reduced ones; NaN for a matrix with NaN."""
    known = ~np.isnan(matrices).any(axis=(1, 2))
    made = np.full((2, *matrices.shape[:2]), np.nan)
    made[0, known] = np.linalg.eigvalsh(matrices[known])[:, ::-1]
    if known.any():
        made[1, known] = reduced_eigenvalues(matrices[known])
    return made


def _checked(n_replicates: object, quantile: object) -> tuple[int, float]:
    if not isinstance(n_replicates, int | np.integer) or isinstance(n_replicates, bool) or n_replicates < 20:
        raise UsageError("psychometrics.replicates", value=repr(n_replicates))
    level = as_number(quantile)
    if level is None or not 0.0 < level < 1.0:
        raise UsageError("psychometrics.quantile", value=repr(quantile))
    return int(n_replicates), level


def _flags(read: Correlated, lost: int, count: int) -> list[Message]:
    flags = [*read.flags]
    if not read.regular:
        flags.append(read.singular)
    if lost:
        flags.append(Message("psychometrics.replicates_lost", {"n": lost, "of": count}))
    return flags
