"""What a removal means: which experiments, which of their runs; and how that is said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bpsvc.errors import UsageError
from bpsvc.service.selecting import Filter, chosen
from bpsvc.store import Removal, Store
from bpsvc.wording import plural

_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_LONGEST: Final = timedelta(days=365_000)  # before that there was no calendar of Python's


@dataclass(frozen=True)
class Wish:
    """Experiments by name, runs by (experiment, run id)."""

    experiments: Sequence[str] = ()
    runs: Sequence[tuple[str, int]] = ()


def meant(store: Store, names: Sequence[str], older_than: str | None, which: Filter) -> Wish:
    """The experiments that are named, and all that were submitted longer ago than `older_than` (90d, 12h,
    4w); or of their runs (of all, if nothing is said about experiments) those that a filter lets through.

    Raises:
        NotFoundError: there is no such experiment, or no run fits.
        UsageError: nothing is named, or the age is none.
        QueryError: the filter is not valid SQL.
    """
    everything = not names and older_than is None
    if everything and which.is_open:
        raise UsageError("no experiment is named", remedy="name some, or say --older-than 90d, or --where")
    with store.snapshot() as now:
        found = [now.experiment(name).experiment for name in names]
        if older_than is not None:
            limit = (datetime.now(UTC) - _age(older_than)).isoformat()
            table = now.experiments()
            found += table.loc[table["submitted_at"] < limit, "experiment"].tolist()
        found = list(dict.fromkeys(found))
        if which.is_open or not (found or everything):
            return Wish(experiments=found)
        return Wish(runs=chosen(store, now, None if everything else found, which))


def described(going: Removal) -> str:
    """What a removal takes, in words: `xor@1 with 90 runs (10 more stay, …)`."""
    kept = "stay, other experiments contain them"
    if not going.smaller:
        shared = f" ({len(going.shared)} more {kept})" if going.shared else ""
        return f"{', '.join(going.experiments)} with {plural(len(going.runs), 'run')}{shared}"
    taken = len(going.runs) + len(going.shared)
    shared = f"; {len(going.shared)} of them {kept}" if going.shared else ""
    have = "has" if len(going.experiments) == 1 else "have"
    empty = f"; {', '.join(going.experiments)}, which {have} no other" if going.experiments else ""
    return f"{plural(taken, 'run')} of {', '.join((*going.smaller, *going.experiments))}{shared}{empty}"


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([hdw])", text)
    if match is None:
        raise UsageError("an age is a number and h, d or w", value=text, allowed="12h, 90d, 4w")
    return min(timedelta(**{_UNITS[match[2]]: int(match[1])}), _LONGEST)
