"""Each site against the mean of its peers: its county, or any other grouping that the user brings."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.registers import read_groups
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.scoring.comparison.differences import contrasts
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment
from ibic_fidelity.scoring.comparison.figures import figures_of
from ibic_fidelity.scoring.comparison.result import Comparison, LeftOut, check_request, comparison, withheld
from ibic_fidelity.scoring.comparison.shared_raters import rater_notes, raters_in_common, told
from ibic_fidelity.scoring.comparison.sites import enough_sites
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sources import gravest

Floats = NDArray[np.float64]
LEAST_PEERS = 2  # the mean of one is that one
COUNTY = "county"


def compare_with_peers(
    scores: Scores,
    target: str = "total_core",
    *,
    groups: str | PathLike[str] | Mapping[str, str] = COUNTY,
    column: str = "group",
    wave: str | None = None,
    responses: Responses | None = None,
    instrument: Instrument | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Compare each site with the mean of the others of its group.

    Parameters
    ----------
    scores : Scores
        Raw scores.
    target : str
        Id of a total, component or item.
    groups : str, path or mapping
        ``"county"`` for the county of a Swedish municipality by its code; a CSV file with the columns ``code`` and
        `column`, such as the groups of municipalities of SKR; or a mapping from code to group.
    column : str
        The column of a CSV file that names the group.
    wave : str, optional
        Which wave; may be left out where there is only one.
    responses, instrument : Responses and Instrument, optional
        What was scored, to see which sites the same raters read; see `compare_sites`.
    adjustment : {"bh", "by"}
        Of the p-values, over all sites.
    false_discovery : float
        The rate of false discoveries that the verdicts hold.

    Returns
    -------
    Comparison
        One row a site: ``first`` is its score, ``second`` the unweighted mean of its ``peers`` (itself left out),
        ``other`` their group. The peers are these very sites: what they differ among themselves is not in the
        interval. Sites without a group, or with fewer than two peers, stand in `left_out`.

    Raises
    ------
    UsageError
        No site has peers, or an option has no meaning.
    ArgumentTypeError
        `groups` is neither a word, a path nor a mapping.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=6, users=0), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> halves = {site: "north" if i < 3 else "south" for i, site in enumerate(scores.sites)}
    >>> ibic.compare_with_peers(scores, "ut", groups=halves).table["other"].tolist()
    ['north', 'north', 'north', 'south', 'south', 'south']
    """
    check_request(scores, adjustment=adjustment, false_discovery=false_discovery)
    of_site = _groups(groups, column)
    _check_codes(of_site, scores)
    figures = figures_of(scores, target, wave=wave)
    found = raters_in_common(scores, responses, instrument, target, wave)
    known = enough_sites(figures, target)
    group = np.array([of_site.get(str(site), "") for site in figures.site[known]], dtype=object)
    alike = (group[:, None] == group[None, :]) & (group != "")[:, None]
    np.fill_diagonal(alike, val=False)
    peers = alike.sum(axis=1)
    use = peers >= LEAST_PEERS
    left = [*withheld(figures), *_without_peers(figures.site[known], group, use)]
    if not use.any():
        raise UsageError("scoring.nobody_has_peers", n=len(known), least=LEAST_PEERS)
    mean = np.where(alike, 1 / np.maximum(peers, 1)[:, None], 0.0)
    weight = (np.eye(len(known)) - mean)[use]
    kept = figures.take(known)
    correlation, shared = None, None
    if found is not None:
        correlation = found.correlation[np.ix_(known, known)]
        shared = (found.shared[np.ix_(known, known)] & alike).any(axis=1)[use]
    return comparison(
        "peers",
        contrasts(weight, kept, correlation),
        target=target,
        scores=scores,
        columns={
            "site": kept.site[use],
            "other": group[use],
            "first": kept.estimate[use],
            "second": (mean @ kept.estimate)[use],
            "shared_raters": told(shared, int(use.sum())),
            "peers": peers[use],
            "flag": np.array(
                [gravest(kept.flag[row > 0].tolist()) for row in (alike | np.eye(len(known), dtype=bool))[use]],
                dtype=object,
            ),
        },
        left_out=left,
        notes=(*scores.notes, Message("scoring.peers_are_these"), *rater_notes(found)),
        adjustment=adjustment,
        false_discovery=false_discovery,
        options={"target": target, "groups": groups if groups == COUNTY else "given"},
    )


def _without_peers(site: NDArray[np.object_], group: NDArray[np.object_], use: NDArray[np.bool_]) -> list[LeftOut]:
    reason = np.where(group == "", "scoring.no_peer_group", "scoring.too_few_peers")
    rows = zip(site[~use].tolist(), group[~use].tolist(), reason[~use].tolist(), strict=True)
    return [(one, "", its_group, why) for one, its_group, why in rows]


def _check_codes(of_site: Mapping[str, str], scores: Scores) -> None:
    """Refuse codes that lost their leading zeros, by which sites would fall out of their groups unseen."""
    sites = set(scores.sites)
    width = max(map(len, sites), default=0)
    lost = sorted(code for code in of_site if code not in sites and code.isdigit() and code.zfill(width) in sites)
    if lost:
        raise UsageError("scoring.group_codes_lost", codes=lost, meant=[code.zfill(width) for code in lost])


def _groups(groups: object, column: str) -> Mapping[str, str]:
    if isinstance(groups, Mapping):
        bad = next((key for pair in groups.items() for key in pair if not isinstance(key, str)), None)
        if bad is not None:
            raise ArgumentTypeError("scoring.group_not_text", value=repr(bad))
        return groups
    if groups == COUNTY:
        return read_groups(bundled("instruments") / "ibic" / "kommuner_290.csv", COUNTY)
    if isinstance(groups, str | PathLike):
        return read_groups(Path(groups), column)
    raise ArgumentTypeError("scoring.groups_kind", got=type(groups).__name__)
