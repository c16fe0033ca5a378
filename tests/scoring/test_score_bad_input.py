"""What scoring does with data that have no answer: one row a case, its flag, its NaN with reason, or its refusal."""

# ruff: noqa: E501 - one row a case

import numpy as np
import pytest

from ibic_fidelity.errors import UsageError
from ibic_fidelity.plotting.sites import plot_sites
from ibic_fidelity.reports.pages import overview_report, site_report, write_reports
from ibic_fidelity.reports.workbook import scores_workbook
from ibic_fidelity.responses.model import Frame, Responses, source_table
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.municipalities import score_municipalities


def mixed(rng, n):
    return rng.binomial(1, 0.6, (n, 5))


def all_of(*codes):
    return lambda rng, n: np.tile(codes, (n, 1))


def same_rater_everywhere(i, site):
    return "g1"


def own_rater(i, site):
    return f"g{site}"


def study(
    instrument,
    sites=5,
    files=10,
    answers=mixed,
    *,
    weight=None,
    rater=own_rater,
    eligible=None,
    without=(),
    registered=(),
):
    """Return answers of sites with three assessors each, and a register value of every site."""
    names = [f"{s:04d}" for s in range(sites)]
    site = [
        name
        for name, n in zip(names, np.broadcast_to(files, sites), strict=True)
        for _ in range(n)
        if name not in without
    ]
    keys = {
        "site": site,
        "unit": [f"u{i:05d}" for i in range(len(site))],
        "cluster": [f"{s}-{i % 3}" for i, s in enumerate(site)],
        "rater": [rater(i, s) for i, s in enumerate(site)],
    }
    codes = answers(np.random.default_rng(1), len(site))
    weight = None if weight is None else np.resize(weight, len(site))
    register = source_table(
        "register", instrument.columns_of("register"), np.full((sites, 1), -4), {"site": names, "unit": names},
        values=np.full((sites, 1), 70.0), counts=np.full((sites, 1), 50.0),
    )  # fmt: skip
    files = source_table("files", instrument.columns_of("files"), codes, keys, weight=weight)
    counts = {} if eligible is None else dict.fromkeys((*names, *registered), eligible)
    frame = Frame(eligible={(name, "", "", "files"): n for name, n in counts.items()})
    return Responses(
        {"files": files, "register": register}, frame, instrument.id, instrument.version, instrument.sha256, "t"
    )


