"""Linear algebra of ratings nested in sites: V is factored in four steps, each small, none of them of size n.

Symbols as in Searle, Casella & McCulloch (1992), Variance components, chapter 6, and Gilmour, Thompson & Cullis
(1995), Biometrics 51, 1440-1450.  With ratios γ = σ²/σ²ₑ, V/σ²ₑ = I + Σ γⱼ ZⱼZⱼ' and
P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹, −2 times the restricted log-likelihood is, but for (n − p) log 2π,

    (n − p) log σ²ₑ + log|V/σ²ₑ| + log|X'(V/σ²ₑ)⁻¹X| + y'Py / σ²ₑ   with P that of V/σ²ₑ.

Step.  Random effects with columns Z and covariance Γ are eliminated from cross-products G of all columns still
wanted, Z'Z = H and Z'· = W' among them:

    G₊ = G − W N W',   N = (Γ⁻¹ + H)⁻¹ = Γ½(I + Γ½HΓ½)⁻¹Γ½,   log|V| grows by log|I + ΓH|.

Back.  With F̄ the derivative of the criterion by G₊, D = (I + HΓ)⁻¹W' and E = NW' that by Γ is
(I + HΓ)⁻¹H − D F̄ D', and that by G is (I − ZE) F̄ (I − ZE)' + Z N Z', Z here what makes the eliminated columns of
those wanted.  All is written without Γ⁻¹, so that it holds where a component is 0.

The steps: (1) file×item: within a cell of n ratings V is I + γJ, whose inverse I − wJ, w = γ/(1 + nγ), needs
counts and sums alone; (2) file and rater×file: a file is independent of others, its columns are the ratings of
each of its raters; (3) site, site×item, assessor, rater×site, and raters of one site alone: what is left of a
site are the columns rater×item (of which site, item, rater and rater×site columns are sums) and assessors;
(4) the border that joins sites: item, rater, rater×item of linked raters, and the fixed means.

The derivative of log|V| + log|X'V⁻¹X| by γⱼ is tr(Zⱼ'PZⱼ), that of y'Py is −|zⱼ|² with zⱼ = Zⱼ'Py, and the average
information of Gilmour et al. needs zⱼ'Zⱼ'P Zₖzₖ: `traces`, and `project` of _projection on y and on Zₖzₖ.  What
belongs to the residual follows from Σ σⱼ²ZⱼZⱼ' = V and PVP = P.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._border import Border, BorderFactor, factor_border
from ibic_fidelity.psychometrics.generalizability._design import Block, NestedDesign, Term

Ratios = Mapping[Term, float]


@dataclass(frozen=True, slots=True, eq=False)
class FileStep:
    """Step 2 of a block; columns wanted are rater×item and assessor, n of them."""

    shrink: Floats  # (S, F, I): w
    inner: Floats  # (S, F, R, R): H
    solve: Floats  # (S, F, R, R): N
    cross: Floats  # (S, F, R, n): W'
    back: Floats  # (S, F, R, n): E


@dataclass(frozen=True, slots=True, eq=False)
class SiteStep:
    """Step 3 of a block."""

    terms: tuple[tuple[Term, slice], ...]
    columns: Floats  # (n, l): Z
    ratio: Floats  # (S, l): the diagonal of Γ
    known: Floats  # (S, l): 0 for effects that a site does not have
    inner: Floats  # (S, l, l): H
    solve: Floats  # (S, l, l): N
    cross: Floats  # (S, l, n): W'
    back: Floats  # (S, l, n): E
    kept: Floats  # (S, n, n): G


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """V/σ²ₑ factored at given ratios."""

    design: NestedDesign
    ratios: Ratios
    files: tuple[FileStep, ...]
    sites: tuple[SiteStep, ...]
    layout: Border
    border: BorderFactor
    log_determinant: float  # log|V/σ²ₑ| + log|X'(V/σ²ₑ)⁻¹X|


def factor(design: NestedDesign, ratios: Ratios) -> Factor:
    """Factor V/σ²ₑ at the ratios of the design's terms to the residual variance."""
    layout = Border(design)
    total = np.zeros((layout.size, layout.size))
    log_determinant = 0.0
    files, sites = [], []
    for block in design.blocks:
        of_files, kept, first = _factor_files(block, ratios)
        of_site, left, second = _factor_site(design, block, ratios, kept)
        files.append(of_files)
        sites.append(of_site)
        log_determinant += first + second
        layout.add(total, layout.spread_both(left, block), block)
    border = factor_border(layout, total, ratios)
    log_determinant += border.log_determinant
    return Factor(design, ratios, tuple(files), tuple(sites), layout, border, log_determinant)


