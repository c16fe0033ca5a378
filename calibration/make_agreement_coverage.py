"""Make calibration/agreement_coverage.csv: how often the intervals of agreement coefficients hold the truth.

Run offline, from the root of the repository (about fifteen minutes on one core)::

    python calibration/make_agreement_coverage.py

Each cell draws its own named stream under one seed.  Studies are a leading axis; the kernels are those of the
package.  A rater sees a unit's true category with probability a, and else names a category as often as it occurs,
so that two raters agree, beyond chance, on a share a² of the units: the value of every kappa and of alpha, with
weights and without; percent agreement, AC and Brennan–Prediger follow from a² and the prevalences.  In clusters a²
is κ − .3(1 − κ) or κ + .3(1 − κ), by halves, and a unit's true category is its cluster's with probability .3.
Where most units have one rating, only the first ten have two.  A rater to be certified is right about an item with
one probability in most files and another in a few (`POOR`), whatever the item, so that chance agreement is .5.
The bootstrap uses the same replicates for every study, as the package does with one seed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from scipy.special import stdtrit

from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.agreement import _chance
from ibic_fidelity.psychometrics.agreement._linearised import (
    limits,
    of_linear,
    unreliable,
    unreliable_percentiles,
)
from ibic_fidelity.psychometrics.agreement._ratings import Ratings, read_weights
from ibic_fidelity.psychometrics.agreement._two_way import two_way
from ibic_fidelity.psychometrics.agreement.drift import rater_drift
from ibic_fidelity.psychometrics.agreement.krippendorff import Disagreement
from ibic_fidelity.psychometrics.agreement.severity import rejects_too_seldom, unreliable_raters
from ibic_fidelity.psychometrics.agreement.single_raters import certify_raters, leave_one_out_agreement

SEED = 20261122
STUDIES = 2000
REPLICATES = 499
LEVEL = 0.95
BLOCK = 250
#: A limit at the truth holds it, whatever rounding does.
TINY = 1e-12
LINEARISED, PERCENTILE, BELL = "linearised, log", "percentile bootstrap", "CR2, t"
UNSEEN = "one-sided, one file more"
#: What a one-sided limit of 97.5 % is to hold; more is safe.
ONE_SIDED = (0.965, 1.0)
#: Of one rater beside a gold standard: shares of items right in most files, in poor ones, and share of poor files.
POOR = {
    "15% of files .35 right": (0.93, 0.35, 0.15),
    "10% of files .20 right": (0.92, 0.20, 0.10),
    "15% of files .50 right": (0.96, 0.50, 0.15),
}
ITEMS = 20
#: Units of two ratings beside units of one.
PAIRED = 10
#: Share of the commonest category; the others share the rest evenly.
COMMONEST = {"even": None, "80-20": 0.80, "95-5": 0.95}
KAPPAS = (0.3, 0.6, 0.9)
CHANCES = {
    "percent_agreement": None,
    "cohen_kappa": _chance.OWN,
    "scott_pi": _chance.COMMON,
    "fleiss_kappa": _chance.COMMON,
    "conger_kappa": _chance.OWN,
    "brennan_prediger": _chance.UNIFORM,
    "gwet_ac": _chance.HARD_UNITS,
}
#: Of one rater's second ratings: shares one step higher, and one step lower, than the first.
STEPS = {"many steps": (0.3, 0.1), "few steps": (0.05, 0.02)}
SIZES = {"": None, "equal": (10,), "unequal": (3, 5, 8, 12, 22)}
TABLE = Path(__file__).with_name("agreement_coverage.csv")
COLUMNS = (
    "statistic", "weighting", "method", "raters", "categories", "prevalence", "kappa", "n", "holes",
    "clusters", "sizes", *COUNTED,
)  # fmt: skip


@dataclass(frozen=True)
class Design:
    """What studies are drawn from."""

    raters: int
    categories: int
    prevalence: str
    kappa: float
    n: int
    holes: str = "no"
    clusters: int = 0
    sizes: str = ""

    @property
    def name(self) -> str:
        """Return the name of the design's random stream."""
        return "/".join(str(getattr(self, field)) for field in self.__dataclass_fields__)

    @property
    def shares(self) -> np.ndarray:
        """Return the prevalences (q,), the commonest category last."""
        top = COMMONEST[self.prevalence] or 1.0 / self.categories
        return np.array([*[(1.0 - top) / (self.categories - 1)] * (self.categories - 1), top])

    @property
    def of_units(self) -> np.ndarray | None:
        """Return the cluster of each unit (n,), None without clusters."""
        pattern = SIZES[self.sizes]
        if pattern is None:
            return None
        return np.repeat(np.arange(self.clusters), [pattern[i % len(pattern)] for i in range(self.clusters)])


