"""Which components of a design the data at hand can tell apart, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics.generalizability._ratings import Ratings, unlinked
from ibic_fidelity.psychometrics.generalizability.design import Effect


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Effects of a model.

    Attributes
    ----------
    effects : tuple of Effect
        All that have a component by the design, the residual last.
    fitted : tuple of Effect
        Those in the model, without the residual: one of several that the data cannot tell apart.
    removed : tuple of Effect
        Effects of the fixed facets alone.
    fixed : frozenset of str
        What tells the fixed means apart; empty for one mean.
    reasons : mapping of Effect to Message
        Why an effect has no component of its own.
    flags : tuple of Message
    """

    effects: tuple[Effect, ...]
    fitted: tuple[Effect, ...]
    removed: tuple[Effect, ...]
    fixed: frozenset[str]
    reasons: Mapping[Effect, Message]
    flags: tuple[Message, ...]


def model_of(ratings: Ratings, *, fixed_facets: Iterable[str], omitted: frozenset[Effect]) -> Model:
    """Return the effects that are fitted and the reasons of the others."""
    design = ratings.design
    fixed = frozenset[str]().union(*(ratings.conditions(facet) for facet in fixed_facets))
    removed = tuple(effect for effect in design.effects if effect.indices <= fixed)
    effects = tuple(effect for effect in design.effects if effect not in removed and effect not in omitted)
    single = [name for name in design.facets if ratings.levels(ratings.conditions(name))[1] == 1]
    apart = unlinked(ratings, (name for name in design.facets if name not in fixed))
    reasons: dict[Effect, Message] = {}
    groups: dict[int, list[list[Effect]]] = {}
    for effect in effects[:-1]:
        reason = _reason(ratings, effect, fixed, single)
        if reason is None:
            _join(ratings, effect, groups)
            reason = _not_linked(effect, apart)
        if reason is not None:
            reasons[effect] = reason
    alike = [group for of_size in groups.values() for group in of_size]
    for group in alike:
        names = [effect.name for effect in group]
        for effect in group if len(group) > 1 else ():
            said = Message("psychometrics.components_confounded", {"effects": names})
            reasons.setdefault(effect, said)
    chosen = {group[0] for group in alike}
    flags = [Message("psychometrics.components_one_condition", {"facets": single})] if single else []
    flags += [Message("psychometrics.components_unlinked", {"facet": a, "outer": b}) for a, b in apart.items()]
    fitted = tuple(effect for effect in effects[:-1] if effect in chosen)
    return Model(effects, fitted, tuple(one for one in removed if one.facets), fixed, reasons, tuple(flags))


def _reason(ratings: Ratings, effect: Effect, fixed: frozenset[str], single: list[str]) -> Message | None:
    """Return why an effect is in no model of these data, or None."""
    alone = [name for name in effect.facets if name in single]
    if alone:
        return Message("psychometrics.components_one_level", {"facet": alone[0]})
    if ratings.refines(effect.indices, ratings.design.residual.indices):
        return Message("psychometrics.components_residual", {"effect": effect.name})
    if fixed and ratings.refines(fixed, effect.indices):
        return Message("psychometrics.components_fixed", {"effect": effect.name})
    return None


def _join(ratings: Ratings, effect: Effect, groups: dict[int, list[list[Effect]]]) -> None:
    """Put an effect to those that have the same levels in these data."""
    of_size = groups.setdefault(ratings.levels(effect.indices)[1], [])
    for group in of_size:
        if ratings.refines(group[0].indices, effect.indices):
            group.append(effect)
            return
    of_size.append([effect])


def _not_linked(effect: Effect, apart: Mapping[str, str]) -> Message | None:
    for facet, outer in apart.items():
        if facet in effect.indices and outer not in effect.indices:
            return Message("psychometrics.components_unlinked", {"facet": facet, "outer": outer})
    return None
