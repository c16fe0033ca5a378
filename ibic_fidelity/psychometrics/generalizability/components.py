"""Variance components of a generalizability study, however they were estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability.design import Design, Effect

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class VarianceComponents:
    """Variance components of a design, as `variance_components` returns them.

    Attributes
    ----------
    design : Design
        With its effects.
    effects : tuple of Effect, length E
        The effects that have a component, in the design's order; a fixed facet's own effect is not among them.
        The last one is the residual.
    estimate : array of float, shape (E,)
        Components, NaN where one is not estimable; negative estimates (analysis of variance) are 0 here.
    untruncated : array of float, shape (E,)
        Before negative ones were put to 0; by REML the same as `estimate`.
    std_error : array of float, shape (E,)
        NaN where a component lies at 0.
    ci : tuple of ConfidenceInterval, length E
    covariance : array of float, shape (E, E)
        Of the components, for what is made from them; 0 rows at the boundary.
    fixed : tuple of str
        Facets whose conditions are the only ones that matter.
    levels : mapping of str to int
        Number of conditions of each facet in the data, over all it is nested in.
    mean_levels : mapping of str to float
        Harmonic mean number of conditions of each facet within one condition of what it is nested in or observed
        with (files a site, raters a file, items a rating).
    n, n_dropped : int
        Ratings used, and left out because missing.
    mean : float
        Mean of the ratings used.
    estimator : str
        "REML" or "ANOVA".
    engine : str
        What computed it: "balanced mean squares", "nested REML" or "mixedlm".
    criterion : float
        REML criterion, NaN for the analysis of variance.
    converged : bool
    reasons : tuple of Message or None, length E
        Why a component is not estimated.
    flags : tuple of Message
        What must be known: boundary, items random, raters inseparable from sites, no convergence.
    mean_squares, mean_square_df : array of float, shape (E,)
        Of the analysis of variance, the residual's with what is pooled into it; NaN otherwise.
    """

    design: Design
    effects: tuple[Effect, ...]
    estimate: Floats
    untruncated: Floats
    std_error: Floats
    ci: tuple[ConfidenceInterval, ...]
    covariance: Floats
    fixed: tuple[str, ...]
    levels: dict[str, int]
    mean_levels: dict[str, float]
    n: int
    n_dropped: int
    mean: float
    estimator: str
    engine: str
    criterion: float
    converged: bool
    reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]
    mean_squares: Floats = field(default_factory=lambda: np.empty(0))
    mean_square_df: Floats = field(default_factory=lambda: np.empty(0))

    def of(self, *facets: str) -> float:
        """Return the component of the effect with just these indices, NaN where there is none."""
        wanted = frozenset(facets)
        found = [i for i, effect in enumerate(self.effects) if effect.indices == wanted]
        return float(self.estimate[found[0]]) if found else float("nan")

    @property
    def share(self) -> Floats:
        """Return the components as shares of the sum of those that are estimated, shape (E,)."""
        whole = float(np.nansum(self.estimate))
        return np.asarray(self.estimate / whole if whole > 0.0 else np.full(len(self.estimate), np.nan))

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a component.

        Columns: statistic ("variance"), n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, effect,
        untruncated, share.
        """
        k = len(self.effects)
        return table(
            {
                "statistic": ["variance"] * k,
                "n": [self.n] * k,
                "estimate": self.estimate.tolist(),
                "std_error": self.std_error.tolist(),
                "ci_low": [ci.low for ci in self.ci],
                "ci_high": [ci.high for ci in self.ci],
                "ci_level": [ci.confidence_level for ci in self.ci],
                "method": [ci.method for ci in self.ci],
                "reason": [reason.text("en") if reason else "" for reason in self.reasons],
                "effect": [effect.name for effect in self.effects],
                "untruncated": self.untruncated.tolist(),
                "share": self.share.tolist(),
            },
            extra=("effect", "untruncated", "share"),
        )

    def summary(self) -> str:
        """Return one line a component in English, and one a flag."""
        dropped = f", {self.n_dropped} missing" if self.n_dropped else ""
        fixed = f", {' and '.join(self.fixed)} fixed" if self.fixed else ""
        how = f"{self.estimator}, {self.engine}" if self.engine else self.estimator
        lines = [f"Variance components of {self.design.text}{fixed}: {self.n} ratings{dropped} ({how})."]
        for effect, value, share, ci, reason in zip(
            self.effects, self.estimate, self.share, self.ci, self.reasons, strict=True
        ):
            if reason is not None:
                lines.append(f"  {effect.name}: not estimated. {reason.text('en')}")
                continue
            limits = "" if math.isnan(ci.low) else f" ({interval(ci.low, ci.high, 'en', digits=4)})"
            lines.append(f"  {effect.name}: {value:.4f}{limits}, {percent(float(share), 'en')}")
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])
