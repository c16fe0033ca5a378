"""What every item of experience, preconditions and outcomes must say, in both languages; and the forms apart."""

import re

import pytest

from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.checks import check_instrument
from ibic_fidelity.instrument.reading import load_instrument

IBIC = load_instrument("ibic")
NOT_FIDELITY = [item for item in IBIC.items if IBIC.by_component[item.component].dimension not in ("core", "extended")]
PRECONDITIONS = [item for item in NOT_FIDELITY if item.component == "fo"]
APART = ("representative", "guardian", "child")
APART_MEASURES = [(item, measure) for source in APART for item, measure in IBIC.measures_of(source)]
USER_MEASURES = [measure for _, measure in IBIC.measures_of("user")]
#: Nouns of the profession that an easy-read question can do without.
ABSTRACT = re.compile(
    r"delaktighet|inflytande|insats|behovsprövning|livsområde|genomförandeplan|uppföljning|funktionstillstånd|bistånd",
    re.I,
)


def of_item(item):
    return item.id


def of_measure(one):
    return one.id if hasattr(one, "wording") else ""


@pytest.mark.parametrize("item", NOT_FIDELITY, ids=of_item)
def test_an_item_says_what_it_means_and_why_it_matters(item):
    texts = [item.idea, item.definition, item.rationale]
    assert all(text is not None for text in texts)
    for language in LANGUAGES:
        said = [text[language] for text in texts]
        assert len(set(said)) == len(said)
        assert len(item.rationale[language].split()) >= 10
        assert not said[2].startswith(said[0])  # the first list said the idea again and named the scale
        assert not re.search(r"\bHör till\b|\bPart of\b", said[2])
    assert all(text.sv != text.en for text in texts)


@pytest.mark.parametrize("item", NOT_FIDELITY, ids=of_item)
def test_an_item_cites_something_that_was_read(item):
    references = {one.id: one for one in IBIC.references}
    assert all(references[name].standing in ("read", "seed") for name in item.cites)
    if item.judgement is not None:
        assert "expertbedömning" in item.judgement.sv or "upplevelse" in item.judgement.sv
        assert item.judgement.sv != item.judgement.en


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", ["idea", "definition", "rationale", "judgement", "discussion"])
def test_no_two_items_say_the_same(field, language):
    said = [text[language] for item in NOT_FIDELITY if (text := getattr(item, field)) is not None]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("item", PRECONDITIONS, ids=of_item)
def test_a_precondition_is_a_question_for_a_management_group_too(item):
    assert item.discussion is not None
    for language in LANGUAGES:
        assert item.discussion[language].endswith("?")
        assert not re.search(r"\b(?:bör|should|poäng|score)\b", item.discussion[language])  # no answer, no score
    assert item.component not in {part.id for total in IBIC.totals for part in IBIC.components_of(total)}


def test_what_the_working_group_named_is_discussed():
    said = " ".join(item.discussion.sv for item in PRECONDITIONS)
    assert all(word in said for word in ("beslutat", "införandet", "bestämma", "Vilka konsekvenser", "längre tid"))


@pytest.mark.parametrize("measure", USER_MEASURES, ids=of_measure)
def test_every_user_item_has_an_easy_wording(measure):
    assert measure.easy is not None
    assert len(measure.easy.sv.split()) <= 12
    assert re.search(r"\b(?:du|dig|din|ditt|dina)\b", measure.easy.sv)
    assert re.search(r"\byour?\b", measure.easy.en)
    assert not re.search(r"\b(?:och|samt|eller|inte)\b|[,;/]", measure.easy.sv)  # one idea, nothing denied
    assert not ABSTRACT.search(measure.easy.sv)
    assert measure.easy.sv.endswith("?")
    assert measure.easy.en.endswith("?")


def test_forms_apart_are_their_own_sources_with_their_own_counts():
    assert tuple(one.id for one in IBIC.sources if one.apart) == APART
    assert [IBIC.by_source[one].invited for one in APART] == ["invrep", "invguard", "invchild"]
    assert all(IBIC.by_source[one].minimum == 5 for one in APART)
    assert {one.id: one.drawn for one in IBIC.sources if one.drawn} == {
        "user": ("user", "representative"),
        "child": ("guardian",),
    }


@pytest.mark.parametrize("source", ["user", "relative", *APART])
def test_people_who_are_not_staff_are_told_who_answers_and_about_what(source):
    text = IBIC.by_source[source].introduction
    assert text is not None
    assert text.sv.startswith(("Svara själv.", "För dig som är"))
    assert text.en.startswith(("Answer yourself.", "For you who are"))


@pytest.mark.parametrize(("item", "measure"), APART_MEASURES, ids=of_measure)
def test_a_form_apart_stands_beside_the_persons_answer_and_scores_nothing(item, measure):
    assert measure.role == "triangulating"
    assert item.primary.source == "user"
    assert IBIC.by_component[item.component].dimension in ("experience", "outcome")
    words = {"representative": "företräder", "guardian": "barn", "child": r"\b(?:[Jj]ag|mig)\b"}[measure.source]
    assert re.search(words, measure.wording.sv)
    assert measure.wording.sv != item.primary.wording.sv or measure.source == "child"
    scale = IBIC.by_scale[measure.scale]
    assert scale.missing.dont_know
    assert scale.missing.not_applicable
    assert measure.scale != item.primary.scale


@pytest.mark.parametrize("source", APART)
@pytest.mark.parametrize("total", IBIC.totals, ids=lambda one: one.id)
def test_no_total_and_no_component_holds_a_form_apart(source, total):
    parts = {part.id for part in IBIC.components_of(total)}
    assert source not in {item.primary.source for item in IBIC.items}
    assert not [item for item, _ in IBIC.measures_of(source) if item.component in parts]
    assert IBIC.primary_items(source) == frozenset()


def test_the_childs_form_is_shorter_and_has_three_answers():
    assert len(IBIC.by_scale["child_extent"].levels) == 3
    assert len(IBIC.measures_of("child")) == 10
    assert all(len(measure.wording.sv.split()) <= 10 for _, measure in IBIC.measures_of("child"))


@pytest.mark.parametrize("outcome", IBIC.outcomes, ids=lambda one: one.id)
def test_an_outcome_says_what_it_is_and_on_what_it_rests(outcome):
    assert outcome.definition is not None
    assert outcome.definition.sv != outcome.definition.en
    assert outcome.cites
    component = outcome.component and IBIC.by_component[outcome.component]
    if outcome.kind == "unintended":
        assert component is not None
        # Lost latitude is the low end of a scale on which high is good; the others are high where it is bad.
        assert (outcome.better == "low") == (outcome.id != "latitude")
    else:
        assert outcome.better == "high"


def test_outcomes_are_those_of_the_two_evaluations():
    kinds = {
        kind: {one.id for one in IBIC.outcomes if one.kind == kind} for kind in ("proximal", "distal", "unintended")
    }
    assert kinds["proximal"] == {"followup_made", "commission_clear"}
    assert kinds["distal"] >= {"participation", "need_led", "goal_attainment", "equivalence", "own_resources"}
    assert kinds["unintended"] == {
        "bureaucracy", "inquiry_time", "steering", "latitude", "cooperation_worse", "outside_structure",
        "over_provision", "under_provision",
    }  # fmt: skip


def test_nothing_here_asks_two_things_or_is_cut_by_a_platform():
    ids = {item.id for item in NOT_FIDELITY}
    assert [one for one in check_instrument(IBIC).warnings if one.item in ids] == []
