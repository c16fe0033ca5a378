"""The funnel as it is drawn: what the result holds, in words of both languages."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import text
from ibic_fidelity.plotting import plot_funnel


@pytest.fixture(scope="module")
def funnel():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=8, files=24, users=0, relatives=0, site_sd=1.2), seed=1)
    return ibic.site_funnel(ibic.score_municipalities(study.responses, study.instrument), "ut")


@pytest.fixture
def ax():
    return Figure(figsize=(7, 5)).subplots()


def test_sites_and_limits_are_those_of_the_result(funnel, ax):
    plot_funnel(funnel, ax=ax)
    dots = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    drawn = np.concatenate(dots)
    expected = np.stack([funnel.rows["precision"], funnel.rows["estimate"]], axis=1)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0))
    curves = [line for line in ax.lines if len(line.get_xdata()) > 2 and line.get_marker() != "o"]
    assert len(curves) == 8
    low, _ = funnel.limits(curves[0].get_xdata(), 0.95, spread=False)
    np.testing.assert_allclose(curves[0].get_ydata(), low)


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_words_are_of_one_language(funnel, ax, lang):
    plot_funnel(funnel, lang=lang, ax=ax)
    level = {"sv": "99,8", "en": "99.8"}[lang]
    named = {label.get_text() for label in ax.get_legend().get_texts()}
    assert text("plotting.funnel_limits_spread", lang, level=level) in named
    assert len(named) == 4
    assert text("plotting.synthetic", lang) in {note.get_text() for note in ax.texts}
    mark = {"sv": ",", "en": "."}[lang]
    assert all(mark in tick.get_text() for tick in ax.get_xticklabels() if tick.get_text() not in {"", "0"})


def test_without_axes_the_current_ones_are_drawn_on(funnel):
    import matplotlib.pyplot as plt

    figure = plt.figure()
    assert plot_funnel(funnel).figure is figure
    plt.close(figure)


def test_an_unknown_language_is_refused(funnel, ax):
    with pytest.raises(UsageError):
        plot_funnel(funnel, lang="fi", ax=ax)
