"""The bundled instruments as content: what the bank must hold, whoever rewords it."""

import csv
import re

import pytest

from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.checks import check_instrument
from ibic_fidelity.instrument.reading import load_instrument

STEMS = {"ut": 6, "bu": 4, "pl": 6, "up": 5, "do": 3, "gr": 3, "ta": 3, "fr": 3, "kv": 6, "re": 6, "di": 4}
CANDIDATES = {f"{stem}{i}" for stem, n in (STEMS | {"fo": 10}).items() for i in range(1, n + 1)}
GATES = {"ut5", "bu1", "pl2", "up1"}
REFLECTIVE = {  # component: informant, smallest number of items (measurement.md, section 2)
    "de": ("user", 6),
    "ml": ("user", 4),
    "sa": ("relative", 4),
    "ty": ("provider", 4),
    "ha": ("provider", 4),
    "st": ("assessor", 4),
}
RESTATES = {
    "participation": {"ut1", "up5", "re6"},
    "followup_made": {"bu2", "up1", "up2", "up3", "up4", "fr1", "fr3", "gr1", "gr2", "gr3"},
    "commission_clear": {"bu4", "pl4", "di3"},
    "need_led": {"ut5", "bu1", "pl5"},
    "equivalence": {"bu3"},
    "cooperation_staff": {"pl6"},
}


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


def fidelity_items(instrument):
    fidelity = {part.id for part in instrument.components if part.dimension in {"core", "extended"}}
    return [item for item in instrument.items if item.component in fidelity]


def test_every_candidate_is_an_item_or_retired(ibic):
    items, retired = set(ibic.by_item), {one.id for one in ibic.retired}
    assert len(CANDIDATES) == 59
    assert items | retired >= CANDIDATES
    assert not items & retired
    assert retired == {"di1", "di2", "ta3", "kv2"}


def test_what_retired_candidates_became_exists(ibic):
    assert {name for one in ibic.retired for name in one.became} <= set(ibic.by_item)


def test_labels_of_candidates_are_their_ids_with_swedish_letters(ibic):
    for name in CANDIDATES & set(ibic.by_item):
        printed = re.sub("^TA", "TÄ", re.sub("^FO", "FÖ", name.upper()))
        assert ibic.by_item[name].label == printed


def test_fidelity_items_say_everything_that_they_must(ibic):
    for item in fidelity_items(ibic):
        assert item.specificity is not None
        assert set(item.law) <= {"SoL", "LSS"}
        assert item.law
        if ibic.by_scale[item.primary.scale].missing.not_applicable:
            assert item.not_applicable is not None


def test_every_text_differs_between_the_languages(ibic):
    for item in ibic.items:
        for one in (item.idea, item.rationale, *(measure.wording for measure in item.measures)):
            assert one.sv != one.en


def test_core_is_seen_in_files_and_registers_and_extended_in_documents(ibic):
    for item in fidelity_items(ibic):
        expected = {"documents"} if item.component == "gr" else {"files", "register"}
        assert item.primary.source in expected


def test_staff_views_of_fidelity_never_enter_the_score(ibic):
    for item in fidelity_items(ibic):
        for measure in item.measures:
            assert (measure.role == "primary") == (measure.id == item.id)
            if ibic.by_source[measure.source].kind == "survey":
                assert measure.role == "triangulating"


def test_totals_hold_core_and_core_with_extended_only(ibic):
    core, extended = ibic.totals
    assert [part.id for part in ibic.components_of(core)] == ["ut", "bu", "pl", "up", "do", "ta", "fr", "di"]
    assert [part.id for part in ibic.components_of(extended)][-1] == "gr"
    assert core.id == "total_core"
    assert extended.id == "total_extended"


def test_gates(ibic):
    assert {item.id for item in ibic.items if item.gate} == GATES
    assert {item.gate.cut for item in ibic.items if item.gate} == {0.5}


def test_only_supply_led_practice_is_reversed(ibic):
    assert [item.id for item in ibic.items if item.reverse] == ["di3"]


def test_need_before_service_begins_with_a_need_written_as_a_service(ibic):
    assert "bara som en insats" in ibic.by_item["ut5"].primary.anchors[0].sv
    assert len(ibic.by_item["ut5"].primary.anchors) == 3


