"""Ratings of a panel, read and counted, and what the three indices say in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betaincinv

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Floats,
    HolesAllowed,
    Integers,
    as_matrix,
    check_choice,
    check_limits,
    check_within,
    complete_rows,
    read_only,
    warn_undefined,
)

if TYPE_CHECKING:
    import pandas as pd

#: With fewer experts than this nobody may disagree, and one of them decides (Lynn 1986).
LEAST_EXPERTS = 6
#: How `exact_limits` are made.
EXACT = "Clopper-Pearson"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Ratings (experts, items) after the missing-data rule, and how many experts rated each item."""

    cells: Floats
    items: tuple[str, ...]
    n: Integers
    n_experts: int
    n_dropped: int
    low: Floats
    high: Floats

    def reason(self) -> Message | None:
        """Return that some items have no rating, with a warning, or None."""
        lacking = [name for name, n in zip(self.items, self.n, strict=True) if n == 0]
        if not lacking:
            return None
        reason = Message("psychometrics.content_no_ratings", {"items": lacking})
        warn_undefined(reason, stacklevel=4)
        return reason

    def flags(self) -> tuple[Message, ...]:
        """Return that the experts are few, where they are."""
        fewest = int(self.n.min())
        if fewest >= LEAST_EXPERTS:
            return ()
        return (Message("psychometrics.content_few_experts", {"n": fewest, "least": LEAST_EXPERTS}),)


def read_panel_ratings(ratings: object, low: object, high: object, missing: HolesAllowed, *, whole: bool) -> Panel:
    """Return ratings (experts, items) between their limits, or raise."""
    check_choice("missing", missing, HOLES_ALLOWED)
    read = as_matrix(ratings, argument="ratings")
    least, most = check_limits(low, high, len(read.labels))
    check_within(read, least, most, argument="ratings")
    broken = np.argwhere(read.cells != np.round(read.cells)) if whole else np.empty((0, 2), dtype=int)
    broken = broken[~np.isnan(read.cells[tuple(broken.T)])]
    if len(broken):
        row, column = (int(i) for i in broken[0])
        value = f"{read.cells[row, column]:g}"
        raise UsageError("psychometrics.content_not_whole", value=value, row=row + 1, column=read.labels[column])
    used = complete_rows(read.cells, read.labels, missing, argument="ratings")
    if missing == "available":
        used = np.asarray((~np.isnan(read.cells)).any(axis=1))
    if not used.any():
        raise UsageError("psychometrics.content_no_experts")
    cells = read.cells[used]
    n = np.asarray((~np.isnan(cells)).sum(axis=0), dtype=np.int64)
    return Panel(read_only(cells), read.labels, read_only(n), int(used.sum()), int((~used).sum()), least, most)


def exact_limits(count: Integers, n: Integers, level: float) -> tuple[Floats, Floats]:
    """Return Clopper and Pearson's (1934) limits of shares; NaN where n is 0."""
    tail = (1.0 - level) / 2.0
    with np.errstate(invalid="ignore"):
        low = np.where(count > 0, betaincinv(np.maximum(count, 1), n - count + 1, tail), 0.0)
        high = np.where(count < n, betaincinv(count + 1, np.maximum(n - count, 1), 1.0 - tail), 1.0)
    return np.where(n > 0, low, math.nan), np.where(n > 0, high, math.nan)


def share_of(count: Integers, n: Integers) -> Floats:
    """Return shares; NaN where n is 0."""
    return np.asarray(np.divide(count, n, out=np.full(len(n), math.nan), where=n > 0))


def item_table(
    statistic: str,
    panel_items: Sequence[str],
    n: Integers,
    estimates: Floats,
    limits: tuple[Floats, Floats],
    method: tuple[float, str],
    said: Sequence[Message | None],
    **extra: Sequence[Any],
) -> pd.DataFrame:
    """Return one line an item with the declared columns, and some more."""
    k = len(panel_items)
    columns: dict[str, Sequence[Any]] = {
        "item": list(panel_items),
        "statistic": [statistic] * k,
        "n": n.tolist(),
        "estimate": estimates.tolist(),
        "ci_low": limits[0].tolist(),
        "ci_high": limits[1].tolist(),
        "ci_level": [method[0]] * k,
        "method": [method[1]] * k,
        "reason": [" ".join(one.text("en") for one in said if one is not None)] * k,
        **extra,
    }
    return table(columns, extra=tuple(extra))


def told(head: str, said: Sequence[Message | None]) -> str:
    """Return a summary: one sentence, and what must be known."""
    return "\n".join([head, *(one.text("en") for one in said if one is not None)])
