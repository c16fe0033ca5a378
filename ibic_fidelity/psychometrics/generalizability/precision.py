"""Generalizability studies: components of variance, and the precision of a site's mean as it was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import as_vector, end_share, warn_undefined
from ibic_fidelity.psychometrics.generalizability._decision_arguments import read_object
from ibic_fidelity.psychometrics.generalizability.decisions import decide
from ibic_fidelity.psychometrics.generalizability.design import Design
from ibic_fidelity.psychometrics.generalizability.studies import (
    ComponentEstimator,
    ComponentInterval,
    Items,
    MissingRatings,
    variance_components,
)
from ibic_fidelity.psychometrics.generalizability.study_results import GeneralizabilityStudy

#: Share of ratings at the lowest or the highest one from which intervals do not cover as they should.
PILED_UP = 0.45


def generalizability_study(
    y: object,
    facets: Any,
    *,
    design: str | Design,
    items: Items = "fixed",
    object_of_measurement: str = "site",
    estimator: ComponentEstimator = "REML",
    omit: Iterable[str] = (),
    interval: ComponentInterval = "satterthwaite",
    missing: MissingRatings = "available",
    cut: float | None = None,
    assume_zero: Sequence[str] = (),
    given: Mapping[str, float] | None = None,
    confidence_level: float = 0.95,
    item: str = "item",
    fixed: Iterable[str] = (),
    bootstrap: int = 999,
    rng: np.random.Generator | int = 0,
) -> GeneralizabilityStudy:
    """Return variance components, and how precise the mean of each object of measurement is as it was observed.

    Parameters
    ----------
    y, facets, design, items, estimator, omit, interval, missing, item, fixed, bootstrap, rng
        As in `variance_components`.
    object_of_measurement, cut, assume_zero, given
        As in `decision_study`.
    confidence_level : float
        Of the components' intervals and of the decision's.

    Returns
    -------
    GeneralizabilityStudy
        Components, shares, the decision at the observed numbers (harmonic means of files a site, and so on), and
        where the error of one object's mean is from.

    Raises
    ------
    UsageError, ArgumentTypeError
        As `variance_components` and `decision_study` do.

    Warns
    -----
    UndefinedStatisticWarning
        Components that the coefficients need are not estimable: these are NaN.  No component is defined.

    Notes
    -----
    See `variance_components` for the estimation and `decision_study` for coefficients and intervals.  Files, raters
    and assessors of the data stand for others like them: the estimand is the way of working, not just these files.

    References
    ----------
    .. [1] Brennan, R. L. (2001). Generalizability theory. Springer.

    Examples
    --------
    Five sites, three files each, two items that are the definition of what is measured.

    >>> import numpy as np
    >>> site, file, item = (axis.ravel() for axis in np.indices((5, 3, 2)))
    >>> y = [2, 3, 3, 3, 2, 4, 0, 1, 1, 1, 1, 0, 4, 4, 3, 4, 4, 3, 1, 2, 2, 3, 2, 2, 3, 1, 2, 1, 3, 2]
    >>> study = generalizability_study(y, {"site": site, "file": file, "item": item}, design="(file : site) x item")
    >>> [round(float(share), 3) for share in study.share]
    [0.627, 0.0, 0.173, 0.2]
    """
    made = variance_components(
        y,
        facets,
        design=design,
        items=items,
        estimator=estimator,
        omit=omit,
        interval=interval,
        missing=missing,
        confidence_level=confidence_level,
        item=item,
        fixed=fixed,
        bootstrap=bootstrap,
        rng=rng,
    )
    measured = read_object(made, object_of_measurement)
    decision = decide(
        made,
        n={},
        object_of_measurement=measured,
        cut=cut,
        assume_zero=assume_zero,
        given=given,
        confidence_level=confidence_level,
    )
    for reason in dict.fromkeys(decision.reasons.values()):
        warn_undefined(reason)
    answers = as_vector(y)
    piled_up = float(end_share(answers[~np.isnan(answers), np.newaxis])[0])
    if piled_up >= PILED_UP:
        flag = Message("psychometrics.decision_piled_up", {"share": piled_up})
        decision = replace(decision, flags=(*decision.flags, flag))
    return GeneralizabilityStudy(components=made, decision=decision, object_of_measurement=measured)
