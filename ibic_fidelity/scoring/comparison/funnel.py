"""The funnel: which sites lie further from the others than chance and their precision explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written
from ibic_fidelity.scoring.comparison.figures import check_raw, figures_of
from ibic_fidelity.scoring.comparison.result import NOT_COMPARISON, left_out_records, with_options, withheld
from ibic_fidelity.scoring.comparison.sites import enough_sites
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
LEVELS = (0.95, 0.998)
STEPS = 200
_EXTRA = ("precision", "outside_95", "outside_998", "outside_95_spread", "outside_998_spread", "flag")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Funnel(Written):
    """Sites by their precision, and the limits within which chance alone would leave them.

    Attributes
    ----------
    target : str
        Of which total, component or item.
    rows : Records
        One row a site: ``site``, ``estimate``, ``std_error`` (at the centre), ``precision`` (1/SE²), and for both
        limits whether it lies ``below``, ``inside`` or ``above``: ``outside_95`` and ``outside_998`` where sites are
        taken not to differ, ``outside_95_spread`` and ``outside_998_spread`` where they differ by τ; ``flag``.
    counts : Records
        One row a pair of limits: ``level``, ``spread`` (whether with τ), ``outside`` (how many sites lie outside),
        ``below``, ``above``, and ``expected`` (how many would by chance).
    centre : float
        The mean of the sites, weighted by 1/(SE² + τ²).
    tau : float
        The standard deviation of sites beyond chance.
    left_out : Records
        Sites without a score or an interval, with the code of why.
    notes : tuple of Message
        What a reader must know.
    provenance : Provenance
        From what it was made.
    """

    SCHEMA: ClassVar[str] = "ibic.funnel/1"
    REFUSED: ClassVar[str] = NOT_COMPARISON

    target: str
    rows: Records
    counts: Records
    centre: float
    tau: float
    left_out: Records
    notes: tuple[Message, ...]
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return every site."""
        return table({name: self.rows[name].tolist() for name in self.rows.columns}, extra=_EXTRA)

    def limits(self, precision: Floats, level: float, *, spread: bool) -> tuple[Floats, Floats]:
        """Return the limits at some precisions, within 0–100."""
        return _limits(self.centre, precision, self.tau if spread else 0.0, level)

    def __repr__(self) -> str:
        return self.summary()

    def summary(self) -> str:
        """Return in a few lines what was found."""
        lines = [
            f"Funnel of {self.target}: {len(self.rows)} sites around {self.centre:.1f}, tau {self.tau:.1f}"
            + (", SYNTHETIC data" if self.provenance.synthetic else "")
        ]
        for row in self.counts.rows():
            how = "with tau" if row["spread"] else "without tau"
            lines.append(
                f"  {100 * row['level']:g} % limits {how}: {row['outside']} outside, {row['expected']:.1f} by chance"
            )
        lines.append(f"  {len(self.left_out)} left out")
        return "\n".join(lines)


