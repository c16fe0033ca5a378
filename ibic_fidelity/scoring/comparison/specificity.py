"""Sub-scores by how specific their items are: to IBIC, shared with good practice, or asked by law of everybody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, Message, text
from ibic_fidelity.instrument.calibration import Calibration
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Component, Specificity, Text, Total
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores

#: In the order in which they are shown.
SPECIFICITIES: tuple[Specificity, ...] = ("ibic", "shared", "law")


def score_by_specificity(
    responses: Responses, instrument: Instrument, target: str = "total_core", *, confidence_level: float = 0.95
) -> Scores:
    """Score the items of a total apart by their specificity, the ones specific to IBIC first.

    Parameters
    ----------
    responses : Responses
        Answers coded by this very instrument.
    instrument : Instrument
        Its items say how specific they are; items that do not say are left out, and told.
    target : str
        Id of the total whose items are taken.
    confidence_level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    Scores
        Raw scores whose components are ``specificity_ibic``, ``specificity_shared`` and ``specificity_law``, in this
        order within each site: each the mean of its items, weighted as items are, made in every way as components
        are. They may be given to `compare_sites`, `compare_waves` and `site_funnel`. There are no totals, gates or
        bands.

    Raises
    ------
    UsageError
        There is no such total, none of its items says how specific it is, or the responses are of another instrument.

    Notes
    -----
    Where the instrument carries a calibration, that of the total stands for the errors that these data do not show.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4, users=0), seed=1)
    >>> scores = ibic.score_by_specificity(study.responses, study.instrument)
    >>> scores.table["component"].tolist()[:3]
    ['specificity_ibic', 'specificity_shared', 'specificity_law']
    """
    given: tuple[object, object] = (responses, instrument)
    if not (isinstance(given[0], Responses) and isinstance(given[1], Instrument)):
        raise ArgumentTypeError("scoring.wrong_kind", got=[type(one).__name__ for one in given])
    check_same_instrument(responses, instrument)
    total = next((one for one in instrument.totals if one.id == target), None)
    if total is None:
        raise UsageError("scoring.unknown_target", value=repr(target), known=[one.id for one in instrument.totals])
    turned, untold = _turned(instrument, total)
    coded = replace(
        responses, instrument_id=turned.id, instrument_version=turned.version, instrument_sha256=turned.sha256
    )
    made = score_municipalities(coded, turned, confidence_level=confidence_level)
    names = [part.id for part in turned.components if part.id.startswith("specificity_")]
    kept = np.isin(made.rows["component"].astype(str), names) & (made.rows["level"] == "component")
    notes = list(made.notes)
    if untold:
        notes.append(Message("scoring.specificity_untold", {"items": untold}))
    return replace(
        made,
        rows=made.rows.where(kept),
        gates=made.gates.where(np.zeros(len(made.gates), dtype=bool)),
        bands=made.bands.where(np.zeros(len(made.bands), dtype=bool)),
        spread=made.spread.where(np.isin(made.spread["target"].astype(str), names)),
        notes=tuple(notes),
        provenance=replace(
            made.provenance,
            instrument_sha256=instrument.sha256,
            options={**made.provenance.options, "kind": "specificity", "target": target},
        ),
    )


def _turned(instrument: Instrument, total: Total) -> tuple[Instrument, list[str]]:
    """Return the instrument with the total's items in a component a specificity, and items that have none."""
    inside = {part.id for part in instrument.components_of(total)}
    moved = {item.id: item.specificity for item in instrument.items if item.component in inside}
    used = [name for name in SPECIFICITIES if name in moved.values()]
    if not used:
        raise UsageError("scoring.no_specificity", total=total.id)
    components = [
        Component(
            id=f"specificity_{name}",
            label=Text(**{lang: text(f"scoring.specificity_{name}", lang) for lang in LANGUAGES}),
            dimension="context",
            measurement_model="formative",
        )
        for name in used
    ]
    items = [
        item.model_copy(update={"component": f"specificity_{moved[item.id]}", "gate": None})
        if moved.get(item.id)
        else item
        for item in instrument.items
    ]
    changes = {
        "components": (*components, *instrument.components),
        "items": tuple(items),
        "calibration": _calibration(instrument, total, [part.id for part in components]),
    }
    return instrument.replaced(**changes), [item for item, name in moved.items() if name is None]


def _calibration(instrument: Instrument, total: Total, names: list[str]) -> Calibration | None:
    calibration = instrument.calibration
    if calibration is None:
        return None
    rows = [
        row.model_copy(update={"target": name}) for row in calibration.rows if row.target == total.id for name in names
    ]
    return calibration.model_copy(update={"rows": (*calibration.rows, *rows)})
