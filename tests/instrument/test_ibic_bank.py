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


def guided(instrument):
    """Return the measures of fidelity for which somebody opens documents or registers."""
    return [
        (item, measure)
        for item in fidelity_items(instrument)
        for measure in item.measures
        if instrument.by_source[measure.source].kind != "survey"
    ]


def texts_of(item):
    """Return every text of an item, by a name that says which."""
    texts = {name: getattr(item, name) for name in ("idea", "definition", "rationale", "judgement", "not_applicable")}
    for measure in item.measures:
        for law, one in {"": measure, **measure.by_law}.items():
            texts |= {f"{measure.id} {law} {field}": getattr(one, field) for field in ("wording", "look", "doubt")}
            texts |= {f"{part.id} {law} part": part.wording for part in one.parts}
            texts |= {f"{measure.id} {law} anchor {i}": anchor for i, anchor in enumerate(one.anchors)}
    return {name: text for name, text in texts.items() if text is not None}


def test_every_fidelity_item_is_complete(ibic):
    for item in fidelity_items(ibic):
        assert item.definition is not None
        assert item.judgement is not None  # every one of them decides something that no source says
    for _, measure in guided(ibic):
        assert measure.look is not None
        assert measure.doubt is not None


@pytest.mark.parametrize("field", ["definition", "rationale", "judgement", "look", "doubt"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_fidelity_items_say_the_same(ibic, field, language):
    """No boilerplate: every text is about its own item."""
    held = []
    for item in fidelity_items(ibic):
        if field in ("look", "doubt"):
            held += [getattr(one, field) for measure in item.measures for one in (measure, *measure.by_law.values())]
        else:
            held.append(getattr(item, field))
    said = [text[language] for text in held if text is not None]
    assert len(said) >= 36
    assert len(said) == len(set(said))


def test_a_definition_is_no_idea_said_again(ibic):
    for item in fidelity_items(ibic):
        assert item.definition.sv != item.idea.sv
        assert len(item.definition.sv.split()) >= 10


def test_a_rule_of_doubt_decides(ibic):
    for _, measure in guided(ibic):
        for one in (measure, *measure.by_law.values()):
            if one.doubt is not None:
                assert re.search(r"\b(?:ja|nej|nivå|räknas|tom|gäller|inget visat)\b", one.doubt.sv), measure.id
                assert re.search(r"\b(?:yes|no|level|counts?|blank|holds?|nothing shown)\b", one.doubt.en), measure.id


def test_every_text_of_a_fidelity_item_is_in_two_languages(ibic):
    for item in fidelity_items(ibic):
        for name, text in texts_of(item).items():
            assert text.sv != text.en, (item.id, name)
            assert not re.search(r"[åäöÅÄÖ]", text.en), (item.id, name)
            assert text.sv[-1] in ".?", (item.id, name)
            assert text.en[-1] in ".?", (item.id, name)


def test_what_is_judgement_says_so(ibic):
    for item in fidelity_items(ibic):
        assert "expertbedömning" in item.judgement.sv
        assert "expert judgement" in item.judgement.en


def test_every_citation_is_of_a_text_that_was_read(ibic):
    references = {one.id: one for one in ibic.references}
    for item in ibic.items:
        assert item.cites
        assert {references[name].standing for name in item.cites} <= {"read", "seed"}
    assert {one.id for one in ibic.references if one.standing == "seed"} == {"k20", "n19"}


def test_sol_and_lss_are_read_apart_where_they_differ(ibic):
    apart = {item.id for item in fidelity_items(ibic) for measure in item.measures if measure.by_law}
    assert apart == {"ut5", "ut6", "re6", "bu1", "bu3", "bu4", "pl1", "up1", "up5", "ta1", "ta2", "fr1", "di3"}
    assert all(set(ibic.by_item[name].law) == {"SoL", "LSS"} for name in apart)
    decision = ibic.by_item["bu3"].primary
    assert "personkrets" in decision.under("LSS").anchors[0].sv
    assert decision.under("SoL") is decision
    assert "individuell plan" in ibic.by_item["pl1"].primary.under("LSS").doubt.sv


def test_no_paragraph_of_an_act_is_cited(ibic):
    """Nobody has checked which are in force."""
    for item in ibic.items:
        for text in texts_of(item).values():
            assert not re.search(r"\d\s*kap\.|\d\s*§|2001:453", f"{text.sv} {text.en}")


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
