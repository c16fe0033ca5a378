"""Variance components by REML: the only module that imports `mixedlm`, which asks for a frame of pandas.

The library warns and stops in its own words; here that becomes `Message`s of ours, and no warning passes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers, without_spread

#: Of the standard deviation of a factor over that of the residual: below, the component is put to 0.
_ZERO = 1e-5
#: Steps of finite differences, of a component; for the residual a tenth of it is still far above rounding.
_DIFFERENCE = 0.02
#: For the gradient not above this share of a standard error, so that its error is small beside what is looked for.
_OF_ERROR = 0.1
#: Predicted fall of the criterion at which a profile has converged; half of it is taken off.
_NEAR = 3e-4
_STEPS = 40


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


@dataclass(frozen=True, slots=True, eq=False)
class MixedModel:
    """A fit by REML whose criterion can be asked again: for the information and for profiles.

    Attributes
    ----------
    values : array (K + 1,)
        Variance of each factor in the order given, and of the residual; NaN where `reason` says why.
    information : array (K + 1, K + 1)
        Observed information, by differences of the criterion; rows of components at 0 by differences upwards.
    criterion : float
        −2 times the restricted log-likelihood, constants included, as lme4's `REMLcrit`.
    converged : bool
    reason : Message or None
    """

    values: Floats
    information: Floats
    criterion: float
    converged: bool
    reason: Message | None
    _surface: Callable[[Floats], float]
    _path: dict[int, list[tuple[Floats, Floats]]]

    @classmethod
    def fit(
        cls, y: Floats, factors: Mapping[str, Integers], *, fixed: Integers | None = None, restricted: bool = True
    ) -> MixedModel:
        """Fit random factors, each given by unique codes, about one mean or about the means of `fixed`.

        Without `restricted` the likelihood is the whole one, which is for comparisons with other programs.
        """
        names = tuple(factors)
        codes = [np.unique(np.asarray(factors[name]), return_inverse=True)[1] for name in names]
        reason = _not_estimable(y, names, codes)
        if reason is None and names:
            made = _surface_of(y, codes, fixed, restricted=restricted)
            if made is not None:
                values, bend, surface, converged = made
                return cls(values, bend / 2.0, surface(values), converged, None, surface, {})
            reason = Message("psychometrics.reml_no_fit", {"n": len(y)})
        nothing = np.full(len(names) + 1, np.nan)
        return cls(
            nothing, np.diag(nothing), math.nan, converged=False, reason=reason, _surface=lambda _: math.nan, _path={}
        )

    @property
    def covariance(self) -> Floats:
        """Inverse of the information of the components above 0; 0 for those at the boundary."""
        made = np.zeros_like(self.information)
        free = np.flatnonzero(self.values > 0.0)
        if len(free):
            made[np.ix_(free, free)] = np.linalg.pinv(self.information[np.ix_(free, free)], hermitian=True)
        return made

    def profile(self, at: int, value: float) -> float:
        """Return the least criterion with one component held at a value; each call starts where the last one ended."""
        free = np.arange(len(self.values)) != at
        known = self._path.setdefault(at, [(self.values, 2.0 * self.information)])
        before, curvature = min(known, key=lambda one: abs(float(one[0][at]) - value))
        start, inside = before.copy(), free & (before > 0.0)
        bend = curvature[np.ix_(inside, inside)]
        moved = np.linalg.lstsq(bend, curvature[inside, at])[0] * (value - before[at])
        if len(known) > 1 and known[-1][0][at] != known[-2][0][at]:
            last, other = known[-1][0], known[-2][0]
            moved = (last - other)[inside] / (other[at] - last[at]) * (value - before[at])
        start[inside] = np.maximum(start[inside] - moved, 0.2 * start[inside])
        start[at] = value
        found, criterion, changed = _least(self._surface, start, curvature, free)
        full = curvature.copy()
        full[np.ix_(free, free)] = changed
        known.append((found, full))
        return criterion


def _surface_of(
    y: Floats, codes: list[Integers], fixed: Integers | None, *, restricted: bool
) -> tuple[Floats, Floats, Callable[[Floats], float], bool] | None:
    """Return the estimates, the second derivatives there, the criterion of any variances, and whether it converged."""
    import mixedlm
    import pandas as pd

    offset, scale = float(y[0]), float(y.std())
    moved = y - offset
    frame = pd.DataFrame({"y": (moved - moved.mean()) / scale})
    for i, of_factor in enumerate(codes):
        frame[f"f{i}"] = of_factor.astype(str)
    formula = "y ~ 1"
    n_means = 1
    if fixed is not None:
        frame["means"] = np.char.add("m", fixed.astype(str))
        formula, n_means = "y ~ means", len(np.unique(fixed))
    formula += "".join(f" + (1 | f{i})" for i in range(len(codes)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = mixedlm.lmer(formula, frame, REML=restricted)
            devfun = mixedlm.mkLmerDevfun(mixedlm.lFormula(formula, frame, REML=restricted))
        except (RuntimeError, ValueError, np.linalg.LinAlgError):
            return None
    surface = _Surface(devfun.optimizer, len(y) - (n_means if restricted else 0), scale)
    theta = np.maximum(np.asarray(made.theta, dtype=np.float64), 0.0)
    values = np.append(theta**2, 1.0) * float(made.sigma) ** 2 * scale**2
    values[:-1][theta < _ZERO] = 0.0
    return *_polished(surface, values), surface, bool(made.converged)


class _Surface:
    """The criterion at variances of the factors and the residual: that of the ratios, with the residual put back."""

    def __init__(self, optimizer: Any, df: int, scale: float) -> None:
        self._optimizer, self._df, self._scale = optimizer, df, scale

    def __call__(self, values: Floats) -> float:
        residual = float(values[-1]) / self._scale**2
        theta = np.ascontiguousarray(np.sqrt(values[:-1] / values[-1]))
        try:
            made = self._optimizer._evaluate_core(theta)
        except (RuntimeError, ValueError, np.linalg.LinAlgError):
            return math.inf
        if made is None or not made.sigma > 0.0:
            return math.inf
        ratio = float(made.sigma) ** 2 / residual
        of_unit = float(made.deviance) + self._df * (ratio - 1.0 - math.log(ratio))
        return of_unit + 2.0 * self._df * math.log(self._scale)


def _polished(surface: Callable[[Floats], float], values: Floats) -> tuple[Floats, Floats]:
    """Return the estimates after Newton steps, the library stops where its criterion is flat, and the curvature."""
    bend = _bend(surface, values)
    found, _, _ = _least(surface, values, bend, np.ones(len(values), dtype=bool), near=1e-9)
    if np.abs(found - values).max() > 0.1 * _steps(values).min():
        bend = _bend(surface, found)
    return found, bend


def _steps(values: Floats) -> Floats:
    return np.asarray(_DIFFERENCE * np.maximum(values, 0.05 * values[-1]))


def _slope(surface: Callable[[Floats], float], values: Floats, curvature: Floats, free: Booleans) -> Floats:
    """Return the gradient of the criterion by the free variances; upwards where one is at 0."""
    errors = np.sqrt(2.0 / np.maximum(np.diagonal(curvature), 1e-300))
    steps, slope = np.minimum(_steps(values), _OF_ERROR * errors), np.zeros(len(values))
    for i in np.flatnonzero(free):
        up, down = values.copy(), values.copy()
        up[i] += steps[i]
        if values[i] >= steps[i]:
            down[i] -= steps[i]
            slope[i] = (surface(up) - surface(down)) / (2.0 * steps[i])
        else:
            down[i] += 2.0 * steps[i]
            slope[i] = (4.0 * surface(up) - 3.0 * surface(values) - surface(down)) / (2.0 * steps[i])
    return slope


def _bend(surface: Callable[[Floats], float], values: Floats) -> Floats:
    """Return the second derivatives of the criterion by the variances."""
    steps, k = _steps(values), len(values)
    middle = np.where(values < steps, values + steps, values)
    at = surface(middle)
    sides = np.empty((k, 2))
    bend = np.empty((k, k))
    unit = np.diag(steps)
    for i in range(k):
        sides[i] = surface(middle + unit[i]), surface(middle - unit[i])
        bend[i, i] = (sides[i].sum() - 2.0 * at) / steps[i] ** 2
    for i in range(k):
        for j in range(i):
            both = surface(middle + unit[i] + unit[j]) + surface(middle - unit[i] - unit[j])
            cross = (both - sides[i].sum() - sides[j].sum() + 2.0 * at) / (2.0 * steps[i] * steps[j])
            bend[i, j] = bend[j, i] = cross
    return bend


def _least(
    surface: Callable[[Floats], float], start: Floats, curvature: Floats, free: Booleans, *, near: float = _NEAR
) -> tuple[Floats, float, Floats]:
    """Return the variances with the least criterion, it, and the curvature there, by bounded quasi-Newton steps."""
    values, least = start, surface(start)
    if not (free.any() and np.isfinite(curvature).all()):
        return values, least, curvature[np.ix_(free, free)]
    bend = _positive(curvature[np.ix_(free, free)])
    slope = _slope(surface, values, curvature, free)[free]
    for _ in range(_STEPS):
        if not np.isfinite(slope).all():
            break
        step = _bounded_step(bend, slope, values[free], floor=0.05 * values[-1] if free[-1] else 0.0)
        fall = -float(slope @ step)
        if not fall > near:
            return values, least - max(fall, 0.0) / 2.0, bend
        share = 1.0
        while share > 1e-6:
            new = values.copy()
            new[free] = np.maximum(values[free] + share * step, 0.0)
            criterion = surface(new)
            if criterion <= least - 1e-4 * share * fall:
                break
            share /= 3.0
        else:
            return values, least, bend
        then = _slope(surface, new, curvature, free)[free]
        bend = _updated(bend, new[free] - values[free], then - slope)
        values, least, slope = new, criterion, then
    return values, least, bend


def _positive(bend: Floats) -> Floats:
    """Return a curvature with its directions and sizes that bends upwards in all: near 0 the criterion may not."""
    size = np.abs(np.diagonal(bend))
    scale = np.sqrt(np.maximum(size, 1e-8 * size.max(initial=1e-300)))
    roots, vectors = np.linalg.eigh(bend / np.outer(scale, scale))
    made = (vectors * np.maximum(np.abs(roots), 1e-4)) @ vectors.T
    return np.asarray(made * np.outer(scale, scale))


def _bounded_step(bend: Floats, slope: Floats, values: Floats, floor: float) -> Floats:
    """Return the step to the least of the quadratic approximation with no variance below 0."""
    if not len(slope):
        return slope
    scale = np.sqrt(np.diagonal(bend))
    try:
        upper = np.linalg.cholesky(bend / np.outer(scale, scale)).T
    except np.linalg.LinAlgError:
        return np.zeros_like(slope)
    lowest = np.zeros(len(values))
    lowest[-1] = floor
    target = upper @ ((values - lowest) * scale) - np.linalg.solve(upper.T, slope / scale)
    found, _ = nnls(upper, target)
    return np.asarray(found / scale + lowest - values)


def _updated(bend: Floats, step: Floats, change: Floats) -> Floats:
    """Return the curvature after Broyden, Fletcher, Goldfarb and Shanno, where it stays positive."""
    along, turned = float(step @ change), bend @ step
    size = float(step @ turned)
    if along <= 1e-8 * size or size <= 0.0:
        return bend
    return np.asarray(bend + np.outer(change, change) / along - np.outer(turned, turned) / size)
