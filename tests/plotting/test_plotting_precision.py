"""Shares of variance and decision studies as they are drawn: what the result holds, in words of both languages."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import ibic_fidelity as ibic
from ibic_fidelity.dossier.precision import site_precision, targets_by_source, variance_parts
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import text
from ibic_fidelity.plotting import plot_decision, plot_variance_shares


@pytest.fixture(scope="module")
def precision():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=8, files=12, users=0, relatives=0), seed=1)
    return site_precision(study.responses, study.instrument)


@pytest.fixture
def ax():
    return Figure(figsize=(7, 5)).subplots()


def test_bars_are_the_shares_and_fill_the_axis(precision, ax):
    plot_variance_shares(precision, ax=ax)
    targets = targets_by_source(precision)["files"]
    drawn = {}
    for bar in ax.patches:
        drawn.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar.get_width())
    for place, target in enumerate(targets):
        shares = [share for share in variance_parts(target).values() if share > 0]
        np.testing.assert_allclose(drawn[-place], shares)
        assert sum(drawn[-place]) == pytest.approx(1.0)


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_words_are_of_one_language(precision, ax, lang):
    plot_variance_shares(precision, source="provider", lang=lang, ax=ax)
    named = {label.get_text() for label in ax.get_legend().get_texts()}
    assert named == {text(f"plotting.part_{part}", lang) for part in ("site", "unit_respondent", "rest")}
    assert text("plotting.synthetic", lang) in {note.get_text() for note in ax.texts}


def test_the_plan_marks_what_is_now_and_the_goal(precision, ax):
    plot_decision(precision, target="bu", ax=ax)
    plan = next(one for one in precision.targets if one.target == "bu").plan
    dot = next(line for line in ax.lines if line.get_marker() == "o")
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (plan.n_units, plan.n_raters)
    assert ax.get_xlabel() == "Akter per plats"


def test_respondents_have_a_curve_with_its_interval(precision, ax):
    plot_decision(precision, target="ty", lang="en", ax=ax)
    plan = next(one for one in precision.targets if one.target == "ty").plan
    curve = next(line for line in ax.lines if len(line.get_xdata()) == len(plan.grid.phi))
    np.testing.assert_array_equal(curve.get_ydata(), plan.grid.phi)
    assert ax.get_ylim() == (0, 1)


def test_what_cannot_be_told_is_words_not_an_empty_figure(ax):
    study = ibic.simulate_study(
        ibic.StudyDesign(n_sites=6, files=8, raters=6, double_rated=0.0, users=0, relatives=0, providers=0), seed=2
    )
    made = site_precision(study.responses, study.instrument)
    plot_decision(made, target="ut", lang="en", ax=ax)
    assert any("told apart" in note.get_text().replace("\n", " ") for note in ax.texts)


@pytest.mark.parametrize(
    "call",
    [
        lambda precision, ax: plot_variance_shares(precision, source="nobody", ax=ax),
        lambda precision, ax: plot_decision(precision, target="zz", ax=ax),
        lambda precision, ax: plot_decision(precision, lang="fi", ax=ax),
    ],
)
def test_what_is_not_there_is_refused(precision, ax, call):
    with pytest.raises(UsageError):
        call(precision, ax)
