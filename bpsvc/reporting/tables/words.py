"""Numbers as tables write them."""

import math

MISSING = "–"


def figure(value: float, digits: int = 3) -> str:
    """Three significant digits: 0.00104, 12.3, 2.1e-05; `–` for nothing."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "diverged"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")


def whole(value: float) -> str:
    """1,054; and 32.5, which a median of counts may be."""
    return MISSING if math.isnan(value) else f"{value:,.{int(value % 1 == 0.5)}f}"


def later(value: float, horizon: float) -> str:
    """An epoch, or `> 10,000` for "later than we looked"."""
    return f"> {whole(horizon)}" if math.isinf(value) else whole(value)


def percent(share: float) -> str:
    """93 %, and 99.6 % near the ends."""
    if math.isnan(share):
        return MISSING
    close = 0 < share < 0.01 or 0.99 < share < 1
    return f"{share:.1%}".replace("%", " %") if close else f"{share:.0%}".replace("%", " %")


def percent_range(low: float, high: float) -> str:
    """79–98 %."""
    return MISSING if math.isnan(low) else f"{low:.0%}–{high:.0%}".replace("%–", "–").replace("%", " %")
