"""An answer may be written in the words of the anchors of either act."""

import pytest

from ibic_fidelity.instrument.parts import LawVariant
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.cells import answer_rule

IBIC = load_instrument("ibic")
ITEM = IBIC.by_item["bu3"]


def rule_of(measure):
    return answer_rule(ITEM, measure, IBIC.by_scale[measure.scale], may_not_apply=True)


@pytest.mark.parametrize("law", ["SoL", "LSS"])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_anchors_of_either_act_are_answers(law, language):
    anchors = ITEM.primary.under(law).anchors
    assert [rule_of(ITEM.primary).code(anchor[language]) for anchor in anchors] == [0, 1]


def test_words_that_mean_two_things_under_two_acts_are_no_answer():
    turned = LawVariant(anchors=ITEM.primary.anchors[::-1])
    rule = rule_of(ITEM.primary.model_copy(update={"by_law": {"LSS": turned}}))
    assert not isinstance(rule.code(ITEM.primary.anchors[0].sv), int)
    assert rule.code("1") == 1
