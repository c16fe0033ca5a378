"""The verb: raw scores of one total or component in, shrunken scores of all sites out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.posterior import posterior_draws, ranks_of
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrinkage import (
    FIRM_RELIABILITY,
    LEAGUE_RELIABILITY,
    LEAGUE_SITES,
    LEAST_RELIABILITY,
    LEAST_SITES,
    Between,
    Floats,
    all_withheld,
    between_sites,
    from_working_scale,
    league_withheld,
    working_scale,
)
from ibic_fidelity.scoring.shrunken import ShrunkenScores, SiteSpread
from ibic_fidelity.scoring.standards import between_cuts, share_over

METHOD = "posterior interval, shrunken, way of working"
LEAST_DRAWS = 1000
ROUNDING = 1e-9  # a total is a sum of floats: what differs from a cut only by rounding is on it


def shrink_scores(
    scores: Scores,
    instrument: Instrument,
    *,
    statistic: str = "total_core",
    service_area: str = "",
    wave: str | None = None,
    cuts: Sequence[float] = (),
    confidence_level: float = 0.95,
    draws: int = 4000,
    seed: int = 0,
) -> ShrunkenScores:
    """Draw each site's score towards the mean of all by how unsure it is, and say what that tells of bands and ranks.

    Parameters
    ----------
    scores, instrument : Scores, Instrument
        What `score_municipalities` returned, and its instrument.
    statistic : str
        Id of a total or component.
    service_area : str
        Id of a service area; empty for whole sites.
    wave : str, optional
        The occasion to take, where there are several.
    cuts : sequence of float
        Scores 0–100 whose probability of being reached is wanted, beside the limits of the bands of a total.
    confidence_level : float
        Of the intervals, between 0 and 1.
    draws : int
        From the joint posterior, at least 1,000.
    seed : int
        Of the draws, 0 or larger.

    Returns
    -------
    ShrunkenScores
        For the way of working. A raw score that is withheld, or has no standard error, is not shrunken and tells the
        others nothing. Below 6 sites, or at a mean reliability below .2, nothing is shrunken. Below 10 sites, or
        at a mean reliability below .5, ranks and the top quarter are withheld; at such a reliability a note says that
        probabilities of bands are rough. Below .7 a note says that the top quarter rests on sites that are normal.

    Raises
    ------
    ArgumentTypeError
        `scores` or `instrument` is of another kind.
    UsageError
        The scores are of another instrument; there is no such statistic, area or wave, or there are several waves and
        none is named; a cut, the level, `draws` or `seed` is out of range.

    Notes
    -----
    On the scale of `working_scale` the raw scores are y_i ~ N(θ_i, f v_i), sites θ_i ~ N(μ, τ²), flat in μ and τ²;
    f, common to all sites, has the degrees of freedom that the pooled spread has. Draws carry the uncertainty of τ²,
    μ and f. Errors that sites share (a rater of all of them) move all alike and are not told apart. τ² itself is
    estimated by adjusted REML (`between_sites`). `calibration/shrinkage.csv` has what intervals and
    probabilities hold. Held gates lower a band by one, as for raw scores.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> shrunken = ibic.shrink_scores(scores, study.instrument)
    >>> len(shrunken.rows), shrunken.league.code
    (8, 'scoring.league_few_sites')
    """
    _check(scores, instrument, cuts, confidence_level, draws, seed)
    level = _level(instrument, statistic)
    chosen = _wave(scores, wave)
    rows = scores.rows
    kept = (rows["level"] == level) & (rows["statistic" if level == "total" else "component"] == statistic)
    kept &= (rows["service_area"] == service_area) & (rows["wave"] == chosen)
    if not kept.any():
        areas = list(dict.fromkeys(rows["service_area"].tolist()))
        raise UsageError("scoring.nothing_to_shrink", statistic=statistic, area=repr(service_area), known=areas)
    raw = rows.where(kept)
    error = raw["std_error"].astype(float)
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(raw["estimate"].astype(float)) & (error > 0)
    reason = np.where(usable | (raw["reason"] != ""), raw["reason"], "scoring.no_error_to_shrink_by")
    n = int(usable.sum())
    limits = [100 * band.low for band in instrument.bands[1:]] if level == "total" else []
    asked = tuple(dict.fromkeys(float(cut) for cut in (*limits, *cuts)))
    spread, league = _no_spread(n), ""
    figures: dict[str, Floats] = {}
    if n >= LEAST_SITES:
        y, variance = working_scale(raw["estimate"][usable].astype(float) / 100, error[usable] / 100)
        df = _common_df(raw["df"][usable].astype(float))
        between = between_sites(y, variance, df=df, confidence_level=confidence_level)
        reliability = between.variance / (between.variance + variance)
        spread = _spread(between, n, float(reliability.mean()))
        figures["reliability"] = reliability
    withheld = all_withheld(n, spread.reliability)
    if withheld:
        reason = np.where(usable, "scoring.nothing_shrunken", reason)
        score = np.full((1, len(raw)), np.nan)
    else:
        rng = stream(seed, "scoring/shrink", statistic, service_area, chosen)
        drawn = posterior_draws(y, variance, df=df, draws=draws, rng=rng)
        score = np.full((draws, len(raw)), np.nan)
        score[:, usable] = 100 * from_working_scale(drawn)
        league = league_withheld(n, spread.reliability)
        figures |= {} if league else _league(drawn, confidence_level)
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(score, [tail, 1 - tail], axis=0)
    return ShrunkenScores(
        statistic=statistic,
        rows=Records.of(
            **{name: raw[name] for name in ("site", "service_area", "wave", "level", "component", "statistic", "n")},
            estimate=score.mean(axis=0),
            std_error=score.std(axis=0),
            ci_low=low,
            ci_high=high,
            method=np.where(np.isfinite(low), METHOD, ""),
            **{name: _placed(figures.get(name), usable) for name in ("reliability", *_LEAGUE)},
            reason=reason.astype(object),
            flag=np.where(reason == "", raw["flag"], "").astype(object),
        ),
        bands=_bands(score, raw, scores, instrument if level == "total" else None),
        cuts=_cuts(score, raw, asked),
        spread=spread,
        league=_why(league, n, spread.reliability) if league else None,
        withheld=_why(withheld, n, spread.reliability) if withheld else None,
        confidence_level=confidence_level,
        notes=(*scores.notes, *_notes(spread)),
        provenance=replace(
            scores.provenance,
            seed=seed,
            options={
                **scores.provenance.options, "statistic": statistic, "service_area": service_area, "wave": chosen,
                "cuts": list(asked), "shrunken_confidence_level": confidence_level, "draws": draws,
            },
        ),
    )  # fmt: skip


_LEAGUE = ("expected_rank", "rank_low", "rank_high", "rank_low_all", "rank_high_all", "top_quarter")


def _check(
    scores: Scores, instrument: Instrument, cuts: Sequence[float], confidence_level: float, draws: int, seed: int
) -> None:
    given: tuple[object, object] = (scores, instrument)
    if not (isinstance(given[0], Scores) and isinstance(given[1], Instrument)):
        raise ArgumentTypeError("scoring.shrink_wrong_kind", got=[type(one).__name__ for one in given])
    require_way_of_working(scores.estimand, "shrink_scores")
    made = scores.provenance
    if (made.instrument_id, made.instrument_sha256) != (instrument.id, instrument.sha256):
        raise UsageError(
            "scoring.other_instrument",
            scored=f"{made.instrument_id} {made.instrument_version}",
            given=f"{instrument.id} {instrument.version}",
        )
    if not 0 < confidence_level < 1:
        raise UsageError("scoring.confidence_level", value=repr(confidence_level))
    if draws < LEAST_DRAWS:
        raise UsageError("scoring.few_draws", value=draws, least=LEAST_DRAWS)
    if seed < 0:
        raise UsageError("scoring.negative_seed", value=seed)
    for cut in cuts:
        if not 0 < cut < 100:
            raise UsageError("scoring.cut_outside", value=repr(cut))


def _level(instrument: Instrument, statistic: str) -> str:
    totals, components = [part.id for part in instrument.totals], [part.id for part in instrument.components]
    if statistic not in (*totals, *components):
        raise UsageError("scoring.unknown_statistic", value=repr(statistic), known=[*totals, *components])
    return "total" if statistic in totals else "component"


def _wave(scores: Scores, wave: str | None) -> str:
    waves = sorted(set(scores.rows["wave"].tolist()))
    chosen = waves[0] if wave is None and len(waves) == 1 else wave
    if chosen not in waves:
        raise UsageError("scoring.wave_of_scores", value=repr(wave), known=[repr(one) for one in waves])
    return str(chosen)


def _common_df(df: Floats) -> float:
    """Return the degrees of freedom that the error variances have together: the middle of the sites'."""
    return float(np.median(np.where(np.isfinite(df), df, np.inf)))


