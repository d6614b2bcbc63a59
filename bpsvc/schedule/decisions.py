"""What is to be done about the occurrences that are due: a pure function, so that every rule is a row of a
table in the tests.

A schedule's cursor is the last instant that has been decided. What lies between it and the database's time
is due. The cursor only moves forward: a clock that is set back finds nothing due until it has caught up,
and one that is set forward decides at once what it passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# An occurrence decided later than this has been missed: nothing was running that could have fired it.
GRACE: Final = timedelta(minutes=10)


class Missed(StrEnum):
    """What to do about occurrences that nobody was there to fire."""

    latest = "latest"
    all = "all"
    skip = "skip"


class Overlap(StrEnum):
    """What to do when runs of an earlier occurrence have not ended."""

    skip = "skip"
    allow = "allow"


class Kind(StrEnum):
    """How an occurrence was decided. `rejected` is for the caller: its spec or data turned out to be
    missing or invalid.
    """

    submitted = "submitted"
    skipped_misfire = "skipped_misfire"
    skipped_overlap = "skipped_overlap"
    rejected = "rejected"


@dataclass(frozen=True)
class Rules:
    """How a schedule wants its occurrences decided."""

    missed: Missed = Missed.latest
    overlap: Overlap = Overlap.skip
    paused: bool = False


@dataclass(frozen=True)
class Decision:
    """What is to be done about the occurrence at `instant` (UTC), and why if it is skipped."""

    instant: datetime
    kind: Kind
    why: str = ""


def decide(
    due: Sequence[datetime], now: datetime, rules: Rules, *, busy: bool, more: bool = False
) -> tuple[Decision, ...]:
    """Decide the occurrences that are due, in order; `due` are the instants in (cursor, now], ascending.

    - paused: each is skipped as missed.
    - missed `latest`: only the last is submitted, the ones before it were missed; `skip`: the last only if
      it is not late.
    - missed `all`: each is submitted. With overlap `skip` they take turns: one is submitted and the later
      ones are left for another time, except that one which is not late is skipped while earlier runs go on.
    - overlap `skip`: nothing is submitted while `busy` (runs of an earlier occurrence have not ended).

    `more` says that `due` is only the beginning of what is due. What is decided is always a beginning of
    `due`.
    """
    if rules.paused:
        return tuple(_missed(instant, "the schedule was paused") for instant in due)
    if rules.missed is Missed.all:
        return _each(due, now, rules.overlap, busy)
    last = () if more else due[-1:]
    passed = due[: len(due) - len(last)]
    decided = [_missed(instant, "a later occurrence was due as well") for instant in passed]
    for instant in last:
        if rules.missed is Missed.skip and late(instant, now):
            decided.append(_missed(instant, f"found due {_words(now - instant)} late"))
        elif busy and rules.overlap is Overlap.skip:
            decided.append(_overlapped(instant))
        else:
            decided.append(Decision(instant, Kind.submitted))
    return tuple(decided)


def late(instant: datetime, now: datetime) -> bool:
    """Whether an occurrence that is decided now has been missed."""
    return now - instant > GRACE


def _each(due: Sequence[datetime], now: datetime, overlap: Overlap, busy: bool) -> tuple[Decision, ...]:
    if overlap is Overlap.allow:
        return tuple(Decision(instant, Kind.submitted) for instant in due)
    if not busy:
        return tuple(Decision(instant, Kind.submitted) for instant in due[:1])
    if due and late(due[0], now):
        return ()
    return tuple(_overlapped(instant) for instant in due)


def _missed(instant: datetime, why: str) -> Decision:
    return Decision(instant, Kind.skipped_misfire, why)


def _overlapped(instant: datetime) -> Decision:
    return Decision(instant, Kind.skipped_overlap, "runs of an earlier occurrence had not ended")


def _words(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    for size, unit in ((1440, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return f"{minutes} minutes"
