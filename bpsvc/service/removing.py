"""Which experiments a removal means."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bpsvc.errors import UsageError
from bpsvc.store import Store

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_LONGEST: Final = timedelta(days=365_000)  # before that there was no calendar of Python's


def chosen(store: Store, names: Sequence[str], older_than: str | None) -> list[str]:
    """The experiments that are named, and all that were submitted longer ago than `older_than` (90d, 12h,
    4w).

    Raises:
        NotFoundError: there is no such experiment.
        UsageError: nothing is named, or the age is none.
    """
    if not names and older_than is None:
        raise UsageError("no experiment is named", remedy="name some, or say --older-than 90d")
    found = [store.experiment(name).experiment for name in names]
    if older_than is not None:
        limit = (datetime.now(UTC) - _age(older_than)).isoformat()
        table = store.experiments()
        found += table.loc[table["submitted_at"] < limit, "experiment"].tolist()
    return list(dict.fromkeys(found))


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([hdw])", text)
    if match is None:
        raise UsageError("an age is a number and h, d or w", value=text, allowed="12h, 90d, 4w")
    return min(timedelta(**{_UNITS[match[2]]: int(match[1])}), _LONGEST)