def _no_spread(n: int) -> SiteSpread:
    return SiteSpread(n, *[np.nan] * 9)


def _spread(between: Between, n: int, reliability: float) -> SiteSpread:
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()

    def points(variance: float) -> float:
        """Return the standard deviation of scores of sites with a variance on the working scale."""
        score = 100 * from_working_scale(between.mean + np.sqrt(variance) * node)
        return float(np.sqrt(max(weight @ score**2 - (weight @ score) ** 2, 0.0)))

    return SiteSpread(
        n_sites=n,
        mean=float(100 * from_working_scale(np.array(between.mean))),
        sd=points(between.variance),
        sd_low=points(between.low),
        sd_high=points(between.high),
        variance=between.variance,
        variance_low=between.low,
        variance_high=between.high,
        variance_unadjusted=between.unadjusted,
        reliability=reliability,
    )


def _league(drawn: Floats, confidence_level: float) -> dict[str, Floats]:
    ranks = ranks_of(drawn, confidence_level)
    values = (ranks.expected, ranks.low, ranks.high, ranks.low_all, ranks.high_all, ranks.top_quarter)
    return dict(zip(_LEAGUE, values, strict=True))


def _why(code: str, n: int, reliability: float) -> Message:
    """Return why something is withheld: too few sites, or too low a mean reliability."""
    league = code.startswith("scoring.league")
    if code.endswith("few_sites"):
        return Message(code, {"n": n, "least": LEAGUE_SITES if league else LEAST_SITES})
    return Message(code, {"reliability": reliability, "least": LEAGUE_RELIABILITY if league else LEAST_RELIABILITY})


