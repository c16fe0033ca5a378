"""How precisely sites are measured: the dossier's studies, its advice, and what an instrument can carry of them."""

import dataclasses
import math
import shutil

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity import psychometrics as pm
from ibic_fidelity.dossier.advice import advice_of, planned
from ibic_fidelity.dossier.calibration import precision_calibration
from ibic_fidelity.dossier.precision import MOST_ERROR, POOLED, site_precision, variance_parts
from ibic_fidelity.dossier.primary_answers import primary_answers
from ibic_fidelity.dossier.rated_rows import rated_rows
from ibic_fidelity.errors import InstrumentError, ResponseError, UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.writing import calibration_yaml
from ibic_fidelity.psychometrics.generalizability.decisions import decide
from ibic_fidelity.responses.model import source_table
from ibic_fidelity.scoring.sums import composite_weights
from ibic_fidelity.studies.design import LatentShares

# the same sums in another order
SUMS = 1e-9


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(ibic.StudyDesign(n_sites=12, files=20, double_rated=0.4, users=0, relatives=0), seed=3)


@pytest.fixture(scope="module")
def made(study):
    return site_precision(study.responses, study.instrument)


@pytest.fixture(scope="module")
def calibrated(study):
    return precision_calibration(study.responses, study.instrument)


def of(made, statistic, target, source="files"):
    rows = [r for r in made.statistics if (r.statistic, r.component, r.source) == (statistic, target, source)]
    assert len(rows) == 1
    return rows[0]


def test_a_component_is_the_study_of_its_answers(study, made):
    table = study.responses.tables["files"]
    answers = [one for one in primary_answers(table, study.instrument) if one.item.component == "bu"]
    k = len(answers)
    facets = {
        "site": np.tile(table.site.text, k), "assessor": np.tile(table.cluster.text, k),
        "file": np.tile(table.unit.text, k), "rater": np.tile(table.rater.text, k),
        "item": np.repeat(np.arange(k), table.n),
    }  # fmt: skip
    design = "(file : assessor : site) x rater x item"
    known = {effect.name.replace(" × ", " x ") for effect in pm.parse_design(design).effects}
    alone = pm.variance_components(
        np.concatenate([one.value for one in answers]), facets, design=design, omit=[n for n in POOLED if n in known]
    )
    for name, facet_names in (("site", ("site",)), ("rater", ("rater",)), ("file", ("site", "assessor", "file"))):
        assert of(made, f"sd_{name}", "bu").estimate == pytest.approx(100 * math.sqrt(alone.of(*facet_names)), rel=SUMS)
    shares = [r.estimate for r in made.statistics if r.component == "bu" and r.statistic.startswith("share_")]
    assert sum(shares) == pytest.approx(1.0)


def test_what_files_measure_comes_with_a_total_and_its_advice(made):
    assert made.targets[0].target == "total_core"
    assert made.statistics.preface[0] == made.targets[0].advice
    for target in made.targets:
        assert sum(variance_parts(target).values()) == pytest.approx(1.0)
        for language in LANGUAGES:
            said = target.advice.text(language)
            assert "{" not in said
            assert target.plan.unit == target.unit


def test_errors_of_a_mean_add_up_and_phi_is_theirs(made):
    target = made.targets[0]
    shares = [r.estimate for r in made.statistics if r.component == "total_core" and r.statistic.startswith("error_")]
    assert sum(shares) == pytest.approx(1.0)
    now = target.plan.observed
    assert of(made, "phi", "total_core").estimate == pytest.approx(
        float(now.universe_score[0] / (now.universe_score[0] + now.absolute_error[0]))
    )
    assert of(made, "sem_level", "total_core").ci_high <= MOST_ERROR


def values_of(rows, target, instrument):
    """Return the values that the target's study was made of, a total's over all its items alike."""
    weights = composite_weights(instrument)
    kind = "component" if target.target in instrument.by_component else "total"
    return rows.mean({item: w for item, w in weights[kind, target.target].items() if item in rows.values})


def plan_of(study, target, goal):
    rows = rated_rows(study.responses.tables[target.source], study.instrument)
    return planned(target.study, rows, values_of(rows, target, study.instrument), goal)


def test_the_needed_number_reaches_the_goal_and_one_less_does_not(study, made):
    checked = 0
    for target in made.targets:
        plan = plan_of(study, target, 0.5)
        needed = plan.needed.estimate
        if not math.isfinite(needed) or needed < 3:
            continue
        others = {"rater": plan.n_raters} if plan.n_raters else {}
        others |= {name: n for name, n in plan.needed.others.items() if name in ("assessor", "group")}
        phi = decide(
            target.study.components, n=others, object_of_measurement="site", cut=None, assume_zero=(), given=None,
            confidence_level=0.95, total={target.unit: [int(needed) - 1, int(needed)]},
            split={target.unit: "rater"} if plan.n_raters else None, whole=False,
        ).phi  # fmt: skip
        assert phi[1] >= 0.5 > phi[0]
        checked += 1
    assert checked >= 3


