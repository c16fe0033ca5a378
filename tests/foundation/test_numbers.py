"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibic_fidelity.foundation.numbers import (
    NOT_AVAILABLE,
    beside_cuts,
    coefficient,
    interval,
    number,
    percent,
    probability,
)

NBSP = "\u00a0"
MINUS = "\u2212"
FINITE = st.floats(-1e12, 1e12)
STYLES = st.sampled_from(["sv", "en", "apa"])


def _parsed(shown: str, style: str) -> float:
    plain = shown.replace(MINUS, "-").replace(NBSP, "")
    plain = plain.replace(",", ".") if style == "sv" else plain.replace(",", "")
    return float(plain)


@pytest.mark.parametrize(
    ("value", "style", "digits", "shown"),
    [
        (0.0, "sv", 0, "0"),
        (-0.0, "sv", 1, "0,0"),
        (-0.04, "en", 1, "0.0"),
        (-0.004, "apa", 2, ".00"),
        (-0.5, "apa", 2, f"{MINUS}.50"),
        (0.999, "apa", 2, "1.00"),
        (-1234567.891, "sv", 2, f"{MINUS}1{NBSP}234{NBSP}567,89"),
        (-1234567.891, "en", 2, f"{MINUS}1,234,567.89"),
        (1234.5, "apa", 1, "1234.5"),
        (999.9, "en", 0, "1,000"),
        (12, "sv", 0, "12"),
    ],
)
def test_a_number_is_written_as_its_readers_write_it(value, style, digits, shown):
    assert number(value, style, digits=digits) == shown


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_dash(value):
    assert number(value, "sv") == percent(value, "sv") == coefficient(value, "en") == NOT_AVAILABLE
    assert interval(value, 1, "sv") == interval(1, value, "en") == NOT_AVAILABLE
    assert beside_cuts(value, "sv", (50,)) == probability(value, "sv") == NOT_AVAILABLE


@given(FINITE, STYLES, st.integers(0, 6))
def test_reading_a_number_back_gives_the_rounded_number(value, style, digits):
    assert _parsed(number(value, style, digits=digits), style) == float(f"{value:.{digits}f}")


@given(FINITE, STYLES, st.integers(0, 6))
def test_a_minus_sign_stands_only_before_what_is_not_zero(value, style, digits):
    shown = number(value, style, digits=digits)
    assert shown.startswith(MINUS) == (float(f"{value:.{digits}f}") < 0)
    assert "-" not in shown


@given(FINITE, st.integers(0, 6))
def test_swedish_has_no_point_and_english_no_space(value, digits):
    assert "." not in number(value, "sv", digits=digits)
    assert NBSP not in number(value, "en", digits=digits)


def test_a_percentage_keeps_its_sign_on_the_same_line():
    assert percent(0.456, "sv") == f"46{NBSP}%"
    assert percent(0.4567, "en", digits=1) == "45.7%"
    assert percent(-0.1, "sv") == f"{MINUS}10{NBSP}%"


def test_a_coefficient_above_one_keeps_its_figure_before_the_point():
    assert coefficient(1.02, "en") == "1.02"
    assert coefficient(-0.2, "sv") == f"{MINUS}0,20"


@given(st.floats(0, 100), st.sampled_from([(75.0,), (50.0, 75.0), (33.3, 66.7), (100 * 0.07,), (100 * 0.57,)]))
def test_a_number_beside_a_cut_shows_on_which_side_it_lies(value, cuts):
    shown = _parsed(beside_cuts(value, "en", cuts), "en")
    for cut in cuts:
        assert (shown >= cut - 5e-8) == (value >= cut - 1e-7)
    assert abs(shown - value) <= 0.5


@pytest.mark.parametrize(
    ("value", "shown"),
    [(74.6, "74.6"), (74.96, "74.96"), (74.99999, "74.99999"), (75.0, "75"), (75 - 1e-12, "75"), (75.4, "75")],
)
def test_a_number_beside_a_cut_takes_no_more_decimals_than_needed(value, shown):
    assert beside_cuts(value, "en", (75,)) == shown


@given(st.floats(0, 1))
def test_a_probability_is_never_printed_as_certainty(value):
    assert probability(value, "en") not in {"0%", "100%"}


@pytest.mark.parametrize(
    ("value", "cuts", "shown"),
    [
        (0.0, (), "<1%"),
        (0.005, (), "<1%"),
        (0.0051, (), "1%"),
        (0.995, (), ">99%"),
        (1.0, (), ">99%"),
        (0.797, (0.8,), "79.7%"),
        (0.8, (0.8,), "80%"),
        (0.07, (0.07,), "7%"),
        (0.57, (0.57,), "57%"),
    ],
)
def test_a_probability_near_a_cut(value, cuts, shown):
    assert probability(value, "en", cuts) == shown
