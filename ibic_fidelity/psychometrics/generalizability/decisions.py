"""Decision studies: how precise a site's mean is with other numbers of files, raters and items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    Booleans,
    Floats,
    as_number,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.generalizability._decision_arguments import (
    Grid,
    UsedComponents,
    read_components,
    read_grid,
    read_object,
)
from ibic_fidelity.psychometrics.generalizability._decision_model import DecisionModel, draw_components, unequal_facets
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.decision_results import DecisionStudy

if TYPE_CHECKING:
    from ibic_fidelity.psychometrics.generalizability.study_results import GeneralizabilityStudy

METHOD = "generalized interval of mean squares, Satterthwaite df"
#: Objects of measurement below which the flag says that intervals rest on few.
FEW_OBJECTS = 10


def decision_study(
    g: VarianceComponents | GeneralizabilityStudy,
    *,
    n: Mapping[str, int | Sequence[int]],
    object_of_measurement: str = "site",
    cut: float | None = None,
    assume_zero: Sequence[str] = (),
    given: Mapping[str, float] | None = None,
    total: Mapping[str, int | Sequence[int]] | None = None,
    split: Mapping[str, str] | None = None,
    confidence_level: float = 0.95,
) -> DecisionStudy:
    r"""Return error variances, Eρ², Φ and Φ(λ) of an object's mean over a grid of numbers of conditions.

    Parameters
    ----------
    g : VarianceComponents or GeneralizabilityStudy
        Components of a study.
    n : mapping of str to int or sequence of int
        How many conditions of each facet a mean is over; of a nested facet, how many in each condition that it is
        nested in (files an assessor).  Every combination is a point of the grid.  A facet that is left out has as
        many as were observed; a fixed one has at most all its conditions, and fewer make the score one of these.
    object_of_measurement : str
        A random facet that is nested in no other.
    cut : float, optional
        λ, on the scale of the ratings, for Φ(λ).
    assume_zero : sequence of str
        Effects that are not estimable and are taken to be 0, such as ``("rater × item",)``; the result says so.
    given : mapping of str to float, optional
        Components known from elsewhere, such as the rater variance that an instrument states; they take the place
        of what was estimated, and count as known without error.
    total : mapping of str to int or sequence of int, optional
        Numbers of a nested facet over all that it is nested in, such as files a site whatever assessor they are from.
        The facets around it keep their number, or have as many conditions as there are when the total is smaller;
        `n` of the result holds the mean number within them.
    split : mapping of str to str, optional
        ``{"file": "rater"}``: a mean is over files of which each is seen by one of the raters, not by all. What holds
        of a file and a rater together is then divided by the files alone. Where there are fewer files than raters
        figures are NaN.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    DecisionStudy
        Every figure with its limits at each point, and `DecisionStudy.needed`.

    Raises
    ------
    UsageError
        An object that is not in the design, is fixed or nested; an unknown facet or effect; a number that is not
        whole, below 1, or above the conditions of a fixed facet; an estimated component assumed to be 0; a
        negative component given; a cut that is no number.

    Warns
    -----
    UndefinedStatisticWarning
        Components that are not estimable and are needed, or no variance at all: these figures are NaN.

    Notes
    -----
    Every component is divided by the product of the numbers of its indices other than the object's [1]_.  The
    universe-score variance :math:`\sigma^2(\tau)` is the object's own component and its interactions with fixed
    facets only: with items fixed, what a site has on just these items is its score, not error.  The other effects
    that contain the object make :math:`\sigma^2(\delta)`; these and the random effects without the object make
    :math:`\sigma^2(\Delta)`, the fixed facets' own effects left out.

    .. math:: E\rho^2 = \frac{\sigma^2(\tau)}{\sigma^2(\tau) + \sigma^2(\delta)}, \qquad
              \Phi = \frac{\sigma^2(\tau)}{\sigma^2(\tau) + \sigma^2(\Delta)}, \qquad
              \Phi(\lambda) = \frac{\sigma^2(\tau) + d^2}{\sigma^2(\tau) + d^2 + \sigma^2(\Delta)},

    with :math:`d^2 = (\bar X - \lambda)^2 - \sigma^2(\bar X)`, the error variance of the grand mean of the data
    taken away [1]_; with one random facet of yes and no, Φ(λ) at the mean is Kuder and Richardson's formula 21.

    *Interval.*  The variance of the observed means of each effect's levels is drawn as its estimate times
    df/χ²(df), the draws are solved for the components, and the limits are quantiles of the figure (generalized
    pivotal quantities [2]_ [3]_).  In a balanced design these variances are independent mean squares; with one facet
    the limits of Eρ² are then the exact F limits.  Otherwise their degrees of freedom are Satterthwaite's, at most
    those of the design, and they are as correlated as the components' covariance says.  The draws are a fixed Latin
    hypercube: the same study has the same limits.  Components given have no error.

    *Coverage* (calibration/decision_coverage.csv, required .93–.975).
    Balanced normal designs with 12 to 100 sites (raters crossed with sites, files in sites or assessors, files by fixed
    or random items): Eρ², Φ, Φ(λ) and standard errors .937–.962, needed numbers .946–.980, since whole numbers are
    held a little too often.  Linked raters by REML, two of eight a site: .921–.963.
    Sites of 5 to 60 files: .941–.988, too wide where Φ is low, and flagged.  Answers of yes and no are not
    normal: Φ covers .947–.958 where the mean share is .5 and .72–.88 at .95, the absolute standard error .26–.78 at .8
    and .95.  `generalizability_study`, which sees the ratings, flags all intervals where 45 % of these are the lowest
    or the highest one.

    References
    ----------
    .. [1] Brennan, R. L. (2001). Generalizability theory. Springer.
    .. [2] Weerahandi, S. (1993). Generalized confidence intervals. Journal of the American Statistical
       Association, 88, 899–905.
    .. [3] Burdick, R. K., Borror, C. M., & Montgomery, D. C. (2005). Design and analysis of gauge R&R studies.
       SIAM.

    Examples
    --------
    Ten persons, three tasks, four raters in each (Brennan, 2001, table 3.2).

    >>> import numpy as np
    >>> from ibic_fidelity.psychometrics import variance_components
    >>> rows = (
    ...     "565553456733", "937775557752", "343353356516", "755331435335", "929777372753",
    ...     "343533634512", "737775575554", "585775543211", "998866655811", "444335655711",
    ... )
    >>> person, task, rater = (axis.ravel() for axis in np.indices((10, 3, 4)))
    >>> facets = {"person": person, "task": task, "rater": rater}
    >>> made = variance_components(
    ...     [int(digit) for digit in "".join(rows)], facets, design="person x (rater : task)", estimator="ANOVA"
    ... )
    >>> study = decision_study(made, n={"task": 3, "rater": 4}, object_of_measurement="person")
    >>> print(f"{study.erho2[0]:.5f} {study.phi[0]:.5f}")
    0.55144 0.46370
    >>> study.needed("task").estimate
    14.0
    """
    made = decide(
        g if isinstance(g, VarianceComponents) else g.components,
        n=n,
        object_of_measurement=object_of_measurement,
        cut=cut,
        assume_zero=assume_zero,
        given=given,
        confidence_level=confidence_level,
        total=total,
        split=split,
    )
    for reason in dict.fromkeys(made.reasons.values()):
        warn_undefined(reason)
    return made


def decide(
    g: VarianceComponents,
    *,
    n: object,
    object_of_measurement: object,
    cut: object,
    assume_zero: object,
    given: object,
    confidence_level: object,
    total: object = None,
    split: object = None,
    whole: bool = True,
) -> DecisionStudy:
    """Return a decision study without warnings; see `decision_study`.

    Without `whole`, numbers of conditions may be means, such as those observed.
    """
    measured = read_object(g, object_of_measurement)
    level = check_confidence_level(confidence_level)
    grid = read_grid(g, measured, n, total, split, whole=whole)
    used = read_components(g, assume_zero, given)
    at = math.nan if cut is None else as_number(cut)
    if at is None or (cut is not None and not math.isfinite(at)):
        raise UsageError("psychometrics.decision_cut", value=repr(cut))
    model = _model(g, measured, grid, used, at)
    figures = model.figures(grid.n)
    low, high = model.limits(grid.n, level)
    reasons = _reasons(model, figures, at)
    impossible = model.impossible(grid.n)
    for made in (figures, low, high) if impossible.any() else ():
        made.update({name: np.where(impossible, np.nan, figure) for name, figure in made.items()})
    return DecisionStudy(
        object_of_measurement=measured,
        n={facet: read_only(grid.n[:, i].copy()) for i, facet in enumerate(grid.facets)},
        total={facet: read_only(numbers) for facet, numbers in grid.total.items()},
        **{name: read_only(figure) for name, figure in figures.items()},
        low={name: read_only(side) for name, side in low.items()},
        high={name: read_only(side) for name, side in high.items()},
        cut=at,
        confidence_level=level,
        method=METHOD,
        n_objects=g.levels[measured],
        components=dict(zip(model.names, used.variances.tolist(), strict=True)),
        fixed=g.fixed,
        assumed_zero=used.assumed_zero,
        given=used.given,
        reasons=reasons,
        flags=_flags(g, measured, used, grid, int(impossible.sum())),
        model=model,
    )


def _model(g: VarianceComponents, measured: str, grid: Grid, used: UsedComponents, cut: float) -> DecisionModel:
    others = [effect.indices - {measured} for effect in g.effects]
    about = np.array([measured in effect.indices for effect in g.effects])
    fixed = np.array([other <= set(g.fixed) for other in others])
    in_mean = about | ~fixed
    draws, error_of_mean = draw_components(g, used.variances, used.estimated)
    parts = np.where(in_mean, 1.0 / _levels(g, measured), 0.0)
    away = g.mean - cut
    divided = np.array([[float(facet in other) for facet in grid.facets] for other in others])
    for inner, among in grid.split:
        divided[divided[:, inner] > 0.0, among] = 0.0
    return DecisionModel(
        facets=grid.facets,
        names=tuple(effect.name for effect in g.effects),
        values=used.variances,
        draws=draws,
        divided=divided,
        outer={grid.facets.index(facet): around for facet, around in grid.outer.items()},
        most=grid.most,
        split=tuple((inner, among, _around(g, grid.facets, inner)) for inner, among in grid.split),
        universe=about & fixed,
        relative=about & ~fixed,
        absolute=~fixed,
        distance=away**2 - float(used.variances[in_mean] @ parts[in_mean]),
        distance_draws=np.square(away - error_of_mean(parts)),
    )


def _around(g: VarianceComponents, facets: tuple[str, ...], inner: int) -> tuple[int, ...]:
    """Return the places of a facet and of those that it is nested in."""
    return (inner, *(facets.index(outer) for outer in g.design.nested_in[facets[inner]] if outer in facets))


def _levels(g: VarianceComponents, measured: str) -> Floats:
    """Return how many levels of each effect the mean of the data is over."""
    nested = g.design.nested_in
    made = []
    for effect in g.effects:
        seen_with = measured in effect.indices
        made.append(
            math.prod(
                g.mean_levels[f] if f != measured and (seen_with or nested.get(f)) else g.levels[f]
                for f in effect.indices
            )
        )
    return np.array(made, dtype=np.float64)


def _reasons(model: DecisionModel, figures: Mapping[str, Floats], cut: float) -> dict[str, Message]:
    """Return why figures are NaN."""
    true: Booleans = model.universe
    needs = {
        "universe_score": true,
        "relative_error": model.relative,
        "absolute_error": model.absolute,
        "erho2": true | model.relative,
        "phi": true | model.absolute,
        "phi_lambda": true | model.absolute,
        "relative_sem": model.relative,
        "absolute_sem": model.absolute,
    }
    made = {}
    for name, mask in needs.items():
        if name == "phi_lambda" and math.isnan(cut):
            continue
        lacking = [effect for effect, value in zip(model.names, model.values, strict=True) if math.isnan(value)]
        lacking = [effect for effect in lacking if mask[model.names.index(effect)]]
        if lacking:
            made[name] = Message("psychometrics.decision_not_estimable", {"effects": lacking})
        elif np.isnan(figures[name]).any():
            made[name] = Message("psychometrics.decision_no_variance", {"n": len(model.names)})
    return made


def _flags(
    g: VarianceComponents, measured: str, used: UsedComponents, grid: Grid, impossible: int
) -> tuple[Message, ...]:
    made = []
    for at, other in grid.split:
        named = {"inner": grid.facets[at], "among": grid.facets[other]}
        made.append(Message("psychometrics.decision_split_so", named))
        if impossible:
            made.append(Message("psychometrics.decision_split_more", {"n": impossible, **named}))
    if used.assumed_zero:
        made.append(Message("psychometrics.decision_assumed", {"effects": used.assumed_zero}))
    if used.given:
        made.append(Message("psychometrics.decision_given", {"effects": tuple(used.given)}))
    if g.levels[measured] < FEW_OBJECTS:
        params = {"object": measured, "n": g.levels[measured], "least": FEW_OBJECTS}
        made.append(Message("psychometrics.decision_few_objects", params))
    unequal = unequal_facets(g)
    if unequal:
        made.append(Message("psychometrics.decision_unequal", {"facets": unequal}))
    return tuple(made)
