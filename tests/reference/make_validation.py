"""Make VALIDATION.md: what stands behind each statistic, from the tests' marks and the fixtures' meta.

From the root of the repository::

    python tests/reference/make_validation.py            # writes VALIDATION.md
    python tests/reference/make_validation.py --check    # exits 1 where the file is not up to date

The marks ``@pytest.mark.witness(...)`` are read from the source of the tests, which need not run.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ibic_fidelity import psychometrics

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "VALIDATION.md"
FIELDS = ("statistic", "definition", "reference", "tolerance", "data")

#: What is no public function of psychometrics: where it is computed, and by whom it is defined.
ELSEWHERE = {
    "variance between sites and shrunken estimates": (
        "scoring.shrinkage.between_sites",
        ("Yoshimori, M., & Lahiri, P. (2014). A new adjusted maximum likelihood method for the Fay–Herriot small area"
         " model. Journal of Multivariate Analysis, 124, 281–294.",),
    ),
    "limits of the variance between sites": (
        "scoring.shrinkage.between_sites",
        ("Viechtbauer, W. (2007). Confidence intervals for the amount of heterogeneity in meta-analysis. Statistics in"
         " Medicine, 26, 37–52.",),
    ),
    "posterior of sites": (
        "scoring.posterior.posterior_draws",
        ("Morris, C. N., & Tang, R. (2011). Estimating random effects via adjustment for density maximization."
         " Statistical Science, 26, 271–287.",),
    ),
    "ICC(1), ICC(2)": ("dossier.reliability.component_reliability", ("As `group_mean_reliability`.",)),
    "rwg, rwg(j), awg": ("dossier.reliability.component_reliability", ("As `within_group_agreement`.",)),
    "score interval": (
        "scoring.intervals.score_interval",
        ("Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the"
         " American Statistical Association, 22, 209–212.",),
    ),
    "influence values": (
        "scoring.sums.source_sums",
        ("Woodruff, R. S. (1971). A simple method for approximating the variance of a complicated estimate. Journal of"
         " the American Statistical Association, 66, 411–414.",),
    ),
    "error of this period's units": (
        "scoring.estimands.period_error",
        ("Cochran, W. G. (1977). Sampling techniques, 3rd ed., chapter 2. Wiley.",),
    ),
    "spread within and between clusters": (
        "scoring.intervals.pooled_spread",
        ("Searle, S. R., Casella, G., & McCulloch, C. E. (1992). Variance components, chapter 3.6. Wiley.",),
    ),
    "adjusted p-values": (
        "scoring.comparison.false_discovery.adjusted",
        ("Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal Statistical"
         " Society B, 57, 289–300.",
         "Benjamini, Y., & Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under"
         " dependency. Annals of Statistics, 29, 1165–1188."),
    ),
    "differences of scores": (
        "scoring.comparison.differences.differences",
        ("Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in"
         " Medicine, 17, 873–890.",
         "Zou, G. Y. (2007). Toward using confidence intervals to compare correlations. Psychological Methods, 12,"
         " 399–413."),
    ),
    "spread of sites in the funnel": (
        "scoring.comparison.funnel.between_variance",
        ("Paule, R. C., & Mandel, J. (1982). Consensus values and weighting factors. Journal of Research of the"
         " National Bureau of Standards, 87, 377–385.",),
    ),
    "variance components of ratings nested in sites": (
        "psychometrics.generalizability._reml.fit_nested_reml",
        ("Searle, S. R., Casella, G., & McCulloch, C. E. (1992). Variance components, chapter 6. Wiley.",
         "Gilmour, A. R., Thompson, R., & Cullis, B. R. (1995). Average information REML. Biometrics, 51, 1440–1450."),
    ),
}  # fmt: skip

HEAD = """# Validation

Made by `python tests/reference/make_validation.py` from the marks of the tests and the `meta` of the fixtures; a test
compares. Do not edit it by hand.

This page says which outside witness each *calculation* agrees with, how closely, and on which data. It says nothing of
whether the *instrument* is valid: the bundled IBIC instrument is a candidate that nobody has validated.

A statistic counts as done when an outside witness agrees with it (a printed table, or a fixture made by another program
whose script and versions are kept), an identity, property or recovery test holds, leaving out incomplete rows gives the
same as never having had them, and the coverage of its interval is known (see
[docs/en/statistician.md](docs/en/statistician.md)). R is needed to make the fixtures, not to use the package or to run
its tests.
"""

WITHOUT = """## Without an outside witness

No other program that we know computes these as we do. They rest on hand computation, identities, recovery of planted
values and the coverage of the intervals made from them (tests/scoring, calibration/coverage.csv):

