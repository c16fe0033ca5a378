"""Promax by `factor-analyzer`: the only module that imports it, inside the function, for it brings scikit-learn.

Measured (factor-analyzer 0.5.1, two cores): importing it takes 1 s, the first time 6 s.  Its promax is right (psych's
``kaiser(rotate = "Promax")``) and asks for no starts.  Its KMO and Bartlett's test are right, too, but take answers
only, no matrix of correlations.  Its other rotations start from one place.  Those are ours; tests compare them with it.
"""

from __future__ import annotations

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats

#: Relative change of the varimax criterion at which the first step stops, and rounds allowed.
_TOLERANCE, _ROUNDS = 1e-15, 5000


def promax(loadings: Floats, *, power: int = 4) -> tuple[Floats, Floats]:
    """Return promax loadings (k, m) and factor correlations (m, m), with Kaiser's normalisation."""
    from factor_analyzer.rotator import Rotator

    rotator = Rotator(method="promax", normalize=True, power=power, max_iter=_ROUNDS, tol=_TOLERANCE)
    made = rotator.fit_transform(np.array(loadings))
    return np.asarray(made, dtype=np.float64), np.asarray(rotator.phi_, dtype=np.float64)
