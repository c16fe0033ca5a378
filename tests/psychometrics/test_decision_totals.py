"""Files counted over all assessors of a site, and files split among raters."""

import dataclasses
import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UsageError

EXACT = 1e-12
DESIGN = "(file : assessor : site) x rater"


@pytest.fixture(scope="module")
def study():
    site, assessor, file, rater = (axis.ravel() for axis in np.indices((20, 4, 5, 2)))
    rng = np.random.default_rng(4)
    y = 0.8 * rng.normal(size=20)[site] + 0.5 * rng.normal(size=(20, 4))[site, assessor] + 0.2 * rater
    y = y + rng.normal(size=(20, 4, 5))[site, assessor, file] + 0.6 * rng.normal(size=len(site))
    facets = {"site": site, "assessor": assessor, "file": file, "rater": rater}
    omit = ("site x rater", "assessor x rater : site")
    return pm.generalizability_study(y, facets, design=DESIGN, estimator="ANOVA", omit=omit)


def error(g, *, assessors, files, raters, split=False):
    """Absolute error written out: files over all assessors."""
    last = g.of("site", "assessor", "file", "rater") / (files if split else files * raters)
    return (
        g.of("rater") / raters + g.of("site", "assessor") / assessors + g.of("site", "assessor", "file") / files + last
    )


@pytest.mark.parametrize("split", [None, {"file": "rater"}])
@pytest.mark.parametrize(("total", "assessors"), [(2, 2), (4, 4), (6, 4), (40, 4)])
def test_a_total_is_files_of_all_assessors(study, total, assessors, split):
    made = pm.decision_study(study, n={"rater": 2}, total={"file": total}, split=split)
    wanted = error(study.components, assessors=assessors, files=total, raters=2, split=split is not None)
    assert made.absolute_error[0] == pytest.approx(wanted, rel=EXACT)
    assert made.n["assessor"][0] == assessors
    assert made.n["assessor"][0] * made.n["file"][0] == pytest.approx(total)
    assert made.total["file"][0] == total


def test_a_total_is_the_same_as_its_parts(study):
    parts = pm.decision_study(study, n={"rater": 1, "assessor": 4, "file": [2, 5]})
    total = pm.decision_study(study, n={"rater": 1}, total={"file": [8, 20]})
    for name in ("phi", "erho2", "absolute_sem"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(total, name))
        np.testing.assert_array_equal(parts.low[name], total.low[name])


@pytest.mark.parametrize("target", [0.3, 0.5, 0.6, 0.68, 0.7, 0.9])
@pytest.mark.parametrize("split", [None, {"file": "rater"}])
def test_the_needed_total_is_the_first_that_reaches_the_target(study, target, split):
    made = pm.decision_study(study, n={"rater": 2}, total={"file": 20}, split=split)
    needed = made.needed("file", target=target)
    grid = pm.decision_study(study, n={"rater": 2}, total={"file": list(range(1, 400))}, split=split)
    reached = np.flatnonzero(grid.phi >= target - 1e-12)
    assert needed.estimate == (grid.total["file"][reached[0]] if reached.size else math.inf)
    assert needed.ci.low <= needed.estimate <= needed.ci.high
    assert needed.others == {"rater": 2.0, "assessor": 4.0}


def test_fewer_files_than_the_raters_they_are_split_among_have_no_figures(study):
    made = pm.decision_study(study, n={"rater": [1, 3]}, total={"file": [2, 6]}, split={"file": "rater"})
    lacking = made.total["file"] < made.n["rater"]
    assert lacking.sum() == 1
    assert np.isnan(made.phi[lacking]).all()
    assert np.isnan(made.low["phi"][lacking]).all()
    assert np.isfinite(made.phi[~lacking]).all()
    assert {"psychometrics.decision_split_so", "psychometrics.decision_split_more"} == {f.code for f in made.flags}
    assert "fewer" in made.summary()


def test_the_table_has_the_totals(study):
    made = pm.decision_study(study, n={"rater": 1}, total={"file": [8, 20]})
    assert sorted(set(made.table["total_file"])) == [8.0, 20.0]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"n": {"file": 2}, "total": {"file": 3}}, "decision_total_twice"),
        ({"n": {}, "total": {"file": 8, "assessor": 4}}, "decision_total_twice"),
        ({"n": {}, "total": 8}, "decision_n"),
        ({"n": {}, "total": {"judge": 8}}, "decision_facet"),
        ({"n": {}, "total": {"file": 0}}, "decision_number"),
        ({"n": {}, "split": "file"}, "decision_n"),
        ({"n": {}, "split": {"file": "assessor"}}, "decision_split"),
        ({"n": {}, "split": {"file": "judge"}}, "decision_split"),
        ({"n": {}, "split": {"file": "file"}}, "decision_split"),
        ({"n": {}, "split": {"file": "site"}}, "decision_split"),
    ],
)
def test_what_is_refused(study, options, code):
    with pytest.raises(UsageError) as caught:
        pm.decision_study(study, **options)
    assert caught.value.code == f"psychometrics.{code}"
    assert str(caught.value)


def test_a_component_of_hardly_any_degrees_of_freedom_gives_wide_limits_and_no_warning():
    """Rater components near 0 have hundredths of a degree of freedom, and χ² draws of 0."""
    site, file, rater = (axis.ravel() for axis in np.indices((8, 6, 3)))
    rng = np.random.default_rng(11)
    y = rng.normal(size=8)[site] + rng.normal(size=(8, 6))[site, file] + rng.normal(size=len(site)) + 0.02 * rater
    made = pm.variance_components(y, {"site": site, "file": file, "rater": rater}, design="(file : site) x rater")
    errors = np.where(np.arange(len(made.effects)) == 1, 1e6 * made.estimate[-1], made.std_error)
    tiny = dataclasses.replace(made, covariance=np.diag(np.nan_to_num(errors) ** 2))
    study = pm.decision_study(tiny, n={"file": 6, "rater": 2})
    assert study.low["phi"][0] < 0.05
    assert study.high["phi"][0] <= 1
