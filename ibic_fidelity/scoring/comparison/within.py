"""Within a site: between service areas, between two groups that the register counts, between sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.scoring.comparison.differences import Differences, differences
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment
from ibic_fidelity.scoring.comparison.figures import Figures, figures_of, the_wave
from ibic_fidelity.scoring.comparison.result import Comparison, LeftOut, aligned, check_request, comparison, worse_flag
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sources import COUNTS


@dataclass(frozen=True, slots=True, eq=False)
class _Gap:
    """Two scores of each site, and the item and the other source or area that they are about."""

    first: Figures
    second: Figures
    item: str
    other: str


def gap_between_areas(
    scores: Scores,
    first: str,
    second: str,
    target: str = "total_core",
    *,
    wave: str | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Return the gap between two service areas of each site, such as older people's care and LSS.

    Parameters
    ----------
    scores : Scores
        Raw scores by service area.
    first, second : str
        Ids of the areas.
    target : str
        Id of a total, component or item.
    wave : str, optional
        Which wave; may be left out where there is only one.
    adjustment : {"bh", "by"}
        Of the p-values, over all sites.
    false_discovery : float
        The rate of false discoveries that the verdicts hold.

    Returns
    -------
    Comparison
        One row a site with both areas: first minus second.

    Raises
    ------
    UsageError
        There is no such area, target or wave, both are the same, or no site has both.

    Notes
    -----
    The two areas' files are taken as independent. Raters who read both, and assessors who work in both, make the
    interval wider than need be.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> design = ibic.StudyDesign(n_sites=4, users=0, service_areas=("aldre", "lss"))
    >>> study = ibic.simulate_study(design, seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ibic.gap_between_areas(scores, "aldre", "lss", "ut").table.shape[0]
    4
    """
    check_request(scores, adjustment=adjustment, false_discovery=false_discovery)
    if first == second:
        raise UsageError("scoring.same_twice", value=repr(first))
    pair = [figures_of(scores, target, wave=wave, service_area=area) for area in (first, second)]
    return _gaps(
        "areas", scores, target, [_Gap(pair[0], pair[1], "", second)], Message("scoring.areas_taken_as_apart"),
        adjustment, false_discovery, {"target": target, "areas": [first, second]},
    )  # fmt: skip


