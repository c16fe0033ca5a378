"""Schmid and Leiman's general factor behind correlated ones."""

from __future__ import annotations

import math

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Floats, read_only, warn_undefined
from ibic_fidelity.psychometrics.exploratory._hierarchy import (
    TwoFactors,
    at_bound,
    check_two_factors,
    common_share,
    hierarchy_of,
)
from ibic_fidelity.psychometrics.exploratory._rotation import OBLIQUE
from ibic_fidelity.psychometrics.exploratory.factor_result import FactorAnalysis
from ibic_fidelity.psychometrics.exploratory.hierarchical_result import SchmidLeiman


def schmid_leiman(fit: FactorAnalysis, *, two_factors: TwoFactors | None = None) -> SchmidLeiman:
    r"""Return the general factor behind oblique factors, and what it leaves to each of them.

    Parameters
    ----------
    fit : FactorAnalysis
        Of `exploratory_factor_analysis`, with an oblique rotation.
    two_factors : {"equal", "first", "second"}, optional
        Two factors have one correlation, which does not identify two loadings on a general factor: say that
        both are equal, or that the first or the second factor is the general one.  Not for more factors.

    Returns
    -------
    SchmidLeiman
        Loadings on uncorrelated factors, with the explained common variance of the general one.

    Raises
    ------
    UsageError
        One factor, two without `two_factors`, more with it, or no oblique rotation.

    Warns
    -----
    UndefinedStatisticWarning
        The fit has no factors.

    Notes
    -----
    With loadings γ of the factors on one minres factor of their correlations Φ [1]_,

    .. math:: \lambda_g = \Lambda\gamma, \quad \Lambda_s = \Lambda\,\mathrm{diag}(\sqrt{1 - \gamma^2}).

    References
    ----------
    .. [1] Schmid, J., & Leiman, J. M. (1957). The development of hierarchical factor solutions. Psychometrika, 22,
       53–61.

    Examples
    --------
    >>> import numpy as np
    >>> from ibic_fidelity.psychometrics import exploratory_factor_analysis
    >>> phi, loadings = np.full((3, 3), 0.5) + 0.5 * np.eye(3), np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    >>> r = loadings @ phi @ loadings.T
    >>> np.fill_diagonal(r, 1.0)
    >>> made = schmid_leiman(exploratory_factor_analysis(r, n_factors=3, given="correlations"))
    >>> print([f"{loading:.3f}" for loading in made.general[:3]])
    ['0.566', '0.495', '0.424']
    """
    if not isinstance(fit, FactorAnalysis):
        raise UsageError("psychometrics.not_a_fit", value=repr(type(fit).__name__))
    check_two_factors(fit.n_factors, two_factors)
    if fit.rotation not in OBLIQUE:
        raise UsageError("psychometrics.not_oblique", value=repr(fit.rotation), choices=tuple(sorted(OBLIQUE)))
    if fit.reason is not None:
        warn_undefined(fit.reason)
    return solution_of(fit.loadings, fit.factor_correlations, fit.items, two_factors, fit.reason, fit.flags)


def solution_of(
    loadings: Floats,
    phi: Floats,
    items: tuple[str, ...],
    two_factors: str | None,
    reason: Message | None,
    flags: tuple[Message, ...],
) -> SchmidLeiman:
    """Return the Schmid–Leiman solution of oblique loadings (k, m), all NaN where a reason is given."""
    k, m = loadings.shape
    general, group, higher = np.full(k, np.nan), np.full((k, m), np.nan), np.full(m, np.nan)
    ecv = puc = math.nan
    item_group: tuple[int, ...] = ()
    communalities = ((loadings @ phi) * loadings).sum(axis=1)
    if reason is None:
        made = hierarchy_of(loadings[None], phi[None], two_factors)
        general, group, higher = made.general[0], made.group[0], made.higher[0]
        ecv = float(common_share(made)[0])
        most = np.abs(group).argmax(axis=1)
        sizes = np.bincount(most, minlength=m)
        puc = float(1.0 - (sizes * (sizes - 1)).sum() / (k * (k - 1)))
        item_group = tuple(int(i) for i in most)
        flags = (*flags, *_flags(items, general, higher, converged=bool(made.converged[0]), m=m))
    return SchmidLeiman(
        general=read_only(general.copy()),
        group=read_only(group.copy()),
        communalities=read_only(communalities),
        uniquenesses=read_only(1.0 - communalities),
        higher_order=read_only(higher.copy()),
        common_variance_share=ecv,
        uncontaminated_share=puc,
        item_group=item_group,
        items=items,
        groups=tuple(f"F{i}" for i in range(1, m + 1)),
        two_factors=two_factors or "",
        reason=reason,
        flags=tuple(dict.fromkeys(flags)),
    )


def _flags(items: tuple[str, ...], general: Floats, higher: Floats, *, converged: bool, m: int) -> list[Message]:
    """Return what a reader of a general factor must know."""
    flags = []
    if m == 2:
        flags.append(Message("psychometrics.general_factor_assumed"))
    elif at_bound(higher).any():
        of = tuple(f"F{i + 1}" for i in np.flatnonzero(at_bound(higher)))
        flags.append(Message("psychometrics.second_order_heywood", {"factors": of}))
    elif not converged:
        flags.append(Message("psychometrics.extraction_not_converged"))
    negative = tuple(np.asarray(items)[general < 0].tolist())
    if negative:
        flags.append(Message("psychometrics.omega_negative_loadings", {"items": negative}))
    return flags
