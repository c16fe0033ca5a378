"""What is published: what is hidden cannot be solved for, and what is shown is still right."""

# ruff: noqa: E501 - one row a case

import csv
import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import ibic_fidelity as ibic
from ibic_fidelity.disclosure.protection import Figure, Table, protected_counts
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.instrument.parts import Total
from ibic_fidelity.reports.public import public_table, write_published
from ibic_fidelity.responses.model import Frame, Responses, source_table

AREAS = ("aldre", "lss")
SMALL = ("disclosure.few", "disclosure.few_items", "scoring.too_few", "scoring.item_too_few")
#: What a hidden figure must be uncertain by, less what the tolerances of linear programs can take
WIDTH = 25.0 - 1e-3


@pytest.fixture(scope="module")
def study():
    design = ibic.StudyDesign(n_sites=6, service_areas=AREAS, files=24, users=12, relatives=6, providers=5)
    return ibic.simulate_study(design, seed=3)


@pytest.fixture(scope="module")
def scores(study):
    return ibic.score_municipalities(study.responses, study.instrument)


@pytest.fixture(scope="module")
def published(study, scores):
    return ibic.publish(scores, study.instrument)


@pytest.fixture(scope="module")
def whole():
    """The bundled instrument with users' experience in its total, and small roles allowed in scores."""
    plain = ibic.load_instrument("ibic")
    total = Total(id="all", label={"sv": "Allt", "en": "All"}, dimensions=("core", "experience"))
    sources = tuple(
        source.model_copy(update={"minimum": 2, "item_minimum": 2}) if source.kind == "survey" else source
        for source in plain.sources
    )
    return plain.replaced(totals=(*plain.totals, total), sources=sources)


@pytest.fixture(scope="module")
def small_roles(study, whole):
    """Two users in every site, who count in a total that is shown."""
    design = ibic.StudyDesign(n_sites=6, files=30, users=3, relatives=12, providers=9, response_rate=1.0)
    made = ibic.simulate_study(design, seed=5)
    responses = dataclasses.replace(made.responses, instrument_sha256=whole.sha256)
    return ibic.score_municipalities(responses, whole)


def range_of_hidden(rows, truth, instrument, place):
    """Return what an attacker can say of each hidden figure of a site: by the published table and n of everything.

    Written without the package's own solver: variables are items by area, and the table's rounding is known.
    """
    mine = [(shown, true) for shown, true in zip(rows, truth, strict=True) if (shown["site"], shown["wave"]) == place]
    names = {}

    def variable(*name):
        return names.setdefault(name, len(names))

    def form(row):
        if row["level"] in ("item", "triangulating"):
            return {variable(row["service_area"], row["source"], row["item"]): 1.0}
        if row["level"] == "component":
            parts = [(1.0, row["component"])]
        else:
            total = next(one for one in instrument.totals if one.id == row["statistic"])
            components = [part for part in instrument.components_of(total) if instrument.items_of(part.id)]
            weight = sum(part.weight for part in components)
            parts = [(part.weight / weight, part.id) for part in components]
        made = {}
        for share, component in parts:
            items = instrument.items_of(component)
            for item in items:
                name = variable(row["service_area"], item.primary.source, item.id)
                made[name] = made.get(name, 0) + share * item.weight / sum(one.weight for one in items)
        return made

    forms = [form(shown) for shown, _ in mine]
    n = {}
    for _, true in mine:
        if true["level"] in ("item", "triangulating"):  # a register's whole is its areas weighted by n, too
            n.setdefault((true["source"], true["item"]), {})[true["service_area"]] = true["n"]
    relations = []
    for (source, item), counts in n.items():
        areas = {area: count for area, count in counts.items() if area and count}
        if areas and sum(areas.values()) == counts.get(""):
            relation = {variable(area, source, item): count / counts[""] for area, count in areas.items()}
            relations.append({**relation, variable("", source, item): -1.0})

    def matrix(lines):
        made = np.zeros((len(lines), len(names)))
        for line, one in zip(made, lines, strict=True):
            line[list(one)] = list(one.values())
        return made

    facts, low, high = [], [], []
    for (shown, _), one in zip(mine, forms, strict=True):
        if math.isfinite(shown["estimate"]):
            whole_number = shown["estimate"] == round(shown["estimate"])
            half = 0.5 if whole_number and shown["flag"] != "" else 0.051 if not whole_number else 0.5
            ended = shown["flag"] == "disclosure.end"
            facts.append(one)
            low.append(0 if ended and shown["estimate"] < 50 else shown["estimate"] - half)
            high.append(100 if ended and shown["estimate"] > 50 else shown["estimate"] + half)
    inside = matrix(facts)
    options = {
        "A_ub": np.vstack([inside, -inside]), "b_ub": np.array([*high, *(-value for value in low)]),
        "A_eq": matrix(relations) if relations else None, "b_eq": np.zeros(len(relations)) if relations else None,
        "bounds": (0, 100),
    }  # fmt: skip
    for (shown, true), one in zip(mine, forms, strict=True):
        counted = shown["source"] and instrument.by_source[shown["source"]].kind != "register"
        if shown["reason"] in SMALL and counted and true["n"]:
            goal = matrix([one])[0]
            ends = [sign * linprog(sign * goal, **options).fun for sign in (1, -1)]
            yield shown, ends