@pytest.mark.parametrize("component", REFLECTIVE)
def test_reflective_scales_have_one_informant_one_format_and_enough_items(ibic, component):
    source, n = REFLECTIVE[component]
    items = ibic.items_of(component)
    assert ibic.by_component[component].measurement_model == "reflective"
    assert len(items) >= n
    assert {item.primary.source for item in items} == {source}
    assert len({item.primary.scale for item in items}) == 1


def test_only_the_climate_of_support_is_shared(ibic):
    assert [part.id for part in ibic.components if part.shared] == ["st"]


def test_no_two_items_share_an_anchor(ibic):
    for language in LANGUAGES:
        seen = {}
        for item in ibic.items:
            for measure in item.measures:
                for anchor in measure.anchors:
                    assert seen.setdefault(anchor[language], item.id) == item.id


def test_items_that_restate_an_intended_effect_say_so(ibic):
    said = {outcome: {item.id for item in ibic.items if outcome in item.restates} for outcome in RESTATES}
    assert said == RESTATES
    outcomes = {outcome.id for outcome in ibic.outcomes}
    assert {name for item in ibic.items for name in item.restates} <= outcomes


def test_outcomes_are_of_three_kinds_and_point_at_no_fidelity(ibic):
    assert {outcome.kind for outcome in ibic.outcomes} == {"proximal", "distal", "unintended"}
    for outcome in ibic.outcomes:
        if outcome.component is not None:
            assert ibic.by_component[outcome.component].dimension in {"experience", "outcome"}


def test_measure_and_part_ids_are_unique_over_all_sources(ibic):
    columns = [column for source in ibic.sources for column in ibic.columns_of(source.id)]
    assert len(columns) == len(set(columns))
    assert not set(columns) & set(ibic.count_columns())


def test_legal_sources_say_that_nobody_has_checked_them_and_the_check_tells(ibic):
    legal = {one.id: one for one in ibic.references if one.legal}
    assert set(legal) == {"sosfs", "hslf89", "sol25"}
    assert {one.in_force_checked for one in legal.values()} == {"unchecked"}
    told = {
        finding.message.params["reference"]
        for finding in check_instrument(ibic).findings
        if finding.message.code == "instrument.check_legal_unchecked"
    }
    assert told == set(legal)
    assert not any("2001:453" in one.citation for one in ibic.references)
    assert {name for item in ibic.items for name in item.cites} | {
        name for outcome in ibic.outcomes for name in outcome.cites
    } == {one.id for one in ibic.references}


def test_only_sources_of_one_row_have_a_minimum_of_one(ibic):
    assert {one.id for one in ibic.sources if one.single} == {"documents", "manager", "register"}
    assert all((one.minimum == 1) == one.single for one in ibic.sources)
    assert ibic.by_source["files"].minimum == 20
    assert ibic.by_source["files"].census_minimum == 5


def test_head_of_the_instrument(ibic):
    assert ibic.stamp("sv") == "ibic 0.2.0 (kandidat, inte validerat; bedömningsmallen oprövad)"
    assert [band.low for band in ibic.bands] == [0, 0.5, 0.75, 0.9]
    assert all("provisional" in band.label.en for band in ibic.bands)
    assert ibic.uncertainty.assumed
    assert len(ibic.register_codes) == 290
    assert ibic.register_codes["0114"] == "Upplands Väsby"


def test_lq2002_reads_its_own_data():
    lq = load_instrument("lq2002")
    assert lq.totals == ()
    assert lq.rubric == "none"
    assert [(part.id, part.shared, len(lq.items_of(part.id))) for part in lq.components] == [
        ("lead", True, 11),
        ("tsig", True, 3),
        ("hostile", False, 5),
    ]
    assert {scale.id: (scale.lowest, scale.highest) for scale in lq.scales} == {
        "agree": (1, 5),
        "distress": (0, 4),
    }
    with (bundled("instruments") / "lq2002" / "lq2002.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 2042
    assert {row["COMPID"] for row in rows} == set(lq.register_codes)
    assert len(lq.register_codes) == 49
    for item in lq.items:
        codes = {str(level.code) for level in lq.by_scale[item.primary.scale].levels}
        assert {row[item.id.upper()] for row in rows} == codes
