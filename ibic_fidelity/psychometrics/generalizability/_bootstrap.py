"""Parametric bootstrap of variance components: normal effects on the levels of the data, estimated anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.generalizability._estimable import Model
from ibic_fidelity.psychometrics.generalizability._fits import Fit, fit_model
from ibic_fidelity.psychometrics.generalizability._ratings import Ratings
from ibic_fidelity.psychometrics.resampling import as_generator, check_replicates

#: Replicates below which a percentile of 2.5 is hardly one.
LEAST_REPLICATES = 50


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """How many replicates, and from what they are drawn."""

    replicates: int
    rng: np.random.Generator


def checked_bootstrap(replicates: object, rng: object) -> Bootstrap:
    """Return the options, or raise where there are too few replicates for percentiles."""
    number = check_replicates(replicates)
    if number < LEAST_REPLICATES:
        raise UsageError("psychometrics.components_bootstrap_few", n=number, least=LEAST_REPLICATES)
    return Bootstrap(number, as_generator(rng, "psychometrics/variance_components"))


def bootstrap_components(ratings: Ratings, model: Model, fit: Fit, *, item: str, drawn: Bootstrap) -> Floats:
    """Return the components (B, K + 1) of data drawn from a fit, a row of NaN where no fit was found.

    REML does not depend on the fixed means, so that these are 0.
    """
    deviations = np.sqrt(fit.values)
    levels = [ratings.levels(effect.indices) for effect in model.fitted]
    made = np.full((drawn.replicates, len(fit.values)), np.nan)
    for row in made:
        y = deviations[-1] * drawn.rng.standard_normal(ratings.n)
        for deviation, (codes, n_levels) in zip(deviations, levels, strict=False):
            effects = drawn.rng.standard_normal(n_levels)
            if deviation > 0.0:
                y += deviation * effects[codes]
        again = fit_model(replace(ratings, y=y), model, item=item)
        if again.reason is None and again.converged:
            row[:] = again.values
    return made
