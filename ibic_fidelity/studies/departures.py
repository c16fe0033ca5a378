"""What the estimators do not assume, planted: site halo, heavy tails, chosen files, hidden assessors, non-response."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError

Floats = NDArray[np.float64]
LEAST_TAILS = 2.0  # degrees of freedom, above which Student's t has a variance


@dataclass(frozen=True, slots=True)
class Departures:
    """Where a study leaves what scoring assumes; nothing by default.

    Parameters
    ----------
    tails : float
        Degrees of freedom of Student's t, scaled to the same variance, that sites and files have in the place of
        normal effects; infinite for normal ones.
    halo : float
        Latent share of what a rater thinks of a site as a whole, common to all the site's files; taken from what a
        file has of its own.
    left_out : float
        Share of the eligible files, those that score lowest, that a site leaves out before files are drawn.
    hidden_assessors : bool
        Whose files they are is not named.
    silence : float
        By how much the log odds that a user answers rise with one standard deviation of what the user would have
        answered.

    Examples
    --------
    >>> Departures(left_out=0.1).planted, Departures().planted
    (True, False)
    """

    tails: float = np.inf
    halo: float = 0.0
    left_out: float = 0.0
    hidden_assessors: bool = False
    silence: float = 0.0

    def __post_init__(self) -> None:
        if not self.tails > LEAST_TAILS:
            raise UsageError("studies.tails", value=self.tails, least=LEAST_TAILS)
        for name in ("halo", "left_out"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError("studies.share", name=name, value=getattr(self, name))
        if self.silence < 0:
            raise UsageError("studies.not_negative", name="silence", value=self.silence)

    @property
    def planted(self) -> bool:
        """Return whether there is any."""
        default = {part.name: part.default for part in fields(self)}
        return any(getattr(self, name) != value for name, value in default.items())

    def effects(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw n standardised effects of sites or files."""
        if np.isinf(self.tails):
            return rng.standard_normal(n)
        return np.asarray(np.sqrt((self.tails - 2) / self.tails) * rng.standard_t(self.tails, n))


NONE = Departures()
