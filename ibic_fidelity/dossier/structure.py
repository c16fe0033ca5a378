"""Structure of reflective scales: whether the items of each are signs of one thing, by polychoric correlations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.occasion_pairs import one_wave
from ibic_fidelity.dossier.statistics import Statistic, Statistics, collected, notes_of
from ibic_fidelity.dossier.unit_values import Labelled, UnitValues, unit_values
from ibic_fidelity.errors import IbicWarning, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.consistency.ordinal import categorical_omega, ordinal_alpha
from ibic_fidelity.psychometrics.exploratory.adequacy import sampling_adequacy
from ibic_fidelity.psychometrics.exploratory.factor_analysis import exploratory_factor_analysis
from ibic_fidelity.psychometrics.exploratory.parallel import ParallelAnalysis, parallel_analysis
from ibic_fidelity.psychometrics.exploratory.partials import minimum_average_partial
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of

#: Items, and respondents an item, below which nothing is said of structure.
LEAST_ITEMS, LEAST_ROWS = 3, 10
#: Answers to an item above which they are no ordered categories.
MOST_CATEGORIES = 20
#: Said once, of all scales.
NO_TEST = Message("psychometrics.no_test_of_polychoric")


def scale_structure(
    responses: Responses,
    instrument: Instrument,
    *,
    scales: Sequence[str] = (),
    wave: str | None = None,
    n_replicates: int = 200,
    seed: int = 0,
    confidence_level: float = 0.95,
) -> Statistics:
    """Return whether the items of each reflective scale are signs of one thing.

    Each scale gets the Kaiser–Meyer–Olkin measure, the number of factors and components by parallel analysis and
    by Velicer's minimum average partial, and one factor: its share of the variance, residuals, determinacy, and
    each item's loading.  Categorical omega is the reliability of the sum of the answers under that factor, ordinal
    alpha that of the normal values behind them.  All reflective scales of one source together get the same numbers
    of factors.  Correlations are polychoric.  Formative components have no such structure and are left out.

    Parameters
    ----------
    responses, instrument : Responses, Instrument
        Answers, and the instrument that coded them.
    scales : sequence of str
        Components to take; none for all reflective ones.
    wave : str, optional
        The occasion to take, where there are several.
    n_replicates : int
        Of parallel analysis.
    seed : int
        Of its random numbers, 0 or larger.
    confidence_level : float
        Of the intervals of the two reliabilities; the others have none.

    Returns
    -------
    Statistics
        By complete rows; n is counted after that.

    Raises
    ------
    UsageError
        The responses were coded by another instrument, hold several waves and none is named, or a scale is not
        a reflective component.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> result = scale_structure(study.responses, study.instrument, n_replicates=20)
    >>> "parallel_factors" in set(result.table["statistic"])
    True
    """
    check_same_instrument(responses, instrument)
    responses = one_wave(responses, wave)
    known = [part.id for part in instrument.components if part.measurement_model == "reflective"]
    unknown = [scale for scale in scales if scale not in known]
    if unknown:
        raise UsageError("dossier.not_reflective", scale=unknown[0], known=known)
    options = {"wave": wave, "scales": list(scales), "n_replicates": n_replicates, "confidence_level": confidence_level}
    screes: dict[tuple[str, str], ParallelAnalysis] = {}
    rows = list(_all_rows(responses, instrument, scales or known, n_replicates, seed, confidence_level, screes))
    return collected(
        Message("dossier.title_structure"),
        rows,
        instrument,
        provenance=provenance_of(responses, instrument, options),
        confidence_level=confidence_level,
        preface=(Message("dossier.structure_polychoric"), NO_TEST),
        screes=screes,
    )


def _all_rows(
    responses: Responses,
    instrument: Instrument,
    scales: Sequence[str],
    n_replicates: int,
    seed: int,
    level: float,
    screes: dict[tuple[str, str], ParallelAnalysis],
) -> Iterator[Statistic]:
    for answered in responses.tables.values():
        if instrument.by_source[answered.source].kind == "register":
            continue
        wanted = [values for values in unit_values(answered, instrument) if values.component.id in scales]
        with warnings.catch_warnings():  # what is undefined carries its reason in the row
            warnings.simplefilter("ignore", IbicWarning)
            for values in wanted:
                place = (values.source, values.component.id)
                x, why = _ordered(values.x, values.items)
                if why is not None:
                    yield _nothing(x, why).where(source=place[0], component=place[1])
                    continue
                screes[place] = _parallel(x, n_replicates, seed)
                for row in _of_scale(x, screes[place], level):
                    yield row.where(source=place[0], component=place[1])
            large = [values for values in wanted if len(values.items) >= LEAST_ITEMS]
            if len(large) > 1:
                x, why = _together(large)
                if why is not None:
                    yield _nothing(x, why).where(source=answered.source)
                    continue
                screes[answered.source, ""] = parallel = _parallel(x, n_replicates, seed)
                yield Statistic.of("n_scales", len(x.values), len(large)).where(source=answered.source)
                yield from (row.where(source=answered.source) for row in _numbers(x, parallel))


def _nothing(x: Labelled, why: Message) -> Statistic:
    """Return that nothing is said of structure, and why."""
    return Statistic.of("parallel_factors", len(x.values), np.nan, notes=(why,))


def _parallel(x: Labelled, n_replicates: int, seed: int) -> ParallelAnalysis:
    return parallel_analysis(x, correlation="polychoric", n_replicates=n_replicates, rng=seed)


def _of_scale(x: Labelled, parallel: ParallelAnalysis, level: float) -> Iterator[Statistic]:
    """Yield what one scale's items share."""
    yield from _numbers(x, parallel)
    factor = exploratory_factor_analysis(x, n_factors=1, correlation="polychoric")
    told = tuple(note for note in notes_of(factor.reason, factor.flags) if note != NO_TEST)
    for name, value in (
        ("one_factor_share", factor.variance_share[0]),
        ("one_factor_residual", factor.rmsr),
        ("one_factor_determinacy", factor.determinacy[0]),
    ):
        yield Statistic.of(name, factor.n, value, notes=told)
    omega = categorical_omega(x, confidence_level=level)
    yield Statistic.of(
        "categorical_omega", omega.n, omega.estimate, omega.ci, notes=notes_of(omega.reason, omega.flags)
    )
    alpha = ordinal_alpha(x, confidence_level=level)
    yield Statistic.of("ordinal_alpha", alpha.n, alpha.estimate, alpha.ci, notes=notes_of(alpha.reason, alpha.flags))
    kmo = sampling_adequacy(x, correlation="polychoric")
    for j, item in enumerate(x.columns):
        notes = notes_of(factor.reason, ())
        yield Statistic.of("one_factor_loading", factor.n, factor.loadings[j, 0], notes=notes).where(item=item)
        yield Statistic.of("kmo", kmo.n, kmo.of_items[j], notes=notes_of(kmo.reason, ())).where(item=item)


