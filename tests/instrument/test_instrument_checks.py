"""What the check tells an author: every finding provoked once, and silence on the bundled bank."""

import math
from datetime import date

import pytest

from ibic_fidelity.foundation.messages import LANGUAGES, catalogue
from ibic_fidelity.instrument.checks import check_instrument
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import (
    ChecklistPart,
    Gate,
    LawVariant,
    MissingCodes,
    Reference,
    Text,
)
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.instrument.wordings import lix

IBIC = load_instrument("ibic")
#: Bytes of the longest texts that SPSS keeps whole.
LABEL, VALUE = 255, 120


@pytest.fixture
def ibic():
    return IBIC


def altered(instrument: Instrument, name: str, *, measure=None, **changes) -> Instrument:
    item = instrument.by_item[name]
    if measure is not None:
        first = item.primary.model_copy(update=measure)
        changes["measures"] = (first, *item.measures[1:])
    items = tuple(item.model_copy(update=changes) if one.id == name else one for one in instrument.items)
    return instrument.model_copy(update={"items": items})


def whole(**changes) -> Instrument:
    return IBIC.model_copy(update=changes)


def with_part(field: str, name: str, **changes) -> Instrument:
    parts = getattr(IBIC, field)
    return whole(**{field: tuple(one.model_copy(update=changes) if one.id == name else one for one in parts)})


def codes(instrument: Instrument) -> list[tuple[str, str]]:
    warnings = check_instrument(instrument).warnings
    return [(one.item, one.message.code.removeprefix("instrument.check_")) for one in warnings]


def told(instrument: Instrument, today: date | None = None) -> set[str]:
    findings = check_instrument(instrument, today=today).findings
    return {one.message.code.removeprefix("instrument.check_") for one in findings}


def text(sv: str, en: str = "It is seen.") -> Text:
    return Text(sv=sv, en=en)


def yes_is(sv: str, en: str = "It is seen.") -> dict[str, object]:
    return {"anchors": (IBIC.by_item["ut2"].primary.anchors[0], text(sv, en))}


def under_lss(**changes) -> dict[str, object]:
    return {"by_law": {"LSS": LawVariant(**changes)}}


def first_part(sv: str, name: str = "ut1") -> dict[str, object]:
    first, *others = IBIC.by_item[name].primary.parts
    return {"parts": (first.model_copy(update={"wording": text(sv)}), *others)}


UT2_NO = IBIC.by_item["ut2"].primary.anchors[0]
THIRD = IBIC.bands[2]
RUMOUR = Reference(id="rumour", citation="Sägs.")

