"""One order and sign of factors, so that the same answer always comes out."""

from __future__ import annotations

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats, Integers


def canonical(loadings: Floats, phi: Floats, *, general: bool = False) -> tuple[Integers, Floats]:
    """Return the order (m,) of factors and their signs (m,), in that order.

    The factor that accounts for most variance, correlations counted, comes first (a general factor before all);
    each is turned so that the sum of its cubed loadings, which large ones decide, is not negative.
    """
    variance = ((loadings @ phi) * loadings).sum(axis=0)
    order = np.argsort(-np.round(variance, 9), kind="stable")
    if general:
        order = np.concatenate([[0], order[order != 0]])
    cubes = (loadings[:, order] ** 3).sum(axis=0)
    return order.astype(np.int64), np.where(cubes < 0, -1.0, 1.0)


def in_order(loadings: Floats, phi: Floats, *, general: bool = False) -> tuple[Floats, Floats]:
    """Return loadings (k, m) and factor correlations (m, m) in their canonical order and sign."""
    order, signs = canonical(loadings, phi, general=general)
    return loadings[:, order] * signs, phi[np.ix_(order, order)] * np.outer(signs, signs)


def matched(loadings: Floats, target: Floats) -> tuple[Integers, Floats]:
    """Return orders (B, m) and signs (B, m) of factors that bring loadings (B, k, m) nearest to a target (k, m).

    Factors are taken one by one, the most alike pair first (Tucker's congruence).
    """
    size, _, m = loadings.shape
    length = np.sqrt(np.square(loadings).sum(axis=1))[:, :, None] * np.sqrt(np.square(target).sum(axis=0))
    alike = loadings.swapaxes(-1, -2) @ target / np.where(length > 0, length, 1.0)
    order, signs, rows = np.zeros((size, m), dtype=np.int64), np.ones((size, m)), np.arange(size)
    left = np.abs(alike)
    for _ in range(m):
        best = left.reshape(size, -1).argmax(axis=1)
        own, to = best // m, best % m
        order[rows, to] = own
        signs[rows, to] = np.where(alike[rows, own, to] < 0, -1.0, 1.0)
        left[rows, own, :] = -1.0
        left[rows, :, to] = -1.0
    return order, signs
