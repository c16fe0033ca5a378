"""What decision studies give: figures over a grid, and how many conditions reach a target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient as printed
from ibic_fidelity.foundation.numbers import interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats, as_number, check_choice
from ibic_fidelity.psychometrics.generalizability._decision_model import DecisionModel

if TYPE_CHECKING:
    import pandas as pd

#: Coefficients that a number of conditions can be asked for.
DecisionCoefficient = Literal["phi", "erho2", "phi_lambda"]

_FIGURES = (
    "universe_score", "relative_error", "absolute_error", "erho2", "phi", "phi_lambda", "relative_sem", "absolute_sem",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class NeededConditions:
    """How many conditions of a facet reach a target, as `DecisionStudy.needed` returns it.

    Attributes
    ----------
    estimate : float
        The smallest whole number, infinite where the target is not reached, NaN where components are not known.
    ci : ConfidenceInterval
        The smallest numbers at which the upper and the lower limit of the coefficient reach the target; infinite
        where a limit never does.
    limit : float
        The coefficient that is approached as the number grows.
    facet : str
        Of which conditions.
    others : dict of str to float
        Conditions of the other facets.
    coefficient : str
        "phi", "erho2" or "phi_lambda".
    target : float
        What is to be reached.
    """

    estimate: float
    ci: ConfidenceInterval
    limit: float
    facet: str
    others: dict[str, float]
    coefficient: str
    target: float

    @property
    def table(self) -> pd.DataFrame:
        """Return one line: statistic "needed", estimate, interval, facet, coefficient, target, limit."""
        return table(
            {
                "statistic": ["needed"],
                "estimate": [self.estimate],
                "ci_low": [self.ci.low],
                "ci_high": [self.ci.high],
                "ci_level": [self.ci.confidence_level],
                "method": [self.ci.method],
                "facet": [self.facet],
                "coefficient": [self.coefficient],
                "target": [self.target],
                "limit": [self.limit],
            },
            extra=("facet", "coefficient", "target", "limit"),
        )

    def summary(self) -> str:
        """Return one line in English."""
        wanted = f"{self.coefficient} of {printed(self.target, 'en')}"
        if math.isnan(self.estimate):
            return f"How many conditions of {self.facet} reach {wanted} cannot be told: components are not known."
        low, high = (_count(limit) for limit in (self.ci.low, self.ci.high))
        level = percent(self.ci.confidence_level, "en")
        beside = f"{level} interval {low} to {high}; the limit is {printed(self.limit, 'en')}"
        if math.isinf(self.estimate):
            return f"No number of conditions of {self.facet} reaches {wanted} ({beside})."
        return f"{_count(self.estimate)} conditions of {self.facet} reach {wanted} ({beside})."


def _count(value: float) -> str:
    return "not reachable" if math.isinf(value) else f"{value:.0f}"


@dataclass(frozen=True, slots=True, eq=False)
class DecisionStudy:
    r"""Error and coefficients over a grid of numbers of conditions, as `decision_study` returns them.

    Attributes
    ----------
    object_of_measurement : str
        What is told apart, such as "site".
    n : dict of str to array (G,)
        Conditions of each facet at every point of the grid, of a nested facet in each condition that it is nested in.
    total : dict of str to array (G,)
        Conditions over all that a facet is nested in, of facets that were asked for so.
    universe_score : array (G,)
        Variance of the universe score, :math:`\sigma^2(\tau)`.
    relative_error, absolute_error : array (G,)
        :math:`\sigma^2(\delta)`, for comparing objects, and :math:`\sigma^2(\Delta)`, for their level.
    erho2, phi, phi_lambda : array (G,)
        Generalizability coefficient, index of dependability, and that of decisions at `cut` (NaN without one).
    relative_sem, absolute_sem : array (G,)
        Square roots of the error variances.
    low, high : dict of str to array (G,)
        Limits of each of these eight, by name.
    cut : float
        NaN where none was given.
    confidence_level : float
        Of the limits.
    method : str
        How they were made.
    n_objects : int
        Objects of measurement in the data.
    components : dict of str to float
        The components that were used.
    fixed : tuple of str
        Facets whose conditions are the only ones that matter.
    assumed_zero : tuple of str
        Effects that the caller assumes to be 0.
    given : dict of str to float
        Components that the caller gave; they count as known without error.
    reasons : dict of str to Message
        Why a figure is NaN, by its name.
    flags : tuple of Message
        What was assumed, and where intervals are not reliable.
    model : DecisionModel
        What the figures are computed from.
    """

    object_of_measurement: str
    n: dict[str, Floats]
    total: dict[str, Floats]
    universe_score: Floats
    relative_error: Floats
    absolute_error: Floats
    erho2: Floats
    phi: Floats
    phi_lambda: Floats
    relative_sem: Floats
    absolute_sem: Floats
    low: dict[str, Floats]
    high: dict[str, Floats]
    cut: float
    confidence_level: float
    method: str
    n_objects: int
    components: dict[str, float]
    fixed: tuple[str, ...]
    assumed_zero: tuple[str, ...]
    given: dict[str, float]
    reasons: dict[str, Message]
    flags: tuple[Message, ...]
    model: DecisionModel

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a point of the grid and figure.

        Columns: statistic, n (objects in the data), estimate, ci_low, ci_high, ci_level, method, reason, and
        ``n_<facet>`` for each facet, ``total_<facet>`` for totals.  Without a cut there is no line of phi_lambda.
        """
        points = len(self.universe_score)
        shown = [name for name in _FIGURES if name != "phi_lambda" or not math.isnan(self.cut)]
        flags = [message.text("en") for message in self.flags]
        rows = points * len(shown)
        columns: dict[str, list[Any]] = {
            "statistic": shown * points,
            "n": [self.n_objects] * rows,
            "ci_level": [self.confidence_level] * rows,
            "method": [self.method] * rows,
            "reason": [
                " ".join([*([self.reasons[name].text("en")] if name in self.reasons else []), *flags]) for name in shown
            ]
            * points,
        }
        for column, figures in (
            ("estimate", {name: getattr(self, name) for name in shown}),
            ("ci_low", self.low),
            ("ci_high", self.high),
        ):
            columns[column] = np.column_stack([figures[name] for name in shown]).ravel().tolist()
        for facet, numbers in self.n.items():
            columns[f"n_{facet}"] = np.repeat(numbers, len(shown)).tolist()
        for facet, numbers in self.total.items():
            columns[f"total_{facet}"] = np.repeat(numbers, len(shown)).tolist()
        return table(columns, extra=(*(f"n_{facet}" for facet in self.n), *(f"total_{facet}" for facet in self.total)))

    def summary(self) -> str:
        """Return one line in English a point of the grid, and one a reason or flag."""
        level = percent(self.confidence_level, "en")
        lines = []
        for i in range(len(self.phi)):
            figures = ", ".join(
                f"{sign} {printed(float(getattr(self, name)[i]), 'en')} "
                f"({interval(float(self.low[name][i]), float(self.high[name][i]), 'apa', digits=2)})"
                for name, sign in (("erho2", "Eρ²"), ("phi", "Φ"), ("phi_lambda", f"Φ({self.cut:g})"))
                if name != "phi_lambda" or not math.isnan(self.cut)
            )
            numbers = ", ".join(f"{facet} {values[i]:.4g}" for facet, values in self.n.items())
            numbers += "".join(f", {facet} in all {values[i]:.4g}" for facet, values in self.total.items())
            lines.append(f"{self.object_of_measurement} over {numbers}: {figures}, {level} intervals.")
        said = dict.fromkeys((*self.reasons.values(), *self.flags))
        return "\n".join([*lines, *(message.text("en") for message in said)])

    def needed(self, facet: str, *, coefficient: DecisionCoefficient = "phi", target: float = 0.80) -> NeededConditions:
        """Return the smallest number of conditions of a facet with which a coefficient reaches a target.

        Parameters
        ----------
        facet : str
            A random facet; the other facets keep their number in this study, which must be one number each.  Of a
            facet that the study has as a total, it is the total that is asked for.
        coefficient : {"phi", "erho2", "phi_lambda"}
            Which coefficient.
        target : float
            Between 0 and 1.

        Returns
        -------
        NeededConditions
            The number, its interval, and the coefficient that is approached.

        Raises
        ------
        UsageError
            An unknown or fixed facet, several numbers of another facet, a target outside 0–1, or phi_lambda
            without a cut.
        """
        free = tuple(name for name in self.n if name not in self.fixed)
        check_choice("facet", facet, free)
        check_choice("coefficient", coefficient, get_args(DecisionCoefficient))
        number = as_number(target)
        if number is None or not 0.0 < number < 1.0:
            raise UsageError("psychometrics.decision_target", value=repr(target))
        model = self.model
        around = [model.facets[at] for at in model.outer.get(model.facets.index(facet), ())]
        held = {name: values for name, values in self.n.items() if name not in (facet, *around)}
        several = [name for name, values in held.items() if len(set(values.tolist())) > 1]
        if several:
            raise UsageError("psychometrics.decision_needed_several", facet=facet, others=several)
        if coefficient == "phi_lambda" and math.isnan(self.cut):
            raise UsageError("psychometrics.decision_needed_cut", coefficient=coefficient)
        at = np.array([[values[0] for values in self.n.values()]])
        estimate, draws, limit = self.model.needed(facet, at, coefficient, number)
        low, high = math.nan, math.nan
        if not (math.isnan(estimate) or np.isnan(draws).any()):
            ends = [0.5 - self.confidence_level / 2.0, 0.5 + self.confidence_level / 2.0]
            low, high = (float(end) for end in np.quantile(draws, ends, method="inverted_cdf"))
        return NeededConditions(
            estimate=estimate,
            ci=ConfidenceInterval(low, high, self.confidence_level, self.method),
            limit=limit,
            facet=facet,
            others={name: float(values[0]) for name, values in held.items()}
            | {name: float(model.most[model.facets.index(name)]) for name in around},
            coefficient=coefficient,
            target=number,
        )