- the pooled spread over municipalities beyond its sums of squares, and its degrees of freedom (`pooled_spread`,
  `error_share`);
- the variance of rater severity from a network of double ratings (`rater_spread`), and that of one reading of a
  document (`reading_spread`);
- components and totals whose items come from several sources (`composite_score`);
- the probability behind a gate (`probability_below`);
- the uncertainty of error variances in shrunken scores, ranks and their simultaneous limits (`shrink_scores`:
  calibration/shrinkage.csv);
- generalizability of a composite (`composite_generalizability`): two routes that agree, and planted covariances.
"""


class Mark(NamedTuple):
    """One mark of one test; `test` is its file and name."""

    statistic: str
    definition: str
    reference: str
    tolerance: str
    data: str
    test: str


def marks(tests: Path = TESTS) -> list[Mark]:
    """Return all marks, by file and line."""
    return [mark for path in sorted(tests.rglob("test_*.py")) for mark in _marks_of(path, tests)]


def _marks_of(path: Path, tests: Path) -> Iterator[Mark]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = _constants(tree)
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in function.decorator_list:
            if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.witness"):
                continue
            said = {keyword.arg: _value(keyword.value, names, path) for keyword in call.keywords}
            if call.args or set(said) != set(FIELDS):
                raise SystemExit(f"{path}, line {call.lineno}: a witness names {', '.join(FIELDS)}, and nothing else.")
            where = f"{path.relative_to(tests.parent).as_posix()}::{function.name}"
            yield Mark(**{name: _printed(value) for name, value in said.items()}, test=where)


def _constants(tree: ast.Module) -> dict[str, Any]:
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def _value(node: ast.expr, names: dict[str, Any], path: Path) -> Any:
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise SystemExit(
            f"{path}, line {node.lineno}: {ast.unparse(node)} is neither a literal nor a constant."
        ) from None


def _printed(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def literature(statistic: str) -> tuple[str, ...]:
    """Return the references in the docstring of a public function, or those named in `ELSEWHERE`."""
    if statistic not in psychometrics.__all__:
        return ELSEWHERE[statistic][1] if statistic in ELSEWHERE else ()
    doc = getattr(psychometrics, statistic).__doc__ or ""
    section = re.search(r"References\n\s*-+\n(.*?)(?:\n\s*\n\s*\w+\n\s*---|\Z)", doc, re.DOTALL)
    parts = re.split(r"\.\. \[\d+\]", section[1])[1:] if section else []
    return tuple(" ".join(part.split()) for part in parts)


def place(statistic: str) -> str:
    """Return where a statistic is computed."""
    if statistic in psychometrics.__all__:
        return f"psychometrics.{statistic}"
    return ELSEWHERE[statistic][0] if statistic in ELSEWHERE else ""


def page(tests: Path = TESTS) -> str:
    """Return the page."""
    found = marks(tests)
    statistics = sorted({mark.statistic for mark in found}, key=str.casefold)
    sections = [_section(one, [mark for mark in found if mark.statistic == one]) for one in statistics]
    return "\n".join([HEAD, "## Statistics\n", *sections, _fixtures(tests), WITHOUT])


def _section(statistic: str, found: list[Mark]) -> str:
    lines = [f"### {statistic}", ""]
    if place(statistic):
        lines += [f"Computed by `ibic_fidelity.{place(statistic)}`.", ""]
    references = literature(statistic)
    if references:
        lines += ["Reference:", "", *(f"- {reference}" for reference in references), ""]
    rows = [(mark.definition, mark.reference, mark.tolerance, mark.data, f"`{mark.test}`") for mark in found]
    return "\n".join([*lines, _table(("Definition", "Witness", "Tolerance", "Data set", "Test"), rows)])


def _fixtures(tests: Path) -> str:
    rows = []
    for path in sorted((tests / "reference").glob("*.json")):
        meta = json.loads(path.read_text(encoding="utf-8")).get("meta")
        if meta is None:
            raise SystemExit(f"{path}: a fixture says in meta from what it was made.")
        packages = ", ".join(f"{name} {version}" for name, version in meta["packages"].items())
        data = meta.get("data", meta.get("source", ""))
        data = "; ".join(data.values()) if isinstance(data, dict) else data
        release = str(meta.get("R", meta.get("r", ""))).removeprefix("R version ")
        rows.append((f"`tests/reference/{path.name}`", release, packages, f"`{meta['call']}`", data))
    table = _table(("Fixture", "R", "Packages", "Made by", "Data"), rows)
    return f"## Fixtures\n\n{table}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def main() -> None:
    """Write the page, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 where the page is not up to date.")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8", newline="\n")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit("VALIDATION.md is not up to date; run python tests/reference/make_validation.py")


if __name__ == "__main__":
    main()
