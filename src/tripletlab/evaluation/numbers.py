"""How terminals, tables and pages print signed numbers and p values."""

MINUS = "\u2212"  # as wide as a plus; a hyphen is shorter
LEAST_P = 0.001  # a smaller p is only said to be smaller


def decimal(value: float, *, digits: int = 4) -> str:
    """With a real minus: 0.0123, −0.0123, 1,234.5000, and 0.0000 for all that is rounded to 0."""
    return _fixed(value, f",.{digits}f")


def signed(value: float) -> str:
    """A difference with its sign: +0.0123, −0.0123, and 0.0000 for all that is rounded to 0."""
    return _fixed(value, "+.4f")


def p_figure(p: float) -> str:
    """A p value in a column of its own: 0.012, or < 0.001."""
    return f"{p:.3f}" if p >= LEAST_P else f"< {LEAST_P}"


def p_text(p: float) -> str:
    """A p value in a sentence: p 0.012, or p < 0.001."""
    return f"p {p_figure(p)}"


def _fixed(value: float, form: str) -> str:
    text = format(value, form)
    zero = not text.strip("+-0.")
    return text.lstrip("+-") if zero else text.replace("-", MINUS)
