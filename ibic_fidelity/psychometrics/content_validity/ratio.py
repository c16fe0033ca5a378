"""Lawshe's content validity ratio, against critical values from the binomial distribution itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtrc

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.psychometrics._arguments import (
    Booleans,
    Floats,
    HolesAllowed,
    Integers,
    check_confidence_level,
    read_only,
)
from ibic_fidelity.psychometrics.content_validity._panels import (
    EXACT,
    exact_limits,
    item_table,
    read_panel_ratings,
    share_of,
    told,
)
from ibic_fidelity.psychometrics.intraclass._scale_units import check_level

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class ContentValidityRatio:
    """How essential items are, as `content_validity_ratio` returns it; arrays have shape (k,).

    Attributes
    ----------
    average, average_retained : float
        Mean ratio of all items, and of those that reach their critical value (Lawshe's index); NaN where none does.
    items : tuple of str
    estimates : array of float
        The ratio, -1 to 1; 0 where half of the panel says essential.
    ci_low, ci_high : array of float
        Exact limits.
    critical : array of float
        The least ratio that chance reaches with a probability of at most `significance`; NaN where no ratio does.
    p_values : array of float
        The probability that as many or more say essential by chance, one-sided.
    retained : array of bool
        Whether the ratio reaches its critical value.
    essential, n : array of int
    significance, confidence_level : float
    n_experts, n_dropped : int
    reason : Message or None
    flags : tuple of Message
    """

    average: float
    average_retained: float
    items: tuple[str, ...]
    estimates: Floats
    ci_low: Floats
    ci_high: Floats
    critical: Floats
    p_values: Floats
    retained: Booleans
    essential: Integers
    n: Integers
    significance: float
    confidence_level: float
    n_experts: int
    n_dropped: int
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an item: the ratio with its interval, and critical value, p and verdict beside it."""
        return item_table(
            "CVR",
            self.items,
            self.n,
            self.estimates,
            (self.ci_low, self.ci_high),
            (self.confidence_level, EXACT),
            (self.reason, *self.flags),
            essential=self.essential.tolist(),
            critical=self.critical.tolist(),
            p_value=self.p_values.tolist(),
            retained=self.retained.tolist(),
        )

    def summary(self) -> str:
        """Return how many items reach their critical value and what must be known, in English."""
        mean = number(self.average, "en", digits=2)
        head = f"{int(self.retained.sum())} of {len(self.items)} items reach the critical ratio; mean {mean}; "
        return told(f"{head}{self.n_experts} experts.", (self.reason, *self.flags))


def content_validity_ratio(
    ratings: object, *, significance: float = 0.05, missing: HolesAllowed = "raise", confidence_level: float = 0.95
) -> ContentValidityRatio:
    r"""Return how essential a panel finds items: Lawshe's ratio with exact critical values.

    Parameters
    ----------
    ratings : array-like of shape (experts, items)
        1 where the expert says "essential", 0 for "useful" and "not necessary"; NaN is missing.
    significance : float
        The most that chance may give, one-sided.
    missing : {"raise", "listwise", "available"}
        Raise, leave out experts with a hole, or count for each item those who rated it.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ContentValidityRatio
        Fewer than six experts are flagged; where no ratio can be told from chance (four experts at .05), that too.

    Raises
    ------
    UsageError
        Ratings other than 0 and 1, holes under "raise", no expert, an unknown option.
    ArgumentTypeError
        Things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        An item that nobody rated, under "available".

    Notes
    -----
    With E of N experts saying essential the ratio is :math:`(E - N/2)/(N/2)` [1]_. The critical value is that of the
    least E with :math:`P(X \ge E) \le` `significance`, X binomial with probability one half [2]_. Lawshe's printed
    table differs (10 experts: .62, exact .80). The limits are those of E/N, exact, carried over.

    References
    ----------
    .. [1] Lawshe, C. H. (1975). A quantitative approach to content validity. Personnel Psychology, 28, 563-575.
    .. [2] Ayre, C., & Scally, A. J. (2014). Critical values for Lawshe's content validity ratio. Measurement and
       Evaluation in Counseling and Development, 47, 79-86.

    Examples
    --------
    >>> made = content_validity_ratio([[1, 1], [1, 0], [1, 1], [1, 0], [1, 1], [1, 1]])
    >>> made.estimates.round(3).tolist(), made.critical.tolist(), made.retained.tolist()
    ([1.0, 0.333], [1.0, 1.0], [True, False])
    """
    alpha = check_level("significance", significance)
    level = check_confidence_level(confidence_level)
    panel = read_panel_ratings(ratings, 0, 1, missing, whole=True)
    essential = np.asarray(np.nansum(panel.cells, axis=0), dtype=np.int64)
    estimates = 2.0 * share_of(essential, panel.n) - 1.0
    low, high = exact_limits(essential, panel.n, level)
    critical = np.array([critical_ratio(int(n), alpha) for n in panel.n])
    retained = estimates >= critical - 1e-12
    flags = panel.flags()
    if np.isnan(critical).any():
        fewest = int(panel.n[np.isnan(critical)].max())
        flags += (Message("psychometrics.content_no_critical", {"n": fewest, "significance": alpha}),)
    return ContentValidityRatio(
        average=float(np.nanmean(estimates)),
        average_retained=float(estimates[retained].mean()) if retained.any() else math.nan,
        items=panel.items,
        estimates=read_only(estimates),
        ci_low=read_only(2.0 * low - 1.0),
        ci_high=read_only(2.0 * high - 1.0),
        critical=read_only(critical),
        p_values=read_only(np.array([_tail(int(e), int(n)) for e, n in zip(essential, panel.n, strict=True)])),
        retained=read_only(np.asarray(retained)),
        essential=read_only(essential),
        n=panel.n,
        significance=alpha,
        confidence_level=level,
        n_experts=panel.n_experts,
        n_dropped=panel.n_dropped,
        reason=panel.reason(),
        flags=flags,
    )


def critical_ratio(n: int, significance: float) -> float:
    """Return the least ratio of n experts with a one-sided p of at most `significance`; NaN where none has.

    Examples
    --------
    >>> round(critical_ratio(10, 0.05), 3), critical_ratio(4, 0.05)
    (0.8, nan)
    """
    needed = next((e for e in range(n + 1) if n and _tail(e, n) <= significance), None)
    return math.nan if needed is None else 2.0 * needed / n - 1.0


def _tail(count: int, n: int) -> float:
    """Return the probability of `count` or more of n by the toss of a coin."""
    if n == 0:
        return math.nan
    return 1.0 if count == 0 else float(bdtrc(count - 1, n, 0.5))
