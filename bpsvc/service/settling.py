"""Settle occurrences: when all runs of one have ended, check what its spec expects and write its report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from bpsvc.errors import UsageError
from bpsvc.reporting import Material, expectations, history, slug, write
from bpsvc.service import reporting
from bpsvc.store import Store, Submitted
from bpsvc.wording import plural

COMPARED: Final = 30


class Ended(NamedTuple):
    """An occurrence whose runs have all ended: `detail` says what came of them; `bad` when an expectation
    does not hold or the report cannot be written.
    """

    schedule: str
    instant: datetime
    what: str
    detail: str
    bad: bool


def settle(store: Store, *, now: datetime | None = None) -> Iterator[Ended]:
    """Settle every submitted occurrence whose runs have all ended, each once, in order of time.

    A report is whole before it is said to be there; one that was interrupted is written anew, and so is one
    that could not be written for want of room or rights, when this is called again.
    """
    for one in store.schedules.submitted():
        if one.outstanding:
            continue
        store.schedules.end(one, at=now)
        if one.experiment is None:
            store.schedules.reported(one, met=None, report=None, at=now)
            continue
        about = material(store, one)
        verdicts = expectations(about.experiments, about.cases)
        page, trouble, again = _published(about, one)
        met = all(verdict.met for verdict in verdicts) if verdicts else None
        written = f"not written: {trouble}" if trouble else page
        if again:
            store.schedules.unreported(one, str(written))
        elif not store.schedules.reported(one, met=met, report=written, at=now):
            continue  # another process was faster
        unmet = [str(verdict) for verdict in verdicts if not verdict.met]
        failed = int(about.runs["status"].eq("failed").sum())
        lost = f"{failed} of {plural(len(about.runs), 'run')} failed" if failed else ""
        wrong = [text for text in (*unmet, lost, trouble) if text]
        detail = "; ".join([one.experiment, *wrong, *([page] if page else [])])
        yield Ended(one.schedule, one.instant, "not as expected" if unmet else "ended", detail, bool(wrong))


def material(store: Store, one: Submitted) -> Material:
    """What the report of an occurrence draws on: its experiment, and how those before it came out."""
    with store.snapshot() as now:
        about = reporting.seen(now, [one.experiment or ""])
        every = now.occurrences(one.schedule)
        times = pd.to_datetime(every["instant"], utc=True, format="ISO8601")
        past = every[every["experiment"].notna() & (times <= one.instant)].tail(COMPARED)
        names = list(dict.fromkeys(past["experiment"]))
        return replace(about, history=history(past, now.experiments(names), now.runs(names)))


def _published(about: Material, one: Submitted) -> tuple[str | None, str, bool]:
    """The page of the report, if there is to be one; or why it cannot be written, and if that may pass."""
    if one.report is None:
        return None, "", False
    try:
        return str(write(about, folder(one.report, one))), "", False
    except UsageError as error:
        return None, str(error), False
    except OSError as error:
        return None, f"the report cannot be written now ({error}); it is tried again", True


def folder(parent: str, one: Submitted) -> Path:
    """Where an occurrence has its report, below the schedule's folder: `nightly@schedule/20260301T020000Z`.

    No slug has an @: the folder of a report is never that of a schedule, nor around it.
    """
    return Path(parent) / f"{slug(one.schedule)}@schedule" / f"{one.instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
