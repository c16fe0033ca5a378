"""Bands by the cuts of a standard-setting study, with the error of the cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Band
from ibic_fidelity.scoring.bands import band_of
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CutSet:
    """Cuts between bands, 0–100, and how sure they are.

    Attributes
    ----------
    bands : tuple of str
        Ids of bands, the lowest first.
    cuts : tuple of float
        Where each band but the lowest begins; a score on a cut is in the upper band.
    std_errors : tuple of float
        Of each cut; 0 where a cut is taken as it is.

    Examples
    --------
    >>> CutSet(("low", "high"), (62.5,), (2.2,)).cuts
    (62.5,)
    """

    bands: tuple[str, ...]
    cuts: tuple[float, ...]
    std_errors: tuple[float, ...]

    def __post_init__(self) -> None:
        cuts, errors = np.array(self.cuts, dtype=float), np.array(self.std_errors, dtype=float)
        if not len(cuts) == len(errors) == len(self.bands) - 1 or not len(cuts):
            raise UsageError("scoring.cuts_number", bands=len(self.bands), cuts=len(cuts), errors=len(errors))
        inside = np.all((cuts > 0) & (cuts < 100)) and np.all(np.diff(cuts) > 0)
        if not inside or not np.all((errors >= 0) & (errors < 50)):
            raise UsageError("scoring.cuts_values", cuts=list(self.cuts), errors=list(self.std_errors))

    @classmethod
    def of_instrument(cls, instrument: Instrument) -> CutSet:
        """Return the cuts that an instrument carries, those without a study with no error."""
        bands = instrument.bands
        if len(bands) < 2:
            raise UsageError("scoring.no_cuts", id=instrument.id)
        return cls(
            tuple(band.id for band in bands),
            tuple(100 * band.low for band in bands[1:]),
            tuple(100 * (band.se or 0.0) for band in bands[1:]),
        )

    def carried_by(self, instrument: Instrument) -> tuple[Band, ...]:
        """Return an instrument's bands with these cuts in the place of its own, labels kept."""
        if tuple(band.id for band in instrument.bands) != self.bands:
            raise UsageError(
                "scoring.other_bands", given=list(self.bands), known=[band.id for band in instrument.bands]
            )
        lows, errors = (0.0, *self.cuts), (None, *self.std_errors)
        return tuple(
            band.model_copy(update={"low": low / 100, "se": None if error is None else error / 100})
            for band, low, error in zip(instrument.bands, lows, errors, strict=True)
        )


