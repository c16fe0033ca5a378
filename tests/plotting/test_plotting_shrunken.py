"""Shrunken scores drawn: what the result holds, by name, and raw scores refused."""

import math

import pytest
from matplotlib.figure import Figure

import ibic_fidelity as ibic
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.plotting import plot_shrunken


@pytest.fixture(scope="module")
def made():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=9), seed=1)
    scores = ibic.score_municipalities(study.responses, study.instrument)
    return scores, ibic.shrink_scores(scores, study.instrument), study.instrument


def dots(ax):
    return {
        (round(float(line.get_xdata()[0]), 9), -round(float(line.get_ydata()[0])))
        for line in ax.lines
        if line.get_marker() == "D"
    }


def test_every_shrunken_score_has_its_dot_in_the_order_of_names(made):
    _, shrunken, instrument = made
    ax = plot_shrunken(shrunken, instrument, ax=Figure(figsize=(6, 6)).subplots())
    names = [label.get_text() for label in ax.get_yticklabels()]
    by_name = {instrument.register_codes[row["site"]]: row for row in shrunken.rows.rows()}
    assert set(names) == set(by_name)
    expected = {
        (round(by_name[name]["estimate"], 9), place)
        for place, name in enumerate(names)
        if math.isfinite(by_name[name]["estimate"])
    }
    assert dots(ax) == expected
    assert "Krympta" in ax.get_title("left")
    assert "Krympt" in ax.get_xlabel()
    assert "SYNTETISKA DATA" in {text.get_text() for text in ax.texts}


def test_some_sites_only(made):
    _, shrunken, instrument = made
    two = shrunken.rows["site"][:2].tolist()
    ax = plot_shrunken(shrunken, instrument, sites=two, lang="en", ax=Figure().subplots())
    assert len(ax.get_yticklabels()) == 2


@pytest.mark.parametrize("case", ["raw scores", "no such site", "another instrument", "a language"])
def test_wrong_use_is_refused(made, case):
    scores, shrunken, instrument = made
    result = scores if case == "raw scores" else shrunken
    options = {"sites": ["9999"]} if case == "no such site" else {"lang": "fi"} if case == "a language" else {}
    if case == "another instrument":
        instrument = ibic.load_instrument("lq2002")
    with pytest.raises(ArgumentTypeError if case == "raw scores" else UsageError):
        plot_shrunken(result, instrument, ax=Figure().subplots(), **options)
