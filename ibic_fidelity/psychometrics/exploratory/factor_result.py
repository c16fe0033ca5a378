"""What `exploratory_factor_analysis` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class FactorAnalysis:
    """Factors of items, as `exploratory_factor_analysis` returns them; k items, m factors.

    Attributes
    ----------
    loadings, structure, unrotated : array of float, shape (k, m)
        Rotated loadings (the pattern); correlations of items with factors; loadings before rotation.
    factor_correlations : array of float, shape (m, m)
        Φ; the identity for orthogonal rotations.
    communalities, uniquenesses : array of float, shape (k,)
        Of each item's variance, the share of the factors, diag(ΛΦΛ'), and the rest.
    variance, variance_share : array of float, shape (m,)
        What each factor accounts for, diag(ΦΛ'Λ), in items' variances and as a share of all k.
    eigenvalues : array of float, shape (k,)
        Of the correlation matrix, falling.
    correlations, residuals : array of float, shape (k, k)
        The matrix analysed, and what the factors leave of it (uniquenesses in the diagonal).
    chi_square, df, p_value, bic : float
        Bartlett's corrected likelihood ratio statistic of the fit; NaN where it is not defined, see `flags`.
    rmsea, tli : float
        Root mean square error of approximation and Tucker–Lewis index, by that statistic.
    rmsea_ci : ConfidenceInterval
        By the noncentral χ² distribution.
    rmsr, rmsr_corrected : float
        Root mean square residual correlation, and with degrees of freedom in its denominator.
    determinacy, determinacy_squared, minimum_correlation : array of float, shape (m,)
        Correlation of each factor with its regression scores, its square, and 2R² − 1: how far two sets of
        scores, both of which fit, may agree at least.
    items, factors, heywood_items : tuple of str
        Labels; items whose uniqueness is at or below the bound of .005.
    n, k, n_factors, n_dropped : int
        Respondents (0 where not known), items, factors, respondents left out by ``missing="listwise"``.
    extraction, rotation, correlation, missing : str
        What was chosen; `rotation` is "none" for unrotated factors.
    converged : bool
        Whether extraction and rotation converged.
    n_starts, n_starts_at_best : int
        Starts of the rotation, and how many of them reached the criterion's least value; 0 where a rotation has
        no starts.
    item_means, item_sds : array of float, shape (k,)
        Of the answers used; NaN for a matrix given.
    reason : Message or None
        Why there are no factors.
    flags : tuple of Message
        What a reader must know.
    """

    loadings: Floats
    structure: Floats
    unrotated: Floats
    factor_correlations: Floats
    communalities: Floats
    uniquenesses: Floats
    variance: Floats
    variance_share: Floats
    eigenvalues: Floats
    correlations: Floats
    residuals: Floats
    chi_square: float
    df: int
    p_value: float
    bic: float
    rmsea: float
    rmsea_ci: ConfidenceInterval
    tli: float
    rmsr: float
    rmsr_corrected: float
    determinacy: Floats
    determinacy_squared: Floats
    minimum_correlation: Floats
    items: tuple[str, ...]
    factors: tuple[str, ...]
    heywood_items: tuple[str, ...]
    n: int
    k: int
    n_factors: int
    n_dropped: int
    extraction: str
    rotation: str
    correlation: str
    missing: str
    converged: bool
    n_starts: int
    n_starts_at_best: int
    item_means: Floats
    item_sds: Floats
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return the fit, one figure a line.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason.
        """
        figures = {
            "chi_square": self.chi_square,
            "df": float(self.df),
            "p_value": self.p_value,
            "rmsea": self.rmsea,
            "tli": self.tli,
            "bic": self.bic,
            "rmsr": self.rmsr,
            "rmsr_corrected": self.rmsr_corrected,
        }
        said = " ".join(m.text("en") for m in (*((self.reason,) if self.reason else ()), *self.flags))
        of_rmsea = [name == "rmsea" for name in figures]
        ci = self.rmsea_ci
        return table(
            {
                "statistic": list(figures),
                "n": [self.n] * len(figures),
                "estimate": list(figures.values()),
                "ci_low": [ci.low if here else math.nan for here in of_rmsea],
                "ci_high": [ci.high if here else math.nan for here in of_rmsea],
                "ci_level": [ci.confidence_level if here else math.nan for here in of_rmsea],
                "method": [ci.method if here else "" for here in of_rmsea],
                "reason": [said] * len(figures),
            }
        )

    @property
    def item_table(self) -> pd.DataFrame:
        """Return one line an item.  Columns: item, one a factor, communality, uniqueness."""
        columns = {name: self.loadings[:, i].tolist() for i, name in enumerate(self.factors)}
        columns |= {"communality": self.communalities.tolist(), "uniqueness": self.uniquenesses.tolist()}
        return table({"item": self.items, **columns}, extra=tuple(columns))

    @property
    def factor_table(self) -> pd.DataFrame:
        """Return one line a factor: variance, its share, determinacy and correlations with the factors."""
        columns = {
            "factor": list(self.factors),
            "variance": self.variance.tolist(),
            "variance_share": self.variance_share.tolist(),
            "determinacy": self.determinacy.tolist(),
            "determinacy_squared": self.determinacy_squared.tolist(),
            "minimum_correlation": self.minimum_correlation.tolist(),
        }
        columns |= {name: self.factor_correlations[:, i].tolist() for i, name in enumerate(self.factors)}
        return table(columns, extra=tuple(columns))

    def summary(self) -> str:
        """Return a few lines in English: what was done, the fit, the factors, then the flags."""
        what = f"{self.n_factors} factor(s) of {self.k} items ({self.extraction}, {self.rotation}, {self.correlation})"
        if self.reason is not None:
            return f"{what} are not defined: {self.reason.text('en')}"
        used = f"{self.n} respondents, {self.n_dropped} left out for missing answers" if self.n else "n not known"
        lines = [f"{what}, {used}."]
        if not math.isnan(self.chi_square):
            fit = f"χ²({self.df}) = {number(self.chi_square, 'en', digits=2)}"
            if self.df > 0:
                p = "p < .001" if self.p_value < 0.001 else f"p = {number(self.p_value, 'apa', digits=3)}"
                ci = self.rmsea_ci
                level, limits = percent(ci.confidence_level, "en"), interval(ci.low, ci.high, "apa", digits=3)
                rmsea = f"RMSEA {coefficient(self.rmsea, 'en', digits=3)} ({level} {limits})"
                fit += f", {p}, {rmsea}, TLI {coefficient(self.tli, 'en', digits=3)}"
            lines.append(f"{fit}.")
        lines.append(f"Root mean square residual {coefficient(self.rmsr, 'en', digits=3)}.")
        for name, share, r in zip(self.factors, self.variance_share, self.determinacy, strict=True):
            lines.append(f"{name}: {percent(float(share), 'en')} of the variance, determinacy {coefficient(r, 'en')}.")
        if self.n_starts:
            lines.append(f"{self.n_starts_at_best} of {self.n_starts} starts reached the best rotation.")
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])
