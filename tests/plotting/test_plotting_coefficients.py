"""One statistic with intervals: dots and lines where the numbers are, words where there are none."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import ibic_fidelity as ibic
from ibic_fidelity.dossier.reliability import component_reliability
from ibic_fidelity.dossier.statistics import Statistic, collected
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.plotting import plot_coefficients

FEW = Message("dossier.too_few_rows", {"n": 2})


@pytest.fixture(scope="module")
def instrument():
    return ibic.load_instrument("ibic")


@pytest.fixture(scope="module")
def reliability():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    return component_reliability(study.responses, study.instrument)


@pytest.fixture
def ax():
    return Figure(figsize=(7, 6)).subplots()


@pytest.fixture
def made(reliability, instrument):
    def of(*rows):
        return collected(Message("dossier.title_reliability"), rows, instrument,
                         provenance=reliability.provenance, confidence_level=0.95)  # fmt: skip

    return of


def dots(ax):
    return [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]


def whiskers(ax):
    return [line for line in ax.lines if line.get_marker() == "None" and line.get_lw() > 1.05]


def labels(ax):
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_components_are_drawn_as_they_are_in_the_table(reliability, ax):
    assert plot_coefficients(reliability, statistic="icc2", level="component", lang="en", ax=ax) is ax
    rows = [row for row in reliability.level("component") if row.statistic == "icc2"]
    known = [row for row in rows if math.isfinite(row.estimate)]
    assert dots(ax) == [row.estimate for row in known]
    assert len(labels(ax)) == len(rows)
    low, high = ax.get_xlim()
    drawn = [tuple(map(float, line.get_xdata())) for line in whiskers(ax)]
    assert drawn == [(max(low, row.ci_low), min(high, row.ci_high)) for row in known]
    assert ax.get_title(loc="left").replace("\n", " ") == "ICC(2), reliability of an average site's mean"
    assert "SYNTHETIC DATA" in words(ax)


def test_components_that_two_sources_have_are_told_apart(reliability, ax):
    plot_coefficients(reliability, statistic="icc2", level="component", lang="en", ax=ax)
    assert len(set(labels(ax))) == len(labels(ax))


def test_items_without_intervals_are_open_dots(reliability, ax):
    plot_coefficients(reliability, statistic="alpha_if_deleted", lang="sv", ax=ax)
    assert whiskers(ax) == []
    assert {line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"} == {"#FFFFFF"}
    assert labels(ax)[0].startswith("ST1 ")
    assert ax.get_xlabel() == "Punkt utan intervall"


def test_what_is_not_defined_is_words(made, ax):
    rows = [
        Statistic("icc1", 9, 0.2, 0.1, 0.3, source="files", component="ut"),
        Statistic.of("icc1", 2, np.nan, notes=(FEW,)).where(source="files", component="bu"),
        Statistic.of("icc1", 2, np.nan).where(source="files", component="pl"),
    ]
    plot_coefficients(made(*rows), statistic="icc1", level="component", lang="sv", ax=ax)
    said = [text for text in words(ax) if text.startswith("inget värde")]
    assert said == ["inget värde: 2 fullständiga rader är för få", "inget värde: ej definierat"]
    assert len(labels(ax)) == 3


def test_a_remark_breaks_the_line(made, ax):
    rows = [
        Statistic("icc1", 9, 0.2, 0.1, 0.3, source="files", component="ut", notes=(FEW,)),
        Statistic("icc1", 9, 0.2, 0.1, 0.3, source="files", component="bu"),
    ]
    plot_coefficients(made(*rows), statistic="icc1", level="component", lang="en", ax=ax)
    assert [line.get_linestyle() for line in whiskers(ax)] == ["--", "-"]
    assert "Broken interval: see the remark" in ax.get_xlabel()


def test_raters_have_a_line_at_zero(made, ax):
    rows = [Statistic("drift", 9, value, value - 2, value + 2, source="files", rater=name)
            for name, value in (("g01", -3.0), ("$x_1$", 1.5))]  # fmt: skip
    plot_coefficients(made(*rows), statistic="drift", level="rater", lang="sv", ax=ax)
    low, high = ax.get_xlim()
    assert low < -5
    assert high > 3.5
    assert [float(line.get_xdata()[0]) for line in ax.lines if line.get_color() == "#4A4A4A"] == [0.0]
    assert labels(ax) == ["g01", "$x_1$"]


def test_shares_have_an_axis_of_percentages(reliability, ax):
    plot_coefficients(reliability, statistic="floor_share", lang="sv", ax=ax)
    assert ax.get_xlim() == (0, 1)
    assert "20\u00a0%" in [label.get_text() for label in ax.get_xticklabels()]


def test_a_limit_below_minus_one_is_cut_with_an_arrow(made, ax):
    rows = [Statistic("icc2", 9, 0.1, -3.0, 0.6, source="files", component="ut")]
    plot_coefficients(made(*rows), statistic="icc2", level="component", ax=ax)
    assert ax.get_xlim() == (-1, 1)
    assert [line.get_marker() for line in ax.lines if line.get_marker() == "<"] == ["<"]


def test_sixty_long_labels_do_not_cover_each_other(made, instrument):
    rows = [Statistic("alpha_if_deleted", 9, 0.5, source="files", component="ut", item=item.id)
            for item in instrument.items[:60]]  # fmt: skip
    ax = Figure(figsize=(7, 5)).subplots()
    plot_coefficients(made(*rows), statistic="alpha_if_deleted", ax=ax)
    assert len(dots(ax)) == len(rows)
    assert len(labels(ax)) < len(rows)
    assert not any("\n" in label.get_text() for label in ax.get_yticklabels())


def test_what_there_is_not_is_told(reliability, ax):
    with pytest.raises(UsageError, match="alpha_if_deleted"):
        plot_coefficients(reliability, statistic="icc2", ax=ax)
    with pytest.raises(UsageError, match="level"):
        plot_coefficients(reliability, statistic="rwg", level="site", ax=ax)
    with pytest.raises(UsageError, match="lang"):
        plot_coefficients(reliability, statistic="icc2", level="component", lang="fi", ax=ax)
