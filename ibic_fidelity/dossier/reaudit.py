"""Sites audited at two occasions on other files: how far their scores agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.occasion_pairs import fresh_only
from ibic_fidelity.dossier.statistics import Statistic, notes_of
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY
from ibic_fidelity.psychometrics import (
    LimitsOfAgreement,
    intraclass_correlation,
    limits_of_agreement,
)
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.scoring.municipalities import score_municipalities

Floats = NDArray[np.float64]
LEAST_SITES = 3
FEW_SITES = 10  # the protocol of validation re-audits at least as many
FEW_RATERS = "psychometrics.agreement_interval_few_raters"
OF_TWO_RATERS = frozenset({FEW_RATERS, "psychometrics.agreement_two_raters"})
Waves = tuple[str, str]


def reaudited(
    responses: Responses, instrument: Instrument, waves: Waves, level: float
) -> tuple[list[Statistic], list[Message]]:
    """Return the statistics of sites that were audited in both waves, and what must be known of them."""
    fresh, sites = fresh_only(responses, instrument, *waves)
    if not sites:
        return [], [Message("dossier.no_reaudit")]
    same = len(_same_rater(fresh, instrument, sites, waves))
    told = [Message("dossier.reaudited", {"n": len(sites), "same": same})]
    return list(_rows(fresh, instrument, sites, waves, level)), told


def icc_rows(name: str, x: Floats, level: float, *more: Message) -> Iterator[Statistic]:
    """Yield ICC(A,1) and ICC(C,1) of two occasions (units, 2), with intervals and what weakens them.

    Agreement counts a change of level between the occasions as error; two occasions say little of how much
    there is, which only the modified interval shows. Consistency leaves it out.
    """
    agreement = intraclass_correlation(x, confidence_level=level)
    notes = tuple(note for note in notes_of(agreement.reason, agreement.flags) if note.code not in OF_TWO_RATERS)
    yield Statistic.of(name, agreement.n, agreement.estimate, agreement.ci_adjusted, notes=(*notes, *more))
    order = intraclass_correlation(x, definition="consistency", confidence_level=level)
    told = (*notes_of(order.reason, order.flags), *more)
    yield Statistic.of(f"{name}_consistency", order.n, order.estimate, order.ci_adjusted, notes=told)


def agreement_rows(limits: LimitsOfAgreement) -> Iterator[Statistic]:
    """Yield the mean difference and both limits of agreement."""
    reason = limits.reason if np.isnan(limits.estimate) else None
    notes = notes_of(reason, limits.flags)
    yield Statistic.of("mean_difference", limits.n, limits.estimate, limits.ci, notes=notes_of(reason, ()))
    yield Statistic.of("lower_limit", limits.n, limits.lower, limits.lower_ci, notes=notes)
    yield Statistic.of("upper_limit", limits.n, limits.upper, limits.upper_ci, notes=notes)


def _same_rater(responses: Responses, instrument: Instrument, sites: set[str], waves: Waves) -> set[str]:
    """Return the sites at which some rater took part both times."""
    took_part: dict[str, set[tuple[str, str]]] = {wave: set() for wave in waves}
    for name, table in responses.tables.items():
        if instrument.by_source[name].kind == "audit" and not instrument.by_source[name].single:
            for site, wave, rater in zip(table.site.text, table.wave.text, table.rater.text, strict=True):
                if rater:
                    took_part[wave].add((site, rater))
    return {site for site, _ in took_part[waves[0]] & took_part[waves[1]] if site in sites}


def _rows(
    responses: Responses, instrument: Instrument, sites: set[str], waves: Waves, level: float
) -> Iterator[Statistic]:
    rows = score_municipalities(responses, instrument, confidence_level=level).rows
    rows = rows.where((rows["service_area"] == "") & np.isin(rows["level"].astype(str), ["component", "total"]))
    place = {
        (kind, component or total, site, wave): (estimate, low, high)
        for kind, component, total, site, wave, estimate, low, high in zip(
            *(rows[name].tolist() for name in ("level", "component", "statistic", "site", "wave")),
            *(rows[name].astype(float).tolist() for name in ("estimate", "ci_low", "ci_high")),
            strict=True,
        )
    }
    for kind, name, source in _targets(instrument):
        scores = np.array(
            [[place.get((kind, name, site, wave), (np.nan,) * 3) for wave in waves] for site in sorted(sites)]
        )
        known = np.isfinite(scores[:, :, 0]).all(axis=1)
        yield from (row.where(component=name, source=source) for row in _target(scores[known], level))


def _targets(instrument: Instrument) -> Iterator[tuple[str, str, str]]:
    """Yield the totals and the components that audits answer: level, id, and the source where it is one."""
    for total in instrument.totals:
        yield "total", total.id, ""
    audits = {source.id for source in instrument.sources if source.kind == "audit"}
    fidelity = any(component.dimension in FIDELITY for component in instrument.components)
    for component in instrument.components:
        sources = {item.primary.source for item in instrument.items_of(component.id)}
        if sources & audits and (component.dimension in FIDELITY or not fidelity):
            yield "component", component.id, next(iter(sources)) if len(sources) == 1 else ""


def _target(scores: Floats, level: float) -> Iterator[Statistic]:
    """Yield the agreement of the scores (sites, waves, estimate and limits) of one target."""
    n, x = len(scores), scores[:, :, 0]
    if n < LEAST_SITES:
        yield Statistic.of("reaudit_icc", n, np.nan, notes=(Message("dossier.too_few_sites", {"n": n}),))
        return
    few = (Message("dossier.few_sites", {"n": n, "least": FEW_SITES}),) if n < FEW_SITES else ()
    yield from icc_rows("reaudit_icc", x, level, *few)
    yield from agreement_rows(limits_of_agreement(x[:, 1], x[:, 0], confidence_level=level))
    with_interval = scores[np.isfinite(scores).all(axis=(1, 2))]
    if len(with_interval):
        yield from _overlap(with_interval[:, :, 1], with_interval[:, :, 2], level)


def _overlap(low: Floats, high: Floats, level: float) -> Iterator[Statistic]:
    """Yield the share of sites whose intervals overlap, and what it would be in the mean without any change."""
    from scipy.special import ndtr, ndtri

    overlap = (low[:, 0] <= high[:, 1]) & (low[:, 1] <= high[:, 0])
    half = (high - low) / 2
    reach = half.sum(axis=1) / np.hypot(half[:, 0], half[:, 1]) * ndtri(0.5 + level / 2)
    yield Statistic.of("overlap_share", len(low), overlap.mean())
    yield Statistic.of("overlap_expected", len(low), float(np.mean(2 * ndtr(reach) - 1)))
