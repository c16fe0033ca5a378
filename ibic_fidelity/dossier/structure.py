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
from ibic_fidelity.psychometrics.exploratory.adequacy import sampling_adequacy
from ibic_fidelity.psychometrics.exploratory.factor_analysis import exploratory_factor_analysis
from ibic_fidelity.psychometrics.exploratory.parallel import parallel_analysis
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
) -> Statistics:
    """Return whether the items of each reflective scale are signs of one thing.

    Each scale gets the Kaiser–Meyer–Olkin measure, the number of factors and components by parallel analysis and
    by Velicer's minimum average partial, and one factor: its share of the variance, residuals, determinacy, and
    each item's loading.  All reflective scales of one source together get the same numbers.  Correlations are
    polychoric.  Formative components have no such structure and are left out.

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

    Returns
    -------
    Statistics
        By complete rows; n is counted after that.  There are no intervals.

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
    options = {"wave": wave, "scales": list(scales), "n_replicates": n_replicates}
    return collected(
        Message("dossier.title_structure"),
        _all_rows(responses, instrument, scales or known, n_replicates, seed),
        instrument,
        provenance=provenance_of(responses, instrument, options),
        confidence_level=0.95,
        preface=(Message("dossier.structure_polychoric"), NO_TEST),
    )


def _all_rows(
    responses: Responses, instrument: Instrument, scales: Sequence[str], n_replicates: int, seed: int
) -> Iterator[Statistic]:
    for answered in responses.tables.values():
        if instrument.by_source[answered.source].kind == "register":
            continue
        wanted = [values for values in unit_values(answered, instrument) if values.component.id in scales]
        with warnings.catch_warnings():  # what is undefined carries its reason in the row
            warnings.simplefilter("ignore", IbicWarning)
            for values in wanted:
                for row in _of_scale(values, n_replicates, seed):
                    yield row.where(source=values.source, component=values.component.id)
            large = [values for values in wanted if len(values.items) >= LEAST_ITEMS]
            if len(large) > 1:
                yield from (row.where(source=answered.source) for row in _of_source(large, n_replicates, seed))


def _of_scale(values: UnitValues, n_replicates: int, seed: int) -> Iterator[Statistic]:
    """Yield what one scale's items share."""
    x, why = _ordered(values.x, values.items)
    if why is not None:
        yield Statistic.of("parallel_factors", 0 if x is None else len(x.values), np.nan, notes=(why,))
        return
    if x is None:
        return
    yield from _numbers(x, n_replicates, seed)
    factor = exploratory_factor_analysis(x, n_factors=1, correlation="polychoric")
    told = tuple(note for note in notes_of(factor.reason, factor.flags) if note != NO_TEST)
    for name, value in (
        ("one_factor_share", factor.variance_share[0]),
        ("one_factor_residual", factor.rmsr),
        ("one_factor_determinacy", factor.determinacy[0]),
    ):
        yield Statistic.of(name, factor.n, value, notes=told)
    kmo = sampling_adequacy(x, correlation="polychoric")
    for j, item in enumerate(values.items):
        notes = notes_of(factor.reason, ())
        yield Statistic.of("one_factor_loading", factor.n, factor.loadings[j, 0], notes=notes).where(item=item)
        yield Statistic.of("kmo", kmo.n, kmo.of_items[j], notes=notes_of(kmo.reason, ())).where(item=item)


def _of_source(scales: list[UnitValues], n_replicates: int, seed: int) -> Iterator[Statistic]:
    """Yield how many factors all scales of one source have together."""
    items = [item for values in scales for item in values.items]
    x, why = _ordered(np.concatenate([values.x for values in scales], axis=1), items)
    if why is not None or x is None:
        n = 0 if x is None else len(x.values)
        yield Statistic.of("parallel_factors", n, np.nan, notes=() if why is None else (why,))
        return
    yield Statistic.of("n_scales", len(x.values), len(scales))
    yield from _numbers(x, n_replicates, seed)


def _numbers(x: Labelled, n_replicates: int, seed: int) -> Iterator[Statistic]:
    """Yield adequacy, and the number of factors and components by each rule."""
    kmo = sampling_adequacy(x, correlation="polychoric")
    yield Statistic.of("kmo", kmo.n, kmo.estimate, notes=notes_of(kmo.reason, kmo.flags))
    parallel = parallel_analysis(x, correlation="polychoric", n_replicates=n_replicates, rng=seed)
    told = notes_of(parallel.reason, parallel.flags)
    partial = minimum_average_partial(x, correlation="polychoric")
    for name, number, notes in (
        ("parallel_factors", parallel.n_factors, told),
        ("parallel_components", parallel.n_components, told),
        ("map_components", partial.n_components, notes_of(partial.reason, partial.flags)),
    ):
        yield Statistic.of(name, parallel.n, number if number >= 0 else np.nan, notes=notes)


def _ordered(x: NDArray[np.float64], items: Sequence[str]) -> tuple[Labelled | None, Message | None]:
    """Return complete answers as codes of ordered categories, or why there are none to use."""
    if x.shape[1] < LEAST_ITEMS:
        return None, Message("dossier.too_few_items_for_structure", {"n": x.shape[1], "least": LEAST_ITEMS})
    complete = x[np.isfinite(x).all(axis=1)]
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
