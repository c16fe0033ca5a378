"""What was drawn: dots where the estimates are, lines where the intervals are, words where nothing is shown."""

import dataclasses
from itertools import pairwise

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.plotting import plot_profile, plot_sites


def scored(**design):
    study = ibic.simulate_study(ibic.StudyDesign(**design), seed=1)
    return ibic.score_municipalities(study.responses, study.instrument), study.instrument


@pytest.fixture(scope="module")
def study():
    return scored(n_sites=6)


@pytest.fixture
def ax():
    return Figure(figsize=(7, 5)).subplots()


def dots(ax):
    return [(float(line.get_xdata()[0]), line.get_marker()) for line in ax.lines if line.get_marker() in {"o", "D"}]


def whiskers(ax):
    return [
        tuple(map(float, line.get_xdata())) for line in ax.lines if line.get_marker() == "None" and line.get_lw() > 1.05
    ]


def labels(ax):
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_profile_draws_the_numbers(study, ax):
    scores, instrument = study
    assert plot_profile(scores, instrument, "0114", lang="en", ax=ax) is ax
    rows = scores.of_site("0114").table
    totals = rows[rows["level"] == "total"]
    parts = [part.id for part in instrument.components if part.dimension in {"core", "extended"}]
    components = rows[rows["level"] == "component"].set_index("component").loc[parts]
    assert [x for x, marker in dots(ax) if marker == "D"] == totals["estimate"].tolist()
    assert [x for x, marker in dots(ax) if marker == "o"] == components["estimate"].tolist()
    drawn = [
        *zip(totals["ci_low"], totals["ci_high"], strict=True),
        *zip(components["ci_low"], components["ci_high"], strict=True),
    ]
    assert whiskers(ax) == drawn
    assert labels(ax)[:3] == ["Fidelity, core", "Fidelity, extended", "Investigate"]


def test_totals_stand_apart_above(study, ax):
    plot_profile(*study, "0114", ax=ax)
    steps = [above - below for above, below in pairwise(ax.get_yticks())]
    assert steps[0] == 1
    assert steps[1] > 1.5
    assert steps[2:] == pytest.approx([1] * len(steps[2:]))


def test_cuts_are_light_lines_that_are_called_provisional(study, ax):
    scores, instrument = study
    plot_profile(scores, instrument, "0114", lang="en", ax=ax)
    cuts = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    assert cuts == [50, 75, 90]
    assert any("provisional" in text and "50, 75, 90" in text for text in words(ax))


@pytest.mark.parametrize(("lang", "said"), [("sv", "SYNTETISKA DATA"), ("en", "SYNTHETIC DATA")])
def test_synthetic_data_say_so(study, ax, lang, said):
    plot_profile(*study, "0114", lang=lang, ax=ax)
    assert said in words(ax)
    other = Figure().subplots()
    plot_sites(*study, lang=lang, ax=other)
    assert said in words(other)


def test_a_withheld_score_is_words_and_no_dot(ax):
    scores, instrument = scored(n_sites=3, files=2)
    plot_profile(scores, instrument, "0114", lang="en", ax=ax)
    assert words(ax).count("not shown: too few") == 9  # two totals, seven components from files
    assert not [marker for _, marker in dots(ax) if marker == "D"]


def with_rows(scores, **columns):
    made = type(scores.rows).of(**{**scores.rows.columns, **columns})
    return dataclasses.replace(scores, rows=made)


def test_fewer_than_five_people_are_not_drawn_though_scoring_let_them_through(study, ax):
    scores, instrument = study
    few = with_rows(
        scores,
        n=[4 if source == "user" else n for source, n in zip(scores.rows["source"], scores.rows["n"], strict=True)],
    )
    plot_profile(few, instrument, "0114", components=["ut", "de"], lang="en", ax=ax)
    assert words(ax).count("not shown: fewer than 5 respondents") == 1
    assert len(dots(ax)) == 3


def test_a_score_without_interval_is_an_open_dot(ax):
    scores, instrument = scored(n_sites=3)
    no_interval = [float("nan")] * len(scores.rows)
    plot_profile(with_rows(scores, ci_low=no_interval, ci_high=no_interval), instrument, "0114", ax=ax)
    assert not whiskers(ax)
    assert {line.get_markerfacecolor() for line in ax.lines if line.get_marker() in {"o", "D"}} == {"#FFFFFF"}


def test_sites_are_in_the_order_of_names_or_codes_never_scores(study, ax):
    scores, instrument = study
    plot_sites(scores, instrument, ax=ax)
    names = [instrument.register_codes[site] for site in scores.sites]
    assert sorted(labels(ax)) == sorted(names)
    other = Figure(figsize=(7, 5)).subplots()
    plot_sites(scores, instrument, order="code", ax=other)
    assert labels(other) == names


def test_sites_takes_a_component_too(study, ax):
    scores, instrument = study
    plot_sites(scores, instrument, "ut", order="code", ax=ax)
    shown = scores.components
    assert [x for x, _ in dots(ax)] == shown[(shown["component"] == "ut")]["estimate"].tolist()


def test_labels_thin_out_on_a_low_figure_and_do_not_on_a_high_one():
    scores, instrument = scored(n_sites=60)
    low, high = Figure(figsize=(7, 4)).subplots(), Figure(figsize=(7, 14)).subplots()
    plot_sites(scores, instrument, ax=low)
    plot_sites(scores, instrument, ax=high)
    assert len(labels(high)) == 60
    assert len(labels(low)) < 31
    assert len(dots(low)) == len(dots(high)) == 60


def test_drawing_leaves_the_settings_and_the_scores_alone(study, ax):
    scores, instrument = study
    before, settings = scores.to_json(), dict(mpl.rcParams)
    plot_profile(scores, instrument, "0114", ax=ax)
    plot_sites(scores, instrument, ax=Figure().subplots())
    assert scores.to_json() == before
    assert dict(mpl.rcParams) == settings


def test_the_current_axes_are_used_where_none_are_given(study):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert plot_profile(*study, "0114") is ax
    plt.close(figure)
    figure, ax = plt.subplots()
    assert plot_sites(*study) is ax
    plt.close(figure)


def test_a_name_is_never_read_as_a_formula(study):
    scores, instrument = study
    odd = instrument.model_copy(update={"register_codes": dict.fromkeys(scores.sites, "$\\frac{$ <b>")})
    for draw in (lambda ax: plot_profile(scores, odd, "0114", ax=ax), lambda ax: plot_sites(scores, odd, ax=ax)):
        figure = Figure()
        axes = draw(figure.subplots())
        figure.canvas.draw()
        drawn = [axes.get_title(loc="left"), axes.get_title(), *(one.get_text() for one in axes.get_yticklabels())]
        assert any("<b>" in text.replace("\\$", "$") for text in drawn), drawn


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda s, i: plot_profile(s, i, "9999"), "no scores of site '9999'"),
        (lambda s, i: plot_profile(s, i, "0114", wave="2031"), "wave '2031'"),
        (lambda s, i: plot_sites(s, i, "total_other"), "no total or component 'total_other'"),
        (lambda s, i: plot_sites(s, i, wave="2031"), "no scores of total_core"),
        (lambda s, i: plot_sites(s, i, lang="no"), "`lang` is 'no'"),
        (lambda s, i: plot_sites(s, i.model_copy(update={"sha256": "x"})), "another wording"),
    ],
)
def test_wrong_use_is_refused(study, call, match):
    with pytest.raises(UsageError, match=match):
        call(*study)
