"""The border that joins sites: item, linked raters, rater×item, and the fixed means.

Its columns are a head (one an item, or one for all) and a tail (one a linked rater and item, or one a linked
rater).  What belongs to no linked rater has no place in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ibic_fidelity.psychometrics._arguments import Floats, Integers
from ibic_fidelity.psychometrics.generalizability._design import Block, NestedDesign, Term


class Border:
    """Columns of the border of a design, and how a block's columns rater×item become them.

    Attributes
    ----------
    size : int
        Number of columns.
    terms : tuple of (str, int)
        Its random terms and their numbers of effects.
    """

    def __init__(self, design: NestedDesign) -> None:
        n_items, n_linked = design.n_items, design.n_linked
        self.item_means = design.item_means
        self._by_item = design.item_means or "item" in design.terms
        self._by_cell = "rater_item" in design.terms
        self._n_items, self._n_linked = n_items, n_linked
        self.head = n_items if self._by_item else 1
        self.size = self.head + n_linked * (n_items if self._by_cell else 1)
        levels = {"item": n_items, "rater": n_linked, "rater_item": n_linked * n_items}
        self.terms = tuple((term, levels[term]) for term in design.terms if levels.get(term))

    def places(self, block: Block) -> Integers:
        """Return the border's column of each column of a block, shape (S, c)."""
        n_sites = len(block.border)
        head = np.broadcast_to(np.arange(self.head), (n_sites, self.head))
        if not self._n_linked:
            return head
        each = self._n_items if self._by_cell else 1
        tail = self.head + block.border[..., np.newaxis] * each + np.arange(each)
        tail[block.border < 0] = self.size  # one row more, which is dropped
        return np.concatenate([head, tail.reshape(n_sites, -1)], axis=1)

    def spread(self, x: Floats, block: Block) -> Floats:
        """Sum rows rater×item (S, R I, k) into the border's columns of the block (S, c, k)."""
        n_sites, _, n_raters, n_items = block.counts.shape
        grid = x.reshape(n_sites, n_raters, n_items, x.shape[2])
        head: Floats = grid.sum(axis=1) if self._by_item else grid.sum(axis=(1, 2))[:, np.newaxis]
        if not self._n_linked:
            return head
        return np.concatenate([head, x if self._by_cell else grid.sum(axis=2)], axis=1)

    def spread_both(self, x: Floats, block: Block) -> Floats:
        """Sum rows and columns of symmetric (S, R I, R I)."""
        rows = self.spread(x, block)
        grid = rows.reshape(*rows.shape[:2], block.counts.shape[2], self._n_items)
        head: Floats = grid.sum(axis=2) if self._by_item else grid.sum(axis=(2, 3))[..., np.newaxis]
        if not self._n_linked:
            return head
        return np.concatenate([head, rows if self._by_cell else grid.sum(axis=3)], axis=2)

    def gather(self, x: Floats, block: Block) -> Floats:
        """Give each row rater×item the sum of the border's columns that it is in: the transpose of `spread`."""
        n_sites, _, n_raters, n_items = block.counts.shape
        made = np.zeros((n_sites, n_raters, n_items, x.shape[2]))
        made += x[:, np.newaxis, : self.head]
        if self._n_linked:
            made += x[:, self.head :].reshape(n_sites, n_raters, -1, x.shape[2])
        return made.reshape(n_sites, n_raters * n_items, x.shape[2])

    def gather_both(self, x: Floats, block: Block) -> Floats:
        """Give symmetric (S, c, c) to rows and columns rater×item."""
        rows = self.gather(x, block)
        made = np.zeros((*rows.shape[:2], block.counts.shape[2], self._n_items))
        made += rows[:, :, np.newaxis, : self.head]
        if self._n_linked:
            made += rows[:, :, self.head :].reshape(*rows.shape[:2], block.counts.shape[2], -1)
        return made.reshape(*rows.shape[:2], rows.shape[1])

    def add(self, total: Floats, x: Floats, block: Block) -> None:
        """Add a block's (S, c, c) to the border's square."""
        for i, runs in enumerate(self._runs(block)):
            for here, rows in runs:
                for there, columns in runs:
                    total[rows, columns] += x[i, here, there]

    def _runs(self, block: Block) -> list[list[tuple[slice, slice]]]:
        """Return for each site the slices of a block's columns and of the border's that are the same columns."""
        each = self._n_items if self._by_cell else 1
        made = []
        for raters in block.border:
            runs = [(slice(0, self.head), slice(0, self.head))]
            for r in np.flatnonzero(raters >= 0).tolist():
                here, there = self.head + r * each, self.head + int(raters[r]) * each
                runs.append((slice(here, here + each), slice(there, there + each)))
            made.append(runs)
        return made

    def add_rows(self, total: Floats, x: Floats, block: Block) -> None:
        """Add a block's (S, c, k) to the border's rows."""
        np.add.at(total, self.places(block), x)

    def take(self, total: Floats, block: Block) -> Floats:
        """Return the border's square at a block's columns, (S, c, c); 0 for padding."""
        n_sites, n_raters = block.border.shape
        size = self.head + n_raters * (self._n_items if self._by_cell else 1) * (self._n_linked > 0)
        made = np.zeros((n_sites, size, size))
        for i, runs in enumerate(self._runs(block)):
            for here, rows in runs:
                for there, columns in runs:
                    made[i, here, there] = total[rows, columns]
        return made

    def effects(self, x: Floats) -> Floats:
        """Sum the border's columns (size, k) into the random effects' columns (q, k)."""
        parts = [np.zeros((0, x.shape[1]))]
        for term, levels in self.terms:
            of = x[: self.head] if term == "item" else x[self.head :]
            parts.append(of.reshape(levels, -1, x.shape[1]).sum(axis=1))
        return np.concatenate(parts)

    def columns(self, u: Floats) -> Floats:
        """Return the transpose of `effects`."""
        x = np.zeros((self.size, u.shape[1]))
        for (term, levels), of in zip(self.terms, self.split(u), strict=True):
            part = x[: self.head] if term == "item" else x[self.head :]
            part += np.repeat(of, len(part) // levels, axis=0)
        return x

    def split(self, u: Floats) -> list[Floats]:
        """Return the rows of each random term."""
        return np.split(u, np.cumsum([levels for _, levels in self.terms])[:-1]) if self.terms else []

    def fixed(self, x: Floats) -> Floats:
        """Return X'x."""
        return x[: self.head] if self.item_means else x[: self.head].sum(axis=0, keepdims=True)

    def means(self, b: Floats) -> Floats:
        """Return Xb."""
        x = np.zeros((self.size, b.shape[1]))
        x[: self.head] = b
        return x


@dataclass(frozen=True, slots=True, eq=False)
class BorderFactor:
    """Step 4: the random effects of the border, those with a component above 0 eliminated, then the means."""

    total: Floats  # (size, size): G
    active: Integers  # (a,): effects with a component above 0
    ratio: Floats  # (q,)
    inner: Floats  # (q, q): H
    solve: Floats  # (a, a): N
    to_fixed: Floats  # (q, p): Z'V⁻¹X before elimination
    back: Floats  # (a, p): E
    fixed: Floats  # (p, p): (X'V⁻¹X)⁻¹
    log_determinant: float

    def adjoint(self, layout: Border) -> tuple[Floats, dict[Term, float]]:
        """Return the derivative by G and the traces of the border."""
        q = len(self.ratio)
        back = np.zeros((q, self.fixed.shape[0]))
        back[self.active] = self.back
        rest = layout.means(np.eye(self.fixed.shape[0])) - layout.columns(back)
        inside = np.zeros((q, q))
        inside[np.ix_(self.active, self.active)] = self.solve
        by_total = layout.columns(layout.columns(inside).T) + rest @ self.fixed @ rest.T
        return by_total, self._traces(layout)

    def _traces(self, layout: Border) -> dict[Term, float]:
        own = np.diagonal(self.inner).copy()
        active, small = self.active, np.ones(len(own), dtype=np.bool_)
        ratio = self.ratio[active]
        # (I + HΓ)⁻¹H = Γ⁻¹ − Γ⁻¹NΓ⁻¹, which cancels for a component near 0
        safe = ratio * own[active] > 1e-3
        at = active[safe]
        own[at] = (1.0 - np.diagonal(self.solve)[safe] / ratio[safe]) / ratio[safe]
        small[at] = False
        rows = self.inner[np.ix_(active, np.flatnonzero(small))]
        own[small] -= np.einsum("am,am->m", self.solve @ rows, rows)
        direct = self.to_fixed - self.inner[:, active] @ self.back
        own -= np.einsum("qp,qp->q", direct @ self.fixed, direct)
        return {term: float(of.sum()) for (term, _), of in zip(layout.terms, layout.split(own[:, None]), strict=True)}

    def project(self, layout: Border, right: Floats) -> tuple[Floats, Floats, dict[Term, Floats]]:
        """Return the means (p, k), coefficients of all columns (size, k), and each term's Z'PY."""
        effects = layout.effects(right)
        means = self.fixed @ (layout.fixed(right) - self.back.T @ effects[self.active])
        u = np.zeros_like(effects)
        u[self.active] = self.solve @ effects[self.active] - self.back @ means
        coefficients = layout.means(means) + layout.columns(u)
        left = layout.split(layout.effects(right - self.total @ coefficients))
        return means, coefficients, {term: of for (term, _), of in zip(layout.terms, left, strict=True)}


def factor_border(layout: Border, total: Floats, ratios: Mapping[Term, float]) -> BorderFactor:
    """Eliminate the border's random effects and its means."""
    each = [np.full(levels, ratios[term]) for term, levels in layout.terms]
    ratio = np.concatenate(each) if each else np.zeros(0)
    active = np.flatnonzero(ratio > 0.0)
    columns = layout.effects(total)
    inner = layout.effects(columns.T)
    root = np.sqrt(ratio[active])
    both = root[:, np.newaxis] * root
    middle = both * inner[np.ix_(active, active)]
    middle[np.diag_indices(len(active))] += 1.0
    solve, log_determinant = _inverse(middle)
    solve *= both
    onto_fixed = layout.fixed(total)
    to_fixed = layout.effects(onto_fixed.T)
    back = solve @ to_fixed[active]
    fixed, of_fixed = _inverse(layout.fixed(onto_fixed.T) - to_fixed[active].T @ back)
    return BorderFactor(
        total, active, ratio, inner, solve, to_fixed, back, fixed, log_determinant=log_determinant + of_fixed
    )


def _inverse(matrix: Floats) -> tuple[Floats, float]:
    """Return the inverse and log-determinant of a positive definite matrix."""
    if not len(matrix):
        return matrix.copy(), 0.0
    lower = linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    log_determinant = 2.0 * float(np.log(np.diagonal(lower)).sum())
    inverse, _ = linalg.lapack.dpotri(lower, lower=1, overwrite_c=1)
    # dpotri leaves the other triangle as the factorization did: zeros
    diagonal = np.diagonal(inverse).copy()
    whole = inverse + inverse.T
    whole[np.diag_indices(len(whole))] = diagonal
    return whole, log_determinant
