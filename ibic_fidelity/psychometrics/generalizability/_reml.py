"""Variance components of ratings nested in sites by REML: bounded Newton steps with the average information."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize
from threadpoolctl import threadpool_limits

from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.generalizability._design import NestedDesign
from ibic_fidelity.psychometrics.generalizability._nested import Factor, factor, traces
from ibic_fidelity.psychometrics.generalizability._projection import Projection, curvature, project, squares
from ibic_fidelity.psychometrics.generalizability._start import starting_values

#: Predicted fall of the criterion at which a fit has converged: components are right to 3e-5 standard errors.
_EXACT = 1e-9
_STEPS, _HALVINGS = 60, 20
#: A step leaves at least this share of the residual variance.
_LEAST = 0.1
#: Rounding of the criterion, relative to its size.
_ROUNDING = 1e-12
#: Of the trace of a term in units of the whole variance, at least about its degrees of freedom where it has any.
_NOTHING = 1e-5
#: Lets a singular information be solved; it bends the path and not where it ends.
_RIDGE = 1e-12


class Point:
    """The criterion at given components, with what its derivatives need, made when asked for.

    Attributes
    ----------
    values : array (K + 1,)
        Variance of each term, in the order of the design, and of the residual.
    criterion : float
        −2 times the restricted log-likelihood, constants included, as lme4's `REMLcrit`.
    """

    def __init__(self, design: NestedDesign, values: Floats, *, profile: bool = False) -> None:
        if not (values[-1] > 0.0 and np.isfinite(values).all()):
            raise np.linalg.LinAlgError("nothing is left for the residual")
        ratios = dict(zip(design.terms, (values[:-1] / values[-1]).tolist(), strict=True))
        self._factor: Factor = factor(design, ratios)
        self._z: Projection = project(self._factor, lambda i: design.blocks[i].sums[..., np.newaxis], 1)
        self._design = design
        self._rest = design.square - float(self._z.explained[0])
        self._df = design.n - design.n_fixed
        if self._rest <= 0.0:
            raise np.linalg.LinAlgError("nothing is left of the ratings")
        residual = self._rest / self._df if profile else float(values[-1])
        if not (residual > 0.0 and np.isfinite(residual)):
            raise np.linalg.LinAlgError("nothing is left for the residual")
        self.values = values * (residual / values[-1])
        self.criterion = (
            self._df * math.log(2.0 * math.pi * residual) + self._factor.log_determinant + self._rest / residual
        )

    @property
    def means(self) -> Floats:
        """The fixed means."""
        means: Floats = self._z.means[:, 0] + self._design.centre
        return means

    @cached_property
    def _quadratic(self) -> Floats:
        """|Zⱼ'Py|² of every term and of the residual, P that of V."""
        residual = self.values[-1]
        of_terms = squares(self._design, self._z) / residual**2
        return np.append(of_terms, (self._rest / residual - of_terms @ self.values[:-1]) / residual)

    @cached_property
    def trace(self) -> Floats:
        """tr(Zⱼ'PZⱼ) of every term and of the residual, P that of V."""
        residual = self.values[-1]
        by_term = traces(self._factor)
        of_terms = np.array([by_term[term] for term in self._design.terms]) / residual
        return np.append(of_terms, (self._df - of_terms @ self.values[:-1]) / residual)

    @cached_property
    def gradient(self) -> Floats:
        """Derivative of the criterion by each variance, also at 0."""
        return self.trace - self._quadratic

    @cached_property
    def curvature(self) -> Floats:
        """Twice the average information: y'PVⱼPVₖPy."""
        residual, k = self.values[-1], len(self.values)
        made = np.empty((k, k))
        made[:-1, :-1] = curvature(self._factor, self._z) / residual**3
        made[-1, :-1] = (self._quadratic[:-1] - self.values[:-1] @ made[:-1, :-1]) / residual
        made[:-1, -1] = made[-1, :-1]
        made[-1, -1] = (self._quadratic[-1] - self.values[:-1] @ made[:-1, -1]) / residual
        return made


@dataclass(frozen=True, slots=True, eq=False)
class NestedFit:
    """What a fit of variance components gives.

    Attributes
    ----------
    components : dict
        Variance of each term by its name, and of the residual as "residual"; 0 at the boundary.
    means : array (p,)
        Fixed mean of each item, or the one mean, by generalized least squares.
    criterion : float
        −2 times the restricted log-likelihood at the estimates, constants included, as lme4's `REMLcrit`.
    gradient : array (K + 1,)
        Derivative of the criterion by each variance; at the boundary it is positive.
    gradient_norm : float
        Length of the gradient in units of the standard errors, components at the boundary or held left out.
    information : array (K + 1, K + 1)
        Average information of the variances: near the mean of observed and expected information.
    least_eigenvalue : float
        Of the information scaled to a unit diagonal: near 0 where components cannot be told apart, 0 where
        one has no information at all.
    boundary : tuple of str
        Terms whose component is 0.
    not_estimable : tuple of str
        Terms that the fixed means take in whole, such as sites where there is one; put to 0.
    converged : bool
        Whether the next step would lower the criterion by less than the tolerance.
    n_evaluations : int
        Factorizations of V.
    """

    components: dict[str, float]
    means: Floats
    criterion: float
    gradient: Floats
    gradient_norm: float
    information: Floats
    least_eigenvalue: float
    boundary: tuple[str, ...]
    not_estimable: tuple[str, ...]
    converged: bool
    n_evaluations: int

    @property
    def covariance(self) -> Floats:
        """Inverse of the information of the components above 0; NaN for those at the boundary."""
        values = np.array(list(self.components.values()))
        free = np.flatnonzero(values > 0.0)
        made = np.full_like(self.information, np.nan)
        made[np.ix_(free, free)] = np.linalg.pinv(self.information[np.ix_(free, free)], hermitian=True)
        return made