#: An alteration of the bank, and the warnings that it must give: item and code.
WARNINGS = {
    "och in the idea": (altered(IBIC, "ut2", idea=text("Behov och mål anges.")), [("ut2", "double")]),
    "samt in the wording": (altered(IBIC, "ut2", measure={"wording": text("Behov samt mål.")}), [("ut2", "double")]),
    "slash": (altered(IBIC, "ut2", measure={"wording": text("Behov/mål.")}), [("ut2", "double")]),
    "and": (altered(IBIC, "ut2", idea=text("Behov.", "Needs and goals.")), [("ut2", "double")]),
    "two in a part": (altered(IBIC, "ut1", measure=first_part("Behov och mål.")), [("ut1", "double")]),
    "two in an anchor of yes and no": (altered(IBIC, "ut2", measure=yes_is("Datum och mål.")), [("ut2", "double")]),
    "two under one law": (
        altered(IBIC, "ut2", measure=under_lss(wording=text("Behov och mål."))),
        [("ut2", "double")],
    ),
    "two in the easy wording": (altered(IBIC, "ut2", measure={"easy": text("Hjälp och mål?")}), [("ut2", "double")]),
    "a list": (altered(IBIC, "ut2", idea=text("Behov, mål eller datum anges.")), [("ut2", "list")]),
    "a list in English": (altered(IBIC, "ut2", idea=text("Behov.", "Needs, goals, or dates.")), [("ut2", "list")]),
    "word of degree in an anchor": (
        altered(IBIC, "ut2", measure=yes_is("Kravet är delvis uppfyllt.", "The demand is partly met.")),
        [("ut2", "degree"), ("ut2", "degree")],
    ),
    "word of degree in a part": (
        altered(IBIC, "ut1", measure=first_part("Behovet är väl angivet.")),
        [("ut1", "degree")],
    ),
    "word of degree under one law": (
        altered(IBIC, "ut2", measure=under_lss(anchors=(text("Inget syns."), text("Valet är helt klart.", "Clear.")))),
        [("ut2", "degree")],
    ),
    "two levels with one anchor": (
        altered(IBIC, "ut2", measure={"anchors": (UT2_NO, text(UT2_NO.sv))}),
        [("ut2", "anchor_twice")],
    ),
    "yes and no without anchors": (altered(IBIC, "ut2", measure={"anchors": ()}), [("ut2", "no_anchors")]),
    "not translated": (
        altered(IBIC, "ut2", rationale=text("Valet ska synas.", "Valet ska synas.")),
        [("ut2", "untranslated")],
    ),
    "part not translated": (
        altered(
            IBIC,
            "ut1",
            measure={
                "parts": (
                    ChecklistPart(id="ut1a", wording=text("Ett två tre.", "Ett två tre.")),
                    *IBIC.by_item["ut1"].primary.parts[1:],
                )
            },
        ),
        [("ut1", "untranslated")],
    ),
    "guide not translated": (
        altered(IBIC, "ut2", measure={"look": text("Läs hela akten.", "Läs hela akten.")}),
        [("ut2", "untranslated")],
    ),
    "long anchor": (altered(IBIC, "ut2", measure=yes_is("å" * (VALUE // 2 + 1))), [("ut2", "long_label")]),
    "long wording": (altered(IBIC, "ut2", measure={"wording": text("a" * (LABEL + 1))}), [("ut2", "long_label")]),
    "long anchor under one law": (
        altered(IBIC, "ut2", measure=under_lss(anchors=(text("Inget syns.", "No."), text("a" * (VALUE + 1))))),
        [("ut2", "long_label")],
    ),
    "reserved by SPSS": (altered(IBIC, "ut2", measure={"id": "with"}), [("ut2", "reserved"), ("ut2", "reserved")]),
    "reserved by Stata": (altered(IBIC, "ut2", measure={"id": "str12"}), [("ut2", "reserved")]),
    "reserved by LimeSurvey": (altered(IBIC, "ut2", measure={"id": "token"}), [("ut2", "reserved")]),
    "reserved by XLSForm": (altered(IBIC, "ut2", measure={"id": "xmlut"}), [("ut2", "reserved")]),
    "reserved by Qualtrics": (altered(IBIC, "ut2", measure={"id": "status"}), [("ut2", "reserved")]),
    "part reserved": (
        altered(
            IBIC,
            "ut1",
            measure={
                "parts": (
                    ChecklistPart(id="time", wording=text("Ett behov anges.")),
                    *IBIC.by_item["ut1"].primary.parts[1:],
                )
            },
        ),
        [("ut1", "reserved")],
    ),
    "id of a key": (altered(IBIC, "ut2", measure={"id": "granskare"}), [("ut2", "id_is_key")]),
    "one column in two forms": (altered(IBIC, "ut2", measure={"id": "gr1"}), [("", "column_twice")]),
    "count of a register figure as an item": (altered(IBIC, "ut2", measure={"id": "ta1n"}), [("", "column_twice")]),
    "four missing codes": (
        with_part("scales", "staff_extent", missing=MissingCodes(dont_know=("7", "8"), not_applicable=("9", "10"))),
        [("", "missing_codes")],
    ),
    "no specificity": (altered(IBIC, "ut4", specificity=None), [("ut4", "no_specificity")]),
    "no law": (altered(IBIC, "ut4", law=()), [("ut4", "no_law")]),
    "no rule of not applicable": (altered(IBIC, "ut4", not_applicable=None), [("ut4", "no_rule")]),
    "self-report": (altered(IBIC, "ut4", measure={"source": "assessor"}), [("ut4", "self_report")]),
    "no definition": (altered(IBIC, "ut4", definition=None), [("ut4", "no_definition")]),
    "nowhere to look": (altered(IBIC, "ut4", measure={"look": None}), [("ut4", "no_guide")]),
    "no rule of doubt": (altered(IBIC, "ut4", measure={"doubt": None}), [("ut4", "no_guide")]),
    "nowhere to look in a register": (altered(IBIC, "ta2", measure={"look": None}), [("ta2", "no_guide")]),
    "cites only what nobody has read": (
        altered(whole(references=(*IBIC.references, RUMOUR)), "ut4", cites=("rumour",)),
        [("ut4", "no_standing")],
    ),
    "gate outside the core": (altered(IBIC, "gr1", gate=Gate(cut=0.5)), [("gr1", "gate_not_core")]),
    "gate on a register figure": (altered(IBIC, "ta1", gate=Gate(cut=0.5)), [("ta1", "gate_register")]),
    "gate that never holds": (altered(IBIC, "ut5", gate=Gate(cut=0.05)), [("ut5", "gate_cut")]),
    "gate that always holds": (altered(IBIC, "ut5", gate=Gate(cut=0.99)), [("ut5", "gate_cut")]),
    "gates without bands": (
        whole(bands=()),
        [(name, "gate_no_bands") for name in ("ut5", "bu1", "pl2", "up1")],
    ),
    "one item outweighs its component": (altered(IBIC, "ut2", weight=9), [("", "heavy")]),
    "one component outweighs the totals": (with_part("components", "ut", weight=9), [("", "heavy")] * 2),
    "weight that enters nothing": (with_part("components", "fo", weight=2), [("", "weight_idle")]),
    "bands without a total": (whole(totals=()), [("", "bands_no_total")]),
    "band within its own error": (with_part("bands", "b4", se=0.06), [("", "band_narrow")]),
    "two bands of one name": (with_part("bands", "b4", label=THIRD.label), [("", "band_label")]),
    "law checked tomorrow": (
        with_part("references", "sosfs", in_force_checked=date(9000, 1, 1)),
        [("", "legal_ahead")],
    ),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_a_fault_of_an_author_is_told(case):
    instrument, expected = WARNINGS[case]
    assert codes(instrument) == expected


@pytest.mark.parametrize("case", WARNINGS)
def test_every_finding_can_be_said_in_both_languages(case):
    checked = check_instrument(WARNINGS[case][0])
    for finding in checked.findings:
        for language in LANGUAGES:
            assert "{" not in finding.line(language)
    assert list(checked.table.columns) == ["item", "reason", "severity", "code"]
    assert len(checked.table) == len(checked.findings)
    assert f"{len(checked.warnings)} warning(s)" in checked.summary()


def test_every_finding_there_is_has_been_provoked():
    """So that no check is left that nothing can set off; information is provoked by the tests below."""
    provoked = {code for _, expected in WARNINGS.values() for _, code in expected}
    elsewhere = {
        "shared_anchor",
        "few_items",
        "empty_component",
        "lix",
        "form_lix",
        "weights",
        "laws_alike",
        "legal_unchecked",
        "legal_old",
    }
    there_are = {
        key.removeprefix("instrument.check_") for key in catalogue("sv") if key.startswith("instrument.check_")
    }
    assert {one for one in there_are if not one.endswith("_remedy")} == provoked | elsewhere


def test_the_bundled_bank_has_no_warnings(ibic):
    assert check_instrument(ibic).warnings == ()


def test_lq2002_is_warned_of_its_three_item_scale_only():
    assert codes(load_instrument("lq2002")) == [("", "few_items")]


HARMLESS = {
    "a word that only holds och": altered(IBIC, "ut2", idea=text("Dochka står i landet.", "Sand stands.")),
    "an anchor of sixty two-byte letters": altered(IBIC, "ut2", measure=yes_is("å" * (VALUE // 2))),
    "a wording that just fits": altered(IBIC, "ut2", measure={"wording": text("a" * LABEL)}),
    "two words alike in both languages": altered(IBIC, "ut2", idea=text("ICF 9.", "ICF 9.")),
    "a word of degree in a survey": IBIC,
    "a heavier item that is not half": altered(IBIC, "ut2", weight=2),
    "a cut with a small error": with_part("bands", "b4", se=0.02),
    "a gate of a checklist": altered(IBIC, "pl3", gate=Gate(cut=0.5)),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_is_no_fault_is_not_told(case):
    assert codes(HARMLESS[case]) == []


def test_anchors_of_two_items(ibic):
    theirs = ibic.by_item["ut2"].primary.anchors
    assert ("ut2", "shared_anchor") in codes(altered(ibic, "ut4", measure={"anchors": theirs}))
    assert codes(altered(ibic, "ut4", measure=under_lss(anchors=(UT2_NO, text("Skalvärde finns."))))) == [
        ("ut2", "shared_anchor"),
        ("ut2", "shared_anchor"),
    ]


def test_an_audit_scale_of_levels_without_own_anchors_is_shared(ibic):
    both = altered(altered(ibic, "gr1", measure={"anchors": ()}), "gr2", measure={"anchors": ()})
    assert ("gr1", "shared_anchor") in codes(both)


def test_a_reflective_scale_of_three_items_and_a_component_of_none(ibic):
    three = tuple(item for item in ibic.items if item.id not in {"st1", "nt1", "nt2", "nt3", "re4"})
    found = codes(ibic.model_copy(update={"items": three}))
    assert found == [("", "few_items"), ("", "empty_component")]


def test_unequal_weights_are_a_figure(ibic):
    assert "weights" not in told(ibic)
    assert "weights" in told(altered(ibic, "ut2", weight=2))


def test_items_read_alike_under_several_acts_are_named(ibic):
    (finding,) = [one for one in check_instrument(ibic).findings if one.message.code.endswith("laws_alike")]
    assert finding.severity == "information"
    alike = finding.message.params["items"]
    assert "ut2" in alike
    assert not {"ut5", "bu1", "bu3", "re6"} & set(alike)
    assert finding.message.params["n"] == len(alike)


def test_a_legal_source_checked_more_than_a_year_ago():
    seen = with_part("references", "sosfs", in_force_checked=date(2026, 11, 1))
    assert "legal_old" not in told(seen, date(2027, 11, 1))
    assert "legal_old" in told(seen, date(2027, 11, 2))


def test_every_form_has_its_lix(ibic):
    figures = {
        one.message.params["source"]: one.message.params["lix"]
        for one in check_instrument(ibic).findings
        if one.message.code.endswith("form_lix")
    }
    assert set(figures) == {source.id for source in ibic.sources}
    assert figures["user"] < figures["assessor"] < figures["documents"]


def test_lix_is_information_on_items_of_more_than_twelve_words(ibic):
    twelve = Text(sv="ett " * 12, en="one")
    thirteen = Text(sv="ett " * 13, en="one")
    assert not _lix_of(altered(ibic, "ut2", measure={"wording": twelve}))
    (finding,) = _lix_of(altered(ibic, "ut2", measure={"wording": thirteen}))
    assert finding.severity == "information"
    assert finding.message.params["lix"] == 13


def _lix_of(instrument):
    return [f for f in check_instrument(instrument).findings if f.item == "ut2" and f.message.code.endswith("_lix")]


def test_lix_by_hand():
    """Two sentences, 8 words, 2 of them over six letters: 4 + 25."""
    assert lix("Personen deltog själv. Datum finns i hennes utredning.") == pytest.approx(8 / 2 + 100 * 2 / 8)
    assert math.isnan(lix("… 12"))
