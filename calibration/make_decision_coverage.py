"""Make calibration/decision_coverage.csv: how often intervals of decision studies and of alpha at two levels hold.

Run offline, from the root of the repository (about five minutes on one core)::

    python calibration/make_decision_coverage.py

Each setting draws its own named stream under one seed, so that settings can be added without moving others; all
statistics of a setting see the same studies.  Balanced normal designs draw mean squares, which are independent and
exactly chi-square there; answers of yes and no, and designs with holes, draw ratings.  Truth comes from the components
alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics.generalizability._decision_model import degrees_of_freedom, means_of, unequal_facets
from ibic_fidelity.psychometrics.generalizability._two_levels import levels_of, log_limits, two_level_kernel
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.decisions import FEW_OBJECTS, decide
from ibic_fidelity.psychometrics.generalizability.design import parse_design
from ibic_fidelity.psychometrics.generalizability.levels import FEW_DRAWN, FEW_GROUPS, LOW_RELIABILITY
from ibic_fidelity.psychometrics.generalizability.precision import PILED_UP
from ibic_fidelity.psychometrics.generalizability.studies import variance_components
from ibic_fidelity.psychometrics.resampling import bootstrap_estimates

SEED = 20261125
STUDIES = 2000
#: Studies of designs with holes, each of which is fitted by REML.
FITTED = 1000
LEVEL = 0.95
TARGET = 0.80
REPLICATES = 500
TABLE = Path(__file__).with_name("decision_coverage.csv")
COLUMNS = ("statistic", "method", "design", "data", "components", "sites", "n", *COUNTED)


@dataclass(frozen=True)
class Setting:
    """One design with its truth; `n` and `components` are in the order of the design's facets and effects."""

    design: str
    components: tuple[float, ...]
    sites: int
    n: tuple[int, ...]
    data: str = "normal"
    fixed: tuple[str, ...] = ()
    cut: float | None = None
    needed: str = ""

    @property
    def name(self) -> str:
        """Return what names its stream."""
        return f"{self.design}/{self.components}/{self.sites}/{self.n}/{self.data}"

    @property
    def statistics(self) -> tuple[str, ...]:
        """Return the statistics of its rows."""
        crossed = ("erho2",) if " x rater" in self.design or "x item" in self.design else ()
        cut = ("phi_lambda",) if self.cut is not None else ()
        return (*crossed, "phi", "absolute_sem", *cut, *((f"needed_{self.needed}",) if self.needed else ()))


@dataclass(frozen=True)
class Scale:
    """Four items of groups: variance between them, and what items share between (`common`) and within groups (.4)."""

    groups: int
    between: float
    common: float
    sizes: tuple[int, ...]
    method: str = "delta"

    @property
    def name(self) -> str:
        """Return what names its stream: compared intervals see the same studies."""
        return f"alpha/{self.groups}/{self.between}/{self.common}/{self.sizes}"


def settings() -> list[Setting]:
    """Return the settings of decision studies."""
    made = [
        Setting("site x rater", parts, sites, (raters,), needed="rater")
        for sites in (12, 50)
        for raters in (3, 8)
        for parts in ((0.30, 0.05, 0.65), (0.30, 0.20, 0.50))
    ]
    made += [
        Setting("file : site", (level, 1.0 - level), sites, (files,), needed="file")
        for sites, files in ((12, 20), (24, 30), (100, 20))
        for level in (0.05, 0.15, 0.30)
    ]
    made += [
        Setting("file : site", (level, 1.0 - level), 24, (30,), data=data)
        for data in ("yes .5", "yes .8", "yes .95")
        for level in (0.05, 0.15)
    ]
    made += [
        Setting("file : assessor : site", (0.10, share, 0.90 - share), sites, (4, 6), needed="assessor")
        for sites, share in ((12, 0.15), (24, 0.02), (24, 0.15))
    ]
    made += [
        Setting("(file : site) x item", (0.05, 0.35, 0.10, 0.575), sites, (30, 4), fixed=("item",), cut=0.2)
        for sites in (12, 24)
    ]
    made += [Setting("(file : site) x item", (0.05, 0.26, 0.35, 0.10, 0.575), 24, (30, 4))]
    made += [
        Setting("file : site", (level, 1.0 - level), 24, (20,), data="5 to 60 files", needed="file")
        for level in (0.05, 0.15)
    ]
    made += [Setting("(file : site) x rater", parts, 24, (12, 2), data="2 of 8 raters a site")
             for parts in ((0.15, 0.02, 0.40, 0.01, 0.42), (0.15, 0.08, 0.40, 0.02, 0.35))]  # fmt: skip
    return made


