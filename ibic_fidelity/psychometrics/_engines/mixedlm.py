"""Variance components by REML: the only module that imports `mixedlm`, which asks for a frame of pandas.

The library warns and stops in its own words; here that becomes `Message`s of ours, and no warning passes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Floats, Integers, without_spread

#: Of the standard deviation of a factor over that of the residual: below, the component is put to 0.
_ZERO = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class RemlFit:
    """What a fit by REML gives; everything is NaN where `reason` says why there is no fit.

    Attributes
    ----------
    components : dict
        Variance of each factor by its name, and of the residual as "residual".
    mean : float
        The fixed intercept.
    criterion : float
        −2 times the restricted log-likelihood at the estimates, constants included, as lme4's `REMLcrit`.
    converged : bool
        Whether the optimiser says so.
    reason : Message or None
        Why there is no fit.
    notes : tuple of Message
        Non-convergence, and components at the boundary 0.
    """

    components: dict[str, float]
    mean: float
    criterion: float
    converged: bool
    reason: Message | None
    notes: tuple[Message, ...]


def reml_components(y: Floats, factors: Mapping[str, Integers]) -> RemlFit:
    """Return the variance components of a model with an intercept and random factors, by REML.

    Parameters
    ----------
    y : array (n,)
        Observations, without missing ones.
    factors : mapping of str to array (n,)
        Integer codes of each random factor, crossed as they are; for a factor nested in another one give
        codes that are unique over it.  Names are free, except "residual".

    Returns
    -------
    RemlFit
        Components, criterion, and our messages; factors with fewer than two levels or one level a row are
        not estimable beside the residual and give a reason.

    Raises
    ------
    UsageError
        Factors of another length than `y`.
    """
    values = np.asarray(y, dtype=np.float64)
    names = tuple(factors)
    codes = [np.unique(np.asarray(factors[name]), return_inverse=True)[1] for name in names]
    for name, of_factor in zip(names, codes, strict=True):
        if len(of_factor) != len(values):
            raise UsageError(
                "psychometrics.lengths_differ", argument=name, n=len(of_factor), data="y", rows=len(values)
            )
    reason = _not_estimable(values, names, codes)
    return _nothing(names, reason) if reason else _fit(values, names, codes)


def _fit(values: Floats, names: tuple[str, ...], codes: list[Integers]) -> RemlFit:
    """Return the fit of standardised values, put back into their unit."""
    import mixedlm
    import pandas as pd

    scale = float(values.std())
    frame = pd.DataFrame({"y": (values - values.mean()) / scale})
    columns = [f"f{i}" for i in range(len(names))]
    for column, of_factor in zip(columns, codes, strict=True):
        frame[column] = of_factor.astype(str)
    formula = "y ~ 1" + "".join(f" + (1 | {column})" for column in columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = mixedlm.lmer(formula, frame)
        except (RuntimeError, ValueError, np.linalg.LinAlgError):
            return _nothing(names, Message("psychometrics.reml_no_fit", {"n": len(values)}))
        groups = made.VarCorr().groups
    residual = float(made.sigma) ** 2
    found = [float(next(iter(groups[column].variance.values()))) for column in columns]
    found = [variance if variance > _ZERO**2 * residual else 0.0 for variance in found]
    notes = _notes(names, found, bool(made.converged))
    components = {name: variance * scale**2 for name, variance in zip(names, found, strict=True)}
    return RemlFit(
        components={**components, "residual": residual * scale**2},
        mean=float(made.fixef()["(Intercept)"]) * scale + float(values.mean()),
        criterion=float(made.REMLcrit()) + 2.0 * (len(values) - 1) * math.log(scale),
        converged=bool(made.converged),
        reason=None,
        notes=notes,
    )


def _notes(names: tuple[str, ...], found: list[float], converged: bool) -> tuple[Message, ...]:
    at_zero = [name for name, variance in zip(names, found, strict=True) if variance == 0.0]
    notes = [] if converged else [Message("psychometrics.reml_not_converged", {})]
    if at_zero:
        notes.append(Message("psychometrics.reml_boundary", {"factors": ", ".join(at_zero)}))
    return tuple(notes)


def _not_estimable(values: Floats, names: tuple[str, ...], codes: list[Integers]) -> Message | None:
    """Return why the components cannot be estimated, before the library is asked, or None."""
    n = len(values)
    if n < 2 or without_spread(values[:, np.newaxis])[0]:
        return Message("psychometrics.no_variation", {"n": n})
    for name, of_factor in zip(names, codes, strict=True):
        levels = int(of_factor.max()) + 1
        if not 2 <= levels < n:
            return Message("psychometrics.reml_levels", {"factor": name, "levels": levels, "n": n})
    return None


def _nothing(names: tuple[str, ...], reason: Message) -> RemlFit:
    components = dict.fromkeys((*names, "residual"), math.nan)
    return RemlFit(components, math.nan, math.nan, converged=False, reason=reason, notes=())