def _notes(spread: SiteSpread) -> tuple[Message, ...]:
    shared = Message("scoring.shrunken_shared_errors")
    if LEAST_RELIABILITY <= spread.reliability < LEAGUE_RELIABILITY:
        return (shared, Message("scoring.shrunken_rough", {"reliability": spread.reliability}))
    if LEAGUE_RELIABILITY <= spread.reliability < FIRM_RELIABILITY:
        told = {"reliability": spread.reliability, "least": FIRM_RELIABILITY}
        return (shared, Message("scoring.top_quarter_normal", told))
    return (shared,)


def _placed(values: Floats | None, usable: NDArray[np.bool_]) -> Floats:
    placed = np.full(len(usable), np.nan)
    if values is not None:
        placed[usable] = values
    return placed


def _reached(score: Floats, cut: float, error: float = 0.0) -> Floats:
    """Return the probability of reaching a cut with its standard error, NaN where there are no draws."""
    over = share_over(score - cut, np.full(score.shape, error)) if error else score >= cut - ROUNDING
    return np.where(np.isfinite(score[0]), over.mean(axis=0), np.nan)


def _cuts(score: Floats, raw: Records, cuts: Sequence[float]) -> Records:
    size = len(raw)
    return Records.of(
        site=np.repeat(raw["site"], len(cuts)),
        cut=np.tile(np.array(cuts, dtype=float), size),
        probability=np.array([_reached(score, cut) for cut in cuts]).reshape(len(cuts), size).T.ravel(),
    )


def _bands(score: Floats, raw: Records, scores: Scores, instrument: Instrument | None) -> Records:
    bands = instrument.bands if instrument is not None else ()
    size, k = len(raw), len(bands)
    reached = np.array([_reached(score, 100 * band.low, 100 * (band.se or 0.0)) for band in bands]).reshape(k, size)
    probability = between_cuts(reached[1:].T).T if k > 1 else reached
    gated = probability.copy()
    if k > 1:
        lowered = np.vstack([probability[:1] + probability[1:2], probability[2:], np.zeros((1, size))])
        gated = np.where(_held(raw, scores), lowered, probability)
    return Records.of(
        site=np.repeat(raw["site"], k),
        band=np.tile(np.array([band.id for band in bands], dtype=object), size),
        probability=probability.T.ravel(),
        probability_with_gates=np.where(np.isnan(probability), np.nan, gated).T.ravel(),
    )


def _held(raw: Records, scores: Scores) -> NDArray[np.bool_]:
    """Return which sites some gate holds back, by the raw score of the gate's item."""
    keys = ("site", "service_area", "wave")
    held = scores.gates.where(scores.gates["status"] == "held")
    names = set(zip(*(held[key].tolist() for key in keys), strict=True))
    return np.array([key in names for key in zip(*(raw[key].tolist() for key in keys), strict=True)], dtype=bool)