def scales() -> list[Scale]:
    """Return the settings of alpha at two levels."""
    made = [Scale(groups, between, 0.7, (20,)) for groups in (12, 24, 50, 100) for between in (0.05, 0.15, 0.30)]
    made += [Scale(groups, 0.15, 0.7, (5, 10, 20, 30, 100)) for groups in (25, 100)]
    made += [Scale(24, 0.15, common, (20,)) for common in (0.4, 0.9)]
    return made + [Scale(groups, 0.15, 0.7, (20,), "bootstrap") for groups in (24, 50, 100)]


def made_of(setting: Setting, values: np.ndarray, covariance: np.ndarray, mean: float = 0.0) -> VarianceComponents:
    """Return components of a balanced design."""
    design = parse_design(setting.design)
    effects = tuple(effect for effect in design.effects if not effect.indices <= set(setting.fixed))
    inner = dict(zip([facet for facet in design.facets if facet != "site"], map(float, setting.n), strict=True))
    counts = {**inner, "site": float(setting.sites)}
    levels = {f: int(counts[f] * math.prod(counts[o] for o in design.nested_in[f])) for f in design.facets}
    return VarianceComponents(
        design=design, effects=effects, estimate=np.maximum(values, 0.0), untruncated=values,
        std_error=np.full(len(values), np.nan), ci=(), covariance=covariance, fixed=setting.fixed, levels=levels,
        mean_levels=counts, n=0, n_dropped=0, mean=mean, estimator="ANOVA", engine="", criterion=math.nan,
        converged=True, reasons=(None,) * len(values), flags=(),
    )  # fmt: skip


def truth(setting: Setting) -> dict[str, float]:
    """Return what the intervals are to hold, by arithmetic on the components."""
    planted = np.array(setting.components)
    g = made_of(setting, planted, np.full((len(planted),) * 2, np.nan))
    count = {facet: n for facet, n in g.mean_levels.items() if facet != "site"}
    parts = {"true": 0.0, "relative": 0.0, "absolute": 0.0}

    def error(numbers: dict[str, float]) -> dict[str, float]:
        sums = dict.fromkeys(parts, 0.0)
        for effect, value in zip(g.effects, planted, strict=True):
            others = effect.indices - {"site"}
            part = float(value) / math.prod(numbers[f] for f in others)
            if others <= set(setting.fixed):
                sums["true"] += part
                continue
            sums["absolute"] += part
            sums["relative"] += part * ("site" in effect.indices)
        return sums

    at = error(count)
    made = {
        "erho2": at["true"] / (at["true"] + at["relative"]),
        "phi": at["true"] / (at["true"] + at["absolute"]),
        "absolute_sem": math.sqrt(at["absolute"]),
    }
    if setting.cut is not None:
        far = at["true"] + setting.cut**2
        made["phi_lambda"] = far / (far + at["absolute"])
    if setting.needed:
        reached = (n for n in range(1, 100_000) if _phi(error({**count, setting.needed: n})) >= TARGET - 1e-12)
        made[f"needed_{setting.needed}"] = next(reached, math.inf)
    return made


def _phi(parts: dict[str, float]) -> float:
    return parts["true"] / (parts["true"] + parts["absolute"])


