"""One pass over ratings: counts and sums by site, file, rater and item, in blocks of sites of like shape.

A block pads its sites with zeros to one number of files, raters and assessors.  A padded place has no ratings, so
that its random effect has the identity as its part of every matrix: padding changes no criterion and no gradient.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers

Term = Literal[
    "site",
    "site_item",
    "assessor",
    "file",
    "file_item",
    "rater",
    "rater_item",
    "rater_file",
    "rater_site",
    "item",
]
#: Every random term, in the order of results; the residual comes last.
TERMS: tuple[Term, ...] = (
    "site",
    "site_item",
    "assessor",
    "file",
    "file_item",
    "rater",
    "rater_item",
    "rater_file",
    "rater_site",
    "item",
)
_OF_RATERS = frozenset({"rater", "rater_item", "rater_file", "rater_site"})
#: Numbers of one block's largest array: some megabytes, so that it stays in the processor's cache.
_BLOCK = 300_000
#: A block's smallest site has at least this share of the files of its largest.
_LIKE = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Sites of like shape.

    Attributes
    ----------
    counts, sums : array (sites, files, raters, items)
        Number of ratings and their sum.
    border : array (sites, raters)
        Place of each rater among those of several sites; −1 for padding and for raters of this site alone.
    own : bool array (sites, raters)
        Raters of this site alone, whose effects never leave it.
    assessors : array (sites, files, assessors)
        1 where the file is the assessor's; no assessors where the model has none.
    """

    counts: Floats
    sums: Floats
    border: Integers
    own: Booleans
    assessors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NestedDesign:
    """Ratings by site, file, rater and item, counted, and the terms of the model.

    Attributes
    ----------
    terms : tuple of str
        Random terms, in the order of `TERMS`.
    item_means : bool
        Whether each item has a fixed mean; if not there is one fixed mean.
    n, n_items, n_linked : int
        Ratings, items, and raters of more than one site (0 where no term asks for raters across sites).
    blocks : tuple of Block
        The sites.
    square : float
        Sum of squares of the centred ratings.
    centre : array (n_items,) or (1,)
        What was subtracted from the ratings: the starting point of the fixed means.
    """

    terms: tuple[Term, ...]
    item_means: bool
    n: int
    n_items: int
    n_linked: int
    blocks: tuple[Block, ...]
    square: float
    centre: Floats

    @property
    def n_fixed(self) -> int:
        """Number of fixed means."""
        return self.n_items if self.item_means else 1


