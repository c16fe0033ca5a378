"""What an author should look at again in an instrument that the reader accepts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument import design, platforms, wordings
from ibic_fidelity.instrument.findings import Finding, InstrumentCheck, informed, warned
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Measure, Text

#: After this a legal source should be looked up again.
LEGAL_CHECK_HOLDS = timedelta(days=365)


def check_instrument(instrument: Instrument, *, today: date | None = None) -> InstrumentCheck:
    """Check what an instrument's author can be told before anybody has answered it.

    Parameters
    ----------
    instrument : Instrument
        As `load_instrument` returns it; what that refuses (a reflective scale of two informants or formats, bands
        with gaps, anchors that are too few, a text in one language, ids with characters, case or length that some
        program cannot carry) is not looked for again.
    today : date, optional
        The day against which the dates of legal sources are held; the present day where none is given.

    Returns
    -------
    InstrumentCheck
        Warnings on wordings that ask two things or hold a list; anchors that are missing, stand twice or are words
        of degree; texts that are not translated; labels that SPSS would cut; ids that a program keeps for
        itself; fidelity items without definition, specificity, law, rule of "not applicable", citation with
        standing, or, where documents are read, where to look and how to decide in doubt; gates, weights and bands
        that cannot work as meant; reflective components of fewer than four items. For information: the LIX of each form
        and of items over twelve words, unequal weights, items read alike under several acts and
        legal sources that nobody has checked.

    Notes
    -----
    LIX is the mean number of words a sentence plus the percentage of words over six letters. In a short
    text one long word moves it by ten or more, so it is a figure here and no verdict [1]_.

    References
    ----------
    .. [1] Björnsson, C.-H. (1968). Läsbarhet. Liber.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> checked = check_instrument(load_instrument("lq2002"))
    >>> [finding.message.text("en") for finding in checked.warnings]
    ['The reflective component tsig has 3 item(s).']
    """
    findings: list[Finding] = []
    fidelity = {item.id for item in design.fidelity_items(instrument)}
    for item in instrument.items:
        findings += wordings.texts_of_item(instrument, item)
        if item.id in fidelity:
            findings += design.fidelity_item(instrument, item)
        findings += design.gate(instrument, item)
    findings += _shared_anchors(instrument)
    findings += platforms.ids_and_codes(instrument)
    for component in instrument.components:
        findings += design.component(instrument, component)
    findings += design.totals_and_bands(instrument)
    findings += design.laws_read_alike(instrument)
    for source in instrument.sources:
        findings += wordings.texts_of_form(instrument, source)
    findings += _legal(instrument, date.today() if today is None else today)
    return InstrumentCheck(instrument.id, instrument.version, tuple(dict.fromkeys(findings)))


def _legal(instrument: Instrument, today: date) -> Iterator[Finding]:
    for reference in instrument.references:
        checked = reference.in_force_checked
        if checked == "unchecked":
            yield informed("", "instrument.check_legal_unchecked", reference=reference.id)
        elif checked is not None and checked > today:
            yield warned("", "instrument.check_legal_ahead", reference=reference.id, checked=checked.isoformat())
        elif checked is not None and today - checked > LEGAL_CHECK_HOLDS:
            yield informed("", "instrument.check_legal_old", reference=reference.id, checked=checked.isoformat())


def _shared_anchors(instrument: Instrument) -> Iterator[Finding]:
    users: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in instrument.items:
        for measure in item.measures:
            for anchor in _own_anchors(instrument, measure):
                for language in LANGUAGES:
                    users[language, anchor[language].casefold()].append(item.id)
    for (spoken, _), owners in users.items():
        items = sorted(set(owners))
        if len(items) > 1:
            yield warned(owners[0], "instrument.check_shared_anchor", items=items, language=spoken)


def _own_anchors(instrument: Instrument, measure: Measure) -> tuple[Text, ...]:
    """Return the anchors that must be one item's alone: yes and no, and a survey's format, are common."""
    by_law = tuple(anchor for variant in measure.by_law.values() for anchor in variant.anchors)
    if measure.anchors:
        return (*measure.anchors, *by_law)
    scale = instrument.by_scale[measure.scale]
    audit = instrument.by_source[measure.source].kind == "audit"
    return tuple(level.anchor for level in scale.levels) if scale.type == "levels" and audit else by_law
