"""What is said of a matrix of correlations: why a pair has none, what a reader must know, and smoothing."""

from __future__ import annotations

import math

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.correlation._polychoric import PairFit
from ibic_fidelity.psychometrics.correlation._tables import Answers, PairTables

#: Eigenvalue below which a matrix is not positive definite, and what smoothing puts in its place.
SMALLEST = 1e-10
SMOOTHING = "eigenvalues below 1e-10 raised to it, diagonal restored"


def smoothed_matrix(matrix: Floats) -> Floats:
    """Return the correlation matrix with no eigenvalue below 1e-10, its diagonal restored."""
    values, vectors = np.linalg.eigh(matrix)
    made = (vectors * np.maximum(values, SMALLEST)) @ vectors.T
    root = np.sqrt(np.diagonal(made))
    return np.asarray(made / np.outer(root, root))


def smallest_eigenvalue(matrix: Floats) -> float:
    """Return the smallest eigenvalue, NaN where a pair has no estimate."""
    if np.isnan(matrix).any():
        return math.nan
    return float(np.linalg.eigvalsh(matrix)[0])


def reasons_of(counted: PairTables, answers: Answers, fit: PairFit) -> tuple[Message | None, ...]:
    """Return why pairs have no estimate."""
    made: list[Message | None] = [None] * len(fit.rho)
    labels, sizes = answers.labels, answers.sizes
    for pair in np.flatnonzero(np.isnan(fit.rho)):
        items = (int(counted.first[pair]), int(counted.second[pair]))
        constant = tuple(labels[i] for i in items if sizes[i] < 2)
        if constant:
            made[pair] = Message("psychometrics.items_one_category", {"items": constant})
        else:
            both = {"items": tuple(labels[i] for i in items), "n": int(counted.tables[pair].sum())}
            made[pair] = Message("psychometrics.pair_does_not_vary", both)
    return tuple(made)


def flags_of(answers: Answers, counted: PairTables, fit: PairFit, adjustment: Floats, smallest: float) -> list[Message]:
    """Return what a reader of the matrix must know."""
    flags = []

    def named(at: Booleans) -> dict[str, object]:
        pairs = np.flatnonzero(at)
        labels = [f"{answers.labels[counted.first[p]]}–{answers.labels[counted.second[p]]}" for p in pairs[:5]]
        return {"n": int(pairs.size), "pairs": (*labels, *(("…",) if pairs.size > 5 else ()))}

    if fit.boundary.any():
        flags.append(Message("psychometrics.polychoric_boundary", named(fit.boundary)))
    unsettled = ~fit.converged & ~np.isnan(fit.rho)
    if unsettled.any():
        flags.append(Message("psychometrics.polychoric_unsettled", named(unsettled)))
    if (adjustment > 0).any():
        added = tuple(f"{value:g}" for value in np.unique(adjustment[adjustment > 0]))
        flags.append(Message("psychometrics.empty_cells_adjusted", {**named(adjustment > 0), "added": added}))
    if smallest < SMALLEST:
        flags.append(Message("psychometrics.not_positive_definite", {"value": smallest}))
    return flags


def smoothed(matrix: Floats, smallest: float) -> tuple[Floats, str, list[Message]]:
    """Return the matrix, smoothed where it needs and allows it, the method used, and what is to be said."""
    if math.isnan(smallest):
        return matrix, "", [Message("psychometrics.not_smoothed")]
    if smallest >= SMALLEST:
        return matrix, "", []
    made = smoothed_matrix(matrix)
    largest = float(np.abs(made - matrix).max())
    return made, SMOOTHING, [Message("psychometrics.smoothed", {"method": SMOOTHING, "largest": largest})]
