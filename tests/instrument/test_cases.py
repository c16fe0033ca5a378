"""The fictitious cases and their key: complete, legal, both answers to each item, nobody real, fit for certifying."""

import csv
import io
import re
import shutil
from collections import Counter

import pytest

import ibic_fidelity as ibic
from ibic_fidelity.dossier.certification import rater_certification
from ibic_fidelity.errors import InstrumentError, UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.cases import KEY_RATER, load_cases
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.platforms.scoring_sheet import key_table

PERSONAL_NUMBER = re.compile(r"\b(?:19|20)?\d{6}[-+]?\d{4}\b")
#: Columns that are no yes or no, with how often each code must at least be right.
OTHER = {"ut5": {"0": 3, "1": 3, "2": 3}, "kx1": {"0": 1, "1": 1, "2": 3}}


@pytest.fixture(scope="module")
def instrument():
    return load_instrument("ibic")


@pytest.fixture(scope="module")
def cases(instrument):
    return load_cases("ibic", instrument)


def test_there_are_twelve_under_both_laws_in_every_area(cases, instrument):
    assert len(cases.cases) == 12
    assert {case.law for case in cases.cases} == {"SoL", "LSS"}
    assert {case.service_area for case in cases.cases} == {area.id for area in instrument.service_areas}


def test_every_column_has_an_answer_for_every_case(cases, instrument):
    columns = instrument.columns_of("files")
    assert len(cases.answers) == len(columns) * len(cases.cases)
    for case in cases.cases:
        assert set(cases.of(case.id)) == set(columns)


def test_every_column_has_both_answers_at_least_three_times(cases, instrument):
    for column in instrument.columns_of("files"):
        given = Counter(answer.code for answer in cases.answers if answer.column == column)
        for code, least in OTHER.get(column, {"0": 3, "1": 3}).items():
            assert given[code] >= least, (column, code, given)


def test_reasons_are_sentences_in_both_languages(cases):
    for answer in cases.answers:
        for language in ("sv", "en"):
            assert re.fullmatch(r"\S.{8,250}[.”]", answer.reason[language]), (answer.case, answer.column, language)


def test_a_reason_quotes_only_what_the_case_says(cases):
    contents = {case.id: case.content for case in cases.cases}
    for answer in cases.answers:
        for quoted in re.findall(r"”([^”]+)”", answer.reason.sv):
            words = quoted.rstrip(".").lower().split()
            assert all(word.strip(",.") in contents[answer.case].lower() for word in words), (answer.case, quoted)


def test_dates_in_reasons_stand_in_the_case_or_follow_from_it(cases):
    follows = {"2025-11-13", "2026-07-01", "2026-09-15"}  # ends of time limits
    contents = {case.id: case.content for case in cases.cases}
    for answer in cases.answers:
        for day in re.findall(r"\d{4}-\d{2}-\d{2}", answer.reason.sv):
            assert day in contents[answer.case] or day in follows, (answer.case, day)


def test_nobody_is_real(cases):
    for case in cases.cases:
        assert case.content.startswith("# Fiktiv akt ")
        assert "Påhittad akt för övning" in case.content
        assert not PERSONAL_NUMBER.search(case.content)
        assert not re.search(r"\b\d{2,4}-\d{5,}", case.content)  # telephone numbers


def test_each_case_is_a_whole_file(cases):
    for case in cases.cases:
        assert "## Del A. Myndighetens personakt" in case.content
        assert "## Del B. Utförarens personakt" in case.content
        assert "Granskningsdag | 2026-11-02" in case.content
        assert len(case.content.split()) > 250


def test_the_law_of_the_list_is_that_of_the_case(cases):
    for case in cases.cases:
        assert f"({case.law})" in case.content.split("\n## Del A")[0]


def _rated(instrument, cases, tmp_path, wrong):
    """The key, and a rater who answers as it does but for some columns."""
    rows = list(csv.DictReader(io.StringIO(key_table(instrument, cases)), delimiter=";"))
    for row in rows:
        row["granskare"] = "g01"
        for column in wrong:
            row[column] = {"0": "1", "1": "0"}.get(row[column], row[column])
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "facit.csv").write_text(key_table(instrument, cases), encoding="utf-8")
    (tmp_path / "g01.csv").write_text(out.getvalue(), encoding="utf-8")
    return ibic.read_responses([tmp_path / "facit.csv", tmp_path / "g01.csv"], instrument)


@pytest.mark.parametrize(
    ("wrong", "right"), [((), 1.0), (("ut2", "ut4", "bu1", "up1", "up2", "do1a", "do2a", "fr1", "re6", "kv3a"), 0.84)]
)
def test_certify_takes_the_key_as_it_is(instrument, cases, tmp_path, wrong, right):
    responses = _rated(instrument, cases, tmp_path, wrong)
    assert responses.synthetic
    table = rater_certification(responses, instrument, gold=KEY_RATER).table
    agreed = table.loc[table["statistic"] == "percent_agreement", "estimate"].iloc[0]
    assert agreed == pytest.approx(right, abs=0.03)
    assert table.loc[table["statistic"] == "certified_kappa", "n"].iloc[0] == 12


def _changed(folder, change):
    key = folder / "cases" / "key.csv"
    key.write_text(change(key.read_text(encoding="utf-8")), encoding="utf-8")


FIRST = "akt01;ut1a;1;"
BAD = [
    (lambda text: text.replace(FIRST, "akt01;ut9z;1;", 1), "instrument.answer_unknown"),
    (lambda text: text.replace(FIRST, "akt77;ut1a;1;", 1), "instrument.answer_unknown"),
    (lambda text: text.replace(FIRST, "akt01;ut1a;7;", 1), "instrument.answer_code"),
    (lambda text: text.replace(FIRST, "akt01;ut1a;8;", 1), "instrument.answer_code"),
    (lambda text: text.replace(FIRST, "akt01;ut1a;;", 1), "instrument.answer_code"),
    (lambda text: text.replace(";ut1b;1;", ";ut1a;1;", 1), "instrument.answer_twice"),
    (lambda text: re.sub(r"akt01;ut1a;1;[^;]*;", "akt01;ut1a;1;;", text), "instrument.answer_reason"),
    (lambda text: re.sub(r"akt01;ut1a;.*\n", "", text), "instrument.answer_lacks"),
    (lambda text: text.replace("reason_en", "reason_de"), "instrument.answer_columns"),
    (lambda _: "", "instrument.answer_columns"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
def test_a_bad_key_is_refused_with_its_line(instrument, tmp_path, change, code):
    folder = tmp_path / "ibic"
    shutil.copytree(bundled("instruments") / "ibic", folder)
    _changed(folder, change)
    with pytest.raises(InstrumentError) as error:
        load_cases(folder, instrument)
    assert code in [fault.rule.code for fault in error.value.faults]
    assert error.value.faults[0].file == "key.csv"


def test_an_instrument_without_cases_is_refused_by_name():
    with pytest.raises(UsageError, match="lq2002") as error:
        load_cases("lq2002", load_instrument("lq2002"))
    assert error.value.code == "instrument.no_cases"
