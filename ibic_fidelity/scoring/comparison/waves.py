"""What has changed in each site between two waves."""

from __future__ import annotations

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.scoring.comparison.differences import differences
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment
from ibic_fidelity.scoring.comparison.figures import figures_of, known_waves, the_wave
from ibic_fidelity.scoring.comparison.result import Comparison, aligned, check_request, comparison, worse_flag
from ibic_fidelity.scoring.comparison.shared_raters import Read, SharedRaters, read, shared_raters, told
from ibic_fidelity.scoring.scores import Scores


def compare_waves(
    earlier: Scores,
    later: Scores | None = None,
    target: str = "total_core",
    *,
    waves: tuple[str, str] | None = None,
    responses: tuple[Responses, Responses] | Responses | None = None,
    instrument: Instrument | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
) -> Comparison:
    """Return what has changed in each site from one wave to a later one.

    Parameters
    ----------
    earlier : Scores
        Raw scores of the first wave, or of both.
    later : Scores, optional
        Raw scores of the second wave, made with the same instrument, to the wording.
    target : str
        Id of a total, component or item.
    waves : pair of str, optional
        The earlier and the later wave. May be left out where one result has exactly two waves (they are taken in
        the order of their names), or each of two results has one.
    responses, instrument : Responses (of both waves, or a pair), and Instrument, optional
        What was scored. With them raters who rated at both waves are named, and the part of their severity that
        cancels is taken out of the interval; files that are in both waves are told. Without them raters are
        taken to be others, which makes the interval wider than need be where they are the same.
    adjustment : {"bh", "by"}
        Of the p-values, over all sites.
    false_discovery : float
        The rate of false discoveries among the reliable changes.

    Returns
    -------
    Comparison
        One row a site that has both waves: ``first`` is the later score, ``second`` the earlier, ``estimate`` the
        change; ``verdict`` is a *reliable change* (higher or lower) or none that can be told from error.

    Raises
    ------
    UsageError
        The instruments differ, in version or any wording; confidence levels differ; it is not clear which waves
        are meant; no site has both.

    Notes
    -----
    The two waves' files are taken as drawn independently: the same files at both make the interval too wide, never
    too narrow. The variance between occasions counts in both waves where the instrument's calibration has it; where
    it has not, no interval holds it, which matters most here and is said.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> design = ibic.StudyDesign(n_sites=4, users=0)
    >>> one, two = (ibic.simulate_study(design, seed=seed) for seed in (1, 2))
    >>> scored = [ibic.score_municipalities(study.responses, study.instrument) for study in (one, two)]
    >>> ibic.compare_waves(*scored, "ut").table.shape[0]
    4
    """
    later = earlier if later is None else later
    check_request(earlier, later, adjustment=adjustment, false_discovery=false_discovery)
    _check_alike(earlier, later)
    first_wave, second_wave = _waves(earlier, later, waves)
    before, after = figures_of(earlier, target, wave=first_wave), figures_of(later, target, wave=second_wave)
    reads = _reads((earlier, later), responses, instrument, target, (first_wave, second_wave))
    found = shared_raters(reads, instrument, target) if reads and instrument is not None else None
    i, j, left = aligned(before, after, lone="scoring.one_wave_only")
    if not len(i):
        raise UsageError("scoring.no_site_has_both_waves", waves=[first_wave, second_wave])
    place = j + len(before.site)
    old, new = before.take(i), after.take(j)
    correlation = 0.0 if found is None else found.correlation[place, i]
    return comparison(
        "waves",
        differences(new, old, correlation),
        target=target,
        scores=later,
        columns={
            "site": new.site,
            "other": np.full(len(i), first_wave, dtype=object),
            "first": new.estimate,
            "second": old.estimate,
            "shared_raters": told(None if found is None else found.shared[place, i], len(i)),
            "flag": worse_flag(new.flag, old.flag),
        },
        left_out=left,
        notes=(*dict.fromkeys((*earlier.notes, *later.notes)), *_notes(found, reads)),
        adjustment=adjustment,
        false_discovery=false_discovery,
        options={
            "target": target,
            "waves": [first_wave, second_wave],
            "earlier_data_sha256": earlier.provenance.data_sha256,
        },
    )


def _check_alike(earlier: Scores, later: Scores) -> None:
    one, two = earlier.provenance, later.provenance
    if (one.instrument_id, one.instrument_version) != (two.instrument_id, two.instrument_version):
        raise UsageError(
            "scoring.waves_other_instrument",
            earlier=f"{one.instrument_id} {one.instrument_version}",
            later=f"{two.instrument_id} {two.instrument_version}",
        )
    if one.instrument_sha256 != two.instrument_sha256:
        raise UsageError("scoring.waves_other_wording", instrument=f"{one.instrument_id} {one.instrument_version}")
    if earlier.confidence_level != later.confidence_level:
        raise UsageError("scoring.waves_other_level", levels=[earlier.confidence_level, later.confidence_level])


def _waves(earlier: Scores, later: Scores, waves: tuple[str, str] | None) -> tuple[str, str]:
    if waves is not None:
        if len(tuple(waves)) != 2:
            raise UsageError("scoring.two_waves", waves=repr(waves))
        pair = the_wave(earlier, waves[0]), the_wave(later, waves[1])
    elif earlier is later:
        named = known_waves(earlier)
        if len(named) != 2:
            raise UsageError("scoring.two_waves", waves=named)
        pair = named[0], named[1]
    else:
        pair = the_wave(earlier, None), the_wave(later, None)
    if earlier is later and pair[0] == pair[1]:
        raise UsageError("scoring.two_waves", waves=list(pair))
    return pair


def _reads(
    scores: tuple[Scores, Scores],
    responses: object,
    instrument: Instrument | None,
    target: str,
    waves: tuple[str, str],
) -> list[Read]:
    if responses is None:
        return []
    pair = responses if isinstance(responses, tuple) else (responses, responses)
    if len(pair) != 2:
        raise UsageError("scoring.two_responses", n=len(pair))
    made = [read(one, given, instrument, target, wave) for one, given, wave in zip(scores, pair, waves, strict=True)]
    return [one for one in made if one is not None]


def _notes(found: SharedRaters | None, reads: list[Read]) -> tuple[Message, ...]:
    if found is None:
        return (Message("scoring.waves_taken_as_apart"),)
    said = []
    if found.common:
        said.append(Message("scoring.raters_at_both_waves", {"raters": list(found.common)}))
    else:
        said.append(Message("scoring.no_rater_at_both_waves"))
    if not found.named:
        said.append(Message("scoring.raters_in_common_unnamed"))
    n = _units_in_both(reads)
    if n:
        said.append(Message("scoring.units_at_both_waves", {"n": n}))
    return tuple(said)


def _units_in_both(reads: list[Read]) -> int:
    """Return how many units, by source, site and id, were read at both waves."""
    seen: list[set[tuple[str, str, str]]] = []
    for one in reads:
        units: set[tuple[str, str, str]] = set()
        for source, table in one.responses.tables.items():
            if table.has_ids:
                inside = np.flatnonzero(np.array([label == one.wave for label in table.wave.labels])[table.wave.codes])
                sites, names = table.site.text[inside].tolist(), table.unit.text[inside].tolist()
                units |= {(source, site, unit) for site, unit in zip(sites, names, strict=True) if site != unit}
        seen.append(units)
    return len(seen[0] & seen[1])
