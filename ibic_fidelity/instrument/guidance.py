"""What an instrument says to those who use it: rules for raters, and how a group talks about preconditions."""

from __future__ import annotations

from ibic_fidelity.instrument.parts import Name, Part, Text


class GuidanceSection(Part):
    """A section of a manual or guide: paragraphs, then points, which are numbered where their order matters."""

    id: Name
    heading: Text
    paragraphs: tuple[Text, ...] = ()
    points: tuple[Text, ...] = ()
    numbered: bool = False


class Guidance(Part):
    """The general part of the audit manual, and the opening of the discussion guide."""

    manual: tuple[GuidanceSection, ...] = ()
    discussion: tuple[GuidanceSection, ...] = ()
