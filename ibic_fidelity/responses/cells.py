"""One cell of text becomes a code or a number, or the rule that it breaks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ibic_fidelity.foundation.messages import LANGUAGES, Language, Message
from ibic_fidelity.foundation.messages import text as said
from ibic_fidelity.instrument.parts import Item, Measure, Scale, Text
from ibic_fidelity.responses.model import BLANK, DONT_KNOW, NOT_APPLICABLE
from ibic_fidelity.responses.tables import BLANKS, fold
from ibic_fidelity.responses.workbook import UNCOMPUTED

#: Stands for a cell that breaks a rule until the reading ends; no table is ever made with it.
FAULTY = -100

_WHOLE = re.compile(r"(-?)0*([0-9]{1,9})(?:[.,]0+)?")
_DECIMAL = re.compile(r"[-\u2212]?[0-9]+[.,][0-9]+")
_ERROR = re.compile(r"#(?:[A-ZÄÅÖ/]{2,}[0-9A-ZÄÅÖ/_]*[!?]?)")
_MONTHS = "jan|feb|mar|apr|ma[jy]|jun|jul|aug|sep|o[kc]t|nov|dec"
_DATE = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[T ].*)?|\d{{1,2}}[./-]\d{{1,2}}(?:[./-]\d{{2,4}})|\d{{1,2}}[/-]\d{{1,2}}"
    rf"|\d{{1,2}}[- ](?:{_MONTHS})[a-z]*\.?|(?:{_MONTHS})[a-z]*\.?[- ]\d{{1,2}}",
    re.IGNORECASE,
)
_TRUTH = {"true", "false", "sant", "falskt", "yes", "no"}
_ODD = re.compile(
    r"[+\u2212]?[\d\u00b2\u00b3\u00b9]+|[+\u2212]?\d+[.,]\d+|[0-9]+(?:_[0-9]+)+"
    r"|[0-9.,]+[eE][-+]?[0-9]+|0[xXbBoO][0-9a-fA-F]+"
)
_GROUPS = " \u00a0\u202f\u2009"
_NUMBER = (
    re.compile(r"[-\u2212]?[0-9]+(?:[.,][0-9]+)?"),
    re.compile(rf"[-\u2212]?[0-9]{{1,3}}(?:[{_GROUPS}][0-9]{{3}})+(?:[.,][0-9]+)?"),
    re.compile(r"[-\u2212]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+"),
    re.compile(r"[-\u2212]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+"),
)
#: What a yes or no may be called in any instrument, to its code on a scale of 0 and 1.
_YES_NO = {"nej": 0, "no": 0, "ja": 1, "yes": 1}
_ANCHOR_SHOWN = 40
#: Serial numbers of days that a spreadsheet shows as dates: the years 2000 to 2099.
_SERIALS = (36526, 73050)


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """What the cells of one answer column may hold.

    Attributes
    ----------
    low, high : int
        The lowest and highest code.
    missing : mapping of str to int
        Folded codes and words that are no score, to -2 or -3.
    words : mapping of str to int
        Folded anchors in every language to codes.
    item : str
        The item's printed label.
    may_not_apply : bool
        Whether "not applicable" is an answer here.
    answers : mapping of str to str
        The accepted answers in each language, codes with their texts cut short, to be shown.
    """

    low: int
    high: int
    missing: Mapping[str, int]
    words: Mapping[str, int]
    item: str
    may_not_apply: bool
    answers: Mapping[str, str]

    def code(self, text: str) -> int | Message:
        """Return the code of a cell, or the rule that it breaks."""
        plain = text.strip(BLANKS)
        if not plain:
            return BLANK
        whole = whole_text(plain)
        kind = self.missing.get(fold(plain))
        if kind is None and whole is not None:
            kind = self.missing.get(whole)
        if kind is not None:
            return self._missing(kind)
        if whole is not None:
            number = int(whole)
            if self.low <= number <= self.high:
                return number
            return _outside(number, self)
        word = self.words.get(_sentence(plain))
        return _diagnosis(plain, self) if word is None else self._word(word)

    def _missing(self, kind: int) -> int | Message:
        if kind == NOT_APPLICABLE and not self.may_not_apply:
            return Message("responses.not_applicable_here", {"item": self.item})
        return kind

    def _word(self, code: int) -> int | Message:
        return self._missing(code) if code < 0 else code


def whole_text(text: str) -> str | None:
    """Return a whole number in its plain form: ``3,0`` and ``3.0`` are 3.

    Examples
    --------
    >>> whole_text("3,0"), whole_text("-8"), whole_text("3,5"), whole_text("+3"), whole_text("0x3")
    ('3', '-8', None, None, None)
    """
    match = _WHOLE.fullmatch(text)
    return None if match is None else str(int(match.group(1) + match.group(2)))


def answer_rule(item: Item, measure: Measure, scale: Scale, *, may_not_apply: bool) -> AnswerRule:
    """Return the rule of a measure's column, or of the columns of its parts."""
    words: dict[str, int] = {}
    unclear: set[str] = set()
    anchors: tuple[Text, ...] = measure.anchors or tuple(level.anchor for level in scale.levels)
    variants = (variant.anchors for variant in measure.by_law.values() if variant.anchors)
    for worded in (anchors, *variants):
        for level, anchor in zip(scale.levels, worded, strict=True):
            for language in LANGUAGES:
                word = _sentence(anchor[language])
                if words.setdefault(word, level.code) != level.code:
                    unclear.add(word)
    missing = missing_kinds(scale)
    words = _general_words(scale) | words | {_sentence(word): kind for word, kind in missing.items()}
    for word in unclear:
        words.pop(word, None)
    answers: dict[str, str] = {language: _answers(scale, anchors, may_not_apply, language) for language in LANGUAGES}
    return AnswerRule(int(scale.lowest), int(scale.highest), missing, words, item.label, may_not_apply, answers)


