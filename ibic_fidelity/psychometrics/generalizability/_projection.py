"""Z'PY of every term for columns Y given by their sums, and what becomes of them: quadratic forms of P."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._design import Block, NestedDesign, Term
from ibic_fidelity.psychometrics.generalizability._nested import Factor, FileStep, SiteStep


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """What P, that of V/σ²ₑ, makes of k columns Y.

    Attributes
    ----------
    local : tuple of dict
        For each block the Zⱼ'PY of terms within sites, the last axis k.
    border : dict
        Zⱼ'PY of terms of the border, (levels, k).
    means : array (p, k)
        Generalized least squares.
    explained : array (k,)
        Y'Y − Y'PY of each column.
    """

    local: tuple[dict[Term, Floats], ...]
    border: dict[Term, Floats]
    means: Floats
    explained: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Right:
    """Right-hand sides of a block: by cell (S, F, I, k), file and rater (S, F, R, k), column (S, n, k), step 3."""

    cells: Floats
    files: Floats
    kept: Floats
    effects: Floats


def project(made: Factor, sums: Callable[[int], Floats], k: int) -> Projection:
    """Return Z'PY, Y given by its sums over the ratings in each place of a block, shape (S, F, R, I, k)."""
    blocks = made.design.blocks
    right = np.zeros((made.layout.size + 1, k))
    explained = np.zeros(k)
    rights = []
    for i, (block, files, site) in enumerate(zip(blocks, made.files, made.sites, strict=True)):
        of, left, part = _forward(block, files, site, sums(i))
        rights.append(of)
        explained += part
        made.layout.add_rows(right, made.layout.spread(left, block), block)
    means, coefficients, border = made.border.project(made.layout, right[:-1])
    explained += np.einsum("bk,bk->k", coefficients, right[:-1])
    padded = np.concatenate([coefficients, np.zeros((1, k))])
    local = []
    for block, files, site, of in zip(blocks, made.files, made.sites, rights, strict=True):
        at_cells = made.layout.gather(padded[made.layout.places(block)], block)
        local.append(_back(made, block, (files, site), of, at_cells))
    return Projection(tuple(local), border, means, explained)


def _forward(block: Block, files: FileStep, site: SiteStep, sums: Floats) -> tuple[_Right, Floats, Floats]:
    """Return a block's right-hand sides, what is left for the border (S, R I, k), and the sum of squares met."""
    n_sites, _, n_raters, n_items, k = sums.shape
    cells = sums.sum(axis=2)
    shrunk = files.shrink[..., np.newaxis] * cells
    rest = sums - block.counts[..., np.newaxis] * shrunk[:, :, np.newaxis]
    of_files = rest.sum(axis=3)
    kept = np.concatenate(
        [
            rest.sum(axis=1).reshape(n_sites, n_raters * n_items, k),
            block.assessors.transpose(0, 2, 1) @ of_files.sum(axis=2),
        ],
        axis=1,
    )
    flat = of_files.reshape(n_sites, -1, k)
    kept -= files.back.reshape(n_sites, flat.shape[1], -1).transpose(0, 2, 1) @ flat
    effects = site.columns.T @ kept
    explained = np.einsum("sfik,sfik->k", shrunk, cells)
    explained += np.einsum("sfrk,sfrk->k", files.solve @ of_files, of_files)
    explained += np.einsum("slk,slk->k", site.solve @ effects, effects)
    left = (kept - site.back.transpose(0, 2, 1) @ effects)[:, : n_raters * n_items]
    return _Right(cells, of_files, kept, effects), left, explained


