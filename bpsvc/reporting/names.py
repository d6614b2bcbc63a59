"""What stored text may become: a folder, a cell, a line of a page. Never markup, a formula or a path of its
own.
"""

import hashlib
import re
import unicodedata
from typing import Final

LONGEST_SLUG: Final = 80
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def slug(name: str) -> str:
    """A folder name for an experiment: letters, digits, `.`, `_`, `-`.

    If anything had to be replaced, six hex digits of the name's sha256 keep different names apart. A slug
    never starts with a dot or a dash, so it is neither hidden, nor a parent folder, nor an option.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-")[:LONGEST_SLUG]
    if kept == name and kept:
        return kept
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{kept.rstrip('.-') or 'report'}-{digest}"


def visible(text: str) -> str:
    """Text without what acts on a terminal or reorders a line: control and format characters become `�`."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return "�"


def cell(value: object) -> object:
    """A CSV cell: text that a spreadsheet would take for a formula gets a leading apostrophe; numbers stay
    numbers.
    """
    if not isinstance(value, str):
        return value
    shown = visible(value.replace("\r", "\n") if not value.startswith("\r") else "'" + value)
    return "'" + shown if shown.startswith(_FORMULA) else shown