def _general_words(scale: Scale) -> dict[str, int]:
    """Return the words of the scale's own levels, and yes and no where its codes are 0 and 1.

    A measure with longer anchors of its own may be answered, or labelled, by these too.
    """
    words = dict(_YES_NO) if scale.type in ("share", "checklist") else {}
    for language in LANGUAGES:
        words |= {_sentence(level.anchor[language]): level.code for level in scale.levels}
    return words


def _answers(scale: Scale, anchors: tuple[Text, ...], may_not_apply: bool, language: Language) -> str:
    shown = [f"{level.code} = {_cut(anchor[language])}" for level, anchor in zip(scale.levels, anchors, strict=True)]
    if scale.missing.dont_know:
        shown.append(f"{scale.missing.dont_know[0]} = " + said("responses.answer_dont_know", language))
    if scale.missing.not_applicable and may_not_apply:
        shown.append(f"{scale.missing.not_applicable[0]} = " + said("responses.answer_not_applicable", language))
    return "; ".join(shown)


def _cut(anchor: str) -> str:
    plain = anchor.rstrip(".")
    return plain if len(plain) <= _ANCHOR_SHOWN else plain[: _ANCHOR_SHOWN - 1].rstrip() + "…"


def missing_kinds(scale: Scale) -> dict[str, int]:
    """Return the scale's missing codes and words, folded, to -2 or -3."""
    kinds = {}
    for texts, kind in ((scale.missing.dont_know, DONT_KNOW), (scale.missing.not_applicable, NOT_APPLICABLE)):
        for text in texts:
            kinds[whole_text(text.strip(BLANKS)) or fold(text)] = kind
    return kinds