def gap_between_items(
    scores: Scores,
    first: str,
    second: str,
    *,
    wave: str | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Return the gap between two groups of each site that the register counts, such as women and men.

    Parameters
    ----------
    scores : Scores
        Raw scores.
    first, second : str
        Ids of two items that are percentages of different units, such as ``ta3w`` and ``ta3m``.
    wave : str, optional
        Which wave; may be left out where there is only one.
    adjustment : {"bh", "by"}
        Of the p-values, over all sites.
    false_discovery : float
        The rate of false discoveries that the verdicts hold.

    Returns
    -------
    Comparison
        One row a site: first minus second; the interval is Newcombe's of two independent proportions.

    Raises
    ------
    UsageError
        There is no such item or wave, both are the same, they are asked of the same units (answers of the same files
        or persons are not independent), or no site has both.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ibic.gap_between_items(scores, "ta3w", "ta3m").table.shape[0]
    4
    """
    check_request(scores, adjustment=adjustment, false_discovery=false_discovery)
    if first == second:
        raise UsageError("scoring.same_twice", value=repr(first))
    pair = [figures_of(scores, item, wave=wave) for item in (first, second)]
    rows = scores.rows
    sources = [rows["source"][(rows["level"] == "item") & (rows["item"] == item)] for item in (first, second)]
    counted = (rows["method"] == COUNTS) | (rows["method"] == "")
    if sources[0].tolist()[:1] == sources[1].tolist()[:1]:
        both = (rows["level"] == "item") & np.isin(rows["item"].astype(str), [first, second])
        if not counted[both].all():
            raise UsageError("scoring.same_units", first=first, second=second)
    return _gaps(
        "items", scores, "", [_Gap(pair[0], pair[1], first, second)], Message("scoring.counts_taken_as_apart"),
        adjustment, false_discovery, {"items": [first, second]},
    )  # fmt: skip


def compare_sources(
    scores: Scores,
    *,
    items: Sequence[str] | None = None,
    wave: str | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Return where sources disagree on the same item of a site: what is scored minus what is asked beside it.

    Parameters
    ----------
    scores : Scores
        Raw scores; a triangulating measure enters no score, and is never averaged with the primary one.
    items : sequence of str, optional
        Which items; by default all that are asked of several sources.
    wave : str, optional
        Which wave; may be left out where there is only one.
    adjustment : {"bh", "by"}
        Of the p-values, over all sites and items.
    false_discovery : float
        The rate of false discoveries that the verdicts hold.

    Returns
    -------
    Comparison
        One row a site, item and triangulating source: ``first`` is the primary (such as an audit), ``second`` the
        other (such as what staff say of themselves), ``other`` its source. Where one of them has no interval, such
        as one manager's answer, the pair stands in `left_out`.

    Raises
    ------
    UsageError
        No item was asked of several sources, or one that is named was not; or nothing can be compared.

    Notes
    -----
    Two sources are independent samples. They may use different scales and wordings: a difference is disagreement,
    not who is right.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> sorted(set(ibic.compare_sources(scores, items=["pl6"]).table["other"]))
    ['provider']
    """
    check_request(scores, adjustment=adjustment, false_discovery=false_discovery)
    the_wave(scores, wave)
    rows = scores.rows
    asked = rows["level"] == "triangulating"
    beside = list(dict.fromkeys(zip(rows["item"][asked].tolist(), rows["source"][asked].tolist(), strict=True)))
    if items is not None:
        if isinstance(items, str):
            raise UsageError("scoring.items_one_text", value=repr(items))
        unknown = [item for item in items if item not in {name for name, _ in beside}]
        if unknown:
            raise UsageError("scoring.asked_of_one_source", items=unknown)
        beside = [pair for pair in beside if pair[0] in set(items)]
    if not beside:
        raise UsageError("scoring.no_second_source")
    scored = set(rows["item"][rows["level"] == "item"].tolist())
    gaps: list[_Gap] = []
    left: list[LeftOut] = []
    for item, source in beside:
        second = figures_of(scores, item, wave=wave, source=source)
        if item in scored:
            gaps.append(_Gap(figures_of(scores, item, wave=wave), second, item, source))
        else:  # the source that it is scored from has no rows in these data
            left += [(site, item, source, "scoring.source_missing") for site in second.site.tolist()]
    return _gaps(
        "sources", scores, "", gaps, Message("scoring.sources_are_not_averaged"), adjustment, false_discovery,
        {"items": None if items is None else list(items)}, left,
    )  # fmt: skip


def _gaps(
    kind: str,
    scores: Scores,
    target: str,
    gaps: Sequence[_Gap],
    note: Message,
    adjustment: Adjustment,
    false_discovery: float,
    options: Mapping[str, Any],
    left_out: Sequence[LeftOut] = (),
) -> Comparison:
    """Return the differences of pairs of scores, all adjusted together."""
    left = list(left_out)
    parts = []
    for gap in gaps:
        one, two, alone = aligned(gap.first, gap.second, item=gap.item, other=gap.other, lone="scoring.one_of_two_only")
        left += alone
        first, second = gap.first.take(one), gap.second.take(two)
        place = {name: np.full(len(one), getattr(gap, name), dtype=object) for name in ("item", "other")}
        columns = {**place, "site": first.site, "first": first.estimate, "second": second.estimate,
                   "flag": worse_flag(first.flag, second.flag)}  # fmt: skip
        parts.append((differences(first, second), columns))
    if not any(len(made.estimate) for made, _ in parts):
        raise UsageError("scoring.nothing_to_compare", kind=kind)
    joined = {name: np.concatenate([columns[name] for _, columns in parts]) for name in parts[0][1]}
    order = np.lexsort([joined[name].astype(str) for name in ("other", "item", "site")])
    made = Differences(
        *(np.concatenate([getattr(made, part.name) for made, _ in parts])[order] for part in fields(Differences))
    )
    return comparison(
        kind,
        made,
        target=target,
        scores=scores,
        columns={name: column[order] for name, column in joined.items()},
        left_out=left,
        notes=(*scores.notes, note),
        adjustment=adjustment,
        false_discovery=false_discovery,
        options=options,
    )
