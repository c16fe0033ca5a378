"""How precisely a site is measured: generalizability and decision studies of every component of every source."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.dossier.advice import Plan, advice_of, error_parts, planned
from ibic_fidelity.dossier.occasion_pairs import one_wave
from ibic_fidelity.dossier.rated_rows import Floats, RatedRows, rated_rows
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected
from ibic_fidelity.errors import IbicWarning, ResponseError, UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, Language, Message, text
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import Effect, parse_design
from ibic_fidelity.psychometrics.generalizability.levels import multilevel_alpha
from ibic_fidelity.psychometrics.generalizability.precision import generalizability_study
from ibic_fidelity.psychometrics.generalizability.studies import ComponentInterval
from ibic_fidelity.psychometrics.generalizability.study_results import GeneralizabilityStudy
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of
from ibic_fidelity.scoring.sums import composite_weights

POINTS = 100.0  # of a score
LEAST_UNITS = 10  # with an answer
MOST_ADVICE = 5  # sentences on top where an instrument has no total
MOST_ERROR = 50.0  # points: the largest standard deviation of anything between 0 and 100
#: Interactions that are not told apart: what they hold is in the components of the same file or in the residual.
POOLED = (
    "site x rater", "site x rater x item", "assessor x rater : site", "assessor x rater x item : site",
    "assessor x item : site", "group x item : site",
)  # fmt: skip
#: Statistics of the decision, the figure each is, and its factor.  Eρ² is not among them: sites are read by different
#: raters, whose severity is then error of comparisons, too.
DECISIONS = (("phi", "phi", 1.0), ("sem_level", "absolute_sem", POINTS))
#: What the variance of an answer is from, and the effects that are part of each; others are the rest.
PARTS = ("site", "cluster", "unit", "rater", "question", "rest")
PART_OF = {
    "site": "site", "site_item": "site", "assessor": "cluster", "group": "cluster", "file": "unit",
    "respondent": "unit", "rater": "rater", "rater_item": "rater", "file_item": "question",
    "respondent_item": "question",
}  # fmt: skip
#: Facets of these studies, and the parameters of messages that name facets or effects.
FACETS = ("site", "assessor", "group", "file", "respondent", "rater", "item", "occasion")
NAMING = ("effects", "effect", "facets", "facet", "factors", "outer", "inner", "among", "object")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, eq=False)
class TargetPrecision:
    """What one source tells of one component or total.

    Attributes
    ----------
    source, target : str
        Ids of the source and of the component or total.
    unit : str
        What a unit is called as a facet: "file" or "respondent".
    n_items : int
        Items that the mean is over.
    study : GeneralizabilityStudy
        Components of the values 0–1, and the decision as observed, each unit seen by one rater.
    plan : Plan
        Φ over numbers of units and raters, and how many units reach the target.
    advice : Message
        What follows from it, in one sentence.
    """

    source: str
    target: str
    unit: str
    n_items: int
    study: GeneralizabilityStudy
    plan: Plan
    advice: Message


@dataclass(frozen=True, slots=True, eq=False)
class SitePrecision:
    """How precisely sites are measured, as `site_precision` returns it.

    Attributes
    ----------
    statistics : Statistics
        Everything as one table.
    targets : tuple of TargetPrecision
        One a source and component or total that could be studied, totals first.
    goal : float
        The Φ that numbers of units are sought for.
    """

    statistics: Statistics
    targets: tuple[TargetPrecision, ...]
    goal: float

    def summary(self) -> str:
        """Return everything in English."""
        return self.statistics.text("en")

    def __repr__(self) -> str:
        return self.summary()


def site_precision(
    responses: Responses,
    instrument: Instrument,
    *,
    wave: str | None = None,
    goal: float = 0.80,
    confidence_level: float = 0.95,
) -> SitePrecision:
    """Return how precisely each component of each source measures a site, and how many files or respondents suffice.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    wave : str, optional
        The occasion to take, where there are several.
    goal : float
        The index of dependability Φ to be reached, between 0 and 1.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    SitePrecision
        Only primary measures. A component is studied on its answers, items fixed; a total, or a component of one
        item, on the mean of each file. Files are nested in assessors, raters are linked across sites; interactions
        that are pooled are named. Figures with a unit are in points of 100.

    Raises
    ------
    UsageError
        The responses were coded by another instrument, hold several waves and none is named, or the goal is no
        number between 0 and 1.
    ResponseError
        No source has enough units of two sites.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = site_precision(study.responses, study.instrument)
    >>> result.targets[0].target, result.targets[0].unit
    ('total_core', 'file')
    """
    check_same_instrument(responses, instrument)
    given: object = goal
    if not isinstance(given, int | float) or not 0.0 < given < 1.0:
        raise UsageError("dossier.goal", value=repr(goal))
    responses = one_wave(responses, wave)
    rows: list[Statistic] = []
    targets: list[TargetPrecision] = []
    preface: list[Message] = []
    with warnings.catch_warnings():  # what is undefined carries its reason in the row
        warnings.simplefilter("ignore", IbicWarning)
        for table in responses.tables.values():
            source = instrument.by_source[table.source]
            if source.kind == "register" or source.single:
                continue
            answers = rated_rows(table, instrument)
            if answers.n_unnamed:
                said = {"source": source.label.as_dict(), "n": answers.n_unnamed}
                preface.append(Message("dossier.precision_unnamed", said))
            made, studied = _of_source(answers, instrument, goal, confidence_level)
            rows += [row.where(source=table.source) for row in made]
            targets += studied
    if not targets:
        raise ResponseError("dossier.nothing_to_generalize")
    totals = {total.id: total for total in instrument.totals}
    first = [one for one in targets if one.target in totals]
    preface = [*(one.advice for one in first or targets[:MOST_ADVICE]), *preface]
    for one in first:
        part = {"total": totals[one.target].label.as_dict(), "source": instrument.by_source[one.source].units.as_dict()}
        preface.append(Message("dossier.precision_part", part))
    preface.append(Message("dossier.precision_means", {"goal": goal}))
    if any(one.unit == "file" for one in targets):
        preface.append(Message("dossier.precision_pooled"))
    return SitePrecision(
        statistics=collected(
            Message("dossier.title_precision"),
            rows,
            instrument,
            provenance=provenance_of(
                responses, instrument, {"confidence_level": confidence_level, "goal": goal, "wave": wave}
            ),
            confidence_level=confidence_level,
            preface=tuple(preface),
        ),
        targets=tuple(targets),
        goal=goal,
    )


def _of_source(
    rows: RatedRows, instrument: Instrument, goal: float, level: float
) -> tuple[list[Statistic], list[TargetPrecision]]:
    made: list[Statistic] = []
    studied: list[TargetPrecision] = []
    for target, items, y in _targets(rows, instrument):
        known = np.isfinite(y)
        sites = len(np.unique(rows.codes["site"][known]))
        if sites < 2 or known.sum() < LEAST_UNITS:
            why = Message("dossier.one_site") if sites < 2 else Message("dossier.too_few_rows", {"n": int(known.sum())})
            made.append(Statistic.of("phi", int(known.sum()), np.nan, notes=(why,)).where(component=target))
            continue
        study = study_of(rows, items if target in instrument.by_component else (), y, level)
        plan = planned(study, rows, y, goal)
        label = instrument.by_component.get(target) or next(one for one in instrument.totals if one.id == target)
        advice = advice_of(plan, instrument.by_source[rows.source], label.label.as_dict(), instrument.site)
        studied.append(TargetPrecision(rows.source, target, rows.unit, len(items), study, plan, advice))
        of_target = [*_decision(plan, int(known.sum())), *_components(study.components), *_error(study, rows, y)]
        component = instrument.by_component.get(target)
        if component is not None and component.measurement_model == "reflective" and len(items) > 1:
            of_target += _levels(rows, items, level)
        made += [row.where(component=target) for row in of_target]
    return made, studied


def _targets(rows: RatedRows, instrument: Instrument) -> Iterator[tuple[str, list[str], Floats]]:
    """Yield the totals and components that a source gives two or more, or one, items to: id, items, a row's mean."""
    weights = composite_weights(instrument)
    seen: set[tuple[str, ...]] = set()
    for total in instrument.totals:
        parts = rows.parts_of(total, instrument)
        named = tuple(item for _, items in parts for item in items)
        if len(parts) > 1 and named not in seen:
            seen.add(named)
            yield total.id, list(named), rows.mean_of_parts(parts)
    for component in instrument.components:
        items = {item: w for item, w in weights["component", component.id].items() if item in rows.values}
        if items and (component.dimension in FIDELITY or component.measurement_model == "reflective"):
            yield component.id, list(items), rows.mean(items)


