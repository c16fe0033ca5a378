"""A general factor behind correlated ones (Schmid & Leiman, 1957), many solutions at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.consistency._moments import covariance_kernel
from ibic_fidelity.psychometrics.exploratory._extraction import LOWEST, NEAR, Extraction, extract
from ibic_fidelity.psychometrics.exploratory._matrix import resampled_correlations
from ibic_fidelity.psychometrics.exploratory._order import matched
from ibic_fidelity.psychometrics.exploratory._rotation import NEAR as NEAR_ROTATION
from ibic_fidelity.psychometrics.exploratory._rotation import rotate

TwoFactors = Literal["equal", "first", "second"]
TWO_FACTORS: tuple[TwoFactors, ...] = get_args(TwoFactors)
#: Rounds allowed to the rotation of a replicate, which starts from that of the whole sample.
_ROUNDS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """Loadings on the general factor (B, k) and the group factors (B, k, m), and of these on the general one (B, m)."""

    general: Floats
    group: Floats
    higher: Floats
    converged: Booleans


def hierarchy_of(loadings: Floats, phi: Floats, two_factors: str | None, *, tolerance: float = 1e-11) -> Hierarchy:
    """Return the hierarchy of oblique factors: loadings (B, k, m), correlations (B, m, m)."""
    size, m = phi.shape[:2]
    if m == 2:
        r, one = phi[:, 0, 1], np.ones(size)
        root = np.sqrt(np.abs(r))
        pair = {"equal": (root, np.sign(r) * root), "first": (one, r), "second": (r, one)}[two_factors or "equal"]
        higher, converged = np.stack(pair, axis=1), np.ones(size, dtype=bool)
    else:
        made = extract(phi, 1, "minres", tolerance=tolerance)
        higher, converged = made.loadings[:, :, 0], made.converged
    general = (loadings @ higher[:, :, None])[:, :, 0]
    signs = np.where((general**3).sum(axis=1) < 0, -1.0, 1.0)[:, None]
    group = loadings * np.sqrt(np.maximum(1.0 - higher**2, 0.0))[:, None, :]
    return Hierarchy(general * signs, group, higher * signs, converged)


def omegas(matrix: Floats, general: Floats, communalities: Floats) -> tuple[Floats, Floats]:
    """Return omega hierarchical and total (B,) of the sum of standardised items."""
    total = matrix.sum(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.square(general.sum(axis=-1)) / total, 1.0 - (1.0 - communalities).sum(axis=-1) / total


def omega_h_kernel(
    values: Floats, loadings: Floats, uniquenesses: Floats, extraction: Extraction, two_factors: str | None
) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to omega hierarchical, total and ECV (B, 3).

    Loadings (k, m) and uniquenesses are those of the whole sample, near which replicates are looked for.
    """
    covariance_of = covariance_kernel(values)
    m = loadings.shape[1]

    def kernel(counts: Floats) -> Floats:
        matrices, regular = resampled_correlations(covariance_of(counts))
        found = extract(matrices, m, extraction, start=uniquenesses, tolerance=NEAR)
        turned = rotate(found.loadings, "oblimin", _toward(found.loadings, loadings), tolerance=NEAR_ROTATION,
                        rounds=_ROUNDS)  # fmt: skip
        order, signs = matched(turned.loadings, loadings)
        loads = np.take_along_axis(turned.loadings, order[:, None, :], axis=2) * signs[:, None, :]
        phi = np.take_along_axis(turned.phi, order[:, :, None], axis=1)
        phi = np.take_along_axis(phi, order[:, None, :], axis=2) * signs[:, :, None] * signs[:, None, :]
        made = hierarchy_of(loads, phi, two_factors, tolerance=NEAR)
        h, total = omegas(matrices, made.general, np.square(found.loadings).sum(axis=2))
        good = regular & found.converged & turned.converged & made.converged
        return np.where(good[:, None], np.stack([h, total, common_share(made)], axis=1), np.nan)

    return kernel


def common_share(made: Hierarchy) -> Floats:
    """Return the explained common variance (B,): of what is common, the general factor's share."""
    general = np.square(made.general).sum(axis=-1)
    return np.asarray(general / (general + np.square(made.group).sum(axis=(-2, -1))))


def basic_interval(estimate: float, ci: ConfidenceInterval) -> ConfidenceInterval:
    """Return the percentile interval turned about the estimate, which takes away the bias that replicates show."""
    low, high = (min(max(2.0 * estimate - limit, 0.0), 1.0) for limit in (ci.high, ci.low))
    return ConfidenceInterval(low, high, ci.confidence_level, ci.method.replace("percentile", "basic"))


def at_bound(higher: Floats) -> Booleans:
    """Return which group factors (m,) are the general one (a Heywood case of the second order)."""
    return np.asarray(np.square(higher) >= 1.0 - LOWEST - 1e-6)


def check_two_factors(m: int, two_factors: object) -> None:
    """Raise where the number of factors and the constraint on two of them do not go together."""
    if m < 2:
        raise UsageError("psychometrics.general_factor_of_one", n=m)
    if two_factors is not None and two_factors not in TWO_FACTORS:
        raise UsageError(
            "psychometrics.unknown_choice", argument="two_factors", value=repr(two_factors), choices=TWO_FACTORS
        )
    if m == 2 and two_factors is None:
        raise UsageError("psychometrics.general_factor_of_two", choices=TWO_FACTORS)
    if m > 2 and two_factors is not None:
        raise UsageError("psychometrics.two_factors_not_needed", n=m)


def _toward(unrotated: Floats, target: Floats) -> Floats:
    """Return transformations (B, m, m) that bring unrotated loadings (B, k, m) near a target (k, m)."""
    inner = unrotated.swapaxes(-1, -2) @ unrotated
    m = inner.shape[-1]
    inner = inner + 1e-9 * np.eye(m)
    by = np.linalg.solve(inner, unrotated.swapaxes(-1, -2) @ target)
    safe = np.abs(np.linalg.det(by)) > 1e-8
    by[~safe] = np.eye(m)
    made = np.linalg.inv(by).swapaxes(-1, -2)
    return np.asarray(made / np.sqrt(np.square(made).sum(axis=1, keepdims=True)))
