"""What generalizability studies give: components with the decision as observed, and where the error is from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.foundation.results import COLUMNS, table
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._decision_model import observed
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.decision_results import DecisionStudy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class WayOfWorking:
    """Where the error of one object's mean is from, as `GeneralizabilityStudy.way_of_working` returns it.

    Variances are in squared units of the ratings; divide by the squared range of the scale for shares of it.

    Attributes
    ----------
    object_of_measurement : str
        Whose mean it is.
    sources : tuple of str
        "file", "assessor", "rater", "rater × file", …: the random facets of the effects that were added up, without
        those that others of them are nested in.
    variance, std_error, df : array (S,)
        Variance that one condition of the source gives a mean over the fixed facets (one rater's severity over all
        items), its standard error, and Satterthwaite's degrees of freedom (NaN where there is no standard error).
    sd : array (S,)
        Square root of the variance.
    error : array (S,)
        Variance that the source gives the object's mean, with as many conditions as were observed.
    n_levels : tuple of int
        Conditions in the data of the facets of each source, the most of one facet.
    estimator : str
        By what the components were estimated.
    fixed : tuple of str
        Facets over whose conditions the mean is.
    levels : dict of str to int
        Conditions of each facet in the data.
    reasons : tuple of Message or None, length S
        Why a variance is not known.
    """

    object_of_measurement: str
    sources: tuple[str, ...]
    variance: Floats
    std_error: Floats
    df: Floats
    sd: Floats
    error: Floats
    n_levels: tuple[int, ...]
    estimator: str
    fixed: tuple[str, ...]
    levels: dict[str, int]
    reasons: tuple[Message | None, ...]

    @property
    def total(self) -> float:
        """Return the variance of the error of one object's mean, NaN where a source is not known."""
        return float(self.error.sum())

    @property
    def calibration(self) -> dict[str, Any]:
        """Return plain data that an instrument can carry: sources, numbers of conditions, and how they were made.

        A source that is not estimable is left out.
        """
        known = [i for i in range(len(self.sources)) if math.isfinite(self.variance[i])]
        return {
            "estimator": self.estimator,
            "fixed": list(self.fixed),
            "levels": dict(self.levels),
            "object_of_measurement": self.object_of_measurement,
            "sources": {
                self.sources[i]: {
                    "variance": float(self.variance[i]),
                    "std_error": _or_none(self.std_error[i]),
                    "df": _or_none(self.df[i]),
                    "sd": float(self.sd[i]),
                }
                for i in known
            },
        }

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a source: statistic "way_of_working", estimate (one condition), std_error, source, error."""
        count = len(self.sources)
        return table(
            {
                "statistic": ["way_of_working"] * count,
                "n": list(self.n_levels),
                "estimate": self.variance.tolist(),
                "std_error": self.std_error.tolist(),
                "method": [self.estimator] * count,
                "reason": ["" if reason is None else reason.text("en") for reason in self.reasons],
                "source": list(self.sources),
                "df": self.df.tolist(),
                "error": self.error.tolist(),
            },
            extra=("df", "error"),
        )

    def summary(self) -> str:
        """Return one line in English, and one a source that is not known."""
        parts = ", ".join(
            f"{name} {percent(float(error) / self.total, 'en')}"
            for name, error in zip(self.sources, self.error, strict=True)
        )
        line = f"Error variance of one {self.object_of_measurement}'s mean {self.total:.4g}: {parts}."
        return "\n".join([line, *(reason.text("en") for reason in self.reasons if reason is not None)])


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, slots=True, eq=False)
class GeneralizabilityStudy:
    """Components and what they mean for one object's mean as it was observed, as `generalizability_study` returns them.

    Attributes
    ----------
    components : VarianceComponents
        With standard errors and intervals.
    decision : DecisionStudy
        At the observed numbers of conditions, one point.
    object_of_measurement : str
        What is told apart.
    """

    components: VarianceComponents
    decision: DecisionStudy
    object_of_measurement: str

    @property
    def share(self) -> Floats:
        """Return each component as a share of their sum: of the variance of one rating."""
        return self.components.share

    @property
    def table(self) -> pd.DataFrame:
        """Return the components' lines and those of the decision at the observed numbers."""
        parts = self.components.table, self.decision.table
        names = list(dict.fromkeys(name for part in parts for name in part.columns))
        columns = {
            name: [
                value
                for part in parts
                for value in (part[name].tolist() if name in part.columns else [None] * len(part))
            ]
            for name in names
        }
        return table(columns, extra=tuple(name for name in names if name not in COLUMNS))

    def summary(self) -> str:
        """Return the shares in one line in English, and the decision at the observed numbers."""
        parts = ", ".join(
            f"{effect.name} {percent(float(share), 'en')}"
            for effect, share in zip(self.components.effects, self.share, strict=True)
        )
        made = self.components
        line = f"Variance of one rating by {made.estimator} from {made.n} ratings: {parts}."
        return "\n".join([line, *(flag.text("en") for flag in made.flags), self.decision.summary()])

    def way_of_working(self) -> WayOfWorking:
        """Return what each source adds to the error of one object's mean, and what one condition of it adds.

        Returns
        -------
        WayOfWorking
            Variance of one rater, one file, one assessor over the fixed facets, with standard errors, and the table
            that an instrument can carry.
        """
        g, measured = self.components, self.object_of_measurement
        nested, count = g.design.nested_in, {facet: observed(g, facet) for facet in g.design.facets}
        effects: dict[tuple[str, ...], list[int]] = {}
        for i, effect in enumerate(g.effects):
            free = effect.indices - {measured} - set(g.fixed)
            if free:
                inner = free - {outer for facet in free for outer in nested.get(facet, ())}
                effects.setdefault(tuple(f for f in g.design.facets if f in inner), []).append(i)
        weights = np.zeros((len(effects), len(g.effects)))
        error = np.zeros((len(effects), len(g.effects)))
        for row, members in enumerate(effects.values()):
            for i in members:
                indices = g.effects[i].indices - {measured}
                weights[row, i] = 1.0 / math.prod(count[f] for f in indices & set(g.fixed))
                error[row, i] = 1.0 / math.prod(count[f] for f in indices)
        return _way_of_working(self, tuple(effects), weights, error)


def _way_of_working(
    study: GeneralizabilityStudy, facets: tuple[tuple[str, ...], ...], weights: Floats, error: Floats
) -> WayOfWorking:
    g = study.components
    used = [np.flatnonzero(row) for row in weights]
    variance = np.array([float(weights[i, at] @ g.estimate[at]) for i, at in enumerate(used)])
    spread = np.array(
        [float(weights[i, at] @ g.covariance[np.ix_(at, at)] @ weights[i, at]) for i, at in enumerate(used)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        std_error = np.where(spread > 0.0, np.sqrt(spread), np.nan)
        df = 2.0 * variance**2 / np.square(std_error)
    return WayOfWorking(
        object_of_measurement=study.object_of_measurement,
        sources=tuple(" × ".join(names) for names in facets),
        variance=variance,
        std_error=std_error,
        df=df,
        sd=np.sqrt(np.maximum(variance, 0.0)),
        error=np.array([float(error[i, at] @ g.estimate[at]) for i, at in enumerate(used)]),
        n_levels=tuple(max(g.levels[f] for f in names) for names in facets),
        estimator=g.estimator,
        fixed=g.fixed,
        levels=dict(g.levels),
        reasons=tuple(next((g.reasons[i] for i in at if g.reasons[i] is not None), None) for at in used),
    )
