"""Put the tables of coverage into docs/en/statistician.md and docs/sv/utvarderare.md, between their markers.

    python calibration/make_guide.py            # writes the guides
    python calibration/make_guide.py --check    # exits 1 where a guide is not up to date

Reads the tables of calibration/; a test compares.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from ibic_fidelity.studies.design import StudyDesign

HERE = Path(__file__).resolve().parent
GUIDE = HERE.parent / "docs" / "en" / "statistician.md"
EVALUATOR = HERE.parent / "docs" / "sv" / "utvarderare.md"
LOWEST, HIGHEST = 0.93, 0.975
TOTAL = "total_core"
#: How a cell is described: field of the design to words; fields that no total depends on are left out.
WORDS = {
    "n_sites": "{} municipalities", "files": "{} files each", "assessors": "{} assessors each",
    "raters": "{} raters in all",
    "double_rated": "{} of files double-rated", "missing": "{} blank", "not_applicable": "{} not applicable",
    "mean": "latent mean {}", "response_rate": "{} respond", "site_sd": "SD between municipalities {}",
}  # fmt: skip
PERCENT = frozenset({"double_rated", "missing", "not_applicable", "response_rate"})
SHARES = {"assessor": "assessor share {}", "unit": "file share {}", "rater": "rater share {}"}
STATISTICS = {"alpha": "Cronbach's alpha", "icc1": "ICC(1)"}
ANSWERS = {
    "normal": "normal values",
    "symmetric": "five levels, symmetric",
    "skewed": "five levels, 40 % at the ceiling",
    "ceiling60": "five levels, 60 % at the ceiling",
    "ceiling80": "five levels, 80 % at the ceiling",
    "binary": "yes/no, half each",
    "exponential": "exponential values",
    "t4": "t values, 4 degrees of freedom",
    "beta": "skewed values with bounds, beta(.5, 3)",
    "lognormal": "lognormal values",
}
#: Heading and table of the intervals that are told in short.
INTERVALS = {
    "Items (`consistency_coverage.csv`)": "consistency_coverage.csv",
    "Ordered answers (`correlation_coverage.csv`)": "correlation_coverage.csv",
    "Raters (`agreement_coverage.csv`)": "agreement_coverage.csv",
    "Agreement within sites (`within_group_coverage.csv`)": "within_group_coverage.csv",
    "Intraclass correlations and measurement error (`intraclass_coverage.csv`)": "intraclass_coverage.csv",
    "Variance components (`generalizability_coverage.csv`)": "generalizability_coverage.csv",
    "Decision studies, alpha at two levels (`decision_coverage.csv`)": "decision_coverage.csv",
    "Exploratory structure (`exploratory_coverage.csv`)": "exploratory_coverage.csv",
    "Standard setting (`standards_coverage.csv`)": "standards_coverage.csv",
}
RARELY = 0.10
Row = Mapping[str, str]


def scores_block(rows: Sequence[Row], cells: Mapping[str, StudyDesign]) -> str:
    """Return the coverage of score intervals in words and tables."""
    rows = [row for row in rows if row["cell"] in cells]
    done = [name for name in cells if any(row["cell"] == name for row in rows)]
    lacking = [name for name in cells if name not in done]
    if not done:
        return "The table has not been made yet: run `python calibration/make_coverage.py`.\n"
    lines = [_cell_line(name, described(cells[name]), [row for row in rows if row["cell"] == name]) for name in done]
    studies = sorted({int(row["studies"]) for row in rows})
    head = ("Cell", "What is planted", "Core total covered", "Mean width", "Bias", "Shown", "Components covered")
    parts = [
        f"{len(done)} of {len(cells)} cells, {' and '.join(f'{n:,}' for n in studies)} studies each, 95 % intervals;"
        " ± is one Monte Carlo standard error; width and bias are of 100.\n",
        markdown_table(head, lines),
        outside_block(rows),
    ]
    if lacking:
        parts.append(f"Not run yet: {', '.join(f'`{name}`' for name in lacking)}. Nothing is known of these.\n")
    return "\n".join(parts)


def _cell_line(name: str, words: str, rows: Sequence[Row]) -> tuple[str, ...]:
    total = next(row for row in rows if row["id"] == TOTAL)
    components = [float(row["coverage"]) for row in rows if row["level"] == "component"]
    return (
        f"`{name}`", words, f"{float(total['coverage']):.3f} ± {float(total['std_error']):.3f}",
        f"{float(total['mean_width']):.1f}", f"{float(total['bias']):+.2f}", _percent(float(total["shown"])),
        f"{min(components):.3f}–{max(components):.3f}",
    )  # fmt: skip


def outside_block(rows: Iterable[Row]) -> str:
    """Return the cells and targets whose coverage is outside what is required, with what their numbers say."""
    outside = [row for row in rows if not LOWEST <= float(row["coverage"]) <= HIGHEST]
    if not outside:
        return f"No cell lies outside {LOWEST}–{HIGHEST}.\n"
    lines = [
        (
            f"`{row['cell']}`", f"`{row['id']}`", f"{float(row['coverage']):.3f} ± {float(row['std_error']):.3f}",
            f"{float(row['mean_width']):.1f}", _percent(float(row["flagged"])), _coverage(row["coverage_unflagged"]),
        )
        for row in outside
    ]  # fmt: skip
    head = ("Cell", "Score", "Coverage", "Mean width", "Flagged in the result", "Coverage of the others")
    return f"Outside {LOWEST}–{HIGHEST}:\n\n{markdown_table(head, lines)}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _coverage(text: str) -> str:
    return "–" if text in {"", "nan"} else f"{float(text):.3f}"


def described(design: StudyDesign) -> str:
    """Return in words where a design differs from the default one."""
    default = StudyDesign()
    pairs = [(design, default, name, form) for name, form in WORDS.items()]
    pairs += [(design.shares, default.shares, name, form) for name, form in SHARES.items()]
    words = [
        form.format(_said(name, getattr(one, name)))
        for one, other, name, form in pairs
        if getattr(one, name) != getattr(other, name)
    ]
    return ", ".join(words) or ", ".join(
        WORDS[name].format(_said(name, getattr(default, name))) for name in ("n_sites", "files", "assessors", "raters")
    )


def _said(name: str, value: float) -> str:
    return _percent(value) if name in PERCENT else str(value)


def answers(data: str) -> str:
    """Return kinds of answers in words; respondents in clusters by number, size and share between them."""
    return ANSWERS.get(data) or f"respondents in {data}"


def statistics_block(rows: Sequence[Row]) -> str:
    """Return the coverage of the intervals of alpha and ICC(1), by kind of answers."""
    lines = []
    for statistic, method, data in dict.fromkeys((row["statistic"], row["method"], row["data"]) for row in rows):
        mine = [row for row in rows if (row["statistic"], row["method"], row["data"]) == (statistic, method, data)]
        covered = [float(row["coverage"]) for row in mine]
        short = [row for row in mine if row["within"] == "no"]
        flagged = _percent(min(float(row["flagged"]) for row in short)) if short else "–"
        lines.append(
            (
                STATISTICS[statistic], method, answers(data), f"{min(covered):.3f}–{max(covered):.3f}",
                f"{len(short)} of {len(mine)}", flagged,
            )
        )  # fmt: skip
    head = ("Statistic", "Interval", "Answers", "Coverage", "Cells outside", "Flagged there, at least")
    return markdown_table(head, lines)


def intervals_block(tables: Mapping[str, Sequence[Row]]) -> str:
    """Return the coverage of all other intervals, by statistic and interval, and how far flags catch what is short."""
    parts = []
    for title, rows in tables.items():
        lines = []
        for statistic, method in dict.fromkeys((row["statistic"], row["method"]) for row in rows):
            mine = [row for row in rows if (row["statistic"], row["method"]) == (statistic, method)]
            short = [row for row in mine if row["within"] == "no"]
            quiet = [row for row in mine if float(row["flagged"]) < RARELY]
            unseen = sum(float(row["flagged"]) < 0.5 for row in short)
            lines.append(
                (f"`{statistic}`", method, str(len(mine)), _range(mine), str(len(short)), str(unseen), _range(quiet))
            )
        head = (
            "Statistic", "Interval", "Cells", "Coverage", "Cells outside", "of these flagged in less than half",
            "Coverage where flagged in less than 10 %",
        )  # fmt: skip
        parts.append(f"{title}\n\n{markdown_table(head, lines)}")
    return "\n".join(parts)


def recovery_block(rows: Sequence[Row]) -> str:
    """Return how far off estimates of variance components and of Φ are in the mean, a line a cell."""
    lines = []
    cells = ("design", "estimator", "answers", "sites", "files", "items", "raters", "holes")
    starts = [at for at, row in enumerate(rows) if row["effect"] == "site"]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        mine = rows[start:end]
        cell = tuple(mine[0][name] for name in cells)
        design, estimator, kind, sites, files, items, raters, holes = cell
        biases = [float(row["relative_bias"]) for row in mine if row["effect"] != "phi"]
        phi = next((f"{float(row['relative_bias']):+.3f}" for row in mine if row["effect"] == "phi"), "–")
        zero = max(float(row["at_zero"]) for row in mine)
        size = f"{sites} × {files} × {items}, site {float(mine[0]['truth']):.3f}" + (
            f", {raters} raters" if raters else ""
        )
        size += f", {_percent(float(holes))} missing" if float(holes) else ""
        lines.append((f"`{design}`", estimator, kind, size, f"{min(biases):+.3f} to {max(biases):+.3f}",
                      _percent(zero), phi))  # fmt: skip
    head = ("Design", "Estimator", "Answers", "Sites × files × items, true variance of sites",
            "Relative bias of components", "Most often put to 0", "of Φ")  # fmt: skip
    return markdown_table(head, lines)


def _range(rows: Sequence[Row]) -> str:
    covered = [float(row["coverage"]) for row in rows]
    return f"{min(covered):.3f}–{max(covered):.3f}" if covered else "–"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, ("---",) * len(head), *rows))


def guide_with(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page with the text between each pair of markers replaced."""
    for name, block in blocks.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"The guide lacks the markers of {name}.")
        text = f"{before}{begin}\n{block}\n{end}{after}"
    return text


