"""VALIDATION.md and the guide of the statistician are what their generators make of the tests and tables."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their names
    spec.loader.exec_module(module)
    return module


NO_STATISTIC = {"parse_design"}


@pytest.fixture(scope="module")
def validation():
    return script("tests/reference/make_validation.py")


@pytest.fixture(scope="module")
def guide():
    return script("calibration/make_guide.py")


def test_validation_is_up_to_date(validation):
    assert (ROOT / "VALIDATION.md").read_text(encoding="utf-8") == validation.page(), (
        "run python tests/reference/make_validation.py"
    )


def test_every_statistic_has_a_witness(validation):
    from ibic_fidelity import psychometrics

    functions = {name for name in psychometrics.__all__ if name.islower()} - NO_STATISTIC
    without = {name for name in functions if f"`{name}`" in validation.WITHOUT}
    assert functions - without <= {mark.statistic for mark in validation.marks()}
    assert all(validation.literature(name) for name in sorted(functions))


def test_every_witness_says_where_it_is_computed(validation):
    for mark in validation.marks():
        assert validation.place(mark.statistic), f"name {mark.statistic} in ELSEWHERE of make_validation.py"


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ('statistic="s", definition="d", reference="r", tolerance=1e-8', "and nothing else"),
        ('statistic="s", definition="d", reference="r", tolerance=TOO, data="x"', "TOO is neither"),
    ],
)
def test_a_mark_that_cannot_be_read_is_refused(validation, tmp_path, mark, message):
    (tmp_path / "test_x.py").write_text(
        f"import pytest\n\n\n@pytest.mark.witness({mark})\ndef test_x():\n    pass\n", encoding="utf-8"
    )
    with pytest.raises(SystemExit, match=message):
        validation.marks(tmp_path)


def test_the_statisticians_guide_is_up_to_date(guide):
    assert guide.GUIDE.read_text(encoding="utf-8") == guide.current(), "run python calibration/make_guide.py"


def test_the_evaluators_guide_is_up_to_date(guide):
    assert guide.EVALUATOR.read_text(encoding="utf-8") == guide.current_evaluator(), (
        "run python calibration/make_guide.py"
    )


def test_cells_outside_what_is_required_are_listed(guide):
    row = {
        "cell": "c", "studies": "2000", "level": "total", "id": "total_core", "coverage": "0.91", "std_error": "0.002",
        "mean_width": "20", "bias": "0.1", "shown": "1", "flagged": "0.8", "coverage_unflagged": "nan",
    }  # fmt: skip
    part = {**row, "level": "component", "id": "ut", "coverage": "0.95"}
    design = guide.StudyDesign(files=5, missing=0.2)
    block = guide.scores_block([row, part], {"c": design, "d": guide.StudyDesign()})
    assert "5 files each, 20 % blank" in block
    assert "| `c` | `total_core` | 0.910 ± 0.002 | 20.0 | 80 % | – |" in block
    assert "| `c` | `ut` |" not in block
    assert "Not run yet: `d`" in block
    assert "No cell lies outside" in guide.outside_block([part])
    assert "has not been made yet" in guide.scores_block([], {"c": design})