def _factor_files(block: Block, ratios: Ratios) -> tuple[FileStep, Floats, float]:
    """Return steps 1 and 2, what is left of each site (S, n, n), and their part of log|V|."""
    m = block.counts
    n_sites, n_files, n_raters, n_items = m.shape
    of_cells = ratios.get("file_item", 0.0)
    n = m.sum(axis=2)
    shrink = of_cells / (1.0 + of_cells * n)
    shrunk = m * shrink[:, :, np.newaxis]
    n_cells, n_assessors = n_raters * n_items, block.assessors.shape[2]
    cross = np.empty((n_sites, n_files, n_raters, n_cells + n_assessors))
    pairs = cross[..., :n_cells].reshape(*m.shape[:3], n_raters, n_items)
    np.multiply(-shrunk[:, :, :, np.newaxis], m[:, :, np.newaxis], out=pairs)
    for r in range(n_raters):
        pairs[:, :, r, r] += m[:, :, r]
    inner = pairs.sum(axis=4)
    cross[..., n_cells:] = inner.sum(axis=3)[..., np.newaxis] * block.assessors[:, :, np.newaxis]

    kept = np.zeros((n_sites, n_cells + n_assessors, n_cells + n_assessors))
    within = pairs.sum(axis=1)
    grid = kept[:, :n_cells, :n_cells].reshape(n_sites, n_raters, n_items, n_raters, n_items)
    np.einsum("sriti->srti", grid)[...] = within
    if n_assessors:
        sums = np.matmul(block.assessors.transpose(0, 2, 1), cross.sum(axis=2))
        kept[:, n_cells:] = sums
        kept[:, :n_cells, n_cells:] = sums[..., :n_cells].transpose(0, 2, 1)

    root = _root(ratios.get("rater_file", 0.0), ratios.get("file", 0.0), n_raters)
    middle = np.eye(n_raters) + root @ inner @ root
    solve = root @ np.linalg.inv(middle) @ root
    back = solve @ cross
    kept -= _flat(cross).transpose(0, 2, 1) @ _flat(back)
    log_determinant = float(np.log1p(of_cells * n).sum()) + _log_determinant(middle)
    return FileStep(shrink, inner, solve, cross, back), kept, log_determinant


def _root(own: float, shared: float, k: int) -> Floats:
    """Return the symmetric root of own I + shared J."""
    inner = np.sqrt(own)
    root: Floats = inner * np.eye(k) + (np.sqrt(own + k * shared) - inner) / k
    return root


def _flat(x: Floats) -> Floats:
    """Return (S, F, R, k) as (S, F R, k)."""
    return x.reshape(x.shape[0], -1, x.shape[3])


def _log_determinant(matrices: Floats) -> float:
    lower = np.linalg.cholesky(matrices)
    return 2.0 * float(np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum())


def _factor_site(design: NestedDesign, block: Block, ratios: Ratios, kept: Floats) -> tuple[SiteStep, Floats, float]:
    """Return step 3, what is left of the columns rater×item (S, R I, R I), and its part of log|V|."""
    terms, columns, known = _site_columns(design, block)
    ratio = known.copy()
    for term, where in terms:
        ratio[:, where] *= ratios[term]
    cross = columns.T @ kept
    inner = cross @ columns
    root = np.sqrt(ratio)
    both = root[:, :, np.newaxis] * root[:, np.newaxis]
    middle = np.eye(columns.shape[1]) + both * inner
    solve = both * np.linalg.inv(middle)
    back = solve @ cross
    n_cells = block.counts.shape[2] * block.counts.shape[3]
    left = kept[:, :n_cells, :n_cells] - cross[..., :n_cells].transpose(0, 2, 1) @ back[..., :n_cells]
    part = SiteStep(terms, columns, ratio, known, inner, solve, cross, back, kept)
    return part, left, _log_determinant(middle)


def _site_columns(design: NestedDesign, block: Block) -> tuple[tuple[tuple[Term, slice], ...], Floats, Floats]:
    """Return the terms of step 3 and where their columns are, the columns (n, l), and which a site has (S, l)."""
    n_sites, _, n_raters, n_items = block.counts.shape
    n_assessors = block.assessors.shape[2]
    raters: Floats = np.eye(n_raters).repeat(n_items, axis=0)
    items: Floats = np.tile(np.eye(n_items), (n_raters, 1))
    own: Floats = block.own.astype(np.float64)
    of_term: dict[Term, Floats] = {
        "site": np.ones((n_raters * n_items, 1)),
        "site_item": items,
        "rater_site": raters,
        "rater": raters,
        "rater_item": np.eye(n_raters * n_items),
    }
    made: list[tuple[Term, Floats, Floats]] = []
    for term in design.terms:
        everywhere: Floats = np.ones((n_sites, 1))
        if term in {"rater", "rater_item"}:
            if not own.any():
                continue
            everywhere = own.repeat(n_items if term == "rater_item" else 1, axis=1)
        if term in of_term:
            made.append((term, of_term[term], everywhere))
    columns = [np.vstack([of, np.zeros((n_assessors, of.shape[1]))]) for _, of, _ in made]
    if n_assessors:
        made.append(("assessor", np.eye(n_assessors), np.ones((n_sites, 1))))
        columns.append(np.vstack([np.zeros((n_raters * n_items, n_assessors)), np.eye(n_assessors)]))
    terms, start = [], 0
    for (term, _, _), of in zip(made, columns, strict=True):
        terms.append((term, slice(start, start + of.shape[1])))
        start += of.shape[1]
    known = [np.broadcast_to(there, (n_sites, of.shape[1])) for (_, _, there), of in zip(made, columns, strict=True)]
    if not columns:
        return (), np.zeros((n_raters * n_items + n_assessors, 0)), np.zeros((n_sites, 0))
    return tuple(terms), np.hstack(columns), np.hstack(known)


