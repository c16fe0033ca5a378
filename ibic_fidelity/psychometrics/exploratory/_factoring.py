"""Extraction, rotation and order of factors of one correlation matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.exploratory._extraction import LOWEST, Extracted, Extraction, extract
from ibic_fidelity.psychometrics.exploratory._order import in_order
from ibic_fidelity.psychometrics.exploratory._rotation import GENERAL, Rotation, best_of, random_starts, rotate


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """Loadings (k, m), factor correlations, loadings before rotation, communalities, and what came of the search."""

    loadings: Floats
    phi: Floats
    unrotated: Floats
    communalities: Floats
    heywood: Booleans
    converged: bool
    n_starts: int
    n_at_best: int
    flags: tuple[Message, ...]

    @property
    def model(self) -> Floats:
        """Return the model's correlations, ones in the diagonal."""
        made = self.loadings @ self.phi @ self.loadings.T
        np.fill_diagonal(made, 1.0)
        return made


def factored(
    matrix: Floats, m: int, extraction: Extraction, rotation: str, n_starts: int, rng: np.random.Generator
) -> Factored:
    """Return m factors of a correlation matrix (k, k); rotation "none" leaves them as they are."""
    found = extract(matrix[None], m, extraction)
    unrotated, none = in_order(found.loadings[0], np.eye(m))
    loadings, phi, settled, at_best = unrotated, none, True, 0
    starts = n_starts if m > 1 and rotation not in {"none", "promax"} else 0
    if rotation == "promax" and m > 1:
        from ibic_fidelity.psychometrics._engines.factor_analyzer import promax

        loadings, phi = in_order(*promax(unrotated))
    elif starts:
        turned = rotate(unrotated[None], cast("Rotation", rotation), random_starts(m, starts, rng))
        best, at_best = best_of(turned)
        settled = bool(turned.converged[best])
        loadings, phi = in_order(turned.loadings[best], turned.phi[best], general=rotation in GENERAL)
    communalities = ((loadings @ phi) * loadings).sum(axis=1)
    return Factored(
        loadings,
        phi,
        unrotated,
        communalities,
        heywood_of(found)[0],
        bool(found.converged[0]) and settled,
        starts,
        at_best,
        tuple(_flags(found, settled=settled, at_best=at_best, starts=starts)),
    )


def heywood_of(found: Extracted) -> Booleans:
    """Return which items (B, k) have a uniqueness at the bound or below it."""
    return np.asarray(found.uniquenesses <= LOWEST + 1e-6)


def _flags(found: Extracted, *, settled: bool, at_best: int, starts: int) -> list[Message]:
    flags = []
    if not found.converged[0]:
        flags.append(Message("psychometrics.extraction_not_converged"))
    if not settled:
        flags.append(Message("psychometrics.rotation_not_converged"))
    elif at_best and 2 * at_best <= starts:
        flags.append(Message("psychometrics.rotation_minima", {"n": at_best, "of": starts}))
    return flags