def test_respondents_of_a_reflective_scale_have_alpha_at_both_levels(study, made):
    row = of(made, "alpha_within", "ty", "provider")
    assert 0 < row.estimate < 1
    assert of(made, "needed_respondents", "ty", "provider").statistic == "needed_respondents"
    assert not [r for r in made.statistics if r.source == "provider" and "rater" in r.statistic]


def test_real_data_without_raters_or_clusters():
    instrument = ibic.load_instrument("lq2002")
    responses = ibic.read_responses(bundled("instruments") / "lq2002" / "lq2002.csv", instrument)
    made = site_precision(responses, instrument)
    lead = next(one for one in made.targets if one.target == "lead")
    assert lead.advice.code == "dossier.advice_more"  # 34 soldiers, and an average company has 29
    icc2 = pm.group_mean_reliability(
        np.nanmean([v.value for v in primary_answers(responses.tables["soldier"], instrument)
                    if v.item.component == "lead"], axis=0),
        responses.tables["soldier"].site.text,
    ).icc2  # fmt: skip
    # unequal companies: a harmonic mean number of soldiers lies below the ANOVA's average
    assert float(lead.plan.observed.phi[0]) == pytest.approx(icc2, abs=0.06)


def test_one_site_is_told(study):
    kept = {name: table.take(np.flatnonzero(table.site.codes == 0)) for name, table in study.responses.tables.items()}
    for call, code in ((site_precision, "nothing_to_generalize"), (precision_calibration, "nothing_to_calibrate")):
        with pytest.raises(ResponseError) as caught:
            call(dataclasses.replace(study.responses, tables=kept), study.instrument)
        assert caught.value.code == f"dossier.{code}"


def test_three_sites_are_too_few_for_advice(study):
    kept = {name: table.take(np.flatnonzero(table.site.codes < 3)) for name, table in study.responses.tables.items()}
    made = site_precision(dataclasses.replace(study.responses, tables=kept), study.instrument)
    assert {target.advice.code for target in made.targets} == {"dossier.advice_few_sites"}


def renamed(study, change):
    """Return answers of which the raters' names are changed."""
    table = study.responses.tables["files"]
    names = change(table.rater.text.copy())
    keys = {k: getattr(table, k).text for k in ("site", "service_area", "wave", "unit", "cluster")} | {"rater": names}
    other = source_table("files", table.columns, table.codes, keys)
    return dataclasses.replace(study.responses, tables=study.responses.tables | {"files": other})


def test_one_blank_rater_leaves_a_row_out_and_says_so(study, made):
    def blank_one(names):
        names[3] = ""
        return names

    other = site_precision(renamed(study, blank_one), study.instrument)
    assert "dossier.precision_unnamed" in {note.code for note in other.statistics.preface}
    assert of(other, "sd_rater", "total_core").estimate == pytest.approx(
        of(made, "sd_rater", "total_core").estimate, rel=0.2
    )


def test_without_raters_names_it_is_never_enough(study):
    other = site_precision(renamed(study, lambda names: np.full_like(names, "")), study.instrument, goal=0.3)
    codes = {target.advice.code for target in other.targets if target.source == "files"}
    assert codes == {"dossier.advice_no_raters"}


def test_raters_who_agree_on_everything_are_no_crash(study):
    table = study.responses.tables["files"]
    codes = table.codes.copy()
    same = np.flatnonzero(
        (table.unit.codes[1:] == table.unit.codes[:-1]) & (table.site.codes[1:] == table.site.codes[:-1])
    )
    for row in same:
        codes[row + 1] = codes[row]
    keys = {k: getattr(table, k).text for k in ("site", "service_area", "wave", "unit", "cluster", "rater")}
    other = source_table("files", table.columns, codes, keys)
    responses = dataclasses.replace(study.responses, tables={"files": other})
    made = site_precision(responses, study.instrument)
    assert {row.statistic for row in made.statistics if math.isnan(row.estimate)} >= {"phi", "needed_files"}
    with pytest.raises(ResponseError) as caught:
        precision_calibration(responses, study.instrument)
    assert caught.value.code == "dossier.nothing_to_calibrate"


def test_one_rater_and_unlinked_raters_give_no_rater_variance(study):
    for raters in (1, 12):
        nobody = {"users": 0, "relatives": 0, "providers": 0}
        design = ibic.StudyDesign(n_sites=12, files=10, raters=raters, double_rated=0.0, **nobody)
        other = ibic.simulate_study(design, seed=4)
        made = site_precision(other.responses, other.instrument)
        names = {row.statistic for row in made.statistics if row.component == "bu"}
        told = {row.statistic: row for row in made.statistics if row.component == "bu"}
        if raters == 1:
            assert "sd_rater" not in names
            assert made.targets[0].advice.code == "dossier.advice_no_raters"
        else:
            assert math.isnan(told["sd_rater"].estimate)
            assert told["sd_rater"].notes
            assert made.targets[0].advice.code == "dossier.advice_unlinked"
        assert precision_calibration(other.responses, other.instrument).of("files", "ut").rater is None


def test_a_goal_that_is_no_share_is_refused(study):
    with pytest.raises(UsageError) as caught:
        site_precision(study.responses, study.instrument, goal=80)
    assert caught.value.code == "dossier.goal"


