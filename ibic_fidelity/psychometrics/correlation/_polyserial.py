"""Polyserial correlations of one continuous variable with ordered answers, by two steps of maximum likelihood.

With z the standardised continuous value, the probability of category t is Φ(u_t) − Φ(u_{t−1}),
u_t = (τ_t − ρz)/√(1 − ρ²) (Olsson, Drasgow & Dorans, 1982).  Mean, variance and thresholds are those of the
margins; Newton's step for ρ, inside a bracket that the sign of the score narrows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE

_STEPS = 100
_FARTHEST = 1.0 - 1e-6
#: |ρ| from which the likelihood is said to have its maximum at ±1.
BOUNDARY = 1.0 - 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """Of one correlation and n respondents: probability p, densities and arguments at the two ends of a category."""

    p: Floats
    height: Floats
    ends: Floats
    slopes: Floats
    bends: Floats

    @property
    def score(self) -> Floats:
        """Return d log p/dρ (n,)."""
        return np.asarray((self.height * self.slopes * [[1.0], [-1.0]]).sum(axis=0) / self.p)

    @property
    def bend(self) -> Floats:
        """Return d² log p/dρ² (n,)."""
        curved = self.height * (self.bends - self.ends * np.square(self.slopes))
        return np.asarray((curved * [[1.0], [-1.0]]).sum(axis=0) / self.p - np.square(self.score))


def _terms(z: Floats, ends: Floats, rho: float) -> _Terms:
    """Return the terms of values z (n,) and the thresholds (2, n) above and below each answer."""
    unique = (1.0 - rho) * (1.0 + rho)
    root = np.sqrt(unique)
    u = np.clip((ends - rho * z) / root, -INFINITE, INFINITE)
    turned = np.where(u[1] > 0, -u, u)  # differences of small tails, not of numbers near one
    p = np.maximum(np.abs(ndtr(turned[0]) - ndtr(turned[1])), 1e-300)
    height = np.exp(-0.5 * np.square(u)) / np.sqrt(2.0 * np.pi)
    slopes = (rho * ends - z) / (unique * root)
    bends = ends / (unique * root) + 3.0 * rho * slopes / unique
    return _Terms(p, height, u, slopes, bends)


def fit_polyserial(z: Floats, codes: Integers, thresholds: Floats) -> tuple[float, Booleans]:
    """Return ρ of standardised values (n,) and codes (n,), and whether it is at the boundary and whether it settled."""
    ends = _ends(codes, thresholds)
    low, high = -1.0, 1.0
    start = float(np.corrcoef(z, codes)[0, 1])
    rho = min(max(start, -0.9), 0.9) if np.isfinite(start) else 0.0
    settled = False
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            terms = _terms(z, ends, rho)
            score, bend = float(terms.score.sum()), float(terms.bend.sum())
            low, high = (rho, high) if score > 0 else (low, rho)
            step = -score / bend if bend < 0 else np.sign(score) * 2.0
            free = 1.0 - abs(rho)
            new = min(max(rho + step, -1.0 + 0.25 * free), 1.0 - 0.25 * free)
            settled = abs(step) < 1e-10 * free
            if not low < new < high and not settled:
                new = 0.5 * (low + high)
            rho, at_end = min(max(new, -_FARTHEST), _FARTHEST), abs(rho) >= _FARTHEST
            if settled or at_end or high - low < 1e-14:
                settled = True
                break
    boundary = abs(rho) > BOUNDARY
    return float(np.sign(rho)) if boundary else rho, np.array([boundary, settled or boundary])


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Of n respondents: p of an answer, the score of ρ (n,) and those of mean, variance and thresholds (C + 1, n)."""

    p: Floats
    rho: Floats
    margins: Floats


def _scores(z: Floats, sd: float, codes: Integers, thresholds: Floats, rho: float) -> _Scores:
    """Return the scores of answers (n,), which need not be those given."""
    terms = _terms(z, _ends(codes, thresholds), rho)
    root = np.sqrt((1.0 - rho) * (1.0 + rho))
    pull = rho / root * (terms.height * [[1.0], [-1.0]]).sum(axis=0) / terms.p
    of_mean, of_variance = (z + pull) / sd, (np.square(z) - 1.0 + pull * z) / (2.0 * sd**2)
    above, below = terms.height / terms.p / root
    cuts = np.arange(len(thresholds))[:, None]
    by_cut = np.where(cuts == codes, above, 0.0) - np.where(cuts == codes - 1, below, 0.0)
    return _Scores(terms.p, terms.score, np.concatenate([[of_mean], [of_variance], by_cut]))


def polyserial_influence(z: Floats, sd: float, codes: Integers, thresholds: Floats, rho: float) -> Floats:
    """Return the influence of each respondent on ρ (n,), by the cross-products of scores."""
    of = _scores(z, sd, codes, thresholds, rho)
    margins = np.concatenate([moment_influence(z, sd), threshold_influence(codes, thresholds)])
    return np.asarray((of.rho - (of.margins @ of.rho) @ margins) / np.square(of.rho).sum())


def expected_variance(z: Floats, sd: float, thresholds: Floats, rho: float) -> float:
    """Return the variance of ρ by the information expected at the continuous values found."""
    moments = moment_influence(z, sd)
    answers = [np.full(len(z), code) for code in range(len(thresholds) + 1)]
    scores = [_scores(z, sd, codes, thresholds, rho) for codes in answers]
    information = sum(float((of.p * np.square(of.rho)).sum()) for of in scores)
    crossed = np.sum([of.margins @ (of.p * of.rho) for of in scores], axis=0)
    variance = 0.0
    for codes, of in zip(answers, scores, strict=True):
        margins = np.concatenate([moments, threshold_influence(codes, thresholds)])
        variance += float((of.p * np.square((of.rho - crossed @ margins) / information)).sum())
    return variance


def moment_influence(z: Floats, sd: float) -> Floats:
    """Return the influence on mean and variance (2, n), by the cross-products of their scores."""
    scores = np.stack([z / sd, (np.square(z) - 1.0) / (2.0 * sd**2)])
    return np.asarray(np.linalg.solve(scores @ scores.T, scores))


def threshold_influence(codes: Integers, thresholds: Floats) -> Floats:
    """Return the influence on the thresholds (C − 1, n) of an item."""
    height = np.exp(-0.5 * np.square(thresholds)) / np.sqrt(2.0 * np.pi)
    below = (codes <= np.arange(len(thresholds))[:, None]) - ndtr(thresholds)[:, None]
    return np.asarray(below / (len(codes) * height[:, None]))


def _ends(codes: Integers, thresholds: Floats) -> Floats:
    """Return the thresholds above and below each answer (2, n)."""
    padded = np.concatenate([[-INFINITE], thresholds, [INFINITE]])
    return np.stack([padded[codes + 1], padded[codes]])