def study_of(
    rows: RatedRows,
    items: tuple[str, ...] | list[str],
    y: Floats,
    level: float,
    *,
    item_level: bool = True,
    interval: ComponentInterval = "satterthwaite",
) -> GeneralizabilityStudy:
    """Return the study of the answers to several items, or of one value a row."""
    design = rows.nest() + (" x rater" if rows.rated else "")
    facets = {name: codes for name, codes in rows.codes.items() if name != "occasion"}
    if item_level and len(items) > 1:
        y, facets = rows.long(items)
        facets.pop("occasion", None)
        design += " x item"
    effects = pooled_of(design)
    return generalizability_study(y, facets, design=design, omit=effects, interval=interval, confidence_level=level)


def pooled_of(design: str) -> tuple[str, ...]:
    """Return the effects of a design that are pooled."""
    wanted = {frozenset(part.strip() for part in name.replace(":", " x ").split(" x ")) for name in POOLED}
    parsed = parse_design(design)
    return tuple(one.name for one in parsed.effects if one.indices in wanted and one != parsed.residual)


def _decision(plan: Plan, n: int) -> Iterator[Statistic]:
    """Yield the coefficients and standard errors as observed, in points, and the needed number of units."""
    now = plan.observed
    notes = tuple(in_words(note) for note in now.flags if note.code != "psychometrics.decision_split_so")
    if now.reasons:
        notes = (Message("dossier.not_told_apart" if plan.n_raters else "dossier.errors_not_told_apart"),)
    for name, figure, factor in DECISIONS:
        low, high = factor * float(now.low[figure][0]), factor * float(now.high[figure][0])
        told = notes
        if factor == POINTS and high > MOST_ERROR:
            high, told = MOST_ERROR, (*notes, Message("dossier.error_bounded", {"most": MOST_ERROR}))
        ci = ConfidenceInterval(low, high, now.confidence_level, now.method)
        yield Statistic.of(name, n, factor * float(getattr(now, figure)[0]), ci, notes=told)
    needed = plan.needed
    name = "needed_files" if plan.unit == "file" else "needed_respondents"
    if math.isfinite(needed.estimate):
        yield Statistic.of(name, n, needed.estimate, needed.ci, notes=notes)
    else:
        why = notes if math.isnan(needed.estimate) else (Message("dossier.out_of_reach", {"limit": needed.limit}),)
        yield Statistic.of(name, n, np.nan, notes=why)
    for raters, other in plan.needed_by_raters.items():
        if math.isfinite(other.estimate):
            yield Statistic.of(f"needed_with_{raters}", n, other.estimate, other.ci)