def hidden_widths(published, scores, instrument):
    rows, truth = published.rows.rows(), scores.rows.rows()
    places = sorted({(row["site"], row["wave"]) for row in rows})
    return [found for place in places[:2] for found in range_of_hidden(rows, truth, instrument, place)]


def test_no_hidden_figure_can_be_solved_for_from_areas_and_components(published, scores, study):
    found = hidden_widths(published, scores, study.instrument)
    assert len(found) > 100
    assert not [(row, ends) for row, ends in found if ends[1] - ends[0] < WIDTH]


def test_a_small_role_counts_in_the_total_and_cannot_be_solved_for(small_roles, whole):
    published = ibic.publish(small_roles, whole)
    rows = published.rows.rows()
    totals = [row for row in rows if row["statistic"] == "all"]
    assert totals
    assert all(math.isfinite(row["estimate"]) for row in totals)  # the score keeps what the role said
    users = [row for row in rows if row["source"] == "user" and row["level"] == "component"]
    assert users
    assert {row["reason"] for row in users} == {"disclosure.few"}
    found = hidden_widths(published, small_roles, whole)
    assert any(row["level"] == "component" for row, _ in found)
    assert not [(row, ends) for row, ends in found if ends[1] - ends[0] < WIDTH]


def test_without_more_hiding_the_small_role_could_be_solved_for(small_roles, whole):
    """The attacker of these tests is able: from the totals and all other components the role's follow."""
    published = ibic.publish(small_roles, whole)
    rows, truth = published.rows.rows(), small_roles.rows.rows()
    for row, true in zip(rows, truth, strict=True):
        if row["reason"] == "disclosure.protects_other":
            row.update(estimate=round(true["estimate"], 1) + 0.01, reason="")  # so that it is read as one decimal
    place = (rows[0]["site"], rows[0]["wave"])
    found = list(range_of_hidden(rows, truth, whole, place))
    assert min(ends[1] - ends[0] for _, ends in found) < WIDTH


def users_of(answers, instrument):
    """Return answers of users, given by site as lists of codes, every item of a user the same."""
    columns = instrument.columns_of("user")
    keys = {"site": [], "unit": []}
    codes = []
    for site, codes_given in answers.items():
        for unit, code in enumerate(codes_given):
            keys["site"].append(site)
            keys["unit"].append(f"{site}-{unit}")
            codes.append([code] * len(columns))
    tables = {"user": source_table("user", columns, np.array(codes), keys)}
    return Responses(tables, Frame(), instrument.id, instrument.version, instrument.sha256, "test")


def limits(scores, site):
    rows = scores.rows
    kept = rows.where((rows["site"] == site) & (rows["level"] == "component") & (rows["source"] == "user"))
    return {row["component"]: (row["ci_low"], row["ci_high"]) for row in kept.rows() if math.isfinite(row["ci_low"])}