def site_funnel(scores: Scores, target: str = "total_core", *, wave: str | None = None) -> Funnel:
    """Return which sites lie further from the others than chance explains.

    Parameters
    ----------
    scores : Scores
        Raw scores of at least two sites.
    target : str
        Id of a total, component or item.
    wave : str, optional
        Which wave; may be left out where there is only one.

    Returns
    -------
    Funnel
        Sites by precision 1/SE², limits at 95 and 99.8 per cent without and with the spread τ between sites, and how
        many lie outside beside how many would by chance.

    Raises
    ------
    UsageError
        Fewer than two sites have a score with an interval, or there is no such target or wave.

    Notes
    -----
    SE is what the score's error would be if the site were at the centre, √(κ θ(1 − θ)) with θ the centre: with its own
    estimate in it, a site at a bound would look more precise than it is (Spiegelhalter 2005). τ² is what makes
    Σ (m − centre)²/(SE² + τ²) equal to the number of sites less one (Paule & Mandel 1982), 0 where even without it
    the sum is smaller. Raters who read several sites make the errors go together, which limits do not show.

    Source: Spiegelhalter (2005), Statistics in Medicine 24, 1185–1202.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ibic.site_funnel(scores, "ut").counts["expected"].tolist()
    [0.4, 0.016, 0.4, 0.016]
    """
    check_raw(scores)
    figures = figures_of(scores, target, wave=wave)
    kept = figures.take(enough_sites(figures, target))
    kappa = kept.kappa
    centre, tau, std_error = _settled(kept.estimate, kappa)
    precision = 1 / std_error**2
    names = {(level, spread): f"outside_{str(level)[2:]}{'_spread' if spread else ''}"
             for spread in (False, True) for level in LEVELS}  # fmt: skip
    sides = {
        name: _side(kept.estimate, _limits(centre, precision, tau if spread else 0.0, level))
        for (level, spread), name in names.items()
    }
    return Funnel(
        target=target,
        rows=Records.of(
            site=kept.site, estimate=kept.estimate, std_error=std_error, precision=precision, **sides, flag=kept.flag
        ),
        counts=_counts(names, sides, len(kept.site)),
        centre=centre,
        tau=tau,
        left_out=left_out_records(withheld(figures)),
        notes=(*scores.notes, Message("scoring.funnel_expects")),
        provenance=with_options(scores, {"kind": "funnel", "target": target}),
    )


def between_variance(estimate: Floats, variance: Floats) -> float:
    """Return τ² of Paule & Mandel: the generalized Q equals its degrees of freedom; 0 where it is smaller anyway.

    Examples
    --------
    >>> round(between_variance(np.array([1.0, 3.0]), np.array([0.5, 0.5])), 9)
    1.5
    """

    def excess(tau2: float) -> float:
        weight = 1 / (variance + tau2)
        mean = (weight * estimate).sum() / weight.sum()
        return float((weight * (estimate - mean) ** 2).sum() - (len(estimate) - 1))

    if excess(0.0) <= 0:
        return 0.0
    from scipy.optimize import brentq

    return float(brentq(excess, 0.0, float(np.ptp(estimate) ** 2) * len(estimate), xtol=1e-12, maxiter=STEPS))


def _settled(estimate: Floats, kappa: Floats) -> tuple[float, float, Floats]:
    """Return centre, τ and the standard errors at the centre, which depend on each other."""
    centre = float((estimate / kappa).sum() / (1 / kappa).sum())
    for _ in range(STEPS):
        product = max(centre * (100 - centre), _least(kappa))
        variance = kappa * product
        tau2 = between_variance(estimate, variance)
        weight = 1 / (variance + tau2)
        updated = float((weight * estimate).sum() / weight.sum())
        settled = abs(updated - centre) < 1e-10
        centre = updated
        if settled:
            break
    return centre, float(np.sqrt(tau2)), np.sqrt(variance)


def _least(kappa: Floats) -> float:
    """Return θ(1 − θ) of a centre at a bound: drawn to 1/2 as in the standard error of all sites together."""
    q = 4 / float((1 / kappa).sum())
    share = (q / 2) / (1 + q)
    return 1e4 * share * (1 - share)


def _limits(centre: float, precision: Floats, tau: float, level: float) -> tuple[Floats, Floats]:
    from scipy.special import ndtri

    half = ndtri((1 + level) / 2) * np.sqrt(1 / precision + tau**2)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 100.0)


def _side(estimate: Floats, limits: tuple[Floats, Floats]) -> NDArray[np.object_]:
    low, high = limits
    side = np.full(len(estimate), "inside", dtype=object)
    side[estimate < low] = "below"
    side[estimate > high] = "above"
    return side


def _counts(names: dict[tuple[float, bool], str], sides: dict[str, NDArray[np.object_]], n: int) -> Records:
    rows: Sequence[dict[str, Any]] = [
        {
            "level": level,
            "spread": spread,
            "outside": int((sides[name] != "inside").sum()),
            "below": int((sides[name] == "below").sum()),
            "above": int((sides[name] == "above").sum()),
            "expected": round(n * (1 - level), 10),
        }
        for (level, spread), name in names.items()
    ]
    return Records.of(**{name: [row[name] for row in rows] for name in rows[0]})
