"""The rows of one source as generalizability studies take them: who was rated, by whom, on which items."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.primary_answers import primary_answers
from ibic_fidelity.dossier.unit_values import numbered_units
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Total
from ibic_fidelity.responses.model import SourceTable
from ibic_fidelity.scoring.sums import composite_weights

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RatedRows:
    """The rows of a source.

    Attributes
    ----------
    source : str
        Its id.
    unit, cluster : str
        What a unit and a cluster of units are called as facets: file and assessor, or respondent and group.
    codes : mapping of str to ndarray of int, shape (rows,)
        Of each facet; cluster and rater only where the source has several.
    values : mapping of str to ndarray of float, shape (rows,)
        For each item its value 0–1 as scored, NaN where there is none.
    audit : bool
        Whether raters are part of the error, told apart or not.
    n_unnamed : int
        Rows left out because their rater has no name while others have.
    """

    source: str
    unit: str
    cluster: str
    codes: Mapping[str, Integers]
    values: Mapping[str, Floats]
    audit: bool = False
    n_unnamed: int = 0

    @property
    def n_sites(self) -> int:
        """Return the number of sites."""
        return len(np.unique(self.codes["site"]))

    @property
    def rated(self) -> bool:
        """Return whether several raters are told apart."""
        return "rater" in self.codes

    def nest(self, around: str = "site") -> str:
        """Return how units are nested, in Brennan's notation, within sites or what else is around them."""
        inner = [self.unit, *([self.cluster] if self.cluster in self.codes else []), around]
        return f"({' : '.join(inner)})"

    def mean(self, weights: Mapping[str, float]) -> Floats:
        """Return each row's mean over items with an answer (rows,), NaN without any."""
        items = list(weights)
        values = np.stack([self.values[item] for item in items], axis=1)
        share = np.array([weights[item] for item in items]) * np.isfinite(values)
        whole = share.sum(axis=1)
        total = np.nansum(values * share, axis=1)
        mean: Floats = np.divide(total, whole, out=np.full(len(total), np.nan), where=whole > 0)
        return mean

    def mean_of_parts(self, parts: Sequence[tuple[float, Mapping[str, float]]]) -> Floats:
        """Return each row's weighted mean over components (rows,), NaN where one of them has no answer."""
        whole = sum(weight for weight, _ in parts)
        mean: Floats = np.sum([weight / whole * self.mean(items) for weight, items in parts], axis=0)
        return mean

    def parts_of(self, total: Total, instrument: Instrument) -> list[tuple[float, dict[str, float]]]:
        """Return the weight and the weighted items of each component of a total that the source answers."""
        weights = composite_weights(instrument)
        parts = [
            (part.weight, {item: w for item, w in weights["component", part.id].items() if item in self.values})
            for part in instrument.components_of(total)
        ]
        return [(weight, items) for weight, items in parts if items]

    def long(self, items: Sequence[str]) -> tuple[Floats, dict[str, Integers]]:
        """Return the answers to some items one below the other, and the facets of each answer, items among them."""
        k = len(items)
        facets = {name: np.tile(codes, k) for name, codes in self.codes.items()}
        first = next(iter(self.codes.values()))
        return np.concatenate([self.values[item] for item in items]), {
            **facets,
            "item": np.repeat(np.arange(k), len(first)),
        }

    def conditions(self, y: Floats) -> dict[str, float]:
        """Return how many conditions of each facet the mean of an average site rests on, of rows with a value.

        Clusters and units are harmonic means over sites; raters are 1/Σ q², its mean over sites, q being their
        shares of a site's mean, in which a unit that two rated counts half for each, as in scoring.
        """
        known = np.isfinite(y)
        codes = {name: column[known] for name, column in self.codes.items()}
        made = {name: self._per_site(codes, name) for name in (self.cluster, self.unit) if name in codes}
        if self.rated:
            k = int(codes["rater"].max()) + 1
            weight = 1.0 / np.bincount(codes[self.unit])[codes[self.unit]]
            held = np.bincount(codes["site"] * k + codes["rater"], weights=weight, minlength=self._width * k)
            table = held.reshape(-1, k)
            table = table[table.sum(axis=1) > 0.0]
            made["rater"] = float(1.0 / np.mean(((table / table.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)))
        return made

    @property
    def _width(self) -> int:
        return int(self.codes["site"].max()) + 1

    def _per_site(self, codes: Mapping[str, Integers], facet: str) -> float:
        around = codes.get(self.cluster, codes["site"])
        of_site = np.unique(np.stack([codes["site"], around, codes[facet]]), axis=1)[0]
        counts = np.bincount(of_site)
        return float(1.0 / np.mean(1.0 / counts[counts > 0]))

    def theta_scale(self, y: Floats) -> float:
        """Return the mean over sites of m(1 − m), m being a site's mean of the rows' values 0–1."""
        known = np.isfinite(y)
        site = self.codes["site"][known]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            means = np.bincount(site, weights=y[known]) / np.bincount(site)
        means = means[np.isfinite(means)]
        return float(np.mean(means * (1.0 - means)))


def rated_rows(table: SourceTable, instrument: Instrument) -> RatedRows:
    """Return the rows of a source; of an audit in which most raters have a name, only the rows of these."""
    audit = instrument.by_source[table.source].kind == "audit"
    unit, cluster = ("file", "assessor") if audit else ("respondent", "group")
    named = np.array([bool(label) for label in table.rater.labels])[table.rater.codes]
    unnamed = int((~named).sum()) if audit and named.mean() > 0.5 else 0
    if unnamed:
        table = table.take(np.flatnonzero(named))
    codes = {"site": _compact(table.site.codes)}
    clusters = [bool(table.cluster.labels[code]) for code in np.unique(table.cluster.codes)]
    if len(clusters) > 1:
        codes[cluster] = _own_where_unnamed(table, all_named=all(clusters))
    codes[unit] = numbered_units(table)[0].astype(np.int64)
    used = np.unique(table.rater.codes)
    if audit and len(used) > 1 and all(table.rater.labels[code] for code in used):
        codes["rater"] = _compact(table.rater.codes)
    if len(np.unique(table.wave.codes)) > 1:
        codes["occasion"] = _compact(table.wave.codes)
    values = {answers.item.id: answers.value for answers in primary_answers(table, instrument)}
    return RatedRows(table.source, unit, cluster, codes, values, audit, unnamed)


def _own_where_unnamed(table: SourceTable, *, all_named: bool) -> Integers:
    """Return cluster codes; a unit without a named cluster is one of its own, as in scoring."""
    codes = table.cluster.codes.astype(np.int64)
    if all_named:
        return _compact(table.cluster.codes)
    nameless = np.array([not label for label in table.cluster.labels])[table.cluster.codes]
    units = numbered_units(table)[0].astype(np.int64)
    return np.unique(np.where(nameless, codes.max() + 1 + units, codes), return_inverse=True)[1].astype(np.int64)


def _compact(codes: NDArray[np.int32]) -> Integers:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