ODD = {"0": [2] * 7, "1": [0, 0, 2, 2, 2, 4, 4], **{str(i): [1, 2, 2, 2, 3, 2, 2] for i in range(2, 8)}}


def test_a_sites_own_spread_leaves_no_trace_in_its_interval():
    """Two sites change places, one with s = 0 and one with a large s: the published limits are to the bit the same."""
    instrument = ibic.load_instrument("ibic")
    turned = {**ODD, "0": ODD["1"], "1": ODD["0"]}
    both = [
        limits(ibic.publish(ibic.score_municipalities(users_of(one, instrument), instrument), instrument), "0")
        for one in (ODD, turned)
    ]
    assert both[0] == both[1]
    assert both[0]


def test_s_solved_from_a_published_interval_is_not_the_sites():
    instrument = ibic.load_instrument("ibic")
    scores = ibic.score_municipalities(users_of(ODD, instrument), instrument)
    published = ibic.publish(scores, instrument)
    solved = {}
    for site in ODD:
        low, high = next(iter(limits(published, site).values()))
        solved[site] = (high - low) / 100 / (2 * 1.96) * math.sqrt(7)
    own = {site: np.std(np.array(given) / 4, ddof=1) for site, given in ODD.items()}
    assert len({round(value, 6) for value in solved.values()}) == 1  # the same for all: it tells of none
    assert own["0"] == 0
    assert min(abs(solved["0"] - own["0"]), abs(solved["1"] - own["1"])) > 0.05


def test_a_spread_of_few_sites_gives_few_respondents_no_interval():
    instrument = ibic.load_instrument("ibic")
    scores = ibic.score_municipalities(users_of({"0": ODD["0"], "1": ODD["1"]}, instrument), instrument)
    published = ibic.publish(scores, instrument)
    shown = [row for row in published.rows.rows() if row["level"] == "component" and not row["reason"]]
    assert shown
    assert {row["flag"] for row in shown} == {"disclosure.no_interval"}
    assert all(math.isnan(row["ci_low"]) and row["method"] == "" for row in shown)


@pytest.mark.parametrize(("code", "expected"), [(0, 5.0), (4, 95.0)])
def test_few_who_all_answered_the_same_at_the_end_are_shown_as_near_it(code, expected):
    instrument = ibic.load_instrument("ibic")
    answers = {**ODD, "0": [code] * 6}
    published = ibic.publish(ibic.score_municipalities(users_of(answers, instrument), instrument), instrument)
    rows = published.rows
    mine = rows.where((rows["site"] == "0") & (rows["level"] == "component") & (rows["reason"] == "")).rows()
    assert mine
    assert {row["estimate"] for row in mine} <= {5.0, 95.0}
    assert expected in {row["estimate"] for row in mine}
    assert {row["flag"] for row in mine} == {"disclosure.end"}


def test_what_is_shown_is_the_score_rounded(published, scores):
    exact, shown = scores.rows, published.rows
    known = np.isfinite(shown["estimate"].astype(float)) & (shown["flag"] != "disclosure.end")
    gap = np.abs(shown["estimate"][known].astype(float) - exact["estimate"][known].astype(float))
    assert known.sum() > 200
    assert gap.max() <= 0.5 + 1e-9
    core = shown["statistic"] == "total_core"
    assert (gap <= 0.1)[core[known]].all()


def test_no_small_count_is_shown(published, study):
    for part in (published.rows, published.response):
        for row in part.rows():
            kind = study.instrument.by_source[row["source"]].kind if row["source"] else "audit"
            single = row["source"] and study.instrument.by_source[row["source"]].single
            if kind != "register" and not single:
                assert math.isnan(row["n"]) or row["n"] == 0 or row["n"] >= 5, row


def solved(counts):
    """Return whether a hidden count below 5 follows from the sum, where others are known to be 5 or more."""
    small, large = [count for count in counts if count < 5], [count for count in counts if count >= 5]
    least, most = len(small) - 1 + 5 * len(large), math.inf if large else 4 * (len(small) - 1)
    return bool(small) and sum(least <= sum(counts) - one <= most for one in range(1, 5)) < 2