def nested_design(
    y: Floats,
    *,
    site: Integers,
    file: Integers,
    item: Integers,
    rater: Integers | None = None,
    assessor: Integers | None = None,
    terms: Collection[Term],
    item_means: bool = True,
) -> NestedDesign:
    """Count ratings for a model of the given terms.

    Parameters
    ----------
    y : array (n,)
        Ratings, none of them missing: a hole is a row that is not there.
    site, file, item, rater, assessor : array (n,)
        Integer codes, any.  Files are told apart within assessor and site, assessors within site; items and
        raters are the same everywhere.  Raters and assessors may be left out where no term asks for them.
    terms : collection of str
        Random terms, of `TERMS`.
    item_means : bool
        A fixed mean an item (items fixed) instead of one mean.

    Raises
    ------
    UsageError
        Codes of another length than `y`.
    """
    values = np.asarray(y, dtype=np.float64)
    chosen = tuple(term for term in TERMS if term in terms)
    given = {"site": site, "file": file, "item": item, "rater": rater, "assessor": assessor}
    for name, codes in given.items():
        if codes is not None and len(codes) != len(values):
            raise UsageError("psychometrics.lengths_differ", argument=name, n=len(codes), data="y", rows=len(values))
    nothing = np.zeros(len(values), dtype=np.int64)
    raters = rater if rater is not None and _OF_RATERS & set(chosen) else nothing
    levels = _levels(site, nothing if assessor is None else assessor, file, raters)
    items, n_items = _compact(item)
    centred, centre = _centre(values, items, n_items, item_means=item_means)
    across = not {"rater", "rater_item"}.isdisjoint(chosen)
    border = _border(levels.rater_of_slot, across=across)
    layout = _layout(levels, border < 0 if across else np.zeros(len(border), dtype=np.bool_), n_items)
    counts, sums = _count(levels, layout, items, n_items, centred)
    blocks = []
    start = 0
    for shape in layout:
        full = (len(shape.sites), shape.files, shape.raters, n_items)
        stop = start + int(np.prod(full))
        places, own, belongs = _codes(levels, shape, border, across=across, assessors="assessor" in chosen)
        blocks.append(Block(counts[start:stop].reshape(full), sums[start:stop].reshape(full), places, own, belongs))
        start = stop
    n_linked = int(border.max(initial=-1)) + 1
    square = float(centred @ centred)
    return NestedDesign(chosen, item_means, len(values), n_items, n_linked, tuple(blocks), square, centre)


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """Level of each rating, and what each level lies in; levels are numbered site by site."""

    sites: Integers
    files: Integers
    slots: Integers
    site_of_assessor: Integers
    assessor_of_file: Integers
    site_of_slot: Integers
    rater_of_slot: Integers

    @property
    def site_of_file(self) -> Integers:
        return self.site_of_assessor[self.assessor_of_file]


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """Sites of a block and what they are padded to."""

    sites: Integers
    assessors: int
    files: int
    raters: int


def _levels(site: Integers, assessor: Integers, file: Integers, rater: Integers) -> _Levels:
    sites, _ = _compact(site)
    raters, _ = _compact(rater)
    assessors, site_of_assessor = _pairs(sites, _compact(assessor))
    files, assessor_of_file = _pairs(assessors, _compact(file))
    slots, site_of_slot = _pairs(sites, (raters, int(raters.max()) + 1))
    rater_of_slot = np.empty(len(site_of_slot), dtype=np.int64)
    rater_of_slot[slots] = raters
    return _Levels(sites, files, slots, site_of_assessor, assessor_of_file, site_of_slot, rater_of_slot)


def _compact(codes: Integers) -> tuple[Integers, int]:
    """Return codes 0, 1, ... in the same order, and how many there are; by counting where that is less work."""
    whole = np.asarray(codes).astype(np.int64, copy=False)
    low = int(whole.min())
    span = int(whole.max()) - low + 1
    if span > 8 * len(whole) + 1000:
        known, found = np.unique(whole, return_inverse=True)
        return found.astype(np.int64, copy=False), len(known)
    there = np.zeros(span, dtype=np.int64)
    there[whole - low] = 1
    return (np.cumsum(there) - 1)[whole - low], int(there.sum())


def _pairs(outer: Integers, inner: tuple[Integers, int]) -> tuple[Integers, Integers]:
    """Return the number of each pair, ordered by outer and then inner, and the outer code of each pair."""
    codes, n_pairs = _compact(outer * inner[1] + inner[0])
    outer_of_pair = np.empty(n_pairs, dtype=np.int64)
    outer_of_pair[codes] = outer
    return codes, outer_of_pair


def _within(outer_of: Integers) -> Integers:
    """Return 0, 1, ... within each run of equal codes."""
    n = np.bincount(outer_of)
    return np.arange(len(outer_of)) - (np.cumsum(n) - n)[outer_of]


def _centre(values: Floats, items: Integers, n_items: int, *, item_means: bool) -> tuple[Floats, Floats]:
    """Return ratings minus their mean, or minus their item's, and what was subtracted; a large offset first."""
    offset = float(values[0])
    moved = values - offset
    if not item_means:
        mean = float(moved.mean())
        return moved - mean, np.array([mean + offset])
    means = np.bincount(items, weights=moved, minlength=n_items) / np.bincount(items, minlength=n_items)
    return moved - means[items], means + offset


