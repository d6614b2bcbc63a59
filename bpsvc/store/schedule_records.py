"""Schedules as values: what goes into the store and comes out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bpsvc.store.records import Experiment


@dataclass(frozen=True)
class Plan:
    """What a schedule is added with. `document` is the spec's text, `source` what to call it in messages,
    `folder` what its data paths are relative to (and stay in, unless `anywhere`), `report` where reports go.
    """

    name: str
    cron: str
    timezone: str
    fresh: str
    missed: str
    overlap: str
    document: str
    source: str
    folder: str
    anywhere: bool
    report: str | None


@dataclass(frozen=True)
class Schedule:
    """A schedule as one transaction found it, at the database's time `now` (instants in UTC).

    `cursor` is the last instant decided; `blocks` counts the blocks of seeds used; `busy` says that runs of
    an earlier occurrence have not ended.
    """

    id: int
    plan: Plan
    cursor: datetime
    paused: bool
    blocks: int
    busy: bool
    now: datetime


@dataclass(frozen=True)
class Submission:
    """An experiment for `Store.submit`, with the stacks and scalings of its runs."""

    experiment: Experiment
    stacks: Mapping[str, str]
    scalings: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """What one transaction does: occurrences decided in order as (instant, decision, why), the last of which
    may submit; `block` says that it uses up a block of seeds. `at` is the time to be written down (None: the
    database's).
    """

    decided: Sequence[tuple[datetime, str, str | None]]
    submission: Submission | None = None
    block: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Submitted:
    """A submitted occurrence that has not been reported: its experiment (None: removed since), what its spec
    expects aside, and how many of its runs are still to end.
    """

    schedule_id: int
    schedule: str
    instant: datetime
    experiment: str | None
    report: str | None
    outstanding: int
