"""A table is a record, as a figure is: numbers as data, words for reading."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from bpsvc.reporting.material import Material


@dataclass(frozen=True)
class TableRecord:
    """One table.

    prepare: Material -> the numbers, which are written as CSV and which tests assert.
    present: those numbers -> the same rows as text under headings for people.
    note: those numbers -> plain sentences on what is counted and how.
    """

    name: str
    title: str
    needs: str
    applies: Callable[[Material], bool]
    prepare: Callable[[Material], pd.DataFrame]
    present: Callable[[pd.DataFrame], pd.DataFrame]
    note: Callable[[pd.DataFrame], str]
    also_called: tuple[str, ...] = ()