def reml_criterion(design: NestedDesign, components: Mapping[str, float]) -> float:
    """Return −2 times the restricted log-likelihood at given variances; that of the residual is above 0."""
    with threadpool_limits(limits=1, user_api="blas"):
        return Point(design, _values(design, components)).criterion


def fit_nested_reml(
    design: NestedDesign,
    *,
    start: Mapping[str, float] | None = None,
    held: Mapping[str, float] | None = None,
    tolerance: float = _EXACT,
) -> NestedFit:
    """Return the variance components of a design by restricted maximum likelihood.

    Parameters
    ----------
    design : NestedDesign
        Counted ratings and terms, of `nested_design`; they vary about the fixed means, which is not checked.
    start : mapping of str to float, optional
        Variances to begin with, by term and "residual"; by default from moments.
    held : mapping of str to float, optional
        Variances that are not estimated but stay: the criterion of such fits is the profile of one component.
    tolerance : float
        Predicted fall of the criterion at which the fit has converged.

    Returns
    -------
    NestedFit
        Components, criterion and its derivatives, and whether it converged.
    """
    names = (*design.terms, "residual")
    fixed = np.array([name in (held or {}) for name in names])
    # many small products: threads that wait for each other cost more than they give
    with threadpool_limits(limits=1, user_api="blas"):
        values = starting_values(design) if start is None else _values(design, start)
        values[fixed] = [(held or {})[name] for name in names if name in (held or {})]
        return _iterate(design, names, values, fixed, tolerance)


def _iterate(
    design: NestedDesign, names: tuple[str, ...], values: Floats, fixed: Booleans, tolerance: float
) -> NestedFit:
    profile = not fixed.any()
    point = Point(design, values, profile=profile)
    # tr(Zⱼ'PZⱼ) is 0 where the fixed means take a term in whole: a single site, each item its mean
    nothing = ~fixed & (point.trace * point.values.sum() < _NOTHING)
    n_evaluations = 1
    if nothing.any():
        point = Point(design, np.where(nothing, 0.0, values), profile=profile)
        n_evaluations += 1
    converged = False
    for _ in range(_STEPS):
        try:
            step, fall = _newton(point, ~(fixed | nothing))
        except np.linalg.LinAlgError:
            break
        if fall < tolerance:
            converged = True
            break
        better, tried = _search(design, point, step, fall, profile=profile)
        n_evaluations += tried
        if better is None:
            break
        point = better
    return _result(names, point, (fixed, nothing), converged=converged, n_evaluations=n_evaluations)


def _newton(point: Point, free: Booleans) -> tuple[Floats, float]:
    """Return the step to the least of the quadratic approximation with no variance below 0, and the predicted fall."""
    scale = np.sqrt(np.maximum(np.diagonal(point.curvature), 0.0))[free]
    scale[scale == 0.0] = 1.0
    curvature = point.curvature[np.ix_(free, free)] / (scale[:, np.newaxis] * scale)
    upper = np.linalg.cholesky(curvature + _RIDGE * len(scale) * np.eye(len(scale))).T
    least = np.where(np.arange(len(free)) == len(free) - 1, _LEAST * point.values[-1], 0.0)[free] * scale
    slope = point.gradient[free] / scale
    target = upper @ (point.values[free] * scale - least) - np.linalg.solve(upper.T, slope)
    found, _ = optimize.nnls(upper, target)
    moved = found + least - point.values[free] * scale
    step = np.zeros_like(point.values)
    step[free] = moved / scale
    return step, -float(slope @ moved)


def _search(
    design: NestedDesign, point: Point, step: Floats, fall: float, *, profile: bool
) -> tuple[Point | None, int]:
    """Return the first of the halved steps that lowers the criterion, and how many were tried."""
    noise = _ROUNDING * (abs(point.criterion) + design.n)
    share = 1.0
    for tried in range(1, _HALVINGS + 1):
        try:
            new = Point(design, np.maximum(point.values + share * step, 0.0), profile=profile)
        except np.linalg.LinAlgError:  # a residual so small that V is singular in double precision
            new = None
        if new is not None and new.criterion <= point.criterion - 1e-4 * share * fall + noise:
            return new, tried
        share /= 2.0
    return None, _HALVINGS


def _result(
    names: tuple[str, ...], point: Point, left_out: tuple[Booleans, Booleans], *, converged: bool, n_evaluations: int
) -> NestedFit:
    fixed, nothing = left_out
    information = point.curvature / 2.0
    diagonal = np.diagonal(information)
    least = 0.0
    if (diagonal > 0.0).all() and not nothing.any():
        least = float(np.linalg.eigvalsh(information / np.sqrt(np.outer(diagonal, diagonal)))[0])
    at_zero = (point.values == 0.0) & ~nothing
    inner = ~(fixed | nothing | at_zero)
    slope = point.gradient[inner] / np.sqrt(np.maximum(diagonal[inner], np.finfo(float).tiny))
    return NestedFit(
        components=dict(zip(names, point.values.tolist(), strict=True)),
        means=point.means,
        criterion=point.criterion,
        gradient=point.gradient,
        gradient_norm=math.hypot(*slope.tolist()),
        information=information,
        least_eigenvalue=max(least, 0.0),
        boundary=tuple(name for name, there in zip(names, at_zero, strict=True) if there),
        not_estimable=tuple(name for name, there in zip(names, nothing, strict=True) if there),
        converged=converged,
        n_evaluations=n_evaluations,
    )


def _values(design: NestedDesign, components: Mapping[str, float]) -> Floats:
    return np.array([float(components[name]) for name in (*design.terms, "residual")])