def traces(made: Factor) -> dict[Term, float]:
    """Return tr(Zⱼ'PZⱼ) of every term, P that of V/σ²ₑ: the derivative of the log-determinants by its ratio."""
    found = dict.fromkeys(made.design.terms, 0.0)
    by_total, of_border = made.border.adjoint(made.layout)
    for term, value in of_border.items():
        found[term] += value
    for block, files, site in zip(made.design.blocks, made.files, made.sites, strict=True):
        left = made.layout.gather_both(made.layout.take(by_total, block), block)
        by_kept = _site_traces(site, left, found)
        _file_traces(block, files, made.ratios, by_kept, found)
    return found


def _site_traces(site: SiteStep, by_left: Floats, found: dict[Term, float]) -> Floats:
    """Add the traces of step 3 and return the derivative by what step 2 left."""
    n, n_cells = site.columns.shape[0], by_left.shape[1]
    by_kept = np.zeros((len(by_left), n, n))
    by_kept[:, :n_cells, :n_cells] = by_left
    direct = (site.cross - site.inner @ site.back)[..., :n_cells]
    own = np.einsum("sll->sl", site.inner) - np.einsum("slm,sml->sl", site.inner @ site.solve, site.inner)
    each = (own - np.einsum("sln,sln->sl", direct @ by_left, direct)) * site.known
    for term, where in site.terms:
        found[term] += float(each[:, where].sum())
    turned = site.back[..., :n_cells] @ by_left
    onto = np.zeros((*turned.shape[:2], n))
    onto[..., :n_cells] = turned
    change = site.columns @ onto
    inside = site.solve + turned @ site.back[..., :n_cells].transpose(0, 2, 1)
    by_kept -= change
    by_kept -= change.transpose(0, 2, 1)
    by_kept += site.columns @ inside @ site.columns.T
    return by_kept


def _file_traces(block: Block, files: FileStep, ratios: Ratios, by_kept: Floats, found: dict[Term, float]) -> None:
    """Add the traces of steps 1 and 2."""
    m = block.counts
    n_sites, n_files, n_raters, n_items = m.shape
    shape = files.back.shape
    turned = (_flat(files.back) @ by_kept).reshape(shape)
    between = turned @ files.back.swapaxes(2, 3)
    if "file" in found or "rater_file" in found:
        direct = files.cross - files.inner @ files.back
        spread = (_flat(direct) @ by_kept).reshape(shape) @ direct.swapaxes(2, 3)
        each = files.inner - files.inner @ files.solve @ files.inner - spread
        for term, value in (("file", each.sum()), ("rater_file", np.einsum("sfrr->", each))):
            if term in found:
                found[term] += float(value)
    if "file_item" not in found:
        return
    n_cells = n_raters * n_items
    n = m.sum(axis=2)
    to_cells = (by_kept[:, :n_cells, :n_cells]).reshape(n_sites, n_raters, n_items, n_raters, n_items)
    same_item = np.einsum("sriti->srti", to_cells)[:, np.newaxis]
    value = np.zeros_like(n)
    onto = -2.0 * turned[..., :n_cells].reshape(n_sites, n_files, n_raters, n_raters, n_items)
    onto += same_item
    onto += (files.solve + between)[..., np.newaxis]
    for r in range(n_raters):
        value += m[:, :, r] * np.einsum("sfti,sfti->sfi", onto[:, :, r], m)
    if block.assessors.shape[2]:
        mine = block.assessors[:, :, np.newaxis]
        of_file = np.einsum("sfrk,sfrk->sfr", turned[..., n_cells:], np.broadcast_to(mine, turned[..., n_cells:].shape))
        cells = (block.assessors @ by_kept[:, n_cells:, :n_cells]).reshape(n_sites, n_files, n_raters, n_items)
        both = np.einsum("sfa,sab,sfb->sf", block.assessors, by_kept[:, n_cells:, n_cells:], block.assessors)
        value += 2.0 * n * ((cells - of_file[..., np.newaxis]) * m).sum(axis=2) + n**2 * both[..., np.newaxis]
    grown = 1.0 + ratios["file_item"] * n
    found["file_item"] += float((n / grown - value / grown**2).sum())