@dataclass(frozen=True, slots=True, eq=False)
class StandardBands:
    """Bands of totals by a cut set, as `standard_bands` returns them.

    Attributes
    ----------
    rows : Records
        One row a site, area, wave and total: ``estimate``, ``band`` (empty without a total), and ``confidence_X``
        for each band X: how much of the confidence distribution of score and cuts lies in it.
    cut_set : CutSet
    notes : tuple of Message
    """

    rows: Records
    cut_set: CutSet
    notes: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return the rows as a frame."""
        return self.rows.table

    def summary(self) -> str:
        """Return how many whole sites are in each band, in English."""
        whole = self.rows.where(self.rows["service_area"] == "")
        lines = []
        for total in dict.fromkeys(whole["statistic"].tolist()):
            bands = whole["band"][whole["statistic"] == total].tolist()
            counts = ", ".join(f"{band} {bands.count(band)}" for band in self.cut_set.bands)
            lines.append(f"{total}: {counts}, without {bands.count('')}")
        return "\n".join([*lines, *(note.text("en") for note in self.notes)])


def standard_bands(scores: Scores, cut_set: CutSet) -> StandardBands:
    """Return the band of every total by a cut set, and how sure that is by the errors of score and cuts.

    Parameters
    ----------
    scores : Scores
        Raw scores with intervals.
    cut_set : CutSet
        Of a standard-setting study, or of the instrument (`CutSet.of_instrument`).

    Returns
    -------
    StandardBands
        Totals that are withheld have no band, and NaN.

    Raises
    ------
    ArgumentTypeError
        Something is neither Scores nor CutSet.

    Notes
    -----
    The standard error towards a cut is the distance to the limit on its side over the normal quantile of the level, so
    that a score near a bound keeps its skewness; that of the cut is added in squares. A raw score far out is so partly
    by chance: these are no probabilities of the true band. Those come from the joint posterior, see
    `band_probabilities`.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> standard_bands(scores, CutSet(("under", "over"), (55.0,), (3.0,))).rows["band"].tolist()[:2]
    ['over', 'over']
    """
    given: tuple[object, object] = (scores, cut_set)
    if not (isinstance(given[0], Scores) and isinstance(given[1], CutSet)):
        raise ArgumentTypeError("scoring.not_cut_set", got=[type(one).__name__ for one in given])
    require_way_of_working(scores.estimand, "standard_bands")
    rows = scores.rows.where(scores.rows["level"] == "total")
    estimate, low, high = (rows[name].astype(float) for name in ("estimate", "ci_low", "ci_high"))
    z = float(ndtri(0.5 + scores.confidence_level / 2))
    reached = []
    for cut, error in zip(cut_set.cuts, cut_set.std_errors, strict=True):
        own = np.where(cut > estimate, high - estimate, estimate - low) / z
        reached.append(share_over(estimate - cut, np.hypot(own, error)))
    shares = between_cuts(np.stack(reached, axis=1)) if len(estimate) else np.empty((0, len(cut_set.bands)))
    position = band_of(estimate / 100, _as_bands(cut_set))
    names = np.array([*cut_set.bands, ""], dtype=object)
    columns: dict[str, Any] = {name: rows[name] for name in ("site", "service_area", "wave", "statistic", "estimate")}
    columns["band"] = names[position]
    columns.update({f"confidence_{band}": shares[:, place] for place, band in enumerate(cut_set.bands)})
    notes = [Message("scoring.bands_confidence", {})]
    if not any(cut_set.std_errors):
        notes.append(Message("scoring.cuts_exact", {}))
    return StandardBands(Records.of(**columns), cut_set, tuple(notes))


def band_probabilities(draws: NDArray[Any] | Sequence[Sequence[float]], cut_set: CutSet) -> Floats:
    """Return the probability of each band (sites, bands) from posterior draws, the error of the cuts included.

    Parameters
    ----------
    draws : array-like of shape (draws, sites)
        Draws of the true totals, 0–100, from their joint posterior; no missing ones.
    cut_set : CutSet
        Errors of cuts are normal and independent of the draws.

    Returns
    -------
    ndarray of shape (sites, bands)
        Rows sum to 1.

    Raises
    ------
    UsageError
        Not two dimensions, no draw, or values that are not finite.

    Examples
    --------
    >>> band_probabilities([[50.0, 70.0], [70.0, 70.0]], CutSet(("low", "high"), (60.0,), (0.0,)))
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    theta = np.asarray(draws, dtype=float)
    if theta.ndim != 2 or not len(theta) or not np.isfinite(theta).all():
        raise UsageError("scoring.draws_shape", shape=list(theta.shape))
    pairs = zip(cut_set.cuts, cut_set.std_errors, strict=True)
    reached = [share_over(theta - cut, np.full(theta.shape, error)).mean(axis=0) for cut, error in pairs]
    return between_cuts(np.stack(reached, axis=1))


def share_over(gap: Floats, error: Floats) -> Floats:
    """Return the probability that a gap with a normal error is 0 or more."""
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.where(error > 0, ndtr(gap / error), (gap >= 0).astype(float))
    return np.asarray(np.where(np.isnan(gap) | np.isnan(error), np.nan, made))


def between_cuts(reached: Floats) -> Floats:
    """Return the probability of each band (n, K + 1) from that of reaching each cut (n, K).

    Where the errors of two cuts make a higher one as likely to be reached as a lower one, the band between is empty.
    """
    falling = np.minimum.accumulate(reached, axis=1)
    ends = np.concatenate([np.ones((len(reached), 1)), falling, np.zeros((len(reached), 1))], axis=1)
    return np.asarray(np.where(np.isnan(reached).any(axis=1, keepdims=True), np.nan, ends[:, :-1] - ends[:, 1:]))


def _as_bands(cut_set: CutSet) -> tuple[Band, ...]:
    label = {"sv": "-", "en": "-"}
    lows = (0.0, *cut_set.cuts)
    return tuple(Band.model_validate({"id": f"b{i}", "label": label, "low": low / 100}) for i, low in enumerate(lows))
