"""How often the intervals of a design cover what was planted: simulate, score, compare."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.parallel import Progress, map_tasks
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING, Estimand
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.studies.departures import NONE, Departures
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import Study, simulate_study
from ibic_fidelity.studies.period import simulate_period

Key = tuple[str, str]  # level, id
ROUNDING = 1e-9  # an estimate without error is the truth to the last bits only


@dataclass(frozen=True, slots=True)
class _Task:
    design: StudyDesign
    seed: int
    instrument: Instrument
    confidence_level: float
    departures: Departures
    estimand: Estimand
    population: int | None

    def study(self) -> Study:
        """Return the study with the truth that its intervals are to hold."""
        if self.population is None:
            return simulate_study(self.design, seed=self.seed, instrument=self.instrument, departures=self.departures)
        return simulate_period(self.design, self.population, seed=self.seed, instrument=self.instrument)


def interval_coverage(
    design: StudyDesign,
    instrument: Instrument,
    *,
    n_studies: int,
    seed: int,
    confidence_level: float = 0.95,
    departures: Departures = NONE,
    estimand: Estimand = WAY_OF_WORKING,
    population: int | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Records:
    """Return the coverage of score intervals over simulated studies.

    Parameters
    ----------
    design : StudyDesign
        What each study looks like.
    instrument : Instrument
        What is asked and scored.
    n_studies, seed : int
        Study i has the seed ``seed + i``.
    confidence_level : float
        Nominal coverage.
    departures : Departures
        Where studies leave what scoring assumes; not with a `population`.
    estimand : {"way_of_working", "this_period"}
        What is scored.
    population : int, optional
        Eligible files in each site, of which the truth is the mean. Without it the truth is the planted way of
        working, whatever `estimand` is.
    n_jobs, progress
        As in `map_tasks`.

    Returns
    -------
    Records
        One row a target: ``level`` (item, component, total), ``id``, ``studies``, ``intervals``,
        ``shown`` (share of scores with an interval), ``coverage`` of the truth,
        ``std_error`` (Monte Carlo, from the variance between studies, since sites of a study share
        raters), ``mean_width``, ``bias`` (mean of estimate minus truth), both on 0–100. Whole sites only.
    """
    tasks = [
        _Task(design, seed + i, instrument, confidence_level, departures, estimand, population)
        for i in range(n_studies)
    ]
    results = map_tasks(_one, tasks, seed=seed, name="studies/coverage", n_jobs=n_jobs, progress=progress)
    by_target: dict[Key, list[NDArray[np.float64]]] = defaultdict(list)
    for result in results:
        for key, sums in result.items():
            by_target[key].append(sums)
    rows = [_row(key, np.array(sums)) for key, sums in by_target.items()]
    return Records.of(**{name: [row[name] for row in rows] for name in rows[0]})


def _one(task: _Task, _: np.random.Generator) -> dict[Key, NDArray[np.float64]]:
    study = task.study()
    scores = score_municipalities(
        study.responses, study.instrument, confidence_level=task.confidence_level, estimand=task.estimand
    )
    return _compare(scores, study.truth)


def _compare(scores: Scores, truth: Records) -> dict[Key, NDArray[np.float64]]:
    """Return, for each target: scores, intervals, hits, widths, errors, flagged, hits among unflagged."""
    names = ("site", "service_area", "level", "id", "value")
    planted = {tuple(values[:4]): values[4] for values in zip(*(truth[name].tolist() for name in names), strict=True)}
    rows = scores.rows.where((scores.rows["service_area"] == "") & (scores.rows["level"] != "triangulating"))
    columns = ("site", "level", "component", "item", "statistic", "estimate", "ci_low", "ci_high", "flag")
    sums: dict[Key, NDArray[np.float64]] = {}
    for site, level, component, item, statistic, estimate, low, high, flag in zip(
        *(rows[name].tolist() for name in columns), strict=True
    ):
        name = {"item": item, "component": component, "total": statistic}[level]
        value = planted[site, "", level, name]
        one = sums.setdefault((level, name), np.zeros(7))
        one[0] += 1
        if np.isfinite(low):
            hit = low - ROUNDING <= value <= high + ROUNDING
            one[1:] += (1, hit, high - low, estimate - value, flag != "", hit and flag == "")
    return sums


def _row(key: Key, sums: NDArray[np.float64]) -> dict[str, object]:
    scores, intervals, hits, widths, errors, flagged, clean_hits = sums.sum(axis=0)
    clean = intervals - flagged
    used = sums[:, 1] > 0
    coverage = hits / intervals if intervals else np.nan
    deviation = (
        (sums[used, 2] - coverage * sums[used, 1]) / (intervals / max(used.sum(), 1)) if intervals else np.zeros(1)
    )
    error = float(np.sqrt((deviation**2).sum() / max(len(deviation) - 1, 1) / max(len(deviation), 1)))
    return {
        "level": key[0],
        "id": key[1],
        "studies": len(sums),
        "intervals": int(intervals),
        "shown": intervals / scores,
        "coverage": coverage,
        "std_error": error if intervals else np.nan,
        "mean_width": widths / intervals if intervals else np.nan,
        "bias": errors / intervals if intervals else np.nan,
        "flagged": flagged / intervals if intervals else np.nan,
        "coverage_unflagged": clean_hits / clean if clean else np.nan,
    }
