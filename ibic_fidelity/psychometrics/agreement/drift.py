"""How each rater's ratings of the same units move from a first occasion to a later one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Booleans,
    Floats,
    HolesAllowed,
    Integers,
    Matrix,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.agreement._linearised import degrees_of_freedom, of_linear, renumbered
from ibic_fidelity.psychometrics.agreement._pairs import BY_CHANCE, PairKappa, pair_kappa
from ibic_fidelity.psychometrics.agreement._ratings import Weights, ratings_of, read_clusters, read_weights

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

CHANGE = "t over {of}"
#: On fewer changed units, or with fewer degrees of freedom, the interval of a change is not reliable.
LEAST_CHANGED = 5
LEAST_DF = 4.0
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class RaterDrift:
    """Each rater's change and agreement with the own earlier ratings, as `rater_drift` returns it.

    Attributes
    ----------
    raters : tuple of str
        The raters, columns of the data.
    change : array of float, shape (raters,)
        Mean of second − first rating of the same units; positive where the rater rates higher than before.
    change_std_error, change_df : array of float, shape (raters,)
        Its standard error and degrees of freedom.
    change_ci : tuple of ConfidenceInterval
        By Student's t.
    kappa, kappa_std_error : array of float, shape (raters,)
        Kappa of second with first ratings, weighted as asked for, and its linearised standard error.
    kappa_ci : tuple of ConfidenceInterval
        From t of log(1 − kappa).
    percent : array of float, shape (raters,)
        Share of units with the very same rating.
    rater_units : array of int, shape (raters,)
        Units that the rater rated on both occasions.
    n, n_dropped : int
        Units with both ratings by some rater, and others.
    n_clusters : int or None
        Clusters of the units used, None where no clusters were given.
    categories : array of float
        The categories, increasing.
    weighting : str
        "unweighted", "linear", "quadratic", "ordinal" or "given".
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    rater_reasons : tuple of Message or None
        Why a rater's figures, or their intervals, are not defined.
    flags : tuple of Message
        What makes an interval say little.
    """

    raters: tuple[str, ...]
    change: Floats
    change_std_error: Floats
    change_df: Floats
    change_ci: tuple[ConfidenceInterval, ...]
    kappa: Floats
    kappa_std_error: Floats
    kappa_ci: tuple[ConfidenceInterval, ...]
    percent: Floats
    rater_units: Integers
    n: int
    n_dropped: int
    n_clusters: int | None
    categories: Floats
    weighting: str
    missing: str
    reason: Message | None
    rater_reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return two lines a rater: the change, and kappa with the own first ratings.

        Columns: statistic, n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, rater, percent.
        """
        r = len(self.raters)
        intervals = (*self.change_ci, *self.kappa_ci)
        said = ["" if reason is None else reason.text("en") for reason in self.rater_reasons]
        extra = {"rater": [*self.raters] * 2, "percent": self.percent.tolist() * 2}
        return table(
            {
                "statistic": ["change"] * r + ["kappa_with_first"] * r,
                "n": self.rater_units.tolist() * 2,
                "estimate": [*self.change.tolist(), *self.kappa.tolist()],
                "std_error": [*self.change_std_error.tolist(), *self.kappa_std_error.tolist()],
                "ci_low": [ci.low for ci in intervals],
                "ci_high": [ci.high for ci in intervals],
                "ci_level": [ci.confidence_level for ci in intervals],
                "method": [ci.method for ci in intervals],
                "reason": said * 2,
                **extra,
            },
            extra=tuple(extra),
        )

    def summary(self) -> str:
        """Return one line a rater in English, and one a reason or flag."""
        lines = []
        for i, rater in enumerate(self.raters):
            if math.isnan(self.change[i]):
                lines.append(f"Rater {rater}: no unit rated twice.")
                continue
            change, kappa = self.change_ci[i], self.kappa_ci[i]
            level = percent(change.confidence_level, "en")
            moved = f"{number(self.change[i], 'en', digits=2)} ({level} interval {_shown(change)})"
            again = f"{coefficient(self.kappa[i], 'en')} ({_shown(kappa)})"
            lines.append(
                f"Rater {rater}: change {moved}, kappa ({self.weighting}) with own first ratings {again},"
                f" {self.rater_units[i]} units."
            )
        said = [*(reason for reason in self.rater_reasons if reason), *self.flags]
        return "\n".join([*lines, *dict.fromkeys(message.text("en") for message in said)])


