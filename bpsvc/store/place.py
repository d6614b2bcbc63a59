"""Where a store is, by the name that users give it; nothing is opened."""

import os
from pathlib import Path
from typing import Final

from bpsvc.errors import StoreError

OTHER: Final = "name another file with --db or BPSVC_DB"


def locate(target: str | Path) -> Path:
    """The absolute path of the store that a path or an SQLAlchemy URL names."""
    text = os.fspath(target)
    if not text:
        raise StoreError("the name of the store is empty", remedy=OTHER)
    if "\x00" in text:
        raise StoreError("the name of the store has a NUL character in it", remedy=OTHER)
    if "://" in text:
        text = _of_url(text)
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StoreError(f"{text[:80]} is in the home of nobody here", remedy=OTHER) from error


def _of_url(text: str) -> str:
    from sqlalchemy import make_url  # takes long to load, and paths do without
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreError(
            "the URL of the store is not one", value=text, allowed="sqlite:///path/of/the.db"
        ) from error
    if url.get_backend_name() != "sqlite":
        raise StoreError(
            f"stores in {url.get_backend_name()} are not supported",
            allowed="sqlite:///path/of/the.db, or a path",
        )
    if not url.database or url.database == ":memory:" or url.query:
        raise StoreError(
            "the URL names no file (a store in memory could not be shared with workers), or has options",
            value=text,
            allowed="sqlite:///path/of/the.db, or a path",
        )
    return url.database
