"""What `within_group_agreement` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class GroupIndex:
    """One index of agreement over the groups.

    Attributes
    ----------
    estimate : array of shape (groups,)
        The index, NaN where it is not defined.
    truncated : array of bool of shape (groups,)
        True where the variance exceeded the null distribution's and the index was put to 0.
    mean, median : float
        Over the groups where it is defined.
    mean_ci : ConfidenceInterval
        Of the mean over groups such as these and of these sizes, by t over groups; NaN for fewer than two.
    n_groups : int
        How many those are.
    reasons : tuple of Message or None, one a group
        Why the index is not defined in a group, or rests on fewer items than there are; None where it is.
    """

    estimate: Floats
    truncated: Booleans
    mean: float
    median: float
    mean_ci: ConfidenceInterval
    n_groups: int
    reasons: tuple[Message | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class WithinGroupAgreement:
    """Agreement within groups, as `within_group_agreement` returns it; arrays have one value a group.

    Attributes
    ----------
    groups : tuple
        The groups' labels, sorted.
    group_n : array of int
        Members of each group, counted after the missing-data rule.
    rwg : GroupIndex
        Of the members' means over the items (of the item itself if there is one).
    rwg_j : GroupIndex
        rwg(j), of all items together; grows with their number.
    awg : GroupIndex
        awg, mean over the items in which it is defined.
    ad : GroupIndex
        Mean absolute deviation from the group's mean, mean over the items, in units of the scale.
    awg_items : array of int
        Items in which the group's awg is defined.
    mean, variance : array of float
        Of the members' means over the items; variance with n − 1.
    n, k : int
        Members used, items.
    n_dropped : int
        Members left out by ``missing="listwise"``.
    low, high : float
        The lowest and highest answer.
    null : str
        The null distribution, "given variance" if a number was given.
    null_variance : float
        Its variance.
    missing : str
        The missing-data rule.
    flags : tuple of Message
        How many groups were truncated or left undefined, and why.
    """

    groups: tuple[Any, ...]
    group_n: Integers
    rwg: GroupIndex
    rwg_j: GroupIndex
    awg: GroupIndex
    ad: GroupIndex
    awg_items: Integers
    mean: Floats
    variance: Floats
    n: int
    k: int
    n_dropped: int
    low: float
    high: float
    null: str
    null_variance: float
    missing: str
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a group and index.

        Columns: statistic (rwg, rwg_j, awg, ad), n, estimate, reason, group, truncated.
        """
        names = ("rwg", "rwg_j", "awg", "ad")
        rows = [(group, name) for group in range(len(self.groups)) for name in names]
        return table(
            {
                "statistic": [name for _, name in rows],
                "n": [int(self.group_n[group]) for group, _ in rows],
                "estimate": [float(getattr(self, name).estimate[group]) for group, name in rows],
                "reason": [_text(getattr(self, name).reasons[group]) for group, name in rows],
                "group": [self.groups[group] for group, _ in rows],
                "truncated": [bool(getattr(self, name).truncated[group]) for group, name in rows],
            },
            extra=("group", "truncated"),
        )

    def summary(self) -> str:
        """Return a few lines in English: mean and median of each index, then the flags."""
        lines = [f"{self.n} members of {len(self.groups)} groups, {self.k} item(s), null {self.null}."]
        for name, index in (("rwg", self.rwg), ("rwg(j)", self.rwg_j), ("awg", self.awg), ("AD", self.ad)):
            limits = interval(index.mean_ci.low, index.mean_ci.high, "apa", digits=2)
            middle = f"mean {coefficient(index.mean, 'en')} ({limits}), median {coefficient(index.median, 'en')}"
            lines.append(f"{name}: {middle}, {index.n_groups} groups.")
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])


def _text(reason: Message | None) -> str:
    return "" if reason is None else reason.text("en")
