"""Designs of generalizability studies in Brennan's notation, and the effects that follow from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from ibic_fidelity.errors import UsageError

_SIGNS = "×:()"
_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*)|([×:()]))")


@dataclass(frozen=True, order=True)
class Effect:
    """One effect of a design: the facets that it is about, and those that these are nested in.

    Examples
    --------
    >>> Effect(("file", "item"), ("site",)).name
    'file × item : site'
    """

    facets: tuple[str, ...]
    within: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the effect as it is printed."""
        crossed = " × ".join(self.facets)
        return f"{crossed} : {' : '.join(self.within)}" if self.within else crossed

    @property
    def indices(self) -> frozenset[str]:
        """Return all facets whose conditions tell one level of the effect from another."""
        return frozenset(self.facets) | frozenset(self.within)


@dataclass(frozen=True)
class Design:
    """A design, as `parse_design` reads it.

    Attributes
    ----------
    text : str
        As it was written.
    facets : tuple of str
        All facets, in the order of their appearance.
    effects : tuple of Effect
        All effects, fewer facets first; the last one cannot be told from the residual.
    """

    text: str
    facets: tuple[str, ...]
    effects: tuple[Effect, ...]

    @cached_property
    def nested_in(self) -> dict[str, tuple[str, ...]]:
        """Return for each facet the facets that it is nested in, inner ones first."""
        return {effect.facets[0]: effect.within for effect in self.effects if len(effect.facets) == 1}

    @property
    def residual(self) -> Effect:
        """Return the effect of all facets, which holds the residual too."""
        return self.effects[-1]


def parse_design(text: str) -> Design:
    """Return the effects of a design such as ``"(file : assessor : site) x item"``.

    ``x`` or ``×`` crosses, ``:`` nests what stands before it in what stands after it and binds more tightly;
    parentheses group.

    Parameters
    ----------
    text : str
        Names of facets (letters, digits, underscores), ``x``, ``:`` and parentheses.

    Returns
    -------
    Design
        Facets and effects.

    Raises
    ------
    UsageError
        It cannot be read, or a facet stands twice.

    Examples
    --------
    >>> [effect.name for effect in parse_design("p x (r : t)").effects]
    ['p', 't', 'r : t', 'p × t', 'p × r : t']
    >>> [effect.name for effect in parse_design("(rater x file) : site x item").effects][-3:]
    ['rater × item : site', 'file × item : site', 'rater × file × item : site']
    """
    tokens = _tokens(text)
    effects, rest = _crossed(tokens, text)
    if rest:
        raise UsageError("psychometrics.design_unread", design=text, at=rest[0])
    facets = tuple(dict.fromkeys(token for token in tokens if token not in _SIGNS))
    if len(facets) < sum(token not in _SIGNS for token in tokens):
        raise UsageError("psychometrics.design_facet_twice", design=text)
    order = {facet: place for place, facet in enumerate(facets)}
    made = [
        Effect(tuple(sorted(effect.facets, key=order.__getitem__)), _inner_first(effect.within, effects))
        for effect in effects
    ]
    made.sort(key=lambda one: (len(one.indices), len(one.facets), sorted(order[name] for name in one.indices)))
    return Design(text, facets, tuple(made))


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise UsageError("psychometrics.design_unread", design=text, at=text[at:].strip()[0])
        tokens.append("×" if found[1] in {"x", "X"} else found[1] or found[2])
        at = found.end()
    return tokens


def _crossed(tokens: list[str], text: str) -> tuple[list[Effect], list[str]]:
    effects, rest = _nested(tokens, text)
    while rest and rest[0] == "×":
        more, rest = _nested(rest[1:], text)
        both = [
            Effect(one.facets + other.facets, tuple(dict.fromkeys(one.within + other.within)))
            for one in effects
            for other in more
        ]
        effects = [*effects, *more, *both]
    return effects, rest


def _nested(tokens: list[str], text: str) -> tuple[list[Effect], list[str]]:
    effects, rest = _part(tokens, text)
    if not rest or rest[0] != ":":
        return effects, rest
    outer, rest = _nested(rest[1:], text)
    around = tuple(dict.fromkeys(name for effect in outer for name in (*effect.facets, *effect.within)))
    inside = [Effect(effect.facets, tuple(dict.fromkeys(effect.within + around))) for effect in effects]
    return [*outer, *inside], rest


def _part(tokens: list[str], text: str) -> tuple[list[Effect], list[str]]:
    if not tokens or tokens[0] in "×:)":
        raise UsageError("psychometrics.design_unread", design=text, at=tokens[0] if tokens else "")
    if tokens[0] != "(":
        return [Effect((tokens[0],))], tokens[1:]
    effects, rest = _crossed(tokens[1:], text)
    if not rest or rest[0] != ")":
        raise UsageError("psychometrics.design_unread", design=text, at=rest[0] if rest else "")
    return effects, rest[1:]


def _inner_first(within: tuple[str, ...], effects: list[Effect]) -> tuple[str, ...]:
    """Return facets with those that are nested in others of them first."""
    depth = {effect.facets[0]: len(effect.within) for effect in effects if len(effect.facets) == 1}
    return tuple(sorted(within, key=lambda name: -depth.get(name, 0)))
