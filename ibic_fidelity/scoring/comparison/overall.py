"""Everything that compares sites, gathered for one total and one wave: each part, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from typing import Any, ClassVar, TypeVar

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records
from ibic_fidelity.foundation.written import Written, read_field
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Gap
from ibic_fidelity.psychometrics.standards.classification import classification_accuracy
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment
from ibic_fidelity.scoring.comparison.figures import figures_of, known_waves, the_wave
from ibic_fidelity.scoring.comparison.funnel import Funnel, site_funnel
from ibic_fidelity.scoring.comparison.peers import COUNTY, compare_with_peers
from ibic_fidelity.scoring.comparison.result import NOT_COMPARISON, Comparison
from ibic_fidelity.scoring.comparison.sites import compare_sites, enough_sites
from ibic_fidelity.scoring.comparison.specificity import score_by_specificity
from ibic_fidelity.scoring.comparison.waves import compare_waves
from ibic_fidelity.scoring.comparison.weights import WeightSensitivity, weight_sensitivity
from ibic_fidelity.scoring.comparison.within import compare_sources, gap_between_areas, gap_between_items
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrink import shrink_scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores
from ibic_fidelity.scoring.standards import CutSet

Made = TypeVar("Made")
#: Why data or instrument give no ground for a part. Any other fault is wrong use, and stops all.
NO_GROUND = frozenset({
    "scoring.asked_of_one_source", "scoring.bands_of_component", "scoring.no_bands", "scoring.no_cuts",
    "scoring.no_second_source", "scoring.no_site_has_both_waves", "scoring.no_specificity", "scoring.no_total",
    "scoring.nobody_has_peers", "scoring.nothing_to_compare", "scoring.one_wave", "scoring.too_few_sites",
    "scoring.unknown_area", "scoring.unknown_target", "scoring.weights_of_component",
})  # fmt: skip
Part = Comparison | Funnel | Records | Scores | ShrunkenScores | WeightSensitivity


@dataclass(frozen=True, slots=True, eq=False)
class OverallComparison(Written):
    """All comparisons of one total or component at one wave. A part that could not be made is the message why.

    Attributes
    ----------
    target, wave : str
        What is compared, and when.
    shrunken : ShrunkenScores
        Scores drawn together by how unsure they are, bands and ranks.
    funnel : Funnel or Message
        Who lies further out than chance leaves them.
    pairs : Comparison or Message
        Every site with every other.
    peers : Comparison or Message
        Every site with the others of its group.
    change : Comparison or Message
        Since an earlier wave.
    specificity : Scores or Message
        By what is specific to IBIC, shared, and demanded by law.
    gaps : mapping
        By id of the instrument's gaps, a `Comparison` or a `Message`.
    sources : Comparison or Message
        Where sources disagree.
    weights : WeightSensitivity or Message
        What hangs on the weights.
    classification : Records or Message
        One row a cut between bands, and one for all together (``cut`` NaN): ``cut``, ``accuracy``, ``false_positive``,
        ``false_negative``, ``consistency``, ``kappa`` (NaN where they belong to the other kind of row), ``n``.
    notes : tuple of Message
        What a reader must know.
    provenance : Provenance
        From what it was made.
    """

    SCHEMA: ClassVar[str] = "ibic.overall_comparison/1"
    REFUSED: ClassVar[str] = NOT_COMPARISON

    target: str
    wave: str
    shrunken: ShrunkenScores
    funnel: Funnel | Message
    pairs: Comparison | Message
    peers: Comparison | Message
    change: Comparison | Message
    specificity: Scores | Message
    gaps: Mapping[str, Comparison | Message]
    sources: Comparison | Message
    weights: WeightSensitivity | Message
    classification: Records | Message
    notes: tuple[Message, ...]
    provenance: Provenance

    def parts(self) -> dict[str, Part | Message]:
        """Return every part by name, gaps as ``gap:id``."""
        named = {name: getattr(self, name) for name in (*_KINDS, "classification")}
        return {**named, **{f"gap:{name}": part for name, part in self.gaps.items()}}

    def summary(self) -> str:
        """Return what was found, part by part."""
        lines = [f"Comparison of {self.target}" + (f", wave {self.wave}" if self.wave else "")]
        if self.provenance.synthetic:
            lines[0] += ", SYNTHETIC data"
        for name, part in self.parts().items():
            if isinstance(part, Message):
                lines.append(f"{name}: {part.text('en')}")
            elif not isinstance(part, Records):
                lines.append(f"{name}: {part.summary()}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "gaps":
            return {gap: _part(part, Comparison) for gap, part in value.items()}
        if name in _KINDS:
            return _part(value, _KINDS[name])
        if name == "classification" and "code" in value:
            return Message.from_dict(value)
        return read_field(name, value)


_KINDS: dict[str, Any] = {
    "shrunken": ShrunkenScores,
    "funnel": Funnel,
    "pairs": Comparison,
    "peers": Comparison,
    "change": Comparison,
    "specificity": Scores,
    "sources": Comparison,
    "weights": WeightSensitivity,
}


def compare_all(
    responses: Responses,
    instrument: Instrument,
    *,
    target: str | None = None,
    wave: str | None = None,
    earlier: str | None = None,
    groups: str | PathLike[str] | Mapping[str, str] = COUNTY,
    column: str = "group",
    weights: Mapping[str, float] | None = None,
    adjustment: Adjustment = "bh",
    false_discovery: float = 0.05,
    confidence_level: float = 0.95,
    draws: int = 4000,
    seed: int = 0,
) -> OverallComparison:
    """Score sites and compare them in every way that the data allow.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    target : str, optional
        Id of a total or component; by default the instrument's first total or, without totals, its first component.
    wave : str, optional
        By default the last in the order of names.
    earlier : str, optional
        The wave that change is counted from; by default the one before `wave`.
    groups, column
        Of peers, as for `compare_with_peers`.
    weights : mapping, optional
        A panel's weights of the components, as for `weight_sensitivity`.
    adjustment, false_discovery, confidence_level
        Of all comparisons.
    draws, seed : int
        Of the joint posterior; the seed also of the drawn weights.

    Returns
    -------
    OverallComparison
        A part for which there is no ground (no second wave, no group, no source beside) is the message why.

    Raises
    ------
    UsageError
        Nothing can be scored, there is no such target or wave, or an option has no meaning.

    Notes
    -----
    Of the way of working only, like all comparisons.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=6, users=0), seed=1)
    >>> compared = ibic.compare_all(study.responses, study.instrument, draws=1000)
    >>> len(compared.pairs.rows), compared.change.code
    (15, 'scoring.one_wave')
    """
    scores = score_municipalities(responses, instrument, confidence_level=confidence_level)
    target = _target(instrument, target)
    waves = known_waves(scores)
    wave = waves[-1] if wave is None else the_wave(scores, wave)
    earlier = _earlier(waves, wave, earlier)
    figures_of(scores, target, wave=wave)
    rule: dict[str, Any] = {"adjustment": adjustment, "false_discovery": false_discovery}
    coded: dict[str, Any] = {"responses": responses, "instrument": instrument}
    is_total = any(total.id == target for total in instrument.totals)

    def change() -> Comparison:
        if earlier is None:
            raise UsageError("scoring.one_wave")
        return compare_waves(scores, target=target, waves=(earlier, wave), **coded, **rule)

    def specificity() -> Scores:
        made = score_by_specificity(
            responses, instrument, _total(instrument, target), confidence_level=confidence_level
        )
        return replace(made, rows=made.rows.where(made.rows["wave"] == wave))

    def weighed() -> WeightSensitivity:
        if not is_total:
            raise UsageError("scoring.weights_of_component", target=target)
        return weight_sensitivity(scores, instrument, target, weights=weights, wave=wave, seed=seed)

    return OverallComparison(
        target=target,
        wave=wave,
        shrunken=shrink_scores(
            scores, instrument, statistic=target, wave=wave, confidence_level=confidence_level, draws=draws, seed=seed
        ),
        funnel=_made(lambda: site_funnel(scores, target, wave=wave)),
        pairs=_made(lambda: compare_sites(scores, target, wave=wave, **coded, **rule)),
        peers=_made(
            lambda: compare_with_peers(scores, target, groups=groups, column=column, wave=wave, **coded, **rule),
            asked=groups != COUNTY,
        ),
        change=_made(change, asked=earlier is not None),
        specificity=_made(specificity),
        gaps={gap.id: _made(partial(_gap, scores, gap, target, wave, rule)) for gap in instrument.gaps},
        sources=_made(lambda: compare_sources(scores, wave=wave, **rule)),
        weights=_made(weighed, asked=weights is not None),
        classification=_made(lambda: _classification(scores, instrument, target, wave, is_total=is_total)),
        notes=scores.notes,
        provenance=replace(
            scores.provenance,
            seed=seed,
            options={
                **scores.provenance.options, "target": target, "wave": wave, "earlier": earlier or "", **rule,
                "draws": draws,
            },
        ),
    )  # fmt: skip


def _made(make: Callable[[], Made], *, asked: bool = False) -> Made | Message:
    """Return what is made, or why it cannot be; what was asked for in so many words is refused instead."""
    try:
        return make()
    except UsageError as error:
        if asked or error.code not in NO_GROUND:
            raise
        return error.message


def _gap(scores: Scores, gap: Gap, target: str, wave: str, rule: Mapping[str, Any]) -> Comparison:
    if gap.items is not None:
        return gap_between_items(scores, *gap.items, wave=wave, **rule)
    areas = gap.areas or ("", "")
    return gap_between_areas(scores, *areas, target, wave=wave, **rule)


def _classification(scores: Scores, instrument: Instrument, target: str, wave: str, *, is_total: bool) -> Records:
    """Return how often bands are right and the same again, with the errors of these scores."""
    if not is_total:
        raise UsageError("scoring.bands_of_component", target=target)
    cut_set = CutSet.of_instrument(instrument)
    figures = figures_of(scores, target, wave=wave)
    known = enough_sites(figures, target)
    made = classification_accuracy(figures.estimate[known], std_error=figures.std_error[known], cuts=cut_set.cuts)
    k = len(cut_set.cuts)
    nothing = np.full(k, np.nan)
    return Records.of(
        cut=np.append(cut_set.cuts, np.nan),
        accuracy=np.append(made.cut_accuracy, made.accuracy),
        false_positive=np.append(made.false_positive, np.nan),
        false_negative=np.append(made.false_negative, np.nan),
        consistency=np.append(nothing, made.consistency),
        kappa=np.append(nothing, made.kappa),
        n=np.full(k + 1, made.n),
    )


def _target(instrument: Instrument, target: str | None) -> str:
    if target is not None:
        return target
    return instrument.totals[0].id if instrument.totals else instrument.components[0].id


def _total(instrument: Instrument, target: str) -> str:
    """Return the total whose items are told apart by specificity: the target, or the first."""
    totals = [total.id for total in instrument.totals]
    if not totals:
        raise UsageError("scoring.no_total", id=instrument.id)
    return target if target in totals else totals[0]


def _earlier(waves: list[str], wave: str, earlier: str | None) -> str | None:
    if earlier is None:
        before = waves[: waves.index(wave)]
        return before[-1] if before else None
    if earlier not in waves or earlier == wave:
        raise UsageError("scoring.unknown_wave", value=repr(earlier), known=[one for one in waves if one != wave])
    return earlier


def _part(data: Any, kind: Any) -> Any:
    """Return a part as it was before it was written."""
    return Message.from_dict(data) if "code" in data else kind.of_dict(data)
