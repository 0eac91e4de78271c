"""Signs and p values as they are printed."""

import pytest

from tripletlab.evaluation.numbers import decimal, p_figure, p_text, signed


@pytest.mark.parametrize(
    ("value", "text", "with_sign"),
    [
        (0.01234, "0.0123", "+0.0123"),
        (-0.01234, "−0.0123", "−0.0123"),
        (-0.00001, "0.0000", "0.0000"),
        (0.0, "0.0000", "0.0000"),
        (-12.5, "−12.5000", "−12.5000"),
        (float("nan"), "nan", "+nan"),
    ],
)
def test_a_negative_number_has_a_real_minus_and_zero_no_sign(value, text, with_sign):
    assert decimal(value) == text
    assert signed(value) == with_sign


def test_digits():
    assert (decimal(-0.126, digits=2), decimal(955192, digits=0)) == ("−0.13", "955,192")


@pytest.mark.parametrize(
    ("p", "figure"), [(1.0, "1.000"), (0.0123, "0.012"), (0.001, "0.001"), (9.9e-4, "< 0.001")]
)
def test_p_is_never_zero(p, figure):
    assert p_figure(p) == figure
    assert p_text(p) == f"p {figure}"