def studies(setting: Setting, count: int, rng: np.random.Generator) -> Iterator[tuple[VarianceComponents, bool]]:
    """Return the components of simulated studies, and whether the package flags their ratings."""
    if setting.data == "normal":
        for g in by_squares(setting, count, rng):
            yield g, False
        return
    for _ in range(count):
        y, facets = ratings(setting, rng)
        holes = not setting.data.startswith("yes")
        estimator = "REML" if holes else "ANOVA"
        g = variance_components(y, facets, design=setting.design, estimator=estimator, interval="none")
        yield g, bool(end_share(y[:, np.newaxis])[0] >= PILED_UP)


def by_squares(setting: Setting, count: int, rng: np.random.Generator) -> Iterator[VarianceComponents]:
    """Draw mean squares, as variances of observed means, and solve for components and their covariance."""
    planted = np.array(setting.components)
    k = len(planted)
    unknown = np.full((k, k), np.nan)
    g = made_of(setting, planted, unknown)
    to_means = means_of(g)
    expected = to_means @ planted
    df = degrees_of_freedom(g, np.arange(k), expected, np.full(k, np.nan))
    means = expected * rng.chisquare(df, (count, k)) / df
    back = np.linalg.inv(to_means)
    values = means @ back.T
    variance = 2.0 * means**2 / (df + 2.0)
    covariance = np.einsum("ij,sj,kj->sik", back, variance, back)
    about = [math.prod(g.mean_levels[f] for f in effect.indices) for effect in g.effects]
    of_mean = math.sqrt(float(planted @ (1.0 / np.array(about))))
    for i in range(count):
        yield made_of(setting, values[i], covariance[i], of_mean * float(rng.standard_normal()))


