"""Scores of two known groups, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_groups,
    as_vector,
    check_choice,
    complete_rows,
    known_groups_rows,
)


@dataclass(frozen=True, slots=True, eq=False)
class TwoGroups:
    """Scores of the group below (m,) and the group above (n,) a standard, and how many rows were left out."""

    below: Floats
    above: Floats
    names: tuple[Any, Any]
    n_dropped: int


def read_two_groups(y: object, groups: object, above: object, missing: CompleteTable) -> TwoGroups:
    """Return the scores of two groups, the one called `above` last."""
    check_choice("missing", missing, COMPLETE_TABLE)
    scores = as_vector(y)
    of = as_groups(groups, len(scores), data="y")
    used = complete_rows(scores[:, np.newaxis], ("1",), missing, argument="y") & known_groups_rows(of, missing)
    labels = [label for code, label in enumerate(of.labels) if np.any(used & (of.codes == code))]
    if len(labels) != 2:
        raise UsageError("psychometrics.standard_two_groups", n=len(labels))
    if above not in labels:
        raise UsageError("psychometrics.standard_above", value=repr(above), labels=labels)
    other = labels[1 - labels.index(above)]
    parts = [np.sort(scores[used & (of.codes == of.labels.index(label))]) for label in (other, above)]
    return TwoGroups(parts[0], parts[1], (other, above), int((~used).sum()))


def lines(
    rows: Sequence[tuple[str, float, ConfidenceInterval, int]], said: Sequence[Message | None], **extra: Sequence[Any]
) -> Any:
    """Return a frame of statistic, estimate and interval, with what was said of them."""
    reason = " ".join(message.text("en") for message in said if message is not None)
    return table(
        {
            "statistic": [name for name, *_ in rows],
            "n": [n for *_, n in rows],
            "estimate": [estimate for _, estimate, *_ in rows],
            "ci_low": [ci.low for *_, ci, _ in rows],
            "ci_high": [ci.high for *_, ci, _ in rows],
            "ci_level": [ci.confidence_level for *_, ci, _ in rows],
            "method": [ci.method for *_, ci, _ in rows],
            "reason": [reason] * len(rows),
            **extra,
        },
        extra=tuple(extra),
    )


def wilson(count: int, n: int, level: float) -> ConfidenceInterval:
    """Return Wilson's (1927) interval of a share."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2.0))
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return ConfidenceInterval(float(max(middle - half, 0.0)), float(min(middle + half, 1.0)), level, "Wilson")
