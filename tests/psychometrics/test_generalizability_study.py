import json
import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning

CLOSED_FORM = 1e-10
DESIGN = "(file : site) x rater x item"
POOLED = ("file x item : site", "file x rater : site")


def audit(seed=1, *, sites=24, raters=8, files=12):
    """Two of eight raters read every file of a site, four items; planted variances of site, rater, file, rest."""
    rng = np.random.default_rng(seed)
    at = {"site": [], "file": [], "rater": [], "item": []}
    y = []
    of_site, of_rater = rng.normal(0, 0.4, sites), rng.normal(0, 0.3, raters)
    by_item = rng.normal(0, 0.2, (raters, 4))
    for site in range(sites):
        pair = rng.choice(raters, 2, replace=False)
        for file in range(files):
            own = rng.normal(0, 0.5)
            for rater in pair:
                for item in range(4):
                    for name, value in (("site", site), ("file", file), ("rater", rater), ("item", item)):
                        at[name].append(value)
                    y.append(of_site[site] + of_rater[rater] + by_item[rater, item] + own + rng.normal(0, 0.6))
    return np.array(y), at


@pytest.fixture(scope="module")
def study():
    return pm.generalizability_study(*audit(), design=DESIGN, omit=POOLED)


def test_the_decision_is_that_at_the_observed_numbers(study):
    again = pm.decision_study(study, n={"file": 12, "rater": 2, "item": 4})
    assert study.decision.phi[0] == pytest.approx(again.phi[0], abs=CLOSED_FORM)
    assert study.decision.low["phi"][0] == pytest.approx(again.low["phi"][0], abs=CLOSED_FORM)
    assert np.sum(study.share) == pytest.approx(1.0)
    assert len(study.table) == len(study.components.effects) + 7
    assert "Variance of one rating by REML from 2304 ratings: site" in study.summary()


def test_the_way_of_working_adds_up_to_the_absolute_error(study):
    made = study.way_of_working()
    assert made.sources == ("rater", "file", "file × rater") or set(made.sources) == {"rater", "file", "file × rater"}
    assert made.total == pytest.approx(study.decision.absolute_error[0], abs=CLOSED_FORM)
    assert len(made.table) == 3
    assert "Error variance of one site's mean" in made.summary()


def test_one_raters_severity_is_over_the_items(study):
    made = study.way_of_working()
    g = study.components
    at = made.sources.index("rater")
    expected = g.of("rater") + g.of("rater", "item") / 4 + g.of("site", "rater") + g.of("site", "rater", "item") / 4
    assert made.variance[at] == pytest.approx(expected, abs=CLOSED_FORM)
    assert made.error[at] == pytest.approx(expected / 2, abs=CLOSED_FORM)
    assert made.sd[at] ** 2 == pytest.approx(expected)
    assert made.df[at] == pytest.approx(2 * (made.variance[at] / made.std_error[at]) ** 2)
    assert 3 < made.df[at] < 12
    assert made.n_levels[at] == 8


def test_planted_variances_come_back():
    """Mean over 12 studies, within four of its standard errors."""
    found = []
    for seed in range(12):
        made = pm.generalizability_study(*audit(seed), design=DESIGN, omit=POOLED, interval="none").way_of_working()
        at = [made.sources.index(name) for name in ("rater", "file")]
        found.append(made.variance[at])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(12)
    # of a file: its own variance, and that of its items and raters that was pooled goes to the residual
    planted = np.array([0.3**2 + 0.2**2 / 4, 0.5**2])
    assert np.all(np.abs(means - planted) < 4 * errors)


def test_the_calibration_is_plain_data(study):
    made = study.way_of_working().calibration
    assert json.loads(json.dumps(made)) == made
    assert made["levels"] == {"file": 288, "site": 24, "rater": 8, "item": 4}
    assert made["fixed"] == ["item"]
    assert set(made["sources"]["rater"]) == {"variance", "std_error", "df", "sd"}


def test_raters_of_one_site_each_are_not_known_and_left_out_of_the_calibration():
    rng = np.random.default_rng(5)
    site, file, item = (axis.ravel() for axis in np.indices((8, 10, 3)))
    y = rng.normal(size=8)[site] + rng.normal(size=site.size)
    facets = {"site": site, "file": file, "item": item, "rater": site}
    with pytest.warns(UndefinedStatisticWarning) as caught:
        made = pm.generalizability_study(y, facets, design=DESIGN, omit=POOLED)
    assert {warning.filename for warning in caught} == {__file__}
    way = made.way_of_working()
    assert math.isnan(way.variance[way.sources.index("rater")])
    assert "rater" not in way.calibration["sources"]
    assert way.reasons[way.sources.index("rater")].text("sv")
    assert math.isnan(way.total)


def test_missing_ratings_are_as_rows_left_out():
    y, facets = audit(3, sites=10)
    gone = np.random.default_rng(1).random(len(y)) < 0.1
    holes = np.where(gone, np.nan, y)
    one = pm.generalizability_study(holes, facets, design=DESIGN, omit=POOLED)
    other = pm.generalizability_study(
        y[~gone], {name: np.array(codes)[~gone] for name, codes in facets.items()}, design=DESIGN, omit=POOLED
    )
    assert one.decision.phi[0] == other.decision.phi[0]
    assert one.decision.high["phi"][0] == other.decision.high["phi"][0]
    assert one.components.n == (~gone).sum()
