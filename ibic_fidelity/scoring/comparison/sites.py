"""Every site against every other."""

from __future__ import annotations

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.scoring.comparison.differences import differences
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment
from ibic_fidelity.scoring.comparison.figures import Figures, figures_of
from ibic_fidelity.scoring.comparison.result import Comparison, check_request, comparison, withheld, worse_flag
from ibic_fidelity.scoring.comparison.shared_raters import rater_notes, raters_in_common, told
from ibic_fidelity.scoring.scores import Scores

NEAR_BOUND = "scoring.difference_near_bound"


def compare_sites(
    scores: Scores,
    target: str = "total_core",
    *,
    wave: str | None = None,
    responses: Responses | None = None,
    instrument: Instrument | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Compare every site with every other.

    Parameters
    ----------
    scores : Scores
        Raw scores of at least two sites.
    target : str
        Id of a total, component or item.
    wave : str, optional
        Which wave; may be left out where there is only one.
    responses, instrument : Responses and Instrument, optional
        What was scored. With them it is seen which sites the same raters read, whose severity then cancels from
        the difference. Without them all sites are taken to have raters of their own, and where they have not, the
        intervals are wider than need be; the result says so.
    adjustment : {"bh", "by"}
        Of the p-values, over all pairs: Benjamini & Hochberg (1995), or Benjamini & Yekutieli (2001).
    false_discovery : float
        The rate of false discoveries that the verdicts hold, between 0 and 1.

    Returns
    -------
    Comparison
        One row a pair, ``site`` before ``other`` in the order of their codes. A site without a score or an interval
        stands in `left_out`.

    Raises
    ------
    UsageError
        Fewer than two sites can be compared, there is no such target or wave, the responses are not those that were
        scored, or an option has no meaning.

    Notes
    -----
    Intervals by recovered variances (`differences`), each for its own pair; `p_adjusted` and `verdict` are for all
    pairs together. Which site of many is best is a question of ranks, which these rows do not answer.

    In 400 simulated studies a cell (calibration/comparison_coverage.csv) intervals cover .951–.973 in the middle of the
    scale, and are wider than need be near the ceiling (.976–.989 at levels of 80–97), where rows without a graver flag
    carry ``scoring.difference_near_bound``; false discoveries are at most
    1.1 in a hundred where 5 are allowed.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ibic.compare_sites(scores, "ut", responses=study.responses, instrument=study.instrument).table.shape[0]
    6
    """
    check_request(scores, adjustment=adjustment, false_discovery=false_discovery)
    figures = figures_of(scores, target, wave=wave)
    found = raters_in_common(scores, responses, instrument, target, wave)
    known = enough_sites(figures, target)
    i, j = (known[side] for side in np.triu_indices(len(known), 1))
    first, second = figures.take(i), figures.take(j)
    correlation = 0.0 if found is None else found.correlation[i, j]
    flag = worse_flag(first.flag, second.flag)
    return comparison(
        "sites",
        differences(first, second, correlation),
        target=target,
        scores=scores,
        columns={
            "site": first.site,
            "other": second.site,
            "first": first.estimate,
            "second": second.estimate,
            "shared_raters": told(None if found is None else found.shared[i, j], len(i)),
            "flag": np.where(flag == "", NEAR_BOUND if figures.near_bound else "", flag).astype(object),
        },
        left_out=withheld(figures),
        notes=(*scores.notes, *rater_notes(found)),
        adjustment=adjustment,
        false_discovery=false_discovery,
        options={"target": target},
    )


def enough_sites(figures: Figures, target: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return the rows that can be compared; raise `UsageError` where they are fewer than two."""
    known = np.flatnonzero(figures.known)
    if len(known) < 2:
        raise UsageError("scoring.too_few_sites", n=len(known), target=target)
    return known