def test_advice_changes_with_the_goal(study, made):
    codes = []
    for goal in (0.40, 0.75, 0.85, 0.93, 0.995):
        plan = plan_of(study, made.targets[0], goal)
        advice = advice_of(plan, study.instrument.by_source["files"], {"sv": "x", "en": "x"}, study.instrument.site)
        codes.append(advice.code.removeprefix("dossier."))
    assert codes[0] == "advice_enough"
    assert codes[-1] in {"advice_far_rated", "advice_out_of_reach"}
    order = ["advice_enough", "advice_more_rated", "advice_fewer_shared", "advice_more_raters", "advice_far_rated",
             "advice_out_of_reach"]  # fmt: skip
    places = [order.index(code) for code in codes]
    assert places == sorted(places)


# ---- what an instrument carries


def test_calibration_is_what_scoring_finds_by_another_route(study, calibrated):
    """REML components of files, and scoring's equated squares, estimate the same variances."""
    spread = ibic.score_municipalities(study.responses, study.instrument).spread
    pairs = [
        (row, calibrated.of("files", row["target"]))
        for row in spread.rows()
        if row["source"] == "files" and row["level"] in ("component", "total")
    ]
    pairs = [(row, known) for row, known in pairs if known is not None]
    assert len(pairs) >= 8
    for row, known in pairs:
        assert known.within == pytest.approx(row["within"], rel=0.15), row["target"]
        assert known.between == pytest.approx(row["between"], rel=0.25, abs=0.02), row["target"]
    means = [np.mean([row["raters"] for row, _ in pairs]), np.mean([known.rater for _, known in pairs])]
    assert means[1] == pytest.approx(means[0], rel=0.5)  # eight raters: each target's own differ by chance
    assert calibrated.synthetic


@pytest.mark.slow
def test_planted_rater_severity_comes_back():
    """Binary items with a latent rater share: severity over many items has the planted variance, within chance."""
    found = []
    for seed in range(4):
        design = ibic.StudyDesign(
            n_sites=24, files=12, raters=24, double_rated=0.6, users=0, providers=0, relatives=0, item_sd=0.0,
            mean=0.0, site_sd=0.1, component_sd=0.0, missing=0.0, not_applicable=0.0,
            shares=LatentShares(assessor=0.05, unit=0.1, rater=0.06, rater_error=0.05),
        )  # fmt: skip
        study = ibic.simulate_study(design, seed=seed)
        found.append(precision_calibration(study.responses, study.instrument).of("files", "up").rater)
    # P(two latent values with correlation ρ fall on one side) at θ = 1/2: covariance arcsin(ρ)/2π, over θ(1 − θ) = 1/4
    truth = 2 * math.asin(0.06) / math.pi
    assert np.mean(found) == pytest.approx(truth, rel=0.3)  # 4 × 24 raters: SE 15 %


@pytest.fixture
def folder(tmp_path, study, calibrated):
    copy = tmp_path / "ibic"
    shutil.copytree(bundled("instruments") / "ibic", copy)
    (copy / "calibration.yaml").write_text(calibration_yaml(calibrated), encoding="utf-8")
    main = copy / "instrument.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "\ncalibration_file: calibration.yaml\n", encoding="utf-8")
    return copy


def test_an_instrument_carries_its_calibration_through_its_file(folder, study, calibrated):
    instrument = ibic.load_instrument(folder)
    assert instrument.calibration == calibrated
    assert instrument.sha256 != study.instrument.sha256


BROKEN = [
    ("target: ut\n", "target: xx\n", "instrument.dangling"),
    ("rater_df:", "rater_dg:", "instrument.unknown_field"),
    ("calibration:\n", "calibrations:\n", "instrument.only_part"),
    ("  sites: 12\n", "  sites: 1\n", "instrument.bad_value"),
]


@pytest.mark.parametrize(("old", "new", "code"), BROKEN, ids=[row[2] for row in BROKEN])
def test_a_broken_calibration_is_told_with_its_line(folder, old, new, code):
    path = folder / "calibration.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        ibic.load_instrument(folder)
    first = caught.value.faults[0]
    assert code in {fault.rule.code for fault in caught.value.faults}
    assert first.file == "calibration.yaml"
    assert first.row


def test_a_variance_without_degrees_of_freedom_is_refused(folder):
    path = folder / "calibration.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines.remove(next(line for line in lines if "rater_df:" in line))
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        ibic.load_instrument(folder)
    assert caught.value.faults[0].rule.code == "instrument.calibration_df"


def test_occasions_come_from_two_waves_with_fresh_files():
    instrument = ibic.load_instrument("ibic")
    twice = ibic.read_responses(bundled("data/synthetic") / "retest.csv", instrument)
    made = precision_calibration(twice, instrument, occasions=("2026-03", "2026-04"))
    row = made.of("files", "total_core")
    assert row.occasion is not None
    assert 0 <= row.occasion < row.within
    with pytest.raises(UsageError) as caught:
        precision_calibration(twice, instrument, occasions=("2026-03", "2027-04"))
    assert caught.value.code == "dossier.unknown_wave"
