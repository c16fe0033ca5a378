"""The scree plot: what was drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from ibic_fidelity.errors import UsageError
from ibic_fidelity.plotting import plot_scree
from ibic_fidelity.psychometrics import parallel_analysis


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(1)
    x = np.repeat(rng.normal(size=(300, 2)), 4, axis=1) + rng.normal(size=(300, 8))
    return parallel_analysis(x, n_replicates=30)


def test_draws_the_eigenvalues_and_their_limits(result):
    ax = plot_scree(result, lang="sv", ax=Figure().subplots())
    drawn = [line.get_ydata() for line in ax.get_lines()]
    for values in (result.components, result.factors, result.component_quantiles, result.factor_quantiles):
        assert any(len(line) == 8 and np.array_equal(line, values) for line in drawn)
    filled = [line for line in ax.get_lines() if len(line.get_xdata()) == 2 and line.get_linestyle() == "None"]
    assert len(filled) == 2
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0] == "komponenter: 2 över gränsen"
    assert "95 %" in legend[2].replace("\u00a0", " ")
    assert ax.get_ylabel() == "Egenvärde"
    assert "vanliga korrelationer, n = 300" in ax.get_xlabel()


def test_says_synthetic_and_the_title_given(result):
    ax = plot_scree(result, title="Delaktighet " * 8, synthetic=True, lang="en", ax=Figure().subplots())
    assert ax.get_title(loc="left").count("\n") == 1
    assert any("synthetic" in text.get_text().lower() for text in ax.texts)


def test_without_a_result_the_reason_stands_there():
    with pytest.warns(UserWarning, match="same answer"):
        undefined = parallel_analysis(np.ones((30, 4)), n_replicates=20)
    ax = plot_scree(undefined, lang="en", ax=Figure().subplots())
    assert any("same answer" in text.get_text() for text in ax.texts)


def test_an_unknown_language_is_refused(result):
    with pytest.raises(UsageError):
        plot_scree(result, lang="fi", ax=Figure().subplots())
