"""Sampling and non-response weights: what they must be, and what unequal ones cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.responses.model import Responses, SourceTable
from ibic_fidelity.scoring.grouping import Nesting

Floats = NDArray[np.float64]
ROUNDED = 0.01  # weights are often given with two decimals


def check_weights(responses: Responses) -> None:
    """Refuse a weight that is no positive number, with its row."""
    for name, table in responses.tables.items():
        wrong = np.flatnonzero(~(np.isfinite(table.weight) & (table.weight > 0)))
        if len(wrong):
            row = int(wrong[0])
            raise UsageError(
                "scoring.bad_weight", source=name, row=row, n=len(wrong), value=float(table.weight[row]),
                **_who(table, row),
            )  # fmt: skip


def check_sums(nest: Nesting, units: Floats, eligible: Floats) -> None:
    """Refuse weights that sum neither to the eligible units of a group nor to those that it has.

    Weights that have mean 1 over all groups together, and so sum in no single one, are let through. Nothing is
    known of a group whose eligible units nobody counted. `units` and `eligible` are of the table's groups.
    """
    weight = unit_weights(nest)
    if (weight == 1).all() or abs(weight.sum() / len(weight) - 1) <= ROUNDED:
        return
    total = np.add.reduceat(weight, nest.group_units)
    away = np.minimum(np.abs(total / units - 1), np.abs(total / np.maximum(eligible, 1) - 1))
    wrong = np.flatnonzero(np.isfinite(eligible) & (away > ROUNDED))
    if len(wrong):
        row = int(nest.group_rows[wrong[0]])
        raise UsageError(
            "scoring.weights_not_summing", source=nest.table.source, row=row, total=float(total[wrong[0]]),
            n=int(units[wrong[0]]), eligible=int(eligible[wrong[0]]), **_who(nest.table, row),
        )  # fmt: skip


def design_effect(nest: Nesting) -> Floats:
    """Return n Σw²/(Σw)² of every group of a table: how many units do the work of one (Kish 1965)."""
    weight = unit_weights(nest)
    total = np.add.reduceat(weight, nest.group_units)
    effect: Floats = nest.units_of_groups() * np.add.reduceat(weight**2, nest.group_units) / total**2
    return effect


def unit_weights(nest: Nesting) -> Floats:
    """Return the weight of each unit: the mean of its ratings' weights."""
    weight = nest.table.weight
    if not nest.collapsed:
        return weight
    mean: Floats = np.add.reduceat(weight, nest.unit_rows) / nest.ratings_of_units()
    return mean


def _who(table: SourceTable, row: int) -> dict[str, str]:
    return {name: getattr(table, name).labels[getattr(table, name).codes[row]] for name in ("site", "unit")}