def _border(rater_of_slot: Integers, *, across: bool) -> Integers:
    """Return the place of each slot's rater among raters of several sites, −1 for the others."""
    if not across:
        return np.full(len(rater_of_slot), -1, dtype=np.int64)
    linked = np.bincount(rater_of_slot) > 1
    return np.where(linked, np.cumsum(linked) - 1, -1)[rater_of_slot]


def _layout(levels: _Levels, own: Booleans, n_items: int) -> list[_Shape]:
    """Return blocks of sites with the same number of raters and nearly the same number of files."""
    n_sites = int(levels.sites.max()) + 1
    files, raters, assessors = (
        np.bincount(of, minlength=n_sites) for of in (levels.site_of_file, levels.site_of_slot, levels.site_of_assessor)
    )
    has_own = np.bincount(levels.site_of_slot, weights=own, minlength=n_sites) > 0
    order = np.lexsort((assessors, -files, has_own, raters))
    shapes: list[_Shape] = []
    start = 0
    for stop in range(1, n_sites + 1):
        head = order[start]
        n_raters, n_files = int(raters[head]), int(files[head])
        room = max(1, _BLOCK // (n_files * n_raters**2 * n_items))
        if stop < n_sites:
            new = order[stop]
            alike = raters[new] == n_raters and has_own[new] == has_own[head] and files[new] >= _LIKE * n_files
            if alike and stop - start < room:
                continue
        members = order[start:stop]
        shapes.append(_Shape(members, int(assessors[members].max()), n_files, n_raters))
        start = stop
    return shapes


def _count(
    levels: _Levels, layout: list[_Shape], items: Integers, n_items: int, values: Floats
) -> tuple[Floats, Floats]:
    """Return number and sum of the ratings in every place of every block, one block after the other."""
    n_sites = int(levels.sites.max()) + 1
    first = np.empty(n_sites, dtype=np.int64)
    width = np.empty(n_sites, dtype=np.int64)
    size = 0
    for shape in layout:
        each = shape.files * shape.raters * n_items
        first[shape.sites] = size + each * np.arange(len(shape.sites))
        width[shape.sites] = shape.raters
        size += each * len(shape.sites)
    row_of_file = first[levels.site_of_file] + _within(levels.site_of_file) * width[levels.site_of_file] * n_items
    place = row_of_file[levels.files]
    place += (_within(levels.site_of_slot) * n_items)[levels.slots]
    place += items
    counts = np.bincount(place, minlength=size).astype(np.float64)
    sums: Floats = np.bincount(place, weights=values, minlength=size).astype(np.float64, copy=False)
    return counts, sums


def _codes(
    levels: _Levels, shape: _Shape, border: Integers, *, across: bool, assessors: bool
) -> tuple[Integers, Booleans, Floats]:
    """Return a block's raters among the linked, which of its raters are its own, and the assessor of each file."""
    n = len(shape.sites)
    row = np.full(int(levels.sites.max()) + 1, -1, dtype=np.int64)
    row[shape.sites] = np.arange(n)
    slots = np.flatnonzero(row[levels.site_of_slot] >= 0)
    at = row[levels.site_of_slot[slots]], _within(levels.site_of_slot)[slots]
    places = np.full((n, shape.raters), -1, dtype=np.int64)
    own = np.zeros((n, shape.raters), dtype=np.bool_)
    places[at] = border[slots]
    own[at] = (border[slots] < 0) & across
    belongs = np.zeros((n, shape.files, shape.assessors if assessors else 0))
    if assessors:
        files = np.flatnonzero(row[levels.site_of_file] >= 0)
        mine = _within(levels.site_of_assessor)[levels.assessor_of_file[files]]
        belongs[row[levels.site_of_file[files]], _within(levels.site_of_file)[files], mine] = 1.0
    return places, own, belongs
