"""Names of features, targets and classes: what may stand in them.

They are printed in terminals, tables and figures, so control characters and the marks that reverse the
direction of text are refused here, once.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

from bpsvc.errors import DataError

LONGEST: Final = 200
_DIRECTION: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED: Final = frozenset(["Cc", "Cs", "Zl", "Zp"])


def fault_of(name: str) -> str:
    """What is wrong with one name, as the end of a sentence that begins with it; empty when nothing is."""
    if not name.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    bad = control_in(name)
    return f"contains the control character U+{ord(bad):04X}" if bad else ""


def control_in(text: str) -> str:
    """The first character of a text that may not be printed, or ''."""
    return next((c for c in text if c in _DIRECTION or unicodedata.category(c) in _REFUSED), "")


def check_names(names: Sequence[str], what: str) -> None:
    """DataError unless all `names` are printable and different; `what` is "feature", "target" or "class"."""
    for name in names:
        if fault := fault_of(name):
            raise DataError(f"the name {shown(name)} of a {what} {fault}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise DataError(f"the {what} {shown(twice)} appears twice", remedy="names must be different")


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """The lecture's names: `x1, x2`; a single target is `y`."""
    if letter == "y" and count == 1:
        return ("y",)
    return tuple(f"{letter}{i}" for i in range(1, count + 1))


def shown(text: str, width: int = 40) -> str:
    """Text from outside as a message may show it: quoted, control characters escaped, cut."""
    return repr(text if len(text) <= width else text[:width] + "…")