def designs() -> list[Design]:
    """Return all designs."""
    plain = product((2, 4), (2, 5), COMMONEST, KAPPAS, (20, 50, 200), ("no", "yes"))
    clustered = product((2, 4), (2, 5), ("even", "80-20"), (0.6, 0.8), (5, 10, 30), ("equal", "unequal"))
    return [
        *(Design(*design) for design in plain),
        *(Design(r, q, p, k, 10 * c, "no", c, sizes) for r, q, p, k, c, sizes in clustered),
        *(Design(2, 2, p, 0.6, n, holes) for p in ("even", "80-20") for n, holes in ((PAIRED, "no"), (310, "single"))),
    ]


def statistics(design: Design) -> list[tuple[str, str]]:
    """Return the coefficients of a design and their weighting."""
    two = design.raters == 2 and design.holes == "no"
    kappas = ("cohen_kappa", "scott_pi") if two else ("conger_kappa", "fleiss_kappa")
    if design.clusters:
        return [(kappas[0], "unweighted"), ("gwet_ac", "unweighted"), ("krippendorff_alpha", "nominal")]
    made = [(name, "unweighted") for name in (*kappas, "percent_agreement", "gwet_ac", "brennan_prediger")]
    made.append(("krippendorff_alpha", "nominal"))
    if design.categories > 2:
        made += [(kappas[0], "quadratic"), ("gwet_ac", "quadratic"), ("krippendorff_alpha", "interval")]
    return made


def truth(design: Design, statistic: str, weighting: str) -> float:
    """Return the value in the population."""
    if statistic not in {"percent_agreement", "gwet_ac", "brennan_prediger"}:
        return design.kappa
    shares, q = design.shares, design.categories
    weights = read_weights(None if weighting == "unweighted" else weighting, np.arange(q, dtype=float))[1]
    observed = design.kappa + (1.0 - design.kappa) * float(shares @ weights @ shares)
    if statistic == "percent_agreement":
        return observed
    expected = weights.mean()
    if statistic == "gwet_ac":
        expected = weights.sum() / (q * (q - 1)) * float(shares @ (1.0 - shares))
    return float((observed - expected) / (1.0 - expected))


