"""Drawing case files: the same seed gives the same list, every case has its chance, bad lists are refused."""

# ruff: noqa: E501 - one row a case

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity.cli.app import run
from ibic_fidelity.errors import FormError, UsageError
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.studies.drawing import draw_files, shares

IBIC = load_instrument("ibic")
AREA = IBIC.service_areas[0].id
OTHER = IBIC.service_areas[1].id
HEAD = "kommun_kod;omrade;lag;id"


def rows(n, site="1480", area=AREA, law="SoL", first=0):
    return [f"{site};{area};{law};{site}-{law}-{i + first}" for i in range(n)]


def written(path, lines, head=HEAD):
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def drawn(path, lines, **options):
    given = {"seed": 1, "drawer": "registrator", "per_site": 20, "reserve": 5} | options
    return draw_files(written(path / "ram.csv", lines), IBIC, **given)


MANY = rows(80) + rows(40, law="LSS") + rows(10, area=OTHER, law="LSS", first=100)


def test_the_same_seed_gives_the_same_cases_in_any_order_of_the_list(tmp_path):
    one, two = drawn(tmp_path, MANY), drawn(tmp_path, MANY[::-1])
    assert one.cases == two.cases
    assert one.cases != drawn(tmp_path, MANY, seed=2).cases
    assert one.frame_sha256 != two.frame_sha256  # the list itself is another file


def test_areas_and_laws_have_their_share_and_reserves_are_their_own(tmp_path):
    made = drawn(tmp_path, MANY)
    taken = Counter((case.service_area, case.law) for case in made.cases if case.role == "drawn")
    assert taken == {(AREA, "SoL"): 12, (AREA, "LSS"): 6, (OTHER, "LSS"): 2}
    assert sorted(case.order for case in made.cases if case.role == "drawn") == list(range(1, 21))
    spare = Counter((case.service_area, case.law) for case in made.cases if case.role == "reserve")
    assert spare == {(AREA, "SoL"): 5, (AREA, "LSS"): 5, (OTHER, "LSS"): 5}
    assert len({case.unit for case in made.cases}) == len(made.cases)


def test_a_site_draws_the_same_whatever_other_sites_there_are(tmp_path):
    alone = drawn(tmp_path, MANY)
    beside = drawn(tmp_path, MANY + rows(50, site="0180"))
    assert [case for case in beside.cases if case.site == "1480"] == list(alone.cases)


@pytest.mark.parametrize(
    ("n", "per_site", "role"),
    [(19, 10, "census"), (20, 10, "drawn"), (20, 20, "census"), (1, 30, "census"), (30, 29, "drawn")],
)
def test_fewer_than_twenty_are_all_read(tmp_path, n, per_site, role):
    made = drawn(tmp_path, rows(n), per_site=per_site)
    read = [case for case in made.cases if case.role != "reserve"]
    assert {case.role for case in read} == {role}
    assert len(read) == (n if role == "census" else per_site)
    assert ("census" in made.summary()) == (role == "census")


def test_every_case_has_the_same_chance(tmp_path):
    lines, n = rows(30), 2000
    count = Counter(
        case.unit
        for seed in range(n)
        for case in drawn(tmp_path, lines, seed=seed, per_site=6).cases
        if case.role == "drawn"
    )
    expected = n * 6 / 30
    # the largest of 30 binomial deviations, at one in ten thousand
    assert np.abs(np.array(list(count.values())) - expected).max() < 4.7 * np.sqrt(expected * 0.8)
    assert len(count) == 30


@settings(max_examples=200, deadline=None)
@given(sizes=st.lists(st.integers(1, 200), min_size=1, max_size=8), share=st.floats(0.01, 0.99))
def test_shares_add_up_and_are_close_to_proportion(sizes, share):
    n = max(1, int(share * sum(sizes)))
    made = shares(sizes, n)
    assert sum(made) == n
    assert all(0 <= got <= size for got, size in zip(made, sizes, strict=True))
    if n >= len(sizes):
        assert min(made) >= 1
    if all(n * size >= sum(sizes) for size in sizes):  # nobody is lifted to one
        assert all(abs(got - n * size / sum(sizes)) < 1 for got, size in zip(made, sizes, strict=True))


BAD = [
    ("a case twice", rows(3) + rows(1), ["draw_twice"]),
    ("a personal number", [f"1480;{AREA};SoL;850709-9805"], ["draw_personal"]),
    ("a personal number with a wrong check digit", [f"1480;{AREA};SoL;850709-9806"], ["draw_personal"]),
    ("a name", [f"1480;{AREA};SoL;Anna Svensson"], ["draw_name"]),
    ("no id", [f"1480;{AREA};SoL;"], ["draw_blank"]),
    ("no law", [f"1480;{AREA};;a1"], ["draw_blank"]),
    ("an unknown site", [f"9999;{AREA};SoL;a1"], ["draw_site"]),
    ("a site without its zero", [f"180;{AREA};SoL;a1"], ["draw_site"]),
    ("an unknown area", ["1480;skola;SoL;a1"], ["draw_area"]),
    ("an unknown law", [f"1480;{AREA};HSL;a1"], ["draw_law"]),
    ("several at once", [f"9999;{AREA};HSL;a1", "1480;skola;SoL;Anna Svensson"], ["draw_area", "draw_law", "draw_name", "draw_site"]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "codes"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_list_is_refused_with_every_fault(tmp_path, lines, codes):
    with pytest.raises(FormError) as caught:
        drawn(tmp_path, lines)
    assert sorted(fault.rule.code.split(".")[1] for fault in caught.value.faults) == codes
    for language in ("sv", "en"):
        told = [fault.line(language) for fault in caught.value.faults]
        assert all(line.startswith("ram.csv, ") for line in told)
        assert not [line for line in told if "9805" in line or "Anna" in line]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"drawer": " "}, "who draws"),
        ({"per_site": 0}, "At least one"),
        ({"reserve": -1}, "At least one"),
        ({"seed": -1}, "At least one"),
    ],
)
def test_a_bad_call_is_refused(tmp_path, options, words):
    with pytest.raises(UsageError, match=words):
        drawn(tmp_path, rows(5), **options)


def test_the_command_writes_the_list_with_seed_and_drawer(tmp_path, capsys):
    frame, out = written(tmp_path / "ram.csv", MANY), tmp_path / "urval.csv"
    call = ["draw", str(frame), "-o", str(out), "--seed", "7", "--by", "Registrator Ek", "--per-site", "20"]
    assert run(call) == 0
    assert "Draget av Registrator Ek med frö 7" in capsys.readouterr().out
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "site;service_area;law;unit;role;order;seed;drawer;frame_sha256"
    assert lines[1].split(";")[4:8] == ["drawn", "1", "7", "Registrator Ek"]
    assert run(call) == 4
    assert run([*call[:3], str(frame), *call[4:], "--force"]) == 2
    assert run([*call[:3], str(tmp_path / "urval.xlsx"), *call[4:]]) == 2
    assert run(["draw", str(frame), "-o", str(tmp_path / "b.csv"), "--by", "X"]) == 2
    assert Path(frame).read_text(encoding="utf-8").startswith(HEAD)