def _together(scales: list[UnitValues]) -> tuple[Labelled, Message | None]:
    """Return the answers to all scales of one source, or why there are none to use."""
    items = [item for values in scales for item in values.items]
    return _ordered(np.concatenate([values.x for values in scales], axis=1), items)


def _numbers(x: Labelled, parallel: ParallelAnalysis) -> Iterator[Statistic]:
    """Yield adequacy, and the number of factors and components by each rule."""
    kmo = sampling_adequacy(x, correlation="polychoric")
    yield Statistic.of("kmo", kmo.n, kmo.estimate, notes=notes_of(kmo.reason, kmo.flags))
    told = notes_of(parallel.reason, parallel.flags)
    partial = minimum_average_partial(x, correlation="polychoric")
    for name, number, notes in (
        ("parallel_factors", parallel.n_factors, told),
        ("parallel_components", parallel.n_components, told),
        ("map_components", partial.n_components, notes_of(partial.reason, partial.flags)),
    ):
        yield Statistic.of(name, parallel.n, number if number >= 0 else np.nan, notes=notes)


def _ordered(x: NDArray[np.float64], items: Sequence[str]) -> tuple[Labelled, Message | None]:
    """Return complete answers as codes of ordered categories, and why they cannot be used."""
    complete = x[np.isfinite(x).all(axis=1)]
    if x.shape[1] < LEAST_ITEMS:
        return Labelled(complete, tuple(items)), Message(
            "dossier.too_few_items_for_structure", {"n": x.shape[1], "least": LEAST_ITEMS}
        )
    least = LEAST_ROWS * x.shape[1]
    codes = np.empty(complete.shape)
    most = 0
    for j, column in enumerate(np.round(complete, 9).T):
        used, codes[:, j] = np.unique(column, return_inverse=True)
        most = max(most, len(used))
    made = Labelled(codes, tuple(items))
    if len(complete) < least:
        return made, Message("dossier.too_few_rows_for_structure", {"n": len(complete), "least": least})
    if most > MOST_CATEGORIES:
        return made, Message("dossier.not_ordered", {"n": most, "most": MOST_CATEGORIES})
    return made, None