def rater_drift(
    first: object,
    second: object,
    *,
    weights: Weights = "quadratic",
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
) -> RaterDrift:
    r"""Return how each rater's ratings of the same units move from a first occasion to a later one.

    Parameters
    ----------
    first, second : array-like of shape (units, raters)
        Categories as numbers, the same units and raters; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see `cohen_kappa`.  None for none.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors and intervals
        are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole on either occasion, or use, of each rater, all
        units rated twice.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    RaterDrift
        A change and a kappa a rater, with intervals.

    Raises
    ------
    UsageError
        No rater, tables of different size or raters, categories that do not increase or do not cover the
        ratings, weights of the wrong shape or not symmetric, clusters of another length, infinite values, an
        unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        A rater rated no unit twice, or agreement by chance is 1: NaN.  One unit or cluster: no interval.

    Notes
    -----
    The change is the mean of the differences second − first of a rater's units, with a t interval of n − 1
    degrees of freedom; with clusters the error is CR2 of their sums, with Bell and McCaffrey's degrees of
    freedom [1]_.  Kappa is `cohen_kappa` of the two occasions: a rater can keep the mean and still be unlike
    before.  Raters who all change alike have drifted together, or the units have changed.

    Changes on fewer than 5 units, the same on all units, or of fewer than 4 degrees of freedom, are flagged: such
    intervals cover .77–.92, others .94–.96 (``calibration/agreement_coverage.csv``).  Kappa is flagged as in
    `cohen_kappa`.  For the levels on each occasion call `rater_severity` with each table.

    References
    ----------
    .. [1] Bell, R. M., & McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
       multi-stage samples. Survey Methodology, 28, 169–181.

    Examples
    --------
    >>> first = [[1, 2], [2, 2], [3, 3], [4, 4], [2, 1], [3, 3], [4, 4], [1, 1]]
    >>> second = [[2, 2], [3, 2], [3, 3], [4, 4], [3, 2], [4, 3], [4, 4], [2, 1]]
    >>> result = rater_drift(first, second)
    >>> print(" ".join(f"{change:+.2f}" for change in result.change), " ".join(f"{k:.2f}" for k in result.kappa))
    +0.62 +0.12 0.72 0.94
    """
    check_choice("missing", missing, HOLES_ALLOWED)
    level = check_confidence_level(confidence_level)
    tables = as_matrix(first, argument="first"), as_matrix(second, argument="second")
    _check_same(*tables)
    used = _used(*tables, missing)
    of_units = read_clusters(clusters, used, missing)
    k = tables[0].cells.shape[1]
    both = Matrix(np.hstack([each.cells for each in tables]), tuple(label for each in tables for label in each.labels))
    ratings = ratings_of(both, used, categories, of_units)
    weighting, matrix = read_weights(weights, ratings.values)
    codes = ratings.codes[:, :k], ratings.codes[:, k:]
    made = [_of_rater(codes, rater, matrix, ratings.values, of_units, level) for rater in range(k)]
    reasons = tuple(_reason(each.kappa, rater) for each, rater in zip(made, tables[0].labels, strict=True))
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is not None:
        warn_undefined(reason)
    return RaterDrift(
        raters=tables[0].labels,
        change=_array([each.change for each in made]),
        change_std_error=_array([each.error for each in made]),
        change_df=_array([each.df for each in made]),
        change_ci=tuple(each.ci for each in made),
        kappa=_array([each.kappa.estimate for each in made]),
        kappa_std_error=_array([each.kappa.std_error for each in made]),
        kappa_ci=tuple(each.kappa.ci for each in made),
        percent=_array([each.same for each in made]),
        rater_units=read_only(np.array([each.kappa.n for each in made], dtype=np.int64)),
        n=int(used.sum()),
        n_dropped=int((~used).sum()),
        n_clusters=ratings.n_clusters,
        categories=read_only(ratings.values),
        weighting=weighting,
        missing=missing,
        reason=reason,
        rater_reasons=reasons,
        flags=_flags(made, tables[0].labels),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rater:
    """Change and kappa of one rater; `few` where the change rests on few units."""

    change: float
    error: float
    df: float
    ci: ConfidenceInterval
    same: float
    kappa: PairKappa
    few: bool


def _of_rater(
    codes: tuple[Integers, Integers],
    rater: int,
    weights: Floats,
    values: Floats,
    clusters: Integers | None,
    level: float,
) -> _Rater:
    before, after = codes[0][:, rater], codes[1][:, rater]
    used = (before >= 0) & (after >= 0)
    before, after, of_units = before[used], after[used], renumbered(clusters, used)
    kappa = pair_kappa(after, np.eye(values.shape[0])[before], weights, of_units, level)
    method = CHANGE.format(of="units" if clusters is None else "clusters")
    n = before.shape[0]
    if n == 0:
        nothing = ConfidenceInterval(math.nan, math.nan, level, method)
        return _Rater(math.nan, math.nan, math.nan, nothing, math.nan, kappa, few=False)
    differences = values[after] - values[before]
    change = float(differences.mean())
    error = float(of_linear(differences - change, of_units))
    df = math.nan if math.isnan(error) else degrees_of_freedom(n, of_units)
    reach = float(stdtrit(df, 0.5 + level / 2.0)) * error
    few = error == 0.0 or int((differences != 0).sum()) < LEAST_CHANGED or df < LEAST_DF - _ROUNDING
    ci = ConfidenceInterval(change - reach, change + reach, level, method)
    same = float((before == after).mean())
    return _Rater(change, error, df, ci, same, kappa, few=few and not math.isnan(error))


def _check_same(first: Matrix, second: Matrix) -> None:
    """Raise unless both occasions have the same units and raters."""
    if first.cells.shape != second.cells.shape:
        (rows, columns), (m, k) = first.cells.shape, second.cells.shape
        raise UsageError("psychometrics.occasions_differ", rows=rows, columns=columns, m=m, k=k)
    if first.labels != second.labels:
        raise UsageError("psychometrics.occasions_raters", raters=first.labels, others=second.labels)


def _used(first: Matrix, second: Matrix, missing: HolesAllowed) -> Booleans:
    """Return the units that are used, or raise."""
    of_each = [
        complete_rows(each.cells, each.labels, missing, argument=argument)
        for each, argument in ((first, "first"), (second, "second"))
    ]
    if missing == "available":
        return np.asarray((~np.isnan(first.cells) & ~np.isnan(second.cells)).any(axis=1))
    return np.asarray(of_each[0] & of_each[1])


def _reason(kappa: PairKappa, rater: str) -> Message | None:
    """Return why a rater's figures are not defined."""
    if kappa.n == 0:
        return Message("psychometrics.rater_not_twice", {"rater": rater})
    if kappa.why == BY_CHANCE:
        return Message("psychometrics.rater_by_chance_full", {"rater": rater})
    if not kappa.why:
        return None
    return Message("psychometrics.rater_few_units", {"rater": rater})


def _flags(made: list[_Rater], raters: tuple[str, ...]) -> tuple[Message, ...]:
    """Return whose intervals are not reliable."""
    flags = []
    changed = [rater for each, rater in zip(made, raters, strict=True) if each.few]
    if changed:
        flags.append(Message("psychometrics.rater_change_not_reliable", {"raters": changed}))
    weak = [rater for each, rater in zip(made, raters, strict=True) if each.kappa.unreliable]
    if weak:
        flags.append(Message("psychometrics.rater_interval_not_reliable", {"raters": weak}))
    return tuple(flags)


def _shown(ci: ConfidenceInterval) -> str:
    return interval(ci.low, ci.high, "en", digits=2)


def _array(values: list[float]) -> Floats:
    return read_only(np.array(values, dtype=np.float64))
