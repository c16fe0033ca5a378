"""Starting values: variances that fit the squared sums of every term's levels (MINQUE with all ratios 0).

E Σ_g T_g² of a term is Σⱼ σⱼ² Σ_gl n_gl² + n σ²ₑ, over the levels g of the term crossed with the levels l of term j.
That the ratings were centred is left out of account: these are values to begin with.
"""

from __future__ import annotations

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._design import Block, NestedDesign, Term

#: What tells the levels of a term apart: site, assessor, file, rater, item.
_KEYS: dict[Term, str] = {
    "site": "s",
    "site_item": "si",
    "assessor": "sa",
    "file": "sf",
    "file_item": "sfi",
    "rater": "r",
    "rater_item": "ri",
    "rater_file": "sfr",
    "rater_site": "sr",
    "item": "i",
}
#: No component begins below this share of the variance: from near 0 the steps are short.
_LEAST = 0.005


def starting_values(design: NestedDesign) -> Floats:
    """Return a variance of each term and of the residual, all above 0."""
    k = len(design.terms)
    keys = [frozenset(_KEYS[term]) for term in design.terms]
    counts = {key: _squares(design, key, "counts") for key in {a | b for a in keys for b in keys}}
    left = np.full((k + 1, k + 1), float(design.n))
    for i, a in enumerate(keys):
        for j, b in enumerate(keys):
            left[i, j] = counts[a | b]
    right = np.array([*(_squares(design, key, "sums") for key in keys), design.square])
    # weighed so that large groups do not drown small ones
    weight = 1.0 / np.sqrt(np.diagonal(left))
    found = np.linalg.lstsq(left * weight[:, np.newaxis] * weight, right * weight)[0] * weight
    total = design.square / (design.n - design.n_fixed)
    clipped: Floats = np.clip(found, _LEAST * total, total)
    return clipped


def _squares(design: NestedDesign, key: frozenset[str], what: str) -> float:
    """Return the sum of squared counts, or sums, of the levels that a key tells apart."""
    total = 0.0
    across = np.zeros((design.n_linked + 1 if "r" in key else 1, design.n_items if "i" in key else 1))
    for block in design.blocks:
        table = _table(block, getattr(block, what), key)
        if "s" in key:
            total += float((table**2).sum())
        elif "r" in key:
            table = table[:, 0]
            total += float((table[block.own] ** 2).sum())
            np.add.at(across, block.border, table)
        else:
            across += table.sum(axis=(0, 1, 2))
    if "r" in key:
        across[-1] = 0.0
    return total + float((across**2).sum())


def _table(block: Block, x: Floats, key: frozenset[str]) -> Floats:
    """Sum over the axes (S, F, R, I) that a key leaves out; files become assessors where it asks for them."""
    if "i" not in key:
        x = x.sum(axis=3, keepdims=True)
    if "r" not in key:
        x = x.sum(axis=2, keepdims=True)
    if "f" in key:
        return x
    if "a" in key and block.assessors.shape[2]:
        x = np.einsum("sfri,sfa->sari", x, block.assessors)
    else:
        x = x.sum(axis=1, keepdims=True)
    return x
