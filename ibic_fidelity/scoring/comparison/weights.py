"""How much the bands hang on the weights: equal ones, a panel's, and ones drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.bands import band_of
from ibic_fidelity.scoring.comparison.figures import Figures, check_raw, figures_of
from ibic_fidelity.scoring.comparison.result import NOT_COMPARISON, left_out_records, with_options
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SUM_TOLERANCE = 1e-6  # a panel's weights are written with few decimals
_EXTRA = ("band", "band_equal", "band_items", "band_given", "change_share", "total_low", "total_high")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WeightSensitivity(Written):
    """Which sites' bands hang on the weights of the components. Bands are without gates.

    Attributes
    ----------
    target : str
        The total.
    rows : Records
        One row a site: ``estimate``, ``band``; ``band_equal`` with equal weights of components, ``band_items`` with
        equal weights of items, ``band_given`` with the weights given (else empty); ``change_share``, the share of draws
        with another band; ``total_low`` and ``total_high``, between which 95 per cent of the drawn totals lie.
    changed_equal, changed_items, changed_given : float
        The share of sites with another band under these weights; NaN where none were given.
    changed_drawn, changed_drawn_low, changed_drawn_high : float
        The mean over draws of that share, and between what 95 per cent of the draws lie.
    draws : int
        How many weightings were drawn.
    concentration : float
        Of the Dirichlet distribution, a component: 1 is uniform over all weightings, larger is nearer equal weights.
    left_out : Records
        Sites without a total, with the code of why.
    provenance : Provenance
        From what it was made.
    """

    SCHEMA: ClassVar[str] = "ibic.weight_sensitivity/1"
    REFUSED: ClassVar[str] = NOT_COMPARISON

    target: str
    rows: Records
    changed_equal: float
    changed_items: float
    changed_given: float
    changed_drawn: float
    changed_drawn_low: float
    changed_drawn_high: float
    draws: int
    concentration: float
    left_out: Records
    notes: tuple[Message, ...]
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return every site."""
        return table({name: self.rows[name].tolist() for name in self.rows.columns}, extra=_EXTRA)

    def __repr__(self) -> str:
        return self.summary()

    def summary(self) -> str:
        """Return in a few lines what was found."""
        given = f", given weights {self.changed_given:.0%}" if np.isfinite(self.changed_given) else ""
        return (
            f"Bands of {self.target} under other weights, {len(self.rows)} sites"
            f"{', SYNTHETIC data' if self.provenance.synthetic else ''}\n"
            f"  another band: equal components {self.changed_equal:.0%}, equal items {self.changed_items:.0%}{given}\n"
            f"  {self.draws} drawn weightings: {self.changed_drawn:.0%} of sites on average"
            f" ({self.changed_drawn_low:.0%} to {self.changed_drawn_high:.0%})"
        )


