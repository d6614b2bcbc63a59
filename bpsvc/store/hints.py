"""What somebody may have meant whose SQL names something that is not there."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from bpsvc.registry import did_you_mean
from bpsvc.store.catalog import PUBLIC
from bpsvc.store.sandbox import FORBIDDEN_FUNCTIONS

_MISSING: Final = re.compile(r'no such (table|column|function): "?(?:\w+\.)?(\w+)')
_UNBOUND: Final = re.compile(r"value for binding parameter [:@$](\w+)")


def hint(message: str, sql: str) -> tuple[str, str]:
    """What is allowed, and what to do about SQLite's `message` on `sql`; each may be ''."""
    if "one statement" in message:
        return "", "give one SELECT at a time"
    if message == "datatype mismatch":
        return "", "LIMIT and OFFSET take whole numbers"
    if unbound := _UNBOUND.search(message):
        return "", f"set it: -p {unbound[1]}=VALUE"
    if message.endswith("you supplied a dictionary (which has only names)."):
        return "", "write :name for ?, and give its value with -p name=VALUE"
    found = _MISSING.match(message)
    if found is None:
        return "", ""
    kind, name = found.groups()
    if kind == "table":
        return ", ".join(PUBLIC), did_you_mean(name, PUBLIC)
    if kind == "function":
        return "", did_you_mean(name, sorted(_functions()))
    return _columns(name, [word for word in PUBLIC if re.search(rf"\b{word}\b", sql, re.IGNORECASE)])


def _columns(name: str, relations: list[str]) -> tuple[str, str]:
    """A column of the relations that the SQL names; or which other ones have it."""
    if close := did_you_mean(name, [column for one in relations for column in PUBLIC[one].names]):
        return "", close
    if others := [one for one, relation in PUBLIC.items() if name.lower() in relation.names]:
        return "", f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} it"
    return "; ".join(f"of {one}: {', '.join(PUBLIC[one].names)}" for one in relations), ""


def _functions() -> Iterator[str]:
    yield from ("median", "quantile")
    with closing(sqlite3.connect(":memory:")) as connection:
        for (name,) in connection.execute("SELECT DISTINCT name FROM pragma_function_list"):
            if name.isidentifier() and name not in FORBIDDEN_FUNCTIONS:
                yield name
