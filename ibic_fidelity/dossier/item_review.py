"""What a panel's ratings say of each item, and what is proposed for it by a printed rule."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.errors import UndefinedStatisticWarning, UsageError
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.results import Provenance, library_versions, package_version, table
from ibic_fidelity.instrument.history import Decision
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.psychometrics.content_validity.aiken import AikenV, aiken_v
from ibic_fidelity.psychometrics.content_validity.index import ContentValidityIndex, content_validity_index
from ibic_fidelity.psychometrics.content_validity.ratio import ContentValidityRatio, content_validity_ratio
from ibic_fidelity.responses.panel import Floats, PanelRatings

if TYPE_CHECKING:
    import pandas as pd

#: Fewer experts than this propose nothing (Lynn 1986).
LEAST_EXPERTS = 3
#: With so many experts or fewer all must agree; with more, this share (Lynn 1986).
ALL_AGREE, NEEDED = 5, 0.78
#: Modified kappa below this is less than good (Cicchetti & Sparrow 1981).
GOOD_KAPPA = 0.60


@dataclass(frozen=True, slots=True)
class ItemProposal:
    """What is proposed for an item, and why; `decision` is None where too few have rated it.

    `single` is the share who say that it asks one thing, `needed` the share that each index has to reach.
    """

    item: str
    component: str
    decision: Decision | None
    reasons: tuple[Message, ...]
    n: int
    single: float
    needed: float


@dataclass(frozen=True, slots=True)
class ComponentRelevance:
    """Relevance of a component's items together: S-CVI/Ave, S-CVI/UA and mean V."""

    component: str
    n_items: int
    average: float
    universal: float
    v: float


