"""The content validity index: the share of a panel that finds an item relevant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.psychometrics._arguments import (
    Floats,
    HolesAllowed,
    Integers,
    as_number,
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

if TYPE_CHECKING:
    import pandas as pd

LOW, HIGH = 1, 4


@dataclass(frozen=True, slots=True, eq=False)
class ContentValidityIndex:
    """Relevance of items, as `content_validity_index` returns it; arrays have one value an item, shape (k,).

    Attributes
    ----------
    average, universal : float
        S-CVI/Ave, the mean of the items' indices, and S-CVI/UA, the share of items that every expert finds relevant.
    items : tuple of str
    estimates : array of float
        I-CVI: the share of experts who rate the item `cut` or higher.
    ci_low, ci_high : array of float
        Exact limits of I-CVI in the population that the experts are drawn from.
    chance : array of float
        The probability that as many agree by chance.
    kappa : array of float
        Modified kappa: I-CVI beyond chance.
    agreeing, n : array of int
        Experts who find the item relevant, and who rated it.
    cut : int
    confidence_level : float
    n_experts, n_dropped : int
    reason : Message or None
    flags : tuple of Message
    """

    average: float
    universal: float
    items: tuple[str, ...]
    estimates: Floats
    ci_low: Floats
    ci_high: Floats
    chance: Floats
    kappa: Floats
    agreeing: Integers
    n: Integers
    cut: int
    confidence_level: float
    n_experts: int
    n_dropped: int
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an item: I-CVI with its interval, and how many agree, chance and kappa beside it."""
        return item_table(
            "I-CVI",
            self.items,
            self.n,
            self.estimates,
            (self.ci_low, self.ci_high),
            (self.confidence_level, EXACT),
            (self.reason, *self.flags),
            agreeing=self.agreeing.tolist(),
            chance=self.chance.tolist(),
            kappa=self.kappa.tolist(),
        )

    def summary(self) -> str:
        """Return the two indices of the scale and what must be known, in English."""
        ave, universal = (number(one, "en", digits=2) for one in (self.average, self.universal))
        head = f"S-CVI/Ave {ave}, S-CVI/UA {universal}; {self.n_experts} experts, {len(self.items)} items."
        return told(head, (self.reason, *self.flags))


def content_validity_index(
    ratings: object, *, cut: int = 3, missing: HolesAllowed = "raise", confidence_level: float = 0.95
) -> ContentValidityIndex:
    r"""Return how relevant a panel finds items: I-CVI, S-CVI/Ave, S-CVI/UA and modified kappa.

    Parameters
    ----------
    ratings : array-like of shape (experts, items)
        Relevance, 1 (not relevant) to 4 (highly relevant), whole numbers; NaN is missing.
    cut : {2, 3, 4}
        The lowest rating that counts as relevant.
    missing : {"raise", "listwise", "available"}
        Raise, leave out experts with a hole, or count for each item those who rated it.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ContentValidityIndex
        Fewer than six experts are flagged: then one of them decides.

    Raises
    ------
    UsageError
        A rating outside 1-4 or between them, holes under "raise", no expert, an unknown option.
    ArgumentTypeError
        Things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        An item that nobody rated, under "available".

    Notes
    -----
    With A of N experts agreeing, :math:`I = A/N`, chance :math:`p_c = \binom{N}{A} 2^{-N}` and modified kappa
    :math:`(I - p_c)/(1 - p_c)` [1]_. S-CVI/UA falls with every expert more, whatever they think; S-CVI/Ave does not.
    The limits are exact [2]_: they cover at least the level, and with few experts up to 1. They speak of experts as
    if drawn at random from all who could have been asked, which a panel seldom is.

    References
    ----------
    .. [1] Polit, D. F., Beck, C. T., & Owen, S. V. (2007). Is the CVI an acceptable indicator of content validity?
       Research in Nursing & Health, 30, 459-467.
    .. [2] Clopper, C. J., & Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case
       of the binomial. Biometrika, 26, 404-413.

    Examples
    --------
    >>> made = content_validity_index([[4, 3], [4, 4], [3, 2], [4, 4], [3, 4], [4, 3]])
    >>> made.estimates.round(3).tolist(), round(made.average, 3), made.universal
    ([1.0, 0.833], 0.917, 0.5)
    """
    if isinstance(cut, bool) or as_number(cut) not in (2.0, 3.0, 4.0):
        raise UsageError("psychometrics.content_cut", value=repr(cut))
    level = check_confidence_level(confidence_level)
    panel = read_panel_ratings(ratings, LOW, HIGH, missing, whole=True)
    agreeing = np.asarray((panel.cells >= cut).sum(axis=0), dtype=np.int64)  # NaN is not
    estimates = share_of(agreeing, panel.n)
    log_ways = gammaln(panel.n + 1) - gammaln(agreeing + 1) - gammaln(panel.n - agreeing + 1)
    chance = np.where(panel.n > 0, np.exp(log_ways - panel.n * np.log(2.0)), np.nan)
    low, high = exact_limits(agreeing, panel.n, level)
    rated = panel.n > 0
    return ContentValidityIndex(
        average=float(estimates[rated].mean()),
        universal=float((agreeing == panel.n)[rated].mean()),
        items=panel.items,
        estimates=read_only(estimates),
        ci_low=read_only(low),
        ci_high=read_only(high),
        chance=read_only(chance),
        kappa=read_only((estimates - chance) / (1.0 - chance)),
        agreeing=read_only(agreeing),
        n=panel.n,
        cut=int(cut),
        confidence_level=level,
        n_experts=panel.n_experts,
        n_dropped=panel.n_dropped,
        reason=panel.reason(),
        flags=panel.flags(),
    )
