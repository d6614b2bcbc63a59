"""What a figure draws of a very large sweep: the first of its parts, said so beneath it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class First:
    """At most `most` parts are drawn: different values of the columns `key`, called `what` in captions."""

    most: int
    what: str
    key: tuple[str, ...]

    def of(self, frame: pd.DataFrame) -> list[Any]:
        """The parts to draw, as they first appear: values of the one column, or tuples of several."""
        return self._all(frame)[: self.most]

    def said(self, frame: pd.DataFrame, there: int | None = None) -> str:
        """A sentence for the caption when parts are left out, else nothing. `there`: how many there are, if
        the data themselves do not have them all.
        """
        known = len(self._all(frame))
        count = known if there is None else there
        if count <= self.most:
            return ""
        rest = "" if known < count else "the CSV has all of them, and "
        return (
            f" The first {self.most} of {count} {self.what} are drawn; {rest}`bpsvc report --where …` draws "
            "others."
        )

    def _all(self, frame: pd.DataFrame) -> list[Any]:
        rows = frame[list(self.key)].drop_duplicates().itertuples(index=False, name=None)
        return [row[0] if len(self.key) == 1 else row for row in rows]
