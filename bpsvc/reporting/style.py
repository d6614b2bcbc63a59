"""How figures look, in one place: sizes, type, and what keeps them inert and reproducible.

matplotlib's object interface only: no pyplot, no global figure. Every drawing happens inside
`drawing(style)`, which starts from matplotlib's defaults, so a user's matplotlibrc changes nothing, and with
`text.parse_math` off, so a dollar sign is a dollar sign.
"""

import functools
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

from bpsvc.errors import UsageError
from bpsvc.registry import Table
from bpsvc.reporting.palette import FAINT, INK, RULE


@dataclass(frozen=True)
class Style:
    """`width` and `height` in inches (height None: as tall as the panels ask, up to `tallest`), `font` in
    points, `columns` of panels at most.
    """

    name: str
    doc: str
    width: float
    font: float
    line: float
    columns: int
    dpi: int
    height: float | None = None
    tallest: float | None = None
    titled: bool = True
    also_called: tuple[str, ...] = ()

    @property
    def em(self) -> float:
        """The size of the type in inches."""
        return self.font / 72


STYLES: Final = Table(
    "figure style",
    [
        Style("screen", "as in the report", width=7.6, font=9, line=1.6, columns=4, dpi=144),
        Style("slide", "16:9, large type", width=13.333, height=7.5, font=18, line=3.2, columns=4, dpi=144),
        Style(
            "paper",
            "one column of 3.4 in, 8 pt, no title",
            width=3.4,
            font=8,
            line=1.2,
            columns=2,
            dpi=300,
            tallest=8.6,
            titled=False,
        ),
    ],
)


@contextmanager
def drawing(style: Style, salt: str = "bpsvc") -> Iterator[None]:
    """Within it, figures are made and saved in this style, the same bytes every time; `salt` seeds the ids
    inside an SVG.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        parameters: Any = {**_parameters(style), "svg.hashsalt": salt}
        matplotlib.rcParams.update(parameters)
        yield


def _parameters(style: Style) -> dict[str, Any]:
    return {
        "font.family": "DejaVu Sans",
        "font.size": style.font,
        "text.parse_math": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.labelsize": style.font,
        "axes.titlesize": style.font,
        "axes.titlelocation": "left",
        "axes.titlepad": 0.45 * style.font,
        # Said outright: looking for it among all tick labels takes a quarter of the time.
        "axes.titley": 1.0,
        "axes.edgecolor": FAINT,
        "axes.linewidth": 0.45 * style.line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": RULE,
        "grid.linewidth": 0.35 * style.line,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 0.9 * style.font,
        "ytick.labelsize": 0.9 * style.font,
        # Grid lines say where a tick is, and marks beside them take time to draw.
        "xtick.bottom": False,
        "ytick.left": False,
        "lines.linewidth": style.line,
        "lines.solid_capstyle": "round",
        "lines.markersize": 2.6 * style.line,
        "legend.frameon": False,
        "legend.fontsize": 0.95 * style.font,
        "figure.dpi": style.dpi,
        "savefig.dpi": style.dpi,
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "path.simplify": True,
        "path.simplify_threshold": 0.2,
    }


def named(name: str) -> Style:
    """The style of that name; UsageError with what there is otherwise."""
    try:
        return STYLES[STYLES.canonical(name)]
    except UsageError as error:
        raise error from None


def clean(text: object, longest: int = 70) -> str:
    """User text as a figure can show it: no control or direction characters, only glyphs that the font has,
    not too long.
    """
    shown = "".join(_shown(character) for character in str(text))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _shown(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
        return " " if character in "\t\n\r" else "�"
    return character if _font().get_char_index(ord(character)) else "�"


@functools.cache
def _font() -> FT2Font:
    return FT2Font(str(findfont(FontProperties(family="DejaVu Sans"))))