def weight_sensitivity(
    scores: Scores,
    instrument: Instrument,
    target: str = "total_core",
    *,
    weights: Mapping[str, float] | None = None,
    wave: str | None = None,
    draws: int = 2000,
    concentration: float = 1.0,
    seed: int = 0,
) -> WeightSensitivity:
    """Return the share of sites whose band changes under other weights.

    Parameters
    ----------
    scores : Scores
        Raw scores.
    instrument : Instrument
        The instrument that they were scored by.
    target : str
        Id of a total.
    weights : mapping, optional
        From every component of the total to a weight, such as a panel's: positive, and summing to 1.
    wave : str, optional
        Which wave; may be left out where there is only one.
    draws : int
        How many weightings to draw.
    concentration : float
        Of the Dirichlet distribution, a component.
    seed : int
        Of the draws.

    Returns
    -------
    WeightSensitivity
        By site, and as a share of all sites that have the total.

    Raises
    ------
    UsageError
        Weights are missing, unknown, not positive, or do not sum to 1; the instrument is another, has no bands or no
        such total; no site has a total; an option has no meaning.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ibic.weight_sensitivity(scores, study.instrument).changed_equal
    0.0
    """
    check_raw(scores)
    names = _components(scores, instrument, target)
    _check_options(draws, concentration, seed)
    asked = None if weights is None else _given(weights, names)
    figures = [figures_of(scores, name, wave=wave) for name in names]
    total = figures_of(scores, target, wave=wave)
    has = np.isfinite(total.estimate)
    if not has.any():
        raise UsageError("scoring.too_few_sites", n=0, target=target)
    means = np.stack([one.estimate for one in figures], axis=1)[has]
    own = band_of(total.estimate[has] / 100, instrument.bands)
    equal = _bands(means, np.full((1, len(names)), 1 / len(names)), instrument)[:, 0]
    by_items = band_of(_mean_of_items(scores, instrument, names, total, wave)[has] / 100, instrument.bands)
    given = None if asked is None else _bands(means, asked, instrument)[:, 0]
    drawn = stream(seed, "scores/weights", target).dirichlet(np.full(len(names), concentration), size=draws)
    other = _bands(means, drawn, instrument) != own[:, None]
    totals = means @ drawn.T
    low, high = np.quantile(totals, [0.025, 0.975], axis=1)
    by_draw = other.mean(axis=0)
    labels = np.array([*(band.id for band in instrument.bands), ""], dtype=object)
    rows = Records.of(
        site=total.site[has],
        estimate=total.estimate[has],
        band=labels[own],
        band_equal=labels[equal],
        band_items=labels[by_items],
        band_given=np.full(len(own), "", dtype=object) if given is None else labels[given],
        change_share=other.mean(axis=1),
        total_low=low,
        total_high=high,
    )
    drawn_low, drawn_high = np.quantile(by_draw, [0.025, 0.975])
    left = zip(total.site[~has].tolist(), total.reason[~has].tolist(), strict=True)
    return WeightSensitivity(
        target=target,
        rows=rows,
        changed_equal=float((equal != own).mean()),
        changed_items=float((by_items != own).mean()),
        changed_given=float("nan") if given is None else float((given != own).mean()),
        changed_drawn=float(by_draw.mean()),
        changed_drawn_low=float(drawn_low),
        changed_drawn_high=float(drawn_high),
        draws=draws,
        concentration=float(concentration),
        left_out=left_out_records([(site, "", "", reason) for site, reason in left]),
        notes=scores.notes,
        provenance=with_options(
            scores, {"kind": "weights", "target": target, "draws": draws, "concentration": concentration, "seed": seed}
        ),
    )


def _components(scores: Scores, instrument: Instrument, target: str) -> list[str]:
    if not isinstance(instrument, Instrument):
        raise ArgumentTypeError("scoring.wrong_kind", got=[type(scores).__name__, type(instrument).__name__])
    if instrument.sha256 != scores.provenance.instrument_sha256:
        raise UsageError("scoring.weights_other_instrument", given=f"{instrument.id} {instrument.version}")
    total = next((one for one in instrument.totals if one.id == target), None)
    if total is None:
        raise UsageError("scoring.unknown_target", value=repr(target), known=[one.id for one in instrument.totals])
    if not instrument.bands:
        raise UsageError("scoring.no_bands", instrument=instrument.id)
    return [part.id for part in instrument.components_of(total) if instrument.items_of(part.id)]


def _check_options(draws: object, concentration: object, seed: object) -> None:
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise UsageError("scoring.draws", value=repr(draws))
    real = isinstance(concentration, int | float) and not isinstance(concentration, bool)
    if not real or not 0 < concentration < float("inf"):  # type: ignore[operator]
        raise UsageError("scoring.concentration", value=repr(concentration))
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UsageError("scoring.seed", value=repr(seed))


def _given(weights: Mapping[str, float], names: list[str]) -> Floats:
    """Return given weights in the order of the components, or raise what is wrong with them."""
    if set(weights) != set(names):
        raise UsageError("scoring.weights_names", given=sorted(map(str, weights)), components=names)
    bad = [name for name in names if not (np.isfinite(weights[name]) and weights[name] > 0)]
    if bad:
        raise UsageError("scoring.weights_not_positive", components=bad)
    whole = float(sum(weights.values()))
    if abs(whole - 1) > SUM_TOLERANCE:
        raise UsageError("scoring.weights_sum", sum=whole)
    return np.array([[weights[name] / whole for name in names]])


def _bands(means: Floats, weights: Floats, instrument: Instrument) -> Ints:
    """Return the band of every site under every weighting, shape (sites, weightings)."""
    totals = means @ weights.T / 100
    return band_of(totals.ravel(), instrument.bands).reshape(totals.shape)


def _mean_of_items(
    scores: Scores, instrument: Instrument, names: list[str], total: Figures, wave: str | None
) -> Floats:
    items: list[Any] = [item.id for name in names for item in instrument.items_of(name)]
    found: Floats = np.mean([figures_of(scores, item, wave=wave).estimate for item in items], axis=0)
    return found
