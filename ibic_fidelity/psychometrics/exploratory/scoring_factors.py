"""Scores of factors, and how far they can be trusted to stand for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_matrix,
    check_choice,
    complete_rows,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.exploratory.factor_result import FactorAnalysis

if TYPE_CHECKING:
    import pandas as pd

ScoreMethod = Literal["regression", "bartlett", "ten-berge"]
SCORE_METHODS: tuple[ScoreMethod, ...] = get_args(ScoreMethod)


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """Scores of factors, as `factor_scores` returns them; k items, m factors.

    Attributes
    ----------
    scores : array of float, shape (respondents, m)
        One row a row of the answers; NaN where an answer is missing.
    weights : array of float, shape (k, m)
        Of the standardised answers.
    validity : array of float, shape (m,)
        Correlation of each score with its factor.
    score_correlations : array of float, shape (m, m)
        Of the scores with each other, by the correlations analysed.
    method : str
        "regression", "bartlett" or "ten-berge".
    factors : tuple of str
        The factors' names.
    n, n_dropped : int
        Rows with scores; rows without, for a missing answer.
    reason : Message or None
        Why there are no scores.
    """

    scores: Floats
    weights: Floats
    validity: Floats
    score_correlations: Floats
    method: str
    factors: tuple[str, ...]
    n: int
    n_dropped: int
    reason: Message | None

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a row of the answers, one column a factor."""
        columns = {name: self.scores[:, i].tolist() for i, name in enumerate(self.factors)}
        return table(columns, extra=tuple(columns))

    def summary(self) -> str:
        """Return in English what the scores are and how they go with their factors."""
        if self.reason is not None:
            return f"Factor scores ({self.method}) are not defined: {self.reason.text('en')}"
        told = ", ".join(f"{name} {r:.2f}" for name, r in zip(self.factors, self.validity, strict=True))
        return f"Factor scores ({self.method}) of {self.n} respondents; correlation with their factor: {told}."