def ratings(setting: Setting, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw the ratings of one study."""
    sites = setting.sites
    if setting.data.startswith("yes"):
        mean, level = float(setting.data.split()[1]), setting.components[0]
        share = rng.beta(mean * (1 / level - 1), (1 - mean) * (1 / level - 1), sites)
        site, file = (axis.ravel() for axis in np.indices((sites, setting.n[0])))
        # in units in which the variance of a rating is 1
        return (rng.random(site.size) < share[site]) / math.sqrt(mean * (1 - mean)), {"site": site, "file": file}
    sd = np.sqrt(setting.components)
    if setting.design == "file : site":
        sizes = np.resize([5, 10, 20, 30, 60], sites)
        site = np.repeat(np.arange(sites), sizes)
        file = np.concatenate([np.arange(size) for size in sizes])
        return sd[0] * rng.standard_normal(sites)[site] + sd[1] * rng.standard_normal(site.size), {
            "site": site, "file": file,
        }  # fmt: skip
    site, file, seat = (axis.ravel() for axis in np.indices((sites, setting.n[0], 2)))
    pairs = np.array([rng.choice(8, 2, replace=False) for _ in range(sites)])
    rater = pairs[site, seat]
    parts = (
        rng.standard_normal(sites)[site], rng.standard_normal(8)[rater],
        rng.standard_normal((sites, setting.n[0]))[site, file], rng.standard_normal((sites, 8))[site, rater],
        rng.standard_normal(site.size),
    )  # fmt: skip
    return sum(s * part for s, part in zip(sd, parts, strict=True)), {"site": site, "file": file, "rater": rater}


def limits(setting: Setting, g: VarianceComponents) -> dict[str, tuple[float, float]]:
    """Return the limits of every statistic of one study."""
    inner = [facet for facet in g.design.facets if facet != "site"]
    study = decide(
        g, n=dict(zip(inner, setting.n, strict=True)), object_of_measurement="site", cut=setting.cut, assume_zero=(),
        given=None, confidence_level=LEVEL,
    )  # fmt: skip
    made = {name: (float(study.low[name][0]), float(study.high[name][0])) for name in study.low}
    if setting.needed:
        ci = study.needed(setting.needed, target=TARGET).ci
        made[f"needed_{setting.needed}"] = (ci.low, ci.high)
    return made


def rows_of(setting: Setting) -> Iterator[dict[str, object]]:
    """Return one line a statistic."""
    count = FITTED if "files" in setting.data or "raters" in setting.data else STUDIES
    found, flags = [], []
    for g, flagged in studies(setting, count, stream(SEED, setting.name)):
        found.append(limits(setting, g))
        flags.append(flagged or setting.sites < FEW_OBJECTS or bool(unequal_facets(g)))
    held = truth(setting)
    for statistic in setting.statistics:
        low, high = np.array([one[statistic] for one in found]).T
        yield {
            "statistic": statistic, "method": "generalized", "design": setting.design, "data": setting.data,
            "components": " ".join(f"{part:g}" for part in setting.components), "sites": setting.sites,
            "n": " ".join(map(str, setting.n)),
            **counted(low, high, held[statistic], np.array(flags), SEED),
        }  # fmt: skip


def answers(scale: Scale, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return answers (count, N, 4), group after group, and the sizes."""
    sizes = np.resize(scale.sizes, scale.groups)
    n = int(sizes.sum())

    def items(size: int, common: float) -> np.ndarray:
        shared, own = rng.standard_normal((count, size, 1)), rng.standard_normal((count, size, 4))
        return math.sqrt(common) * shared + math.sqrt(1.0 - common) * own

    of_groups = np.repeat(items(scale.groups, scale.common), sizes, axis=1)
    return math.sqrt(scale.between) * of_groups + math.sqrt(1.0 - scale.between) * items(n, 0.4), sizes


def alpha_limits(
    scale: Scale, x: np.ndarray, sizes: np.ndarray
) -> tuple[dict[str, tuple[np.ndarray, ...]], np.ndarray]:
    """Return the limits (studies,) of alpha within and between groups, and whether the package flags them."""
    made = levels_of(x, sizes)
    sums = [part.sum(axis=(-2, -1)) for part in (made.within, made.between)]
    with np.errstate(divide="ignore", invalid="ignore"):
        flagged = (1.0 - sums[0] / sums[1] < LOW_RELIABILITY) | (scale.groups < FEW_GROUPS)
    if scale.method == "bootstrap":
        flagged = flagged | (scale.groups < FEW_DRAWN)
        rng = stream(SEED, "bootstrap", scale.name)
        ends = [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]
        found = np.array(
            [
                np.nanquantile(
                    bootstrap_estimates(two_level_kernel(one, sizes), len(sizes), REPLICATES, rng), ends, axis=0
                )
                for one in x
            ]
        )
        return {"alpha_within": (*found[:, :, 0].T,), "alpha_between": (*found[:, :, 1].T,)}, flagged
    within, between = made.alpha_within(), made.alpha_between()
    return {
        "alpha_within": log_limits(*within, made.n - made.n_groups, LEVEL),
        "alpha_between": log_limits(*between, made.df_between, LEVEL),
    }, flagged


def alpha_rows(scale: Scale) -> Iterator[dict[str, object]]:
    """Return one line a level."""
    found: dict[str, list[tuple[np.ndarray, ...]]] = {"alpha_within": [], "alpha_between": []}
    flags = []
    rng = stream(SEED, scale.name)
    for _ in range(STUDIES // 100):  # which bounds the memory
        made, flagged = alpha_limits(scale, *answers(scale, 100, rng))
        flags.append(flagged)
        for name, sides in made.items():
            found[name].append(sides)
    for name, parts in found.items():
        low, high = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
        flagged = np.concatenate(flags) if name == "alpha_between" else np.zeros(STUDIES, dtype=bool)
        yield {
            "statistic": name, "method": scale.method, "design": "member : group", "data": "normal",
            "components": f"{scale.between:g} {scale.common:g}", "sites": scale.groups,
            "n": " ".join(map(str, scale.sizes)),
            **counted(low, high, alpha_truth(scale, name), flagged, SEED),
        }  # fmt: skip


def alpha_truth(scale: Scale, name: str) -> float:
    """Return alpha of four items from the share that they have in common."""
    common = 0.4 if name == "alpha_within" else scale.common
    return 4 * common / (1 + 3 * common)


def rows() -> Iterator[dict[str, object]]:
    """Return all lines."""
    for scale in scales():
        yield from alpha_rows(scale)
    for setting in settings():
        yield from rows_of(setting)


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, rows())


if __name__ == "__main__":
    main()
