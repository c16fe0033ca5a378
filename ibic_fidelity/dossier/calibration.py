"""What an instrument can carry of a study of precision: the error of every target, in the units of scoring."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ibic_fidelity.dossier.occasion_pairs import check_waves, fresh_only, one_wave, row_keys
from ibic_fidelity.dossier.precision import LEAST_UNITS, study_of
from ibic_fidelity.dossier.rated_rows import Floats, RatedRows, rated_rows
from ibic_fidelity.errors import IbicWarning, ResponseError
from ibic_fidelity.foundation.messages import LANGUAGES, text
from ibic_fidelity.instrument.calibration import Calibration, CalibrationRow
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import parse_design
from ibic_fidelity.psychometrics.generalizability.studies import variance_components
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of
from ibic_fidelity.scoring.sums import composite_weights

DIGITS = 6  # of what is written
LEAST_OCCASION_DF = 1.5  # below it nothing is known, also where the estimate is 0
LEAST_SCALE = 1e-3  # θ(1 − θ), below which all sites lie at an end and nothing can be told


def precision_calibration(
    responses: Responses, instrument: Instrument, *, wave: str | None = None, occasions: tuple[str, str] | None = None
) -> Calibration:
    """Return the variances that scoring needs where other data cannot show them.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    wave : str, optional
        The occasion to take, where there are several.
    occasions : tuple of str, optional
        Two waves between which nothing real changed, the second with fresh units: the variance between occasions is
        what a site's level differs between them beyond its units, a change that all sites share left out.  It also
        holds what other raters find different in just that site, where others audit the second wave, and part of what
        assessors do differently.  Respondents of both waves count in the first one only.  Where it has fewer than 1.5
        degrees of freedom it is left out.

    Returns
    -------
    Calibration
        For every item, component and total that a source with several units a site answers: variance of units within
        clusters, of clusters, of raters and of occasions, by REML, in units of θ(1 − θ), nearly as
        `score_municipalities` counts them (where items have holes a file's mean is over what it has), with
        Satterthwaite's degrees of freedom. What is not estimable is left out.
        Put it in a file and name that in ``calibration_file`` of the instrument.

    Raises
    ------
    UsageError
        The responses were coded by another instrument, or hold several waves and none is named.
    ResponseError
        No source has units of two sites.

    Notes
    -----
    θ(1 − θ) is the mean over sites of m(1 − m) and the error variance of m. Interactions of raters with sites and
    assessors are pooled with what a file and a rater have together, as in `site_precision`.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> made = precision_calibration(study.responses, study.instrument)
    >>> row = made.of("files", "total_core")
    >>> row.rater is not None and row.occasion is None
    True
    """
    check_same_instrument(responses, instrument)
    if occasions is not None:
        check_waves(responses, instrument, *occasions)
    chosen = one_wave(responses, wave if occasions is None or wave is not None else occasions[0])
    both = None if occasions is None else _both(responses, instrument, occasions)
    rows: list[CalibrationRow] = []
    sites = 0
    with warnings.catch_warnings():  # what is not estimable is left out
        warnings.simplefilter("ignore", IbicWarning)
        for table in chosen.tables.values():
            source = instrument.by_source[table.source]
            if source.kind == "register" or source.single:
                continue
            answers = rated_rows(table, instrument)
            twice = None
            if both is not None and table.source in both.tables:
                twice = rated_rows(both.tables[table.source], instrument)
            rows += _rows(answers, twice, instrument)
            sites = max(sites, answers.n_sites)
    if not rows:
        raise ResponseError("dossier.nothing_to_calibrate")
    provenance = provenance_of(responses, instrument, {})
    note = {lang: text("dossier.calibration_note", lang, package=provenance.package, sites=sites) for lang in LANGUAGES}
    return Calibration.model_validate(
        {
            "note": note,
            "synthetic": provenance.synthetic,
            "sites": sites,
            "data_sha256": provenance.data_sha256,
            "rows": rows,
        }
    )


def _both(responses: Responses, instrument: Instrument, occasions: tuple[str, str]) -> Responses:
    fresh, sites = fresh_only(responses, instrument, *occasions)
    if not sites:
        raise ResponseError("dossier.occasions_none")
    tables = {}
    for name, table in fresh.tables.items():
        if instrument.by_source[name].kind == "survey":  # who answered both times is no fresh respondent
            keys, second = row_keys(table), table.wave.text == occasions[1]
            before = {key for key, late in zip(keys, second, strict=True) if not late}
            again = np.array([key in before for key in keys], dtype=bool) & second
            tables[name] = table.take(np.flatnonzero(~again))
        else:
            tables[name] = table
    return replace(fresh, tables={name: table for name, table in tables.items() if table.n})


def _rows(rows: RatedRows, twice: RatedRows | None, instrument: Instrument) -> Iterator[CalibrationRow]:
    for target, y, again in _targets(rows, twice, instrument):
        known = np.isfinite(y)
        if known.sum() < LEAST_UNITS or len(np.unique(rows.codes["site"][known])) < 2:
            continue
        study = study_of(rows, (), y, 0.95, item_level=False, interval="none")
        made = _of(study.components, rows)
        error = float(study.decision.absolute_error[0])
        scale = rows.theta_scale(y) + (error if math.isfinite(error) else 0.0)
        if scale < LEAST_SCALE or "within" not in made:
            continue
        if twice is not None and again is not None:
            found = _occasion(twice, again)
            made |= {} if found is None else {"occasion": found}
        fields: dict[str, float] = {}
        for name, part in made.items():
            fields |= {name: round(part.variance / scale, DIGITS), f"{name}_df": round(part.df, 2)}
        yield CalibrationRow(source=rows.source, target=target, **fields)


def _targets(
    rows: RatedRows, twice: RatedRows | None, instrument: Instrument
) -> Iterator[tuple[str, Floats, Floats | None]]:
    """Yield items, components and totals: id, a row's value, and the same on both occasions."""
    weights = composite_weights(instrument)
    for total in instrument.totals:
        parts = rows.parts_of(total, instrument)
        if parts:
            yield total.id, rows.mean_of_parts(parts), None if twice is None else twice.mean_of_parts(parts)
    for component in instrument.components:
        items = {item: w for item, w in weights["component", component.id].items() if item in rows.values}
        if items:
            yield component.id, rows.mean(items), None if twice is None else twice.mean(items)
        for item in items:
            yield item, rows.values[item], None if twice is None else twice.values[item]


@dataclass(frozen=True, slots=True)
class _Variance:
    variance: float
    df: float


def _of(made: VarianceComponents, rows: RatedRows) -> dict[str, _Variance]:
    """Return the variances of units within clusters, of clusters and of raters that are known."""
    of = {frozenset(e.indices) - {"site"}: i for i, e in enumerate(made.effects)}
    inner = {rows.unit, *([rows.cluster] if rows.cluster in rows.codes else [])}
    places = {
        "within": [of[key] for key in (frozenset(inner), frozenset(inner | {"rater"})) if key in of],
        "between": [of[key] for key in (frozenset({rows.cluster}),) if key in of],
        "rater": [of[key] for key in (frozenset({"rater"}),) if key in of],
    }
    found = {name: _sum(made, at) for name, at in places.items() if at}
    return {name: part for name, part in found.items() if part is not None}


def _sum(made: VarianceComponents, at: list[int]) -> _Variance | None:
    """Return the sum of the components that are told apart, ``None`` without any; at 0 with one degree of freedom.

    Where files are rated once, what a file and its rater have together holds the file's own.
    """
    at = [i for i in at if math.isfinite(made.estimate[i])]
    if not at:
        return None
    value = float(made.estimate[at].sum())
    spread = float(made.covariance[np.ix_(at, at)].sum())
    return _Variance(value, max(2.0 * value**2 / spread, 1.0) if spread > 0.0 else 1.0)


def _occasion(rows: RatedRows, y: Floats) -> _Variance | None:
    """Return the variance of a site's level between occasions, ``None`` where it is not estimable."""
    if "occasion" not in rows.codes:
        return None
    known = np.isfinite(y)
    wave = rows.codes["occasion"]
    if len(np.unique(wave[known])) < 2:
        return None
    means = np.bincount(wave[known], weights=y[known]) / np.bincount(wave[known])
    around = f"(({rows.cluster} : site) x occasion)" if rows.cluster in rows.codes else "(site x occasion)"
    design = f"({rows.unit} : {around})" + (" x rater" if rows.rated else "")
    parsed = parse_design(design)
    kept = [{"site"}, {"site", "occasion"}, {"site", rows.cluster}, {"rater"}]
    kept += [{"site", "occasion", rows.unit}, {"site", "occasion", rows.cluster, rows.unit}]
    omit = [effect.name for effect in parsed.effects[:-1] if set(effect.indices) not in kept]
    facets: dict[str, Any] = dict(rows.codes)
    made = variance_components(y - means[wave], facets, design=parsed, omit=omit, interval="none")
    at = [i for i, effect in enumerate(made.effects) if effect.indices == {"site", "occasion"}]
    found = _sum(made, at) if at else None
    return found if found is not None and found.df >= LEAST_OCCASION_DF else None