def test_hidden_counts_cannot_be_solved_for_from_the_whole(published, scores, study):
    true = {(r["site"], r["service_area"], r["source"]): r["n"] for r in scores.response.rows()}
    for row in published.response.rows():
        areas = [r for r in published.response.rows() if r["service_area"] and r["site"] == row["site"]]
        hidden = [r for r in areas if r["source"] == row["source"] and math.isnan(r["n"])]
        single = study.instrument.by_source[row["source"]].single
        if row["service_area"] == "" and math.isfinite(row["n"]) and hidden and not single:
            assert len(hidden) > 1
            assert not solved([true[r["site"], r["service_area"], r["source"]] for r in hidden])


def test_every_hidden_figure_has_a_reason_in_both_languages(published):
    for row in published.rows.rows():
        assert math.isfinite(row["estimate"]) == (row["reason"] == "")
        assert bool(published.reason_text(row["reason"], "sv")) == bool(row["reason"])


def test_publishing_twice_changes_nothing_and_bytes_are_the_same(published, scores, study):
    assert ibic.publish(published, study.instrument) is published
    again = ibic.publish(scores, study.instrument)
    assert again.to_json() == published.to_json()
    read = ibic.PublishedScores.from_json(published.to_json())
    assert read.to_json() == published.to_json()
    assert ibic.publish(read, study.instrument) is read


def test_nothing_but_rounded_figures_leaves(published):
    data = json.loads(published.to_json())
    assert data["schema"] == "ibic.published/1"
    assert {"std_error", "gates", "spread", "missing"}.isdisjoint({*data, *data["rows"]})
    for name in ("estimate", "ci_low", "ci_high"):
        assert all(value is None or value == round(value, 1) for value in data["rows"][name])


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(0, 100), min_size=3, max_size=7),
    hide=st.integers(0, 6),
    seed=st.integers(0, 10),
)
def test_whatever_the_figures_a_hidden_one_stays_uncertain(values, hide, seed):
    """A component of some items, one of them hidden: enumerated over whole numbers."""
    k, hide = len(values), hide % len(values)
    weights = np.random.default_rng(seed).dirichlet(np.full(k, 5.0))
    figures = {i: Figure(i, {i: 1.0}, (0, values[i], i)) for i in range(k)}
    figures[k] = Figure(k, dict(enumerate(weights)), (1, 0, k))
    known = {i: (value - 0.05, value + 0.05) for i, value in enumerate([*values, float(weights @ values)])}
    del known[hide]
    table = Table(figures, (), dict(known))
    extra = table.protect([hide], 25.0)
    assert set(extra) == set(known) - set(table.shown)
    open_items = [i for i in range(k) if i not in table.shown]
    if k in table.shown:
        rest = weights @ values - sum(weights[i] * values[i] for i in range(k) if i not in open_items)
        others = 100 * sum(weights[i] for i in open_items if i != hide)
        low, high = max(0, (rest - others) / weights[hide]), min(100, rest / weights[hide])
        slack = 0.1 / weights[hide]
        assert high - low + 2 * slack >= 25.0 - 1e-6
    again = Table(figures, (), dict(table.shown))
    assert again.protect([hide], 25.0) == []  # what is protected needs no more