def _back(
    made: Factor, block: Block, steps: tuple[FileStep, SiteStep], right: _Right, at_cells: Floats
) -> dict[Term, Floats]:
    """Return a block's Z'PY from the border's coefficients at its columns rater×item."""
    files, site = steps
    m = block.counts
    n_sites, n_files, n_raters, n_items = m.shape
    n_cells = at_cells.shape[1]
    coefficients = np.zeros_like(right.kept)
    coefficients[:, :n_cells] = at_cells
    effects = site.solve @ right.effects - site.back @ coefficients
    coefficients += site.columns @ effects
    of_site = (site.columns.T @ (right.kept - site.kept @ coefficients)) * site.known[..., np.newaxis]
    found = {term: of_site[:, where] for term, where in site.terms}

    flat = n_sites, n_files * n_raters, -1
    shape = right.files.shape
    of_files = files.solve @ right.files - (files.back.reshape(*flat) @ coefficients).reshape(shape)
    if "file" in made.ratios or "rater_file" in made.ratios:
        z = right.files - (files.cross.reshape(*flat) @ coefficients).reshape(shape) - files.inner @ of_files
        if "file" in made.ratios:
            found["file"] = z.sum(axis=2)
        if "rater_file" in made.ratios:
            found["rater_file"] = z
    if "file_item" in made.ratios:
        of_files += (block.assessors @ coefficients[:, n_cells:])[:, :, np.newaxis]
        grid = coefficients[:, :n_cells].reshape(n_sites, n_raters, n_items, -1)
        left = right.cells.copy()
        for r in range(n_raters):
            left -= m[:, :, r, :, np.newaxis] * (grid[:, np.newaxis, r] + of_files[:, :, r, np.newaxis])
        found["file_item"] = left / (1.0 + made.ratios["file_item"] * m.sum(axis=2))[..., np.newaxis]
    return found


def squares(design: NestedDesign, z: Projection) -> Floats:
    """Return |zⱼ|² of every term, for the first column."""
    return np.array([_inner(term, z, z)[0] for term in design.terms], dtype=np.float64)


def _inner(term: Term, z: Projection, other: Projection) -> Floats:
    """Return the products (k,) of a term's effects in the first column of one projection with those of another."""
    parts = [(a[term], b[term]) for a, b in zip(z.local, other.local, strict=True) if term in a]
    if term in z.border:
        parts.append((z.border[term], other.border[term]))
    total = np.zeros(other.explained.shape[0])
    for a, b in parts:
        total += a[..., 0].ravel() @ b.reshape(-1, b.shape[-1])
    return total


def curvature(made: Factor, z: Projection) -> Floats:
    """Return zⱼ'Zⱼ'P Zₖzₖ, z that of y: what the average information is made of."""
    design = made.design

    def sums(i: int) -> Floats:
        block = design.blocks[i]
        stacked = np.empty((*block.counts.shape, len(design.terms)))
        for j, term in enumerate(design.terms):
            np.multiply(block.counts, _spread(term, block, z, i), out=stacked[..., j])
        return stacked

    if not design.terms:
        return np.zeros((0, 0))
    onto = project(made, sums, len(design.terms))
    found = np.array([_inner(term, z, onto) for term in design.terms])
    both: Floats = (found + found.T) / 2.0
    return both


def _spread(term: Term, block: Block, z: Projection, i: int) -> Floats:
    """Return Zⱼzⱼ at each place of a block, in a shape that broadcasts to (S, F, R, I)."""
    n_sites, n_files, n_raters, n_items = block.counts.shape
    of = z.local[i].get(term)
    value = np.zeros((1, 1, 1, 1)) if of is None else of[..., 0]
    shapes: dict[Term, tuple[int, ...]] = {
        "site": (n_sites, 1, 1, 1),
        "site_item": (n_sites, 1, 1, n_items),
        "file": (n_sites, n_files, 1, 1),
        "file_item": (n_sites, n_files, 1, n_items),
        "rater": (n_sites, 1, n_raters, 1),
        "rater_item": (n_sites, 1, n_raters, n_items),
        "rater_file": (n_sites, n_files, n_raters, 1),
        "rater_site": (n_sites, 1, n_raters, 1),
        "assessor": (n_sites, n_files, 1, 1),
        "item": (1, 1, 1, n_items),
    }
    if term == "assessor":
        value = block.assessors @ value[..., np.newaxis]
    if of is not None:
        value = value.reshape(shapes[term])
    if term not in z.border:
        return value
    across = z.border[term][:, 0]
    if term == "item":
        return across.reshape(shapes[term])
    # place −1, no linked rater, is the row of zeros at the end
    each = n_items if term == "rater_item" else 1
    by_rater = np.concatenate([across.reshape(-1, each), np.zeros((1, each))])
    total: Floats = value + by_rater[block.border].reshape(shapes[term])
    return total
