"""Text from outside as files may have it: no stored text commands a terminal or becomes a formula."""

import json
import re
import unicodedata
from typing import Any, Final

_ACTING: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")
_CONTROL: Final = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""What JSON need not escape, and a terminal or editor may obey."""


def visible(text: str) -> str:
    """Text without what acts on a terminal or reorders a line: control and format characters become `�`."""
    return text if text.isprintable() else "".join(map(_shown, text))


def cell(value: Any) -> Any:
    """A CSV cell that is no formula to a spreadsheet (text that begins like one gets an apostrophe) and no
    command to a terminal; bytes are hex digits, numbers stay numbers.
    """
    if isinstance(value, bytes):
        return value.hex()
    if not isinstance(value, str):
        return value
    text = visible(value.replace("\r\n", "\n").replace("\r", "\n"))
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that gives it back exactly: what could act on a terminal is escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _shown(character: str) -> str:
    return character if character in "\n\t" or unicodedata.category(character) not in _ACTING else "�"
