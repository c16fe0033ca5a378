"""Certification of raters: their ratings of files for which the right answers are known."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.double_ratings import DoubleRatings, ItemRatings, double_ratings
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of_rater
from ibic_fidelity.dossier.unit_values import Labelled
from ibic_fidelity.errors import IbicWarning, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.agreement.single_rater_results import CERTIFIED, NOT_CERTIFIED, RaterCertification
from ibic_fidelity.psychometrics.agreement.single_raters import certify_raters
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

Floats = NDArray[np.float64]
LEAST_KAPPA = 0.70
SAID_BY_THE_VERDICT = "psychometrics.rater_lower_limit_few"
LEAST_FILES = 10
#: "Not applicable" as a category of its own beside no (0) and yes (1): it is a wrong answer where yes or no is right.
DOES_NOT_APPLY = 2.0


def rater_certification(
    responses: Responses, instrument: Instrument, *, gold: str, confidence_level: float = 0.95
) -> Statistics:
    """Return each rater's agreement with a gold standard, and whether it is enough.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Ratings of the same files by the raters and by the gold standard, and the instrument that coded them.
    gold : str
        The name under which the right answers stand in the key `rater`.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    Statistics
        By rater, over all items of yes and no: Cohen's kappa with the gold standard, where "not applicable" is an
        answer of its own, percent agreement, and whether the rater is certified (kappa at least .70 on at least
        ten files; "surely" where a limit passes that reckons with an unseen file rated badly). Items with levels
        get a quadratically weighted kappa of their own, and the rater is ready who passes both. By item: how often
        all raters together gave the right answer. Answers are clustered in files. Part of a kappa over several
        items is that items differ in how common yes is.

    Raises
    ------
    UsageError
        No rater has that name, nobody else rated the same files, or another instrument coded the answers.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> from ibic_fidelity.studies.certification import simulate_certification
    >>> round_ = simulate_certification(seed=1)
    >>> result = rater_certification(round_.responses, load_instrument("ibic"), gold="facit")
    >>> "certified_kappa" in set(result.table["statistic"])
    True
    """
    check_same_instrument(responses, instrument)
    rows: list[Statistic] = []
    known: set[str] = set()
    rated_gold: set[str] = set()
    for table in responses.tables.values():
        if instrument.by_source[table.source].kind != "audit":
            continue
        known |= {label for label in table.rater.labels if label}
        rated = double_ratings(table, instrument)
        if rated is None or gold not in rated.raters:
            continue
        rated_gold |= set(rated.raters)
        with warnings.catch_warnings():  # what is undefined carries its reason in the row
            warnings.simplefilter("ignore", IbicWarning)
            rows += [row.where(source=table.source) for row in _rows(rated, gold, confidence_level)]
    if gold not in known:
        raise UsageError("dossier.unknown_gold", gold=gold, known=sorted(known))
    if not rows:
        raise UsageError("dossier.nobody_beside_gold", gold=gold)
    absent = [Message("dossier.nothing_of_gold", {"rater": name, "gold": gold}) for name in sorted(known - rated_gold)]
    return collected(
        Message("dossier.title_certification"),
        rows,
        instrument,
        provenance=provenance_of(responses, instrument, {"confidence_level": confidence_level, "gold": gold}),
        confidence_level=confidence_level,
        preface=(
            Message("dossier.certification_rule", {"kappa": LEAST_KAPPA, "files": LEAST_FILES, "gold": gold}),
            *absent,
        ),
    )


def _rows(rated: DoubleRatings, gold: str, level: float) -> Iterator[Statistic]:
    at = rated.raters.index(gold)
    others = [g for g in range(len(rated.raters)) if g != at]
    scales = sorted({one.categories for one in rated.items})
    of_scale = [[one for one in rated.items if one.categories == scale] for scale in scales]
    made = [_certified(items, rated.raters, at, others, level) for items in of_scale]
    for place, g in enumerate(others):
        overall = _overall([result.verdict[place] for result in made])
        for number, result in enumerate(made):
            first = (overall,) if number == 0 else ()
            yield from (row.where(rater=rated.raters[g]) for row in _of_rater(result, place, *first))
    for one in rated.items:
        yield _right(_answers(one), at, others).where(component=one.item.component, item=one.item.id)


def _certified(
    items: list[ItemRatings], raters: tuple[str, ...], gold: int, others: list[int], level: float
) -> RaterCertification:
    """Return the raters' certification on the items of one scale, answers clustered in files."""
    scale = items[0].categories
    answers, files = np.concatenate([_answers(one) for one in items]), np.concatenate([one.file for one in items])
    return certify_raters(
        Labelled(answers[:, others], tuple(raters[g] for g in others)),
        answers[:, gold],
        weights=None if len(scale) == 2 else "quadratic",
        categories=(0.0, 1.0, DOES_NOT_APPLY) if len(scale) == 2 else scale,
        least_kappa=LEAST_KAPPA,
        least_units=LEAST_FILES,
        clusters=files,
        confidence_level=level,
    )


def _answers(one: ItemRatings) -> Floats:
    """Return an item's answers (units × parts, raters), "not applicable" as a category where they are yes and no."""
    if len(one.categories) > 2:
        return one.codes
    return np.where(one.applies == 0, DOES_NOT_APPLY, one.codes)


def _right(answers: Floats, gold: int, others: list[int]) -> Statistic:
    both = np.isfinite(answers[:, others]) & np.isfinite(answers[:, [gold]])
    n = int(both.sum())
    right = int((both & (answers[:, others] == answers[:, [gold]])).sum())
    return Statistic.of("right_share", n, right / n if n else np.nan)


def _overall(verdicts: list[str]) -> Message:
    """Return the verdict over all kinds of items: each must be certified."""
    if all(verdict == CERTIFIED for verdict in verdicts):
        return Message("dossier.ready")
    return Message("dossier.not_ready" if NOT_CERTIFIED in verdicts else "dossier.ready_undecided")


def _of_rater(result: RaterCertification, g: int, *first: Message) -> Iterator[Statistic]:
    weighted = result.weighting != "unweighted"
    flags = [flag for flag in result.flags if flag.code != SAID_BY_THE_VERDICT]
    weakened = notes_of_rater(result.raters[g], result.rater_reasons[g], flags)
    notes = (*first, _verdict(result, g), *weakened)
    files = result.rater_units[g] if result.rater_clusters is None else result.rater_clusters[g]
    name = "certified_kappa_weighted" if weighted else "certified_kappa"
    yield Statistic.of(name, files, result.estimate[g], result.ci[g], notes=notes)
    name = "kappa_lower_limit_weighted" if weighted else "kappa_lower_limit"
    yield Statistic.of(name, files, result.lower_limit[g])
    name = "same_answer_levels" if weighted else "percent_agreement"
    yield Statistic.of(name, files, result.percent[g])


def _verdict(result: RaterCertification, g: int) -> Message:
    """Return the verdict; sure is what a limit that reckons with an unseen bad file passes."""
    what = _WHAT["levels" if result.weighting != "unweighted" else "yes_no"]
    if result.verdict[g] == CERTIFIED:
        sure = bool(result.lower_limit_passes[g])
        return Message("dossier.certified_surely" if sure else "dossier.certified", {"what": what})
    return Message(
        "dossier.not_certified" if result.verdict[g] == NOT_CERTIFIED else "dossier.not_decided", {"what": what}
    )


_WHAT = {
    "yes_no": {"sv": "ja- och nejfrågor", "en": "items of yes and no"},
    "levels": {"sv": "frågor med nivåer", "en": "items with levels"},
}
