"""What results in the unit of the scale have in common: levels, sentences and lines of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import as_number

if TYPE_CHECKING:
    import pandas as pd


def check_level(argument: str, value: object) -> float:
    """Return a level as a float, or raise unless it is strictly between 0 and 1."""
    level = as_number(value)
    if level is None or not 0.0 < level < 1.0:
        raise UsageError("psychometrics.level_between", argument=argument, value=repr(value))
    return level


def two_sided(level: float) -> float:
    """Return the normal quantile that a share of values stays within, on both sides."""
    return float(ndtri(0.5 + level / 2.0))


def shown(value: float, ci: ConfidenceInterval) -> str:
    """Return an estimate with its interval in English."""
    limits = interval(ci.low, ci.high, "en", digits=2)
    return f"{number(value, 'en', digits=2)} ({percent(ci.confidence_level, 'en')} interval {limits})"


def lines(
    rows: list[tuple[str, float, ConfidenceInterval]], n: int, said: Sequence[Message | None], **extra: object
) -> pd.DataFrame:
    """Return lines of statistic, estimate and interval with the declared columns, and one column more."""
    (name, column), *_ = extra.items()
    made: dict[str, Sequence[Any]] = {
        "statistic": [statistic for statistic, _, _ in rows],
        "n": [n] * len(rows),
        "estimate": [estimate for _, estimate, _ in rows],
        "ci_low": [ci.low for _, _, ci in rows],
        "ci_high": [ci.high for _, _, ci in rows],
        "ci_level": [ci.confidence_level for _, _, ci in rows],
        "method": [ci.method for _, _, ci in rows],
        "reason": [" ".join(message.text("en") for message in said if message is not None)] * len(rows),
        name: column if isinstance(column, list) else [column] * len(rows),
    }
    return table(made, extra=(name,))
