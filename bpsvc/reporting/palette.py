"""Colours that stay apart for colour-blind eyes and in print."""

from typing import Final

import matplotlib
from matplotlib.colors import to_hex

# Okabe and Ito, "Color Universal Design" (2008), without yellow (a line would vanish), grey for black.
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d")
# Paul Tol's muted scheme, for what comes after those.
_TOL_MUTED: Final = ("#882255", "#999933", "#332288", "#117733", "#661100")
UNORDERED: Final = (*OKABE_ITO, *_TOL_MUTED)
INK: Final = "#222222"
FAINT: Final = "#8a8a8a"
RULE: Final = "#d9d9d9"


def unordered_colours(count: int) -> list[str]:
    """Colours for things without order; beyond twelve they repeat."""
    return [UNORDERED[place % len(UNORDERED)] for place in range(count)]


def ordered_colours(count: int) -> list[str]:
    """Colours for things in order, dark to bright: viridis up to green: yellow is lost on paper."""
    scale = matplotlib.colormaps["viridis"]
    return [to_hex(scale(0.0 if count < 2 else 0.76 * place / (count - 1))) for place in range(count)]