def draw(design: Design, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return codes (studies, n, raters), −1 for a hole."""
    cuts = np.cumsum(design.shares)[:-1]

    def category(*shape: int) -> np.ndarray:
        return np.searchsorted(cuts, rng.random(shape), side="right")

    true = category(studies, design.n)
    agreeing = np.full((studies, design.n), design.kappa)
    if (clusters := design.of_units) is not None:
        own = rng.random((studies, design.n)) < 0.3
        true = np.where(own, category(studies, design.clusters)[:, clusters], true)
        sign = np.where(rng.random((studies, design.clusters)) < 0.5, -0.3, 0.3)[:, clusters]
        agreeing = design.kappa + sign * (1.0 - design.kappa)
    shape = (studies, design.n, design.raters)
    seen = rng.random(shape) < np.sqrt(agreeing)[..., None]
    codes = np.where(seen, true[..., None], category(*shape))
    if design.holes == "yes" and design.raters > 2:
        place = rng.random(shape).argsort(axis=-1)  # two of the raters always, each other one in six of ten units
        codes[(place > 1) & (rng.random(shape) < 0.4)] = -1
    elif design.holes == "single":
        codes[:, PAIRED:, 1] = -1
    elif design.holes == "yes":  # one of two raters alone in the last quarter of the units
        alone = np.arange(design.n) >= design.n - design.n // 4
        codes[alone[:, None] & (rng.integers(0, 2, (*shape[:2], 1)) == np.arange(2))] = -1
    return codes


def ratings_of(design: Design, codes: np.ndarray, statistic: str) -> Ratings:
    """Return the ratings of studies (studies, n, r), for alpha without units that one rater rated."""
    if statistic == "krippendorff_alpha" and design.holes != "no" and design.raters == 2:
        codes = codes[:, : PAIRED if design.holes == "single" else design.n - design.n // 4]
    counts = (codes[..., None] == np.arange(design.categories)).sum(axis=-2).astype(np.float64)
    values = np.arange(design.categories, dtype=np.float64)
    return Ratings(codes.astype(np.int64), counts, values, 0, design.of_units)


@cache
def replicates(n: int, clusters: tuple[int, ...] | None) -> np.ndarray:
    """Return how often each unit is drawn (REPLICATES, n)."""
    drawn_from = n if clusters is None else max(clusters) + 1
    drawn = stream(SEED, f"replicates/{drawn_from}").integers(0, drawn_from, (REPLICATES, drawn_from))
    counts = np.stack([np.bincount(row, minlength=drawn_from) for row in drawn]).astype(np.float64)
    return counts if clusters is None else counts[:, list(clusters)]


def estimates(ratings: Ratings, statistic: str, weighting: str, again: bool) -> tuple[np.ndarray, ...]:
    """Return estimates (studies,), 1 − chance agreement, deviations (studies, n), and bootstrap estimates if asked."""
    n = ratings.counts.shape[-2]
    once = np.ones((1, n))
    drawn = once if not again else replicates(n, None if ratings.clusters is None else tuple(ratings.clusters.tolist()))
    with np.errstate(all="ignore"):
        if statistic == "krippendorff_alpha":
            kernel = Disagreement(ratings, weighting)
            _, between, total, largest = (part[..., 0] for part in kernel.parts(once))
            room = between / (total * (total - 1.0) * largest)
            return kernel.alpha(once)[:, 0], room, kernel.deviations(), kernel.alpha(drawn)
        weights = read_weights(None if weighting == "unweighted" else weighting, ratings.values)[1]
        chance = CHANCES[statistic]
        estimate = _chance.estimates(ratings, weights, chance, once)[:, 0]
        apart = _chance.deviations(ratings, weights, estimate, chance)
        room = np.ones(1) if chance is None else 1.0 - chance.expected(ratings, weights, once)[..., 0]
        room = np.broadcast_to(room, estimate.shape)
        return estimate, room, apart, _chance.estimates(ratings, weights, chance, drawn)


def percentiles(again: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile limits (studies,) of the replicates that are defined."""
    tails = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
    low, high = np.quantile(again, tails, axis=1)
    for i in np.flatnonzero(np.isnan(low)):
        known = again[i][~np.isnan(again[i])]
        low[i], high[i] = np.quantile(known, tails) if known.size else (math.nan, math.nan)
    return low, high


def rows_of(design: Design, *, bootstrap: bool = True) -> Iterator[dict[str, object]]:
    """Return the lines of a design, without those of percentiles if they are not asked for."""
    codes = draw(design, STUDIES, stream(SEED, design.name))
    bootstrapped = bootstrap and design.holes == "no"
    for statistic, weighting in statistics(design):
        made: list[tuple[np.ndarray, ...]] = []
        for start in range(0, STUDIES, BLOCK):
            ratings = ratings_of(design, codes[start : start + BLOCK], statistic)
            n, clusters = ratings.paired
            estimate, room, apart, again = estimates(ratings, statistic, weighting, bootstrapped)
            with np.errstate(all="ignore"):
                error = of_linear(apart, ratings.clusters, ratings.overlapping)
                undefined = np.isnan(estimate)
                of_all = apart, ratings.clusters, ratings.overlapping[0]
                flags = unreliable(*of_all) | undefined
                of_percentiles = unreliable_percentiles(*of_all) | undefined
            again[np.isnan(estimate)] = np.nan
            least = 0.0 if statistic == "percent_agreement" else -1.0
            low, high = limits(estimate, error, room, n, clusters, LEVEL, least)
            made.append((low, high, flags, *percentiles(again), of_percentiles))
        low, high, flags, *percentile = (np.concatenate(part) for part in zip(*made, strict=True))
        value = truth(design, statistic, weighting)
        yield line(design, statistic, weighting, LINEARISED, counted(low - TINY, high + TINY, value, flags, SEED))
        if bootstrapped:
            low, high, flags = percentile
            yield line(design, statistic, weighting, PERCENTILE, counted(low - TINY, high + TINY, value, flags, SEED))


def line(design: Design, statistic: str, weighting: str, method: str, figures: dict[str, object]) -> dict[str, object]:
    """Return one line of the table."""
    return {
        "statistic": statistic, "weighting": weighting, "method": method, "raters": design.raters,
        "categories": design.categories or "", "prevalence": design.prevalence, "kappa": design.kappa or "",
        "n": design.n, "holes": design.holes, "clusters": design.clusters or "", "sizes": design.sizes, **figures,
    }  # fmt: skip


def severity_designs() -> list[Design]:
    """Return the designs of raters' severity: categories 0, ratings normal or whole numbers."""
    plain = product((3, 8), ("normal", "steps"), (20, 50), ("no", "yes"))
    clustered = product((3, 8), ("steps",), (10, 30), ("equal", "unequal"))
    return [
        *(Design(r, 0, data, 0.0, n, holes) for r, data, n, holes in plain),
        *(Design(r, 0, data, 0.0, 10 * c, "yes", c, sizes) for r, data, c, sizes in clustered),
    ]


def draw_severity(design: Design, level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one study (n, r): unit + rater + error, errors larger for later raters, and in clusters alike."""
    n, r = design.n, design.raters
    unit = rng.integers(1, 6, (n, 1))
    if design.prevalence == "normal":
        x = unit + level + rng.standard_normal((n, r)) * np.linspace(0.5, 1.5, r)
    else:
        off = np.full((n, r), 0.15)
        if (clusters := design.of_units) is not None:
            off = rng.choice([0.0, 0.3], (design.clusters, r))[clusters]
        x = unit + (rng.random((n, r)) < level).astype(float) - (rng.random((n, r)) < off)
    if design.holes == "yes":
        place = rng.random((n, r)).argsort(axis=1)
        x[(place > 1) & (rng.random((n, r)) < 0.5)] = np.nan
    return x


def severity_rows(design: Design) -> Iterator[dict[str, object]]:
    """Return the lines of a design: the first rater's level, and the test where no raters differ."""
    rng = stream(SEED, "severity/" + design.name)
    levels = np.linspace(0.05, 0.4, design.raters)
    wanted = float(levels[0] - levels.mean())
    low, high, flags, held, few = (np.zeros(STUDIES) for _ in range(5))
    for i in range(STUDIES):
        x = draw_severity(design, levels, rng)
        made = two_way(x, design.of_units)
        reach = stdtrit(made.df[0], 0.5 + LEVEL / 2) * math.sqrt(made.covariance[0, 0])
        low[i], high[i] = made.effects[0] - reach, made.effects[0] + reach
        flags[i] = unreliable_raters(x, made.df, np.sqrt(np.diag(made.covariance)))[0]
        x = draw_severity(design, np.full(design.raters, 0.2), rng)
        null = two_way(x, design.of_units)
        held[i] = math.nan if math.isnan(null.p_value) else float(null.p_value < 1.0 - LEVEL)
        few[i] = rejects_too_seldom(x, null.df1, null.df2) or math.isnan(null.p_value)
    yield line(design, "severity", "", BELL, counted(low, high, wanted, flags, SEED))
    yield line(design, "severity_test", "", "Hotelling F", counted(held, held, 0.0, few, SEED))


def single_designs() -> list[Design]:
    """Return the designs of one rater beside the others, and of one rater's change."""
    return [
        Design(4, 5, prevalence, kappa, n, "yes")
        for prevalence, kappa, n in product(("even", "80-20"), (0.6, 0.9), (50, 200))
    ] + [Design(1, 0, steps, 0.0, n) for steps, n in product(STEPS, (20, 50, 200))]


def single_rows(design: Design) -> Iterator[dict[str, object]]:
    """Return the line of a design, through the public functions: the first rater's quadratic kappa, or change."""
    warnings.simplefilter("ignore", UndefinedStatisticWarning)
    rng = stream(SEED, "single/" + design.name)
    low, high, flags = (np.zeros(STUDIES) for _ in range(3))
    codes = draw(design, STUDIES, rng).astype(float) if design.categories else np.zeros(STUDIES)
    codes[codes < 0] = math.nan
    for i, study in enumerate(codes):
        if design.categories:
            made = leave_one_out_agreement(study, weights="quadratic", categories=range(design.categories))
            ci, code = made.ci[0], "rater_interval_not_reliable"
        else:
            up, down = STEPS[design.prevalence]
            first, chance = rng.integers(2, 5, (design.n, 1)), rng.random((design.n, 1))
            drift = rater_drift(first, first + (chance < up) - (chance > 1.0 - down), categories=range(1, 6))
            made, ci, code = drift, drift.change_ci[0], "rater_change_not_reliable"
        low[i], high[i] = ci.low, ci.high
        flags[i] = any(flag.code.endswith(code) and made.raters[0] in flag.params["raters"] for flag in made.flags)
    if design.categories:
        figures = counted(low - TINY, high + TINY, design.kappa, flags, SEED)
        yield line(design, "leave_one_out_agreement", "quadratic", LINEARISED, figures)
    else:
        up, down = STEPS[design.prevalence]
        yield line(design, "change", "", "t", counted(low - TINY, high + TINY, up - down, flags, SEED))


def poor_designs() -> list[Design]:
    """Return the designs of a rater who is poor in a few files."""
    return [
        Design(1, 2, poor, 0.0, ITEMS * files, "no", files, "equal") for poor in POOR for files in (12, 25, 30, 50, 100)
    ]


def draw_poor(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a rater's answers, the right ones, and the files of one study (n,)."""
    most, few, share = POOR[design.prevalence]
    right = rng.random((design.clusters, ITEMS)) < np.linspace(0.2, 0.8, ITEMS)
    sure = np.where(rng.random((design.clusters, 1)) < share, few, most)
    given = np.where(rng.random(right.shape) < sure, right, ~right)
    return given.ravel().astype(float), right.ravel().astype(float), np.repeat(np.arange(design.clusters), ITEMS)


def poor_rows(design: Design) -> Iterator[dict[str, object]]:
    """Return the lines of a design, through the public function: kappa's interval, and the limit of certification."""
    warnings.simplefilter("ignore", UndefinedStatisticWarning)
    rng = stream(SEED, "poor/" + design.name)
    most, few, share = POOR[design.prevalence]
    wanted = 2.0 * (most + share * (few - most)) - 1.0
    low, high, flags, limit = (np.zeros(STUDIES) for _ in range(4))
    for i in range(STUDIES):
        given, right, files = draw_poor(design, rng)
        made = certify_raters(given[:, None], right, weights=None, categories=(0, 1), clusters=files)
        low[i], high[i], limit[i] = made.ci[0].low, made.ci[0].high, made.lower_limit[0]
        flags[i] = any(flag.code.endswith("rater_interval_not_reliable") for flag in made.flags)
    figures = counted(low - TINY, high + TINY, wanted, flags, SEED)
    yield line(design, "certified_kappa", "unweighted", LINEARISED, figures)
    figures = counted(limit - TINY, np.where(np.isnan(limit), math.nan, 1.0), wanted, np.zeros(STUDIES), SEED)
    held = ONE_SIDED[0] <= float(str(figures["coverage"])) <= ONE_SIDED[1]
    figures |= {"required_low": ONE_SIDED[0], "required_high": ONE_SIDED[1], "within": "yes" if held else "no"}
    yield line(design, "certified_kappa", "unweighted", UNSEEN, figures)


def main() -> None:
    """Write the table."""
    rows = chain(
        chain.from_iterable(map(rows_of, designs())),
        chain.from_iterable(map(severity_rows, severity_designs())),
        chain.from_iterable(map(single_rows, single_designs())),
        chain.from_iterable(map(poor_rows, poor_designs())),
    )
    write_table(TABLE, COLUMNS, rows)


if __name__ == "__main__":
    main()