def factor_scores(
    x: object, fit: FactorAnalysis, *, method: ScoreMethod = "regression", missing: CompleteTable = "raise"
) -> FactorScores:
    r"""Return scores of factors for respondents.

    Infinitely many sets of scores fit a factor model; `fit.minimum_correlation` tells how far two of them may
    differ.  Where it is low, no method mends it.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers to the items of the fit, in its order; NaN is missing.  They are standardised by the means and
        standard deviations of the answers that were fitted (a matrix given has none: by their own).
    fit : FactorAnalysis
        Of `exploratory_factor_analysis`.
    method : {"regression", "bartlett", "ten-berge"}
        Thurstone's, with the highest correlation with the factor; unbiased, with the least squared unique parts;
        with the factors' own correlations.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or give such a row NaN.

    Returns
    -------
    FactorScores
        Scores, weights, and correlations with the factors.

    Raises
    ------
    UsageError
        As many columns as the fit has items are needed; missing answers under "raise"; an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        The fit has no factors, its matrix is singular, or a uniqueness is not above 0 for "bartlett".

    Notes
    -----
    With structure S = ΛΦ the weights are :math:`R^{-1}S` (regression),
    :math:`\Psi^{-1}\Lambda(\Lambda'\Psi^{-1}\Lambda)^{-1}` (Bartlett), and
    :math:`R^{-1/2} C \Phi^{1/2}` with :math:`C = R^{-1/2}L(L'R^{-1}L)^{-1/2}, L = \Lambda\Phi^{1/2}` (ten Berge) [1]_
    [2]_.  From polychoric correlations they are weights of normal values behind the answers; of the answers
    themselves the scores are then an approximation, and `validity` is too high.

    References
    ----------
    .. [1] Grice, J. W. (2001). Computing and evaluating factor scores. Psychological Methods, 6, 430–450.
    .. [2] ten Berge, J. M. F., Krijnen, W. P., Wansbeek, T., & Shapiro, A. (1999). Some new results on
       correlation-preserving factor scores prediction methods. Linear Algebra and its Applications, 289, 311–318.

    Examples
    --------
    >>> import numpy as np
    >>> from ibic_fidelity.psychometrics import exploratory_factor_analysis
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(300, 1))
    >>> x = trait * [0.9, 0.8, 0.7, 0.6] + 0.5 * rng.normal(size=(300, 4))
    >>> made = factor_scores(x, exploratory_factor_analysis(x, n_factors=1))
    >>> print(f"{made.validity[0]:.2f}, found {np.corrcoef(made.scores[:, 0], trait[:, 0])[0, 1]:.2f}")
    0.95, found 0.94
    """
    check_choice("method", method, SCORE_METHODS)
    check_choice("missing", missing, COMPLETE_TABLE)
    if not isinstance(fit, FactorAnalysis):
        raise UsageError("psychometrics.not_a_fit", value=repr(type(fit).__name__))
    matrix = as_matrix(x)
    if matrix.cells.shape[1] != fit.k:
        raise UsageError("psychometrics.items_of_fit", n=matrix.cells.shape[1], k=fit.k)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    m, reason = fit.n_factors, _no_scores(fit, method)
    scores, weights = np.full((len(complete), m), np.nan), np.full((fit.k, m), np.nan)
    validity, between = np.full(m, np.nan), np.full((m, m), np.nan)
    if reason is None:
        weights = score_weights(fit.correlations, fit.loadings, fit.factor_correlations, method)
        spread = weights.T @ fit.correlations @ weights
        sd = np.sqrt(np.diagonal(spread))
        validity = (weights * fit.structure).sum(axis=0) / sd
        between = spread / np.outer(sd, sd)
        z = _standardized(matrix.cells[complete], fit)
        if np.isnan(z).any():
            reason = Message("psychometrics.too_few_for_correlations", {"n": len(z)})
        scores[complete] = z @ weights
    if reason is not None:
        warn_undefined(reason)
    return FactorScores(
        scores=read_only(scores),
        weights=read_only(weights),
        validity=read_only(validity),
        score_correlations=read_only(between),
        method=method,
        factors=fit.factors,
        n=int(complete.sum()) if reason is None else 0,
        n_dropped=int((~complete).sum()),
        reason=reason,
    )


def score_weights(matrix: Floats, loadings: Floats, phi: Floats, method: str) -> Floats:
    """Return weights (k, m) of standardised answers."""
    structure = loadings @ phi
    if method == "regression":
        return np.asarray(np.linalg.solve(matrix, structure))
    if method == "bartlett":
        unique = 1.0 - (structure * loadings).sum(axis=1)
        scaled = loadings / unique[:, None]
        return np.asarray(scaled @ np.linalg.inv(loadings.T @ scaled))
    root = _power(phi, 0.5)
    lean = _power(matrix, -0.5)
    toward = lean @ loadings @ root
    return np.asarray(lean @ toward @ _power(toward.T @ toward, -0.5) @ root)


def _power(matrix: Floats, power: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-300) ** power) @ vectors.T)


def _standardized(values: Floats, fit: FactorAnalysis) -> Floats:
    """Return standard scores (n, k); NaN where answers cannot be standardised."""
    if not np.isnan(fit.item_sds).any():
        return np.asarray((values - fit.item_means) / fit.item_sds)
    if len(values) < 2:
        return np.full(values.shape, math.nan)
    sd = values.std(axis=0, ddof=1)
    return np.asarray((values - values.mean(axis=0)) / np.where(sd > 0, sd, np.nan))


def _no_scores(fit: FactorAnalysis, method: str) -> Message | None:
    """Return why a fit gives no scores."""
    if fit.reason is not None:
        return fit.reason
    if np.isnan(fit.determinacy_squared).any():
        return Message("psychometrics.scores_singular")
    if method == "bartlett" and (fit.uniquenesses <= 0).any():
        return Message("psychometrics.efa_heywood", {"items": fit.heywood_items})
    return None
