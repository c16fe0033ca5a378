"""What the check tells an author: every finding provoked once, and silence on the bundled bank."""

import math

import pytest

from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.checks import check_instrument, lix
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Text
from ibic_fidelity.instrument.reading import load_instrument


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


def altered(instrument: Instrument, name: str, *, measure=None, **changes) -> Instrument:
    item = instrument.by_item[name]
    if measure is not None:
        first = item.primary.model_copy(update=measure)
        changes["measures"] = (first, *item.measures[1:])
    items = tuple(item.model_copy(update=changes) if one.id == name else one for one in instrument.items)
    return instrument.model_copy(update={"items": items})


def codes(instrument: Instrument) -> list[tuple[str, str]]:
    warnings = check_instrument(instrument).warnings
    return [(one.item, one.message.code.removeprefix("instrument.check_")) for one in warnings]


def test_the_bundled_bank_has_no_warnings(ibic):
    assert check_instrument(ibic).warnings == ()


def test_lq2002_is_warned_of_its_three_item_scale_only():
    assert codes(load_instrument("lq2002")) == [("", "few_items")]


@pytest.mark.parametrize(
    ("sv", "en"),
    [
        ("Behov och mål anges.", "Needs stated."),
        ("Behov samt mål anges.", "Needs stated."),
        ("Behov/mål anges.", "Needs stated."),
        ("Behov anges.", "Needs and goals stated."),
    ],
)
def test_two_things_in_one_wording(ibic, sv, en):
    text = Text(sv=sv, en=en)
    assert codes(altered(ibic, "ut2", idea=text)) == [("ut2", "double")]
    assert codes(altered(ibic, "ut2", measure={"wording": text})) == [("ut2", "double")]


def test_two_things_in_a_part_of_a_checklist(ibic):
    first, *others = ibic.by_item["ut1"].primary.parts
    doubled = first.model_copy(update={"wording": Text(sv="Behov och mål.", en="Need.")})
    assert codes(altered(ibic, "ut1", measure={"parts": (doubled, *others)})) == [("ut1", "double")]


def test_a_word_that_only_holds_och_is_no_join(ibic):
    assert codes(altered(ibic, "ut2", idea=Text(sv="Dochka står i landet.", en="Sand stands."))) == []


def test_degree_words_in_anchors_of_audits_but_not_of_surveys(ibic):
    no, _ = ibic.by_item["ut2"].primary.anchors
    vague = Text(sv="Kravet är delvis uppfyllt.", en="The demand is partly met.")
    found = codes(altered(ibic, "ut2", measure={"anchors": (no, vague)}))
    assert found == [("ut2", "degree"), ("ut2", "degree")]


def test_anchors_of_two_items(ibic):
    theirs = ibic.by_item["ut2"].primary.anchors
    assert ("ut2", "shared_anchor") in codes(altered(ibic, "ut4", measure={"anchors": theirs}))


def test_an_audit_scale_of_levels_without_own_anchors_is_shared(ibic):
    both = altered(altered(ibic, "gr1", measure={"anchors": ()}), "gr2", measure={"anchors": ()})
    assert ("gr1", "shared_anchor") in codes(both)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"specificity": None}, "no_specificity"),
        ({"law": ()}, "no_law"),
        ({"not_applicable": None}, "no_rule"),
        ({"measure": {"source": "assessor"}}, "self_report"),
    ],
)
def test_what_a_fidelity_item_must_have(ibic, change, code):
    assert codes(altered(ibic, "ut4", **change)) == [("ut4", code)]


def test_a_reflective_scale_of_three_items_and_a_component_of_none(ibic):
    three = tuple(item for item in ibic.items if item.id not in {"st1", "nt1", "nt2", "nt3", "re4"})
    found = codes(ibic.model_copy(update={"items": three}))
    assert found == [("", "few_items"), ("", "empty_component")]


def test_labels_that_spss_would_cut(ibic):
    no, _ = ibic.by_item["ut2"].primary.anchors
    fits, long = Text(sv="å" * 60, en="y"), Text(sv="å" * 61, en="y")
    assert codes(altered(ibic, "ut2", measure={"anchors": (no, fits)})) == []
    assert codes(altered(ibic, "ut2", measure={"anchors": (no, long)})) == [("ut2", "long_label")]
    assert codes(altered(ibic, "ut2", measure={"wording": Text(sv="a" * 256, en="y")})) == [("ut2", "long_label")]


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


def test_every_finding_can_be_said_in_both_languages(ibic):
    broken = altered(ibic, "ut2", specificity=None, law=(), idea=Text(sv="a och b", en="a"), not_applicable=None)
    checked = check_instrument(broken)
    for finding in checked.findings:
        for language in LANGUAGES:
            assert "{" not in finding.line(language)
    assert list(checked.table.columns) == ["item", "reason", "severity", "code"]
    assert len(checked.table) == len(checked.findings)
    assert "4 warning(s)" in checked.summary()