WAY, PERIOD = "way_of_working", "this_period"
#: Case, data, estimand, site, and what stands in component a: reason, flag, shown (e estimate, i interval).
SAID = [
    ("ordinary", {}, WAY, "0000", "", "", "ei"),
    ("one site", {"sites": 1}, WAY, "0000", "", "scoring.own_spread", "ei"),
    ("all equal", {"answers": all_of(1, 0, 0, 1, 1)}, WAY, "0000", "", "scoring.bounded_spread", "ei"),
    ("all at the ceiling", {"answers": all_of(1, 0, 1, 1, 1)}, WAY, "0000", "", "scoring.bounded_spread", "ei"),
    ("all at the floor", {"answers": all_of(0, 1, 0, 0, 0)}, WAY, "0000", "", "scoring.bounded_spread", "ei"),
    ("one with 10,000, the large", {"sites": 290, "files": [10000] + [5] * 289}, WAY, "0000", "", "scoring.few_clusters", "ei"),
    ("one with 10,000, a small", {"sites": 290, "files": [10000] + [5] * 289}, WAY, "0007", "", "scoring.few_clusters", "ei"),
    ("290 with 5", {"sites": 290, "files": 5}, WAY, "0007", "", "", "ei"),
    ("too few files", {"files": [4, 9, 9, 9, 9]}, WAY, "0000", "scoring.too_few", "", ""),
    ("no answer to any item", {"answers": all_of(-1, -1, -1, -1, -1)}, WAY, "0000", "scoring.item_too_few", "", ""),
    ("no answer to one item", {"answers": all_of(1, -1, 1, 0, 1)}, WAY, "0000", "scoring.item_too_few", "", ""),
    ("no item applies", {"answers": all_of(-3, -3, -3, -3, -3)}, WAY, "0000", "scoring.item_too_few", "", ""),
    ("in the register without files", {"without": ("0003",)}, WAY, "0003", "scoring.source_missing", "", ""),
    ("equal weights of any size", {"weight": 3.5}, WAY, "0000", "", "", "ei"),
    ("weights that sum to the eligible", {"weight": 4.0, "eligible": 40}, WAY, "0000", "", "", "ei"),
    ("this period, all equal", {"answers": all_of(1, 0, 0, 1, 1), "eligible": 40}, PERIOD, "0000", "", "scoring.bounded_spread", "ei"),
    ("this period, some of them", {"eligible": 40}, PERIOD, "0000", "", "", "ei"),
    ("this period, all of them", {"eligible": 10}, PERIOD, "0000", "", "", "ei"),
    ("this period, all of them equal", {"answers": all_of(1, 0, 1, 1, 1), "eligible": 10}, PERIOD, "0000", "", "", "ei"),
    ("this period, nobody counted", {}, PERIOD, "0000", "", "scoring.eligible_unknown", "e"),
    ("this period, more than there were", {"eligible": 9}, PERIOD, "0000", "", "scoring.more_than_eligible", "e"),
    ("this period, one site", {"sites": 1, "eligible": 40}, PERIOD, "0000", "", "scoring.own_spread", "ei"),
    ("this period, without files", {"without": ("0003",), "eligible": 40}, PERIOD, "0003", "scoring.source_missing", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "estimand", "site", "reason", "flag", "shown"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
def test_what_a_component_says(mini, data, estimand, site, reason, flag, shown):
    rows = score_municipalities(study(mini, **data), mini, estimand=estimand).rows
    row = rows.where((rows["site"] == site) & (rows["component"] == "a") & (rows["level"] == "component")).rows()[0]
    assert (row["reason"], row["flag"], row["estimand"]) == (reason, flag, estimand)
    assert bool(np.isfinite(row["estimate"])) == ("e" in shown)
    for name in ("std_error", "ci_low", "ci_high"):
        assert bool(np.isfinite(row[name])) == ("i" in shown), name
    assert bool(row["method"]) == ("i" in shown)
    total = rows.where((rows["site"] == site) & (rows["level"] == "total")).rows()[0]
    assert bool(np.isfinite(total["ci_low"])) == ("i" in shown)


#: Case, data, and the notes that must be told.
TOLD = [
    ("an unlinked audit", {}, WAY, "scoring.raters_not_separable"),
    ("one rater", {"rater": same_rater_everywhere}, WAY, "scoring.raters_not_separable"),
    ("sites that were counted and have no row", {"eligible": 40, "registered": ("0999",)}, WAY, "scoring.sites_without_data"),
    ("unequal weights", {"weight": [0.5, 1.5]}, WAY, "scoring.weighted"),
    ("this period", {"eligible": 40}, PERIOD, "scoring.this_period"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "estimand", "code"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_what_is_told(mini, data, estimand, code):
    notes = {note.code: note for note in score_municipalities(study(mini, **data), mini, estimand=estimand).notes}
    assert code in notes
    assert all(notes[code].text(lang) for lang in ("sv", "en"))


REFUSED = [
    ("weight zero", {"weight": [1, 1, 0, 1, 1]}, "scoring.bad_weight"),
    ("weight negative", {"weight": [1, 1, -2, 1, 1]}, "scoring.bad_weight"),
    ("weight missing", {"weight": [1, 1, np.nan, 1, 1]}, "scoring.bad_weight"),
    ("weight infinite", {"weight": [1, 1, np.inf, 1, 1]}, "scoring.bad_weight"),
    ("all weights zero", {"weight": 0.0}, "scoring.bad_weight"),
    ("weights that sum to something else", {"weight": 3.0, "eligible": 40}, "scoring.weights_not_summing"),
    ("weights that sum to 2 % more", {"weight": 4.08, "eligible": 40}, "scoring.weights_not_summing"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_with_its_row(mini, data, code):
    responses = study(mini, **data)
    with pytest.raises(UsageError) as caught:
        score_municipalities(responses, mini)
    assert caught.value.code == code
    row = caught.value.message.params["row"]
    shown = responses.answers("files").iloc[row]
    assert (shown["site"], shown["unit"]) == tuple(caught.value.message.params[name] for name in ("site", "unit"))
    assert all(caught.value.message.text(lang) for lang in ("sv", "en"))


@pytest.mark.parametrize("estimand", ["superpopulation", "", None, 1])
def test_what_is_no_estimand_is_refused(mini, estimand):
    with pytest.raises(UsageError, match=r"way_of_working.*this_period"):
        score_municipalities(study(mini), mini, estimand=estimand)


def test_what_compares_refuses_this_period(mini):
    scores = score_municipalities(study(mini, eligible=40), mini, estimand=PERIOD)
    with pytest.raises(UsageError, match="my_verb compares"):
        require_way_of_working(scores.estimand, "my_verb")
    require_way_of_working(score_municipalities(study(mini, eligible=40), mini).estimand, "my_verb")


def test_reports_say_this_period_and_those_of_all_sites_refuse_it(mini, tmp_path):
    scores = score_municipalities(study(mini, eligible=40), mini, estimand=PERIOD)
    page = site_report(scores, mini, "0000", lang="en")
    assert "This period" in page or "this period" in page
    assert "not of the way of working" in page
    assert "The interval is about the way of working" not in page
    assert scores_workbook(scores, mini)[:2] == b"PK"
    for refused in (
        lambda: overview_report(scores, mini),
        lambda: write_reports(scores, mini, tmp_path / "out"),
        lambda: plot_sites(scores, mini, statistic="total_core"),
    ):
        with pytest.raises(UsageError, match="compares, bands or ranks"):
            refused()
    assert not (tmp_path / "out").exists()