def _components(made: VarianceComponents) -> Iterator[Statistic]:
    """Yield for each effect its share of the variance of one answer, and its standard deviation in points."""
    for effect, share, value, ci, reason in zip(
        made.effects, made.share, made.estimate, made.ci, made.reasons, strict=True
    ):
        name = effect_key(effect.indices, made)
        told = (reason,) if reason is not None else tuple(flag for flag in made.flags if _is_about(flag, effect))
        notes = tuple(in_words(note) for note in told)
        low, high = (POINTS * math.sqrt(limit) if limit >= 0 else math.nan for limit in (ci.low, ci.high))
        yield Statistic.of(f"share_{name}", made.n, float(share), notes=notes, method=made.estimator)
        spread = ConfidenceInterval(low, high, ci.confidence_level, ci.method)
        yield Statistic.of(f"sd_{name}", made.n, POINTS * math.sqrt(value), spread, notes=notes)


def _is_about(flag: Message, effect: Effect) -> bool:
    """Return whether a flag is about an effect: it names it, or names none; what is pooled is told in the preface."""
    if flag.code == "psychometrics.components_pooled":
        return False
    named = flag.params.get("effects", flag.params.get("factors", ""))
    names = named if isinstance(named, list | tuple) else str(named).split(", ")
    return effect.name in names or not any(names)


