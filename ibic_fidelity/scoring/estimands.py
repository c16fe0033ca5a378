"""What a score is about: the way of working, or this period's files and staff; the two are never mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.instrument.calibration import CalibrationRow
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import NOT_APPLICABLE
from ibic_fidelity.scoring.calibration import calibrated_units
from ibic_fidelity.scoring.intervals import RaterSpread, Spread, Sums, pooled_spread
from ibic_fidelity.scoring.sums import SourceSums, Target

Floats = NDArray[np.float64]
Estimand = Literal["way_of_working", "this_period"]
WAY_OF_WORKING: Estimand = "way_of_working"
THIS_PERIOD: Estimand = "this_period"
ESTIMANDS = (WAY_OF_WORKING, THIS_PERIOD)
#: Raters and occasions are this period's own: they are what is described, no error of it.
FIXED = RaterSpread(0.0, np.inf, "fixed")


def check_estimand(estimand: object) -> None:
    """Refuse what is no estimand."""
    if estimand not in ESTIMANDS:
        raise UsageError("scoring.estimand", value=repr(estimand), choices=list(ESTIMANDS))


def require_way_of_working(estimand: Estimand, verb: str) -> None:
    """Refuse scores of this period where sites are compared, ranked or banded."""
    if estimand != WAY_OF_WORKING:
        raise UsageError("scoring.this_period_refused", verb=verb)


def observed_fraction(
    sums: SourceSums, instrument: Instrument, weights: Mapping[Target, Mapping[str, float]], eligible: Floats
) -> dict[Target, Floats]:
    """Return, by target, what part of this period's eligible units was seen in every group of a source.

    Parameters
    ----------
    sums : SourceSums
        Of the source.
    instrument, weights
        Its measures, and the weights of items in composites.
    eligible : ndarray, shape (g,)
        Eligible units of the source's groups; NaN where nobody counted them.

    Returns
    -------
    dict of ndarray, shape (g,)
        Units over eligible, times the share of those to which a measure applies that have an answer to it: a
        blank file is one that was not seen, a file to which an item does not apply is none of its population.
        A composite has the weighted mean of its items', which is no less error than that of items that go
        together. NaN where the eligible are unknown or fewer than the units.
    """
    nest = sums.nest
    units = nest.units_of_groups()
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.where(units <= eligible, units / eligible, np.nan)
    position = {column: j for j, column in enumerate(nest.table.columns)}
    found: dict[Target, Floats] = {}
    for item, measure in instrument.measures_of(nest.table.source):
        columns = [position[name] for name in ([part.id for part in measure.parts] or [measure.id])]
        applies = (nest.table.codes[:, columns] != NOT_APPLICABLE).any(axis=1)
        if nest.collapsed:
            applies = np.logical_or.reduceat(applies, nest.unit_rows)
        applicable = np.add.reduceat(applies.astype(np.float64), nest.group_units)
        answered = sums.answered["measure", item.id]
        found["measure", item.id] = taken * np.divide(
            answered, applicable, out=np.zeros(len(taken)), where=applicable > 0
        )
    for target in sums.targets:
        if target not in found:
            inside = {item: w for item, w in weights[target].items() if ("measure", item) in found}
            share = np.array(list(inside.values())) / sum(inside.values())
            found[target] = share @ np.stack([found["measure", item] for item in inside])
    return found


def period_error(sums: Sums, fraction: Floats, row: CalibrationRow | None) -> tuple[Floats, Floats, Spread]:
    """Return κ of every group for this period's units, its degrees of freedom, and the spread behind it.

    Units are taken from the eligible by chance, whoever's they are; assessors, raters and occasions are this
    period's own and no source of error. So κ = (1 − f) φ Σq², with one φ for the variance of units among all of
    a site's (Cochran 1977, ch. 2), and 0 where all are in.
    """
    a = sums.within_weight
    left = np.where(np.isfinite(fraction), 1 - fraction, 1.0)
    # Units as their own clusters: their squares hold what assessors differ, which is among the units drawn from.
    alone = replace(sums, between_weight=a)
    spread = calibrated_units(pooled_spread(alone, np.zeros(len(a)), FIXED, left=left), row)
    if spread.calibrated:
        spread = replace(spread, within=spread.within + spread.between, between=0.0, nested=False)
    return spread.within * a * (1 - fraction), np.full(len(a), max(spread.df_within, 1.0)), spread
