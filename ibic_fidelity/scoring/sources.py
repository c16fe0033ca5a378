"""What each source says of every target in every group: estimate, error and number of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Source
from ibic_fidelity.responses.model import Frame, SourceTable
from ibic_fidelity.scoring.calibration import (
    calibrated_occasions,
    calibrated_raters,
    calibrated_units,
    calibration_row,
)
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING, Estimand, observed_fraction, period_error
from ibic_fidelity.scoring.grouping import Group, Nesting, nesting
from ibic_fidelity.scoring.intervals import RaterSpread, Spread, Sums, error_share, pooled_spread
from ibic_fidelity.scoring.measures import measure_values
from ibic_fidelity.scoring.raters import Linking, Pairs, rater_linking, rater_spread, reading_spread
from ibic_fidelity.scoring.sums import SourceSums, Target, missing_counts, rater_shares, source_sums
from ibic_fidelity.scoring.weighting import check_sums, design_effect

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: What weakens an interval, the gravest first; a score of several sources carries the gravest.
FLAGS = (
    "scoring.eligible_unknown",
    "scoring.more_than_eligible",
    "scoring.no_spread",
    "scoring.register_value",
    "scoring.nothing_to_pool",
    "scoring.own_spread",
    "scoring.few_clusters",
    "scoring.few_discordant",
    "scoring.bounded_spread",
    "scoring.assessors_unnamed",
    "scoring.no_rater_error",
    "scoring.stated_rater_error",
)
POOLED = "score interval, pooled spread, way of working"
COUNTS = "score interval, register counts, way of working"
READINGS = "score interval, double readings, way of working"
RECOVERED = "sources added by recovered variances, way of working"
PERIOD = "score interval, pooled spread, finite population, this period"
COMPLETE = "complete count, no sampling error, this period"
RECOVERED_PERIOD = "sources added by recovered variances, finite population, this period"
LEAST_CLUSTERS = 8  # degrees of freedom between clusters, below which intervals fell short of .93
LEAST_DISCORDANT = 3  # below it the interval falls short of .93 near the ceiling: calibration/coverage.csv
NO_RATERS = RaterSpread(0.0, np.inf, "not_rated")
NO_PAIRS = Pairs(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one source says of one target; arrays over all groups, NaN where it says nothing.

    `kappa` is Var/θ(1 − θ), `df` its degrees of freedom, `answered` the number of units with an answer,
    `flag` a code of what weakens the interval, `method` how the interval is made; `flags` stands for `flag` where
    groups differ in it.
    """

    estimate: Floats
    kappa: Floats
    df: Floats
    answered: Floats
    method: str
    flag: str = ""
    flags: NDArray[np.object_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SourceReport:
    """One source in all groups.

    `enough` tells where the source reaches its minimum number of units, `item_minimum` is that of answers
    to one item, `census` tells where all eligible units are in, `complete` also where by nature there are no
    others (a register, a source with one row a site), `design_effect` what unequal weights cost; `said` is what it
    says by target, `share` the weight that its items have in each target.
    """

    source: Source
    nest: Nesting
    units: Floats
    enough: Bools
    item_minimum: float
    census: Bools
    complete: Bools
    design_effect: Floats
    eligible: Floats
    invited: Floats
    said: Mapping[Target, Said]
    share: Mapping[Target, float]
    spread: tuple[dict[str, Any], ...]
    missing: Mapping[str, NDArray[np.int64]]
    notes: tuple[Message, ...]


def gravest(flags: Sequence[str]) -> str:
    """Return the gravest of some flags, empty where there is none."""
    return min((flag for flag in flags if flag), key=FLAGS.index, default="")


def gravest_said(parts: Sequence[Said]) -> str | list[str]:
    """Return the gravest flag of what sources say, one a group where groups differ in it."""
    if all(said.flags is None for said in parts):
        return gravest([said.flag for said in parts])
    size = len(parts[0].estimate)
    columns = [[said.flag] * size if said.flags is None else said.flags.tolist() for said in parts]
    return [gravest(flags) for flags in zip(*columns, strict=True)]


def source_report(
    table: SourceTable,
    instrument: Instrument,
    groups: Mapping[Group, int],
    weights: Mapping[Target, Mapping[str, float]],
    frame: Frame,
    *,
    by_area: bool,
    estimand: Estimand = WAY_OF_WORKING,
) -> SourceReport:
    """Return what a source says of every target in every group."""
    source = instrument.by_source[table.source]
    nest = nesting(table, groups, by_area=by_area)
    size = len(groups)
    units = _spread_out(nest.units_of_groups().astype(np.float64), nest, size, 0.0)
    eligible = _counts(frame.eligible, source.id, groups)
    census = np.isfinite(eligible) & (units >= eligible) & (units > 0)
    minimum = np.where(census, source.census_minimum or source.minimum, source.minimum)
    if source.kind != "register" and not by_area:
        check_sums(nest, units[nest.group], eligible[nest.group])
    primary = instrument.primary_items(source.id)
    share = {target: sum(w for item, w in items.items() if item in primary) for target, items in weights.items()}
    spread: tuple[dict[str, Any], ...] = ()
    notes: tuple[Message, ...] = ()
    if source.kind == "register":
        said = _register(nest, instrument, weights, size)
        said = said if estimand == WAY_OF_WORKING else {target: _complete(one) for target, one in said.items()}
    elif estimand == WAY_OF_WORKING:
        said, spread, notes = _sampled(nest, instrument, weights, size)
    else:
        said, spread = _of_period(nest, instrument, weights, eligible)
    enough = units > 0 if source.kind == "register" else units >= minimum
    return SourceReport(
        source=source,
        nest=nest,
        units=units,
        enough=enough,
        item_minimum=1.0 if source.kind == "register" else float(source.item_minimum),
        census=census,
        complete=census | ((units > 0) & (source.single or source.kind == "register")),
        design_effect=_spread_out(design_effect(nest), nest, size, np.nan),
        eligible=eligible,
        invited=_counts(frame.invited, source.id, groups),
        said=said,
        share={target: weight for target, weight in share.items() if weight > 0},
        spread=spread,
        missing=missing_counts(nest, table.columns),
        notes=notes,
    )


def _sampled(
    nest: Nesting, instrument: Instrument, weights: Mapping[Target, Mapping[str, float]], size: int
) -> tuple[dict[Target, Said], tuple[dict[str, Any], ...], tuple[Message, ...]]:
    source = instrument.by_source[nest.table.source]
    linking = rater_linking(nest.table) if source.kind == "audit" else None
    sums = source_sums(nest, instrument, weights, linking.pairs if linking is not None else NO_PAIRS)
    shares = rater_shares(nest)
    said, rows = {}, []
    for target, one in sums.targets.items():
        if source.single:
            kappa, df, spread, flag = _single_error(one, sums, target, linking, instrument)
        else:
            row = calibration_row(instrument, source.id, target)
            raters = _raters(linking, sums, target, instrument)
            spread = pooled_spread(one, shares, raters, calibrated_occasions(row))
            spread = calibrated_units(spread, row)
            flag = gravest([_flag(spread), _rater_flag(linking, spread), _assessor_flag(linking, nest, spread)])
            kappa, df = error_share(one, shares, spread)
        method = READINGS if source.single else POOLED
        said[target] = _said(nest, size, one.estimate, kappa, df, sums.answered[target], method, flag)
        rows.append(_spread_row(source.id, target, spread, flag))
    few_pairs = linking is not None and linking.linked and any(row["raters_from"] != "double_ratings" for row in rows)
    return said, tuple(rows), _notes(source, linking, nest, instrument, few_pairs=few_pairs and not source.single)


def _of_period(
    nest: Nesting,
    instrument: Instrument,
    weights: Mapping[Target, Mapping[str, float]],
    eligible: Floats,
) -> tuple[dict[Target, Said], tuple[dict[str, Any], ...]]:
    """Return what a source says of this period's units: drawn by chance from those that were eligible, or all."""
    source = instrument.by_source[nest.table.source]
    sums = source_sums(nest, instrument, weights, NO_PAIRS)
    counted, size = eligible[nest.group], len(eligible)
    said, rows = {}, []
    if source.single:
        for target, one in sums.targets.items():
            nothing = np.zeros(len(counted))
            plain = _said(nest, size, one.estimate, nothing, nothing, sums.answered[target], COMPLETE, "")
            said[target] = _complete(plain)
        return said, ()
    fraction = observed_fraction(sums, instrument, weights, counted)
    for target, one in sums.targets.items():
        kappa, df, spread = period_error(one, fraction[target], calibration_row(instrument, source.id, target))
        flag = _flag(spread)
        flags = np.full(size, "", dtype=object)
        flags[nest.group] = np.select(
            [np.isnan(counted), np.isnan(fraction[target]), kappa == 0],
            ["scoring.eligible_unknown", "scoring.more_than_eligible", ""],
            flag,
        )
        plain = _said(nest, size, one.estimate, kappa, df, sums.answered[target], PERIOD, flag)
        said[target] = replace(plain, flags=flags)
        rows.append(_spread_row(source.id, target, spread, flag))
    return said, tuple(rows)


def _complete(said: Said) -> Said:
    """Return a source that by nature holds all that there is of this period: no sampling error."""
    kappa = np.where(np.isfinite(said.estimate), 0.0, np.nan)
    return replace(said, kappa=kappa, df=np.full_like(kappa, np.inf), method=COMPLETE, flag="")


def _single_error(
    one: Sums, sums: SourceSums, target: Target, linking: Linking | None, instrument: Instrument
) -> tuple[Floats, Floats, Spread, str]:
    """Return κ, df and spread of a source that by nature has one row a site: its only error is the rater's.

    The variance of one reading is half the mean squared difference between two readings of the same
    document, in units of θ(1 − θ); without a second reading it is what the instrument states. One
    person's answer has no error that these data could show.
    """
    nest = sums.nest
    ratings = nest.ratings_of_units().astype(np.float64)
    reading = np.add.reduceat(1 / ratings, nest.group_units) / one.units**2
    variance, df, flag = np.nan, np.inf, "scoring.no_spread"
    if linking is not None:
        group = np.repeat(np.arange(len(one.units)), nest.units_of_groups())
        unit = np.searchsorted(nest.unit_rows, linking.pairs.first, side="right") - 1
        variance, df, discordant = reading_spread(
            sums.difference[target], one.estimate[group[unit]], reading[group[unit]]
        )
        flag = "scoring.few_discordant" if discordant < LEAST_DISCORDANT else ""
        if not np.isfinite(variance) and instrument.uncertainty is not None:
            variance, df, flag = 4 * instrument.uncertainty.rater_sd**2, np.inf, "scoring.stated_rater_error"
        elif not np.isfinite(variance):
            flag = "scoring.no_spread"
    readings = RaterSpread(variance, df, "stated" if flag == "scoring.stated_rater_error" else "double_readings")
    spread = Spread(0.0, 0.0, 0.0, 0.0, 0.0, NO_RATERS if linking is None else readings, n_groups=len(reading))
    return variance * reading, np.full(len(reading), df), spread, flag


def _raters(linking: Linking | None, sums: SourceSums, target: Target, instrument: Instrument) -> RaterSpread:
    """Return the variance of rater severity: estimated where raters are linked, else calibrated, else stated."""
    if linking is None:
        return NO_RATERS
    nest, pairs = sums.nest, linking.pairs
    stated = instrument.uncertainty
    fallback = NO_RATERS if stated is None else RaterSpread(4 * stated.rater_sd**2, np.inf, "stated")
    fallback = calibrated_raters(calibration_row(instrument, nest.table.source, target)) or fallback
    if not linking.linked:
        return fallback
    rows = np.diff(np.append(nest.group_rows, nest.table.n))
    group = np.repeat(np.arange(len(rows)), rows)[pairs.first]
    estimate = sums.targets[target].estimate[group]
    gap = sums.difference[target]
    use = np.isfinite(gap) & np.isfinite(estimate)
    code = nest.table.rater.codes
    found = rater_spread(gap[use], (estimate * (1 - estimate))[use], code[pairs.first][use], code[pairs.second][use])
    return fallback if found is None else found


def _flag(spread: Spread) -> str:
    """Return what weakens an interval most, of what the spread tells."""
    if spread.calibrated:
        return ""
    if spread.n_groups == 0:
        return "scoring.nothing_to_pool"
    if spread.bounded:
        return "scoring.bounded_spread"
    if spread.n_groups == 1:
        return "scoring.own_spread"
    if spread.nested and spread.df_between < LEAST_CLUSTERS:
        return "scoring.few_clusters"
    return ""


def _rater_flag(linking: Linking | None, spread: Spread) -> str:
    """Return the flag of an audit whose rater variance is neither estimated nor stated."""
    return "scoring.no_rater_error" if linking is not None and spread.raters.origin == NO_RATERS.origin else ""


def _assessor_flag(linking: Linking | None, nest: Nesting, spread: Spread) -> str:
    """Return the flag of an audit in which it is not named whose most files are, nor known how assessors differ."""
    few_named = 2 * nest.unnamed > len(nest.unit_rows)
    return "scoring.assessors_unnamed" if linking is not None and few_named and not spread.calibrated else ""


def _register(
    nest: Nesting, instrument: Instrument, weights: Mapping[Target, Mapping[str, float]], size: int
) -> dict[Target, Said]:
    """Return register values: a group's value is the mean of its rows weighted by their counts."""
    said: dict[Target, Said] = {}
    primary = instrument.primary_items(nest.table.source)
    for values in measure_values(nest.table, instrument):
        base = values.base if values.base is not None else values.answered
        n = np.add.reduceat(base, nest.group_rows)
        total = np.add.reduceat(base * values.value, nest.group_rows)
        mean = np.divide(total, n, out=np.full_like(n, np.nan), where=n > 0)
        share = instrument.by_scale[values.measure.scale].percentage_of_units
        kappa = np.divide(1.0, n, out=np.full_like(n, np.nan), where=(n > 0) & share)
        flag = "" if share else "scoring.register_value"
        said["measure", values.item.id] = _said(nest, size, mean, kappa, np.full_like(n, np.inf), n, COUNTS, flag)
    for target, items in weights.items():
        inside = {item: weight for item, weight in items.items() if item in primary}
        if inside:
            said[target] = _register_composite(inside, said)
    return said


def _register_composite(items: Mapping[str, float], said: Mapping[Target, Said]) -> Said:
    """Return the mean of register values, its variance taken where two answers of each kind are added."""
    ones = [said["measure", item] for item in items]
    share = np.array(list(items.values()))[:, None] / sum(items.values())
    means, kappas = np.stack([one.estimate for one in ones]), np.stack([one.kappa for one in ones])
    smooth = (means / kappas + 2) / (1 / kappas + 4)
    estimate = (share * means).sum(axis=0)
    centre = (share * smooth).sum(axis=0)
    kappa = (share**2 * kappas * smooth * (1 - smooth)).sum(axis=0) / (centre * (1 - centre))
    answered = np.stack([one.answered for one in ones]).min(axis=0)
    return Said(estimate, kappa, np.full_like(kappa, np.inf), answered, COUNTS, gravest([one.flag for one in ones]))


def _said(
    nest: Nesting, size: int, estimate: Floats, kappa: Floats, df: Floats, answered: Floats, method: str, flag: str
) -> Said:
    return Said(
        estimate=_spread_out(estimate, nest, size, np.nan),
        kappa=_spread_out(kappa, nest, size, np.nan),
        df=_spread_out(df, nest, size, np.nan),
        answered=_spread_out(answered, nest, size, 0.0),
        method=method,
        flag=flag,
    )


def _spread_row(source: str, target: Target, spread: Spread, flag: str) -> dict[str, Any]:
    return {
        "source": source,
        "level": target[0],
        "target": target[1],
        "within": spread.within,
        "between": spread.between,
        "raters": spread.raters.variance,
        "df_within": _finite(spread.df_within),
        "df_between": _finite(spread.df_between),
        "df_raters": _finite(spread.raters.df),
        "raters_from": spread.raters.origin,
        "occasions": spread.occasions.variance,
        "df_occasions": _finite(spread.occasions.df),
        "calibrated": spread.calibrated,
        "between_truncated": spread.truncated,
        "flag": flag,
    }


def _finite(df: float) -> float:
    """Return degrees of freedom, NaN where a variance is taken as known."""
    return df if np.isfinite(df) else float("nan")


def _notes(
    source: Source, linking: Linking | None, nest: Nesting, instrument: Instrument, *, few_pairs: bool
) -> tuple[Message, ...]:
    notes = []
    name = source.label.as_dict()
    if linking is not None and not source.single and (few_pairs or not linking.linked):
        why = Message("scoring.few_pairs") if linking.linked else Message(linking.why)
        stated = instrument.uncertainty
        calibration = instrument.calibration
        if calibration is not None and any(row.rater is not None for row in calibration.rows):
            notes.append(Message("scoring.raters_calibrated", {"source": name, "why": why}))
        elif stated is not None:
            notes.append(
                Message("scoring.raters_not_separable", {"source": name, "why": why, "sd": 100 * stated.rater_sd})
            )
        else:
            notes.append(Message("scoring.raters_not_separable_unstated", {"source": name, "why": why}))
    if linking is not None and not source.single and nest.unnamed:
        code = "scoring.no_clusters" if not nest.clustered else "scoring.clusters_partly"
        notes.append(Message(code, {"source": name, "n": nest.unnamed}))
    return tuple(notes)


def _spread_out(values: Floats, nest: Nesting, size: int, empty: float) -> Floats:
    """Return values of this source's groups at their places among all groups."""
    out = np.full(size, empty)
    out[nest.group] = values
    return out


def _counts(counts: Mapping[tuple[str, str, str, str], int], source: str, groups: Mapping[Group, int]) -> Floats:
    """Return eligible or invited units of a source by group; a whole site sums its areas where it must."""
    found = np.full(len(groups), np.nan)
    for (site, area, wave, name), value in counts.items():
        if name != source:
            continue
        position = groups.get((site, wave, area))
        if position is not None:
            found[position] = value if area or np.isnan(found[position]) else found[position] + value
        whole = groups.get((site, wave, ""))
        if area and whole is not None:
            found[whole] = value + (0.0 if np.isnan(found[whole]) else found[whole])
    return found