def in_words(note: Message) -> Message:
    """Return a message with facets and effects in the words of both languages."""
    spoken = {name: _spoken(value) if name in NAMING else value for name, value in note.params.items()}
    return Message(note.code, spoken)


def _spoken(value: object) -> object:
    names = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(name, str) for name in names):
        return value
    return {language: ", ".join(effect_words(str(name), language) for name in names) for language in LANGUAGES}


def effect_words(effect: str, language: Language) -> str:
    """Return an effect's name in a language."""
    return _WORD.sub(lambda found: facet_word(found[0], language), effect)


def facet_word(facet: str, language: Language) -> str:
    """Return what a facet is called, itself where it has no word."""
    return text(f"dossier.facet_{facet}", language) if facet in FACETS else facet


def effect_key(indices: frozenset[str], made: VarianceComponents) -> str:
    """Return how an effect is named in statistics: its own facets, the residual as such."""
    if indices == made.design.residual.indices:
        return "residual"
    inner = indices - {outer for facet in indices for outer in made.design.nested_in[facet]}
    return "_".join(facet for facet in made.design.facets if facet in inner)


def _error(study: GeneralizabilityStudy, rows: RatedRows, y: Floats) -> Iterator[Statistic]:
    """Yield what each source of error gives to the error variance of an average site's mean, as a share."""
    parts = error_parts(study, rows, rows.conditions(y))
    whole = sum(parts.values())
    for source, variance in parts.items():
        name = f"error_{source.replace(' × ', '_')}"
        if whole > 0 and len(parts) > 1:
            yield Statistic.of(name, study.components.n, variance / whole)


def _levels(rows: RatedRows, items: list[str], level: float) -> Iterator[Statistic]:
    """Yield alpha of respondents within sites, and of sites."""
    x = np.stack([rows.values[item] for item in items], axis=1)
    made = multilevel_alpha(x, rows.codes["site"], missing="listwise", confidence_level=level)
    notes = tuple(dict.fromkeys([*([made.reason] if made.reason else []), *made.flags]))
    yield Statistic.of("alpha_within", made.n, made.within, made.within_ci, notes=notes)
    if made.between > 1.0:
        beyond = Message("dossier.alpha_beyond", {"value": float(made.between)})
        yield Statistic.of("alpha_between", made.n, np.nan, notes=(beyond,))
    else:
        yield Statistic.of("alpha_between", made.n, made.between, made.between_ci, notes=notes)


def variance_parts(target: TargetPrecision) -> dict[str, float]:
    """Return the shares of the variance of one answer by what they are from, in a fixed order.

    "site" holds the site's interactions with fixed items, which are part of its value; "rest" is the unit's with
    raters and the residual.
    """
    made = dict.fromkeys(PARTS, 0.0)
    components = target.study.components
    for effect, share in zip(components.effects, components.share.tolist(), strict=True):
        part = PART_OF.get(effect_key(effect.indices, components), "rest")
        made[part] += 0.0 if math.isnan(share) else share
    return made


def targets_by_source(precision: SitePrecision) -> Mapping[str, list[TargetPrecision]]:
    """Return what was studied, by source."""
    made: dict[str, list[TargetPrecision]] = {}
    for target in precision.targets:
        made.setdefault(target.source, []).append(target)
    return made