def current() -> str:
    """Return the guide as the tables have it."""
    calibration = _neighbour("make_coverage")
    scores, parts = calibration.read_table(), _neighbour("guide_of_scores")
    blocks = {
        "coverage of scores": scores_block(scores, calibration.ASSUMED),
        "grid of scores": parts.grid_block(_rows("grid_coverage.csv"), markdown_table),
        "scores of a period": parts.planted_block(scores, "period", markdown_table),
        "departures": parts.planted_block(scores, "departure", markdown_table),
        "shrunken scores": parts.shrinkage_block(_rows("shrinkage.csv"), markdown_table),
        "comparisons": parts.comparison_block(_rows("comparison_coverage.csv"), markdown_table),
        "coverage of statistics": statistics_block(_rows("psychometric_coverage.csv")),
        "coverage of intervals": intervals_block({title: _rows(name) for title, name in INTERVALS.items()}),
        "bias of components": recovery_block(_rows("generalizability_recovery.csv")),
    }
    return guide_with(GUIDE.read_text(encoding="utf-8"), blocks)


def current_evaluator() -> str:
    """Return the Swedish guide as the tables have it."""
    scores = _neighbour("make_coverage").read_table()
    block = _neighbour("guide_of_scores").planted_block(scores, "departure", markdown_table, swedish=True)
    return guide_with(EVALUATOR.read_text(encoding="utf-8"), {"departures": block})


def _rows(name: str) -> list[Row]:
    with (HERE / name).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [{"statistic": row["effect"], **row} if "effect" in row and "statistic" not in row else row for row in rows]


def _neighbour(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"There is no {name}.py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its dataclasses look for their names
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Write the guides, or compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 where the guide is not up to date.")
    pages = {GUIDE: current(), EVALUATOR: current_evaluator()}
    if not parser.parse_args().check:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8", newline="\n")
    elif any(path.read_text(encoding="utf-8") != text for path, text in pages.items()):
        sys.exit("The guides are not up to date; run python calibration/make_guide.py")


if __name__ == "__main__":
    main()