@dataclass(frozen=True, slots=True, eq=False)
class ItemReview:
    """The three indices of every item and a proposal, as `review_items` makes them.

    Attributes
    ----------
    ratings : PanelRatings
    relevance, clarity : ContentValidityIndex
        The share of experts who rate 3 or 4.
    essential : ContentValidityRatio
    v : AikenV
        Of relevance.
    proposals : tuple of ItemProposal
    components : tuple of ComponentRelevance
    provenance : Provenance
    """

    ratings: PanelRatings
    relevance: ContentValidityIndex
    clarity: ContentValidityIndex
    essential: ContentValidityRatio
    v: AikenV
    proposals: tuple[ItemProposal, ...]
    components: tuple[ComponentRelevance, ...]
    provenance: Provenance

    @property
    def flags(self) -> tuple[Message, ...]:
        """Return what must be known of the whole, once."""
        made = (self.relevance, self.essential, self.v)
        said = [one for result in made for one in (result.reason, *result.flags) if one is not None]
        return tuple(dict.fromkeys((*self.ratings.notes, *said)))

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an item: I-CVI of relevance with its interval, the other indices, and the proposal."""
        return table(
            {
                "component": [one.component for one in self.proposals],
                "item": [one.item for one in self.proposals],
                "statistic": ["I-CVI"] * len(self.proposals),
                "n": self.relevance.n.tolist(),
                "estimate": self.relevance.estimates.tolist(),
                "ci_low": self.relevance.ci_low.tolist(),
                "ci_high": self.relevance.ci_high.tolist(),
                "ci_level": [self.relevance.confidence_level] * len(self.proposals),
                "reason": [" ".join(why.text("en") for why in one.reasons) for one in self.proposals],
                "kappa": self.relevance.kappa.tolist(),
                "clarity": self.clarity.estimates.tolist(),
                "one_thing": [one.single for one in self.proposals],
                "cvr": self.essential.estimates.tolist(),
                "cvr_critical": self.essential.critical.tolist(),
                "v": self.v.estimates.tolist(),
                "proposal": [one.decision or "" for one in self.proposals],
            },
            extra=("kappa", "clarity", "one_thing", "cvr", "cvr_critical", "v", "proposal"),
        )

    def text(self, language: Language = "en") -> str:
        """Return how many items each proposal has, and those that are not to be kept as they are."""
        counts = {name: sum(one.decision == name for one in self.proposals) for name in ("retain", "reword", "drop")}
        undecided = sum(one.decision is None for one in self.proposals)
        experts, items = len(self.ratings.experts), len(self.proposals)
        lines = [text("panel.review_head", language, experts=experts, items=items, none=undecided, **counts)]
        for one in self.proposals:
            if one.decision != "retain":
                why = " ".join(reason.text(language) for reason in one.reasons)
                proposed = text(f"panel.proposal_{one.decision or 'none'}", language)
                lines.append(f"  {one.item}: {proposed}. {why}")
        return "\n".join([*lines, *(flag.text(language) for flag in self.flags)])

    def summary(self) -> str:
        """Return the proposals in English."""
        return self.text("en")


def review_items(ratings: PanelRatings, instrument: Instrument, *, confidence_level: float = 0.95) -> ItemReview:
    """Return what a panel says of items and what is proposed for each.

    Parameters
    ----------
    ratings : PanelRatings
        As `read_panel` returns them; each index counts those who answered.
    instrument : Instrument
        The version that was rated.
    confidence_level : float
        Of intervals.

    Returns
    -------
    ItemReview
        Proposals follow a rule that the report prints, and decide nothing: `revise` takes decisions with evidence.

    Raises
    ------
    UsageError
        The ratings are of another version.

    Notes
    -----
    With 3-5 experts every one must agree, with six or more 78 % [1]_. Where relevance reaches that, the item is kept
    if clarity and "asks one thing" do so too, and else reworded. Where it does not, the item is dropped if modified
    kappa is below .60 [2]_ and no more than half say that it is essential, and else reworded. Fewer than three
    experts propose nothing.

    References
    ----------
    .. [1] Lynn, M. R. (1986). Determination and quantification of content validity. Nursing Research, 35, 382-385.
    .. [2] Cicchetti, D. V., & Sparrow, S. A. (1981). Developing criteria for establishing interrater reliability of
       specific items. American Journal of Mental Deficiency, 86, 127-137.

    Examples
    --------
    >>> import numpy as np
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> lq, four = load_instrument("lq2002"), np.full((6, 1), 4.0)
    >>> version = (lq.id, lq.version, lq.sha256)
    >>> ratings = PanelRatings(*version, tuple("abcdef"), ("lead01",), four, four, four / 4, four / 2, (), "", ())
    >>> review_items(ratings, lq).proposals[0].decision
    'retain'
    """
    rated = (ratings.instrument_id, ratings.instrument_version, ratings.instrument_sha256)
    if rated != (instrument.id, instrument.version, instrument.sha256):
        given = f"{instrument.id} {instrument.version}"
        raise UsageError("panel.ratings_of_other", rated=f"{rated[0]} {rated[1]}", given=given)
    options = {"missing": "available", "confidence_level": confidence_level}
    with warnings.catch_warnings():  # what nobody rated is told once, in `flags`
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        labels = _labels(ratings, instrument)
        relevance = content_validity_index(_named(ratings.relevance, labels), **options)  # type: ignore[arg-type]
        clarity = content_validity_index(_named(ratings.clarity, labels), **options)  # type: ignore[arg-type]
        needed = np.where(np.isnan(ratings.essential), np.nan, ratings.essential == 2)
        essential = content_validity_ratio(_named(needed, labels), **options)  # type: ignore[arg-type]
        v = aiken_v(_named(ratings.relevance, labels), low=1, high=4, **options)  # type: ignore[arg-type]
    proposals = tuple(
        _proposal(instrument, ratings, j, relevance, clarity, essential) for j in range(len(ratings.items))
    )
    of = np.array([one.component for one in proposals])
    components = tuple(
        _component(name, of == name, relevance, v) for name in dict.fromkeys(one.component for one in proposals)
    )
    return ItemReview(
        ratings=ratings,
        relevance=relevance,
        clarity=clarity,
        essential=essential,
        v=v,
        proposals=proposals,
        components=components,
        provenance=Provenance(
            package=package_version(),
            instrument_id=instrument.id,
            instrument_version=instrument.version,
            instrument_status=instrument.status,
            instrument_sha256=instrument.sha256,
            data_sha256=ratings.data_sha256,
            synthetic=False,
            options={"confidence_level": confidence_level},
            libraries=library_versions("numpy", "scipy"),
        ),
    )


def _labels(ratings: PanelRatings, instrument: Instrument) -> list[str]:
    """Return what items are called in messages: their printed labels, or ids where two share one."""
    labels = [instrument.by_item[item].label for item in ratings.items]
    return labels if len(set(labels)) == len(labels) else list(ratings.items)


def _named(x: Floats, labels: list[str]) -> pd.DataFrame:
    """Return ratings with the names of items, refusing a panel that left a question blank throughout."""
    import pandas as pd

    if np.isnan(x).all():
        raise UsageError("panel.question_blank")
    return pd.DataFrame(x, columns=labels)


def _proposal(
    instrument: Instrument,
    ratings: PanelRatings,
    j: int,
    relevance: ContentValidityIndex,
    clarity: ContentValidityIndex,
    essential: ContentValidityRatio,
) -> ItemProposal:
    name = ratings.items[j]
    item = instrument.by_item[name]
    n = int(relevance.n[j])
    needed = 1.0 if n <= ALL_AGREE else NEEDED
    answered = ratings.one_thing[:, j][~np.isnan(ratings.one_thing[:, j])]
    single = float(answered.mean()) if answered.size else math.nan
    if n < LEAST_EXPERTS:
        why = Message("panel.why_few", {"n": n, "least": LEAST_EXPERTS})
        return ItemProposal(name, item.component, None, (why,), n, single, needed)
    relevant, kappa, ratio = (float(a[j]) for a in (relevance.estimates, relevance.kappa, essential.estimates))
    reasons = []
    if relevant < needed:
        reasons.append(Message("panel.why_relevance", {"share": relevant, "needed": needed}))
    clear = float(clarity.estimates[j])
    if clear < needed:
        reasons.append(Message("panel.why_clarity", {"share": clear, "needed": needed}))
    if single < needed:
        reasons.append(Message("panel.why_one_thing", {"share": single, "needed": needed}))
    drop = relevant < needed and kappa < GOOD_KAPPA and ratio <= 0
    if drop:
        reasons.append(Message("panel.why_drop", {"kappa": kappa, "ratio": ratio}))
        if item.gate is not None:
            reasons.append(Message("panel.why_gate"))
    decision: Decision = "drop" if drop else "reword" if reasons else "retain"
    return ItemProposal(name, item.component, decision, tuple(reasons), n, single, needed)


def _component(name: str, mask: np.ndarray, relevance: ContentValidityIndex, v: AikenV) -> ComponentRelevance:
    rated = mask & (relevance.n > 0)
    if not rated.any():
        return ComponentRelevance(name, int(mask.sum()), math.nan, math.nan, math.nan)
    return ComponentRelevance(
        name,
        int(mask.sum()),
        float(relevance.estimates[rated].mean()),
        float((relevance.agreeing == relevance.n)[rated].mean()),
        float(v.estimates[rated].mean()),
    )
