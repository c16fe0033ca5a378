"""Errors that scores share because the same raters read both: their correlation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument
from ibic_fidelity.scoring.comparison.figures import Figures, figures_of, the_wave
from ibic_fidelity.scoring.grouping import nesting
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sums import composite_weights, rater_parts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST = 1 - 1e-9  # a correlation of errors stays below 1


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The answers behind some scores at one wave, from which it is seen who rated what."""

    scores: Scores
    responses: Responses
    wave: str
    figures: Figures


@dataclass(frozen=True, slots=True, eq=False)
class SharedRaters:
    """How errors of scores go together by common raters; shape (n, n), scores of all reads one after another.

    `correlation` is 1 on the diagonal; `shared` tells whether two scores have a rater in common; `named` is false
    where some row does not say who rated. `common` are the raters that all reads have.
    """

    correlation: Floats
    shared: Bools
    named: bool
    common: tuple[str, ...] = ()


def read(
    scores: Scores, responses: Responses | None, instrument: Instrument | None, target: str, wave: str | None
) -> Read | None:
    """Return the answers behind scores, or ``None`` where they are not given.

    Raises
    ------
    UsageError
        The answers are not those that were scored, or the instrument is missing or another one.
    """
    if responses is None:
        return None
    if not isinstance(responses, Responses):
        raise ArgumentTypeError("scoring.wrong_kind", got=[type(responses).__name__, type(instrument).__name__])
    if instrument is None:
        raise UsageError("scoring.responses_need_instrument")
    check_same_instrument(responses, instrument)
    if responses.data_sha256 != scores.provenance.data_sha256:
        raise UsageError("scoring.other_responses")
    wave = the_wave(scores, wave)
    return Read(scores, responses, wave, figures_of(scores, target, wave=wave))


def raters_in_common(
    scores: Scores, responses: Responses | None, instrument: Instrument | None, target: str, wave: str | None
) -> SharedRaters | None:
    """Return how errors of sites' scores at a wave go together, or ``None`` where the answers are not given."""
    behind = read(scores, responses, instrument, target, wave)
    return None if behind is None or instrument is None else shared_raters([behind], instrument, target)


def shared_raters(reads: Sequence[Read], instrument: Instrument, target: str) -> SharedRaters:
    """Return how errors of scores go together by raters in common.

    The severity of a rater moves every score of whose units the rater reads a part q. With σ² its variance in
    units of θ(1 − θ), as the intervals hold it, two scores have the covariance σ² Σ q_r q'_r √(θ(1 − θ) θ'(1 − θ'))
    from each audit, with the square of the audit's weight in the target.
    """
    figures = [one.figures for one in reads]
    size = sum(len(one.site) for one in figures)
    covariance, shared, named = np.zeros((size, size)), np.zeros((size, size), dtype=bool), True
    common: set[str] = set()
    for source, items in _audits(instrument, target).items():
        labels = sorted({label for one in reads if source in one.responses.tables
                         for label in one.responses.tables[source].rater.labels})  # fmt: skip
        if not labels:
            continue
        by_read = [_parts(one, source, labels) for one in reads]
        parts = np.concatenate(by_read)
        scale = np.concatenate([_scale(one, source, items, target) for one in reads])
        named &= "" not in labels or not parts[:, labels.index("")].any()
        parts[:, [label == "" for label in labels]] = 0.0
        everywhere = np.all([part.any(axis=0) for part in by_read], axis=0)
        common |= {label for label, there in zip(labels, everywhere, strict=True) if there and label}
        weight = sum(items.values())
        covariance += (weight**2 * (parts @ parts.T)) * np.outer(scale, scale)
        shared |= (parts @ parts.T) > 0
    error = np.concatenate([one.std_error for one in figures]) / 100
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = covariance / np.outer(error, error)
    correlation = np.clip(np.nan_to_num(correlation), 0.0, MOST)
    np.fill_diagonal(correlation, 1.0)
    return SharedRaters(correlation, shared, named, tuple(sorted(common)))


def rater_notes(found: SharedRaters | None) -> tuple[Message, ...]:
    """Return what is to be said of raters in common."""
    if found is None:
        return (Message("scoring.raters_taken_as_apart"),)
    said = [Message("scoring.raters_in_common")]
    if not found.named:
        said.append(Message("scoring.raters_in_common_unnamed"))
    return tuple(said)


def told(shared: Bools | None, size: int) -> NDArray[np.object_]:
    """Return yes, no or, where nobody looked, unknown."""
    if shared is None:
        return np.full(size, "unknown", dtype=object)
    return np.where(shared, "yes", "no").astype(object)


def _audits(instrument: Instrument, target: str) -> dict[str, dict[str, float]]:
    """Return the items of a target, with their weights in it, by the audit that they are scored from."""
    weights = composite_weights(instrument)
    found = next((items for (_, name), items in weights.items() if name == target), {target: 1.0})
    if not set(found) <= set(instrument.by_item):
        raise UsageError("scoring.target_not_in_instrument", value=repr(target), instrument=instrument.id)
    audits: dict[str, dict[str, float]] = {}
    for item, weight in found.items():
        source = instrument.by_source[instrument.by_item[item].primary.source]
        if source.kind == "audit" and not source.single:
            audits.setdefault(source.id, {})[item] = weight
    return audits


def _parts(one: Read, source: str, labels: Sequence[str]) -> Floats:
    """Return each rater's part of each score, shape (sites, raters)."""
    parts = np.zeros((len(one.figures.site), len(labels)))
    table = one.responses.tables.get(source)
    if table is None:
        return parts
    groups = {(str(site), one.wave, ""): place for place, site in enumerate(one.figures.site)}
    inside = np.array([label == one.wave for label in table.wave.labels])[table.wave.codes]
    inside &= np.isin(table.site.text.astype(str), one.figures.site.astype(str))
    if not inside.any():
        return parts
    nest = nesting(table.take(np.flatnonzero(inside)), groups, by_area=False)
    columns = np.array([labels.index(label) for label in nest.table.rater.labels], dtype=np.intp)
    parts[np.ix_(nest.group, columns)] = rater_parts(nest)
    return parts


def _scale(one: Read, source: str, items: dict[str, float], target: str) -> Floats:
    """Return √(σ² θ(1 − θ)) of the source's part of each score, θ drawn to 1/2 as in the standard error."""
    rows, spread = one.scores.rows, one.scores.spread
    of_target = (spread["source"] == source) & (spread["target"] == target)
    variance = float(spread["raters"][of_target][0]) if of_target.any() else 0.0
    place = {site: row for row, site in enumerate(one.figures.site.tolist())}
    mean = np.zeros(len(place))
    mask = (rows["level"] == "item") & (rows["wave"] == one.wave) & (rows["service_area"] == "")
    mask &= np.isin(rows["item"].astype(str), list(items))
    for site, item, estimate in zip(
        rows["site"][mask], rows["item"][mask], rows["estimate"][mask].astype(float), strict=True
    ):
        mean[place[site]] += items[item] / sum(items.values()) * estimate / 100
    kappa = one.figures.kappa
    centre = (mean + 2 * kappa) / (1 + 4 * kappa)
    return np.sqrt(max(variance, 0.0) * np.maximum(centre * (1 - centre), 0.0))