def column_codes(
    rule: AnswerRule, texts: Iterable[str], labels: Mapping[str, str], user_missing: frozenset[str]
) -> dict[str, int | Message]:
    """Return the code, or the broken rule, of each distinct text of a column.

    A value that the file declares missing must be one of the scale's missing answers, by its code or by
    its label. A value label that is the anchor of another code is a fault, so that a scale that was coded
    the other way round is never read as if it were not.
    """
    codes: dict[str, int | Message] = {}
    for text in texts:
        label = labels.get(text)
        code = rule.code(text)
        named = None if label is None else rule.words.get(_sentence(label))
        if text in user_missing:
            codes[text] = _declared_missing(rule, text, label, code, named)
        elif named is not None and named < 0 and not (isinstance(code, int) and code >= 0):
            codes[text] = rule.code(label or "")
        elif named is not None and isinstance(code, int) and code != named:
            codes[text] = Message("responses.label_contradicts", {"label": label, "answers": rule.answers})
        else:
            codes[text] = code
    return codes


def _declared_missing(
    rule: AnswerRule, text: str, label: str | None, code: int | Message, named: int | None
) -> int | Message:
    if isinstance(code, int) and code < 0 and (named is None or named == code):
        return code
    if named is not None and named < 0 and not isinstance(code, int):
        return rule.code(label or "")
    shown = f" ({label})" if label else ""
    return Message("responses.missing_undeclared", {"label": shown, "answers": rule.answers})


def _sentence(text: str) -> str:
    return fold(text).rstrip(".").rstrip()


def _outside(number: int, rule: AnswerRule) -> Message:
    if _SERIALS[0] <= number <= _SERIALS[1]:
        typed = date(1899, 12, 30) + timedelta(days=number)
        return Message("responses.looks_like_date", {"typed": f"{typed.month}-{typed.day}"})
    return Message("responses.out_of_range", {"low": rule.low, "high": rule.high, "answers": rule.answers})


def general_fault(text: str) -> Message | None:
    """Return the rule that a text breaks in any column: a spreadsheet's error, a formula without value."""
    if text == UNCOMPUTED:
        return Message("responses.formula_not_computed")
    if _ERROR.fullmatch(text.upper()):
        return Message("responses.error_cell")
    return None


def _diagnosis(text: str, rule: AnswerRule) -> Message:
    general = general_fault(text)
    if general is not None:
        return general
    if _DATE.fullmatch(text):
        match = re.fullmatch(r"\d{4}-(\d\d)-(\d\d)(?:[T ].*)?", text)
        typed = f"{int(match.group(1))}-{int(match.group(2))}" if match else text
        return Message("responses.looks_like_date", {"typed": typed})
    if fold(text) in _TRUTH:
        return Message("responses.truth_value", {"answers": rule.answers})
    if _DECIMAL.fullmatch(text):
        return Message("responses.not_whole", {"answers": rule.answers})
    if _ODD.fullmatch(text):
        return Message("responses.odd_number", {"answers": rule.answers})
    return _near_anchor(text, rule)


def _near_anchor(text: str, rule: AnswerRule) -> Message:
    word = _sentence(text[:200])
    close = difflib.get_close_matches(word, rule.words, n=1, cutoff=0.75)
    if close:
        params = {"suggestion": close[0], "item": rule.item, "answers": rule.answers}
        return Message("responses.not_an_answer_close", params)
    return Message("responses.not_an_answer", {"low": rule.low, "high": rule.high, "answers": rule.answers})


def number_of(text: str) -> float | Message:
    """Return the number in a cell that may have decimals, NaN for a blank one, or the rule that it breaks.

    A decimal comma or point, thousands set off by spaces (or by points before a comma, by commas before
    a point), and the true minus sign are read.

    Examples
    --------
    >>> number_of("1 234,5"), number_of("1.234,5"), number_of("\u22120,5"), number_of("0.5")
    (1234.5, 1234.5, -0.5, 0.5)
    >>> number_of("1e308").code
    'responses.not_a_number'
    """
    plain = text.strip(BLANKS)
    if not plain:
        return float("nan")
    if not any(pattern.fullmatch(plain) for pattern in _NUMBER) or len(plain) > 40:
        return general_fault(plain) or Message("responses.not_a_number")
    bare = plain.replace("\u2212", "-").translate(dict.fromkeys(map(ord, _GROUPS)))
    if "," in bare and "." in bare:
        bare = bare.replace(min(",.", key=bare.index), "")
    return float(bare.replace(",", "."))