@settings(max_examples=100, deadline=None)
@given(counts=st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_small_counts_of_areas_cannot_be_enumerated(counts):
    hidden = [0 < count < 5 for count in counts]
    made, hide_sum = protected_counts(counts, hidden, 5)
    assert all(after or not before for before, after in zip(hidden, made, strict=True))
    kept = [count for count, hide in zip(counts, made, strict=True) if hide]
    if any(hidden) and not hide_sum:
        assert not solved(kept)


SCORED = {}


def scored():
    if not SCORED:
        study = ibic.simulate_study(ibic.StudyDesign(n_sites=3, files=6), seed=1)
        SCORED["scores"], SCORED["instrument"] = (
            ibic.score_municipalities(study.responses, study.instrument),
            study.instrument,
        )
    return SCORED["scores"], SCORED["instrument"]


def published_again(**rules):
    scores, instrument = scored()
    return ibic.publish(ibic.publish(scores, instrument), instrument, **rules)


BAD = [
    ("a frame of scores", lambda: ibic.publish(scored()[0].table, scored()[1]), ArgumentTypeError, "wrong_kind", "DataFrame"),
    ("no instrument", lambda: ibic.publish(scored()[0], None), ArgumentTypeError, "wrong_kind", "NoneType"),
    ("another instrument", lambda: ibic.publish(scored()[0], ibic.load_instrument("lq2002")), UsageError, "other_instrument", "lq2002"),
    ("least below 5", lambda: ibic.publish(*scored(), least=3), UsageError, "rule", "`least` is 3"),
    ("least as text", lambda: ibic.publish(*scored(), least="5"), UsageError, "rule", "'5'"),
    ("few below 10", lambda: ibic.publish(*scored(), few=9), UsageError, "rule", "`few` is 9"),
    ("few below least", lambda: ibic.publish(*scored(), least=12), UsageError, "rule", "at least 12"),
    ("two sites pooled", lambda: ibic.publish(*scored(), pooled_sites=2), UsageError, "rule", "`pooled_sites` is 2"),
    ("no protection", lambda: ibic.publish(*scored(), protection=0), UsageError, "rule_between", "`protection` is 0"),
    ("protection NaN", lambda: ibic.publish(*scored(), protection=math.nan), UsageError, "rule_between", "nan"),
    ("end beyond", lambda: ibic.publish(*scored(), end=30), UsageError, "rule_between", "`end` is 30"),
    ("published by other rules", lambda: published_again(few=20), UsageError, "other_rules", "20"),
    ("scores read as published", lambda: ibic.PublishedScores.from_json(scored()[0].to_json()), UsageError, "not_published", "ibic.scores/1"),
    ("no JSON", lambda: ibic.PublishedScores.from_json("x"), UsageError, "not_published", "ibic.published/1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_published_is_refused(call, kind, code, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert caught.value.code == f"disclosure.{code}"
    assert caught.value.message.text("sv")


def test_the_table_for_the_public_takes_published_scores_only(tmp_path, published, study, scores):
    for call in (public_table, lambda one, *rest, **lang: write_published(tmp_path / "x.json", one, *rest, **lang)):
        with pytest.raises(ArgumentTypeError, match="Scores") as caught:
            call(scores, study.instrument, lang="sv")
        assert caught.value.code == "disclosure.only_published"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_the_table_for_the_public_says_why_a_figure_is_hidden(published, study, lang):
    table = public_table(published, study.instrument, lang=lang)
    texts = [" ".join(cell.text for cell in row) for row in table.rows]
    assert len(texts) == len(published.rows)
    assert any(published.reason_text("disclosure.few", lang) in text for text in texts)
    assert any(published.reason_text("disclosure.protects_other", lang) in text for text in texts)


def test_files_for_the_public_hold_what_is_published(tmp_path, published, study):
    made = write_published(tmp_path / "p.json", published, study.instrument, lang="sv")
    assert made.read_text(encoding="utf-8") == published.to_json()
    made = write_published(tmp_path / "p.csv", published, study.instrument, lang="sv")
    text = made.read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 1 + len(published.rows)
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    for row, one in zip(rows, published.rows.rows(), strict=True):
        assert (row["Kod"], row["Id"]) == (one["site"], one["item"] or one["component"] or one["statistic"])
        limits = [row["Poäng"], row["95\u00a0% intervall, nedre"], row["95\u00a0% intervall, övre"]]
        for told, value in zip(limits, (one["estimate"], one["ci_low"], one["ci_high"]), strict=True):
            assert told == "" if np.isnan(value) else float(told.replace(",", ".")) == value
        assert "kandidat" in row["Instrument"]
        assert "SYNTETISKA" in row["Data"]
    with pytest.raises(UsageError, match=r"p\.txt"):
        write_published(tmp_path / "p.txt", published, study.instrument, lang="sv")
