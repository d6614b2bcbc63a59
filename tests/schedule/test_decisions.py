"""The rules for missed and overlapping occurrences as tables, and a year with downtime and clock steps."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpsvc import schedule
from bpsvc.schedule import GRACE, Decision, Kind, Missed, Overlap, Rules

NOW = datetime(2026, 5, 4, 2, 0, 30, tzinfo=UTC)
KINDS = {"s": Kind.submitted, "m": Kind.skipped_misfire, "o": Kind.skipped_overlap}

TABLE = [
    # minutes ago    missed    overlap  busy   decided
    ([0], "latest", "skip", False, "s"),
    ([0], "latest", "skip", True, "o"),
    ([0], "latest", "allow", True, "s"),
    ([300], "latest", "skip", False, "s"),
    ([300, 200, 100], "latest", "skip", False, "mms"),
    ([300, 200, 100], "latest", "skip", True, "mmo"),
    ([300, 200, 100], "latest", "allow", True, "mms"),
    ([0], "skip", "skip", False, "s"),
    ([0], "skip", "skip", True, "o"),
    ([9], "skip", "skip", False, "s"),
    ([11], "skip", "skip", False, "m"),
    ([11], "skip", "allow", True, "m"),
    ([300, 200, 0], "skip", "skip", False, "mms"),
    ([300, 200, 100], "skip", "skip", False, "mmm"),
    ([0], "all", "skip", False, "s"),
    ([0], "all", "skip", True, "o"),
    ([9, 0], "all", "skip", True, "oo"),
    ([300], "all", "skip", True, ""),
    ([300, 200, 100], "all", "skip", False, "s"),
    ([300, 200, 0], "all", "skip", True, ""),
    ([300, 200, 100], "all", "allow", False, "sss"),
    ([300, 200, 100], "all", "allow", True, "sss"),
    ([], "latest", "skip", True, ""),
    ([], "all", "skip", True, ""),
]


def ago(minutes: float) -> datetime:
    return NOW.replace(second=0) - timedelta(minutes=minutes)


@pytest.mark.parametrize(("minutes", "missed", "overlap", "busy", "expected"), TABLE)
def test_the_rules(minutes: list[int], missed: str, overlap: str, busy: bool, expected: str) -> None:
    due = [ago(m) for m in minutes]
    decided = schedule.decide(due, NOW, Rules(Missed(missed), Overlap(overlap)), busy=busy)
    assert [decision.kind for decision in decided] == [KINDS[letter] for letter in expected]
    assert [decision.instant for decision in decided] == due[: len(expected)]
    assert all(bool(decision.why) == (decision.kind is not Kind.submitted) for decision in decided)


def test_a_pause_skips_whatever_the_rules() -> None:
    for missed in Missed:
        for overlap in Overlap:
            decided = schedule.decide([ago(5), ago(0)], NOW, Rules(missed, overlap, paused=True), busy=False)
            assert [d.kind for d in decided] == [Kind.skipped_misfire] * 2
            assert {d.why for d in decided} == {"the schedule was paused"}


def test_the_beginning_of_a_long_absence_holds_nothing_to_submit() -> None:
    due = [ago(m) for m in (300, 200, 100)]
    for missed in (Missed.latest, Missed.skip):
        decided = schedule.decide(due, NOW, Rules(missed), busy=False, more=True)
        assert [d.kind for d in decided] == [Kind.skipped_misfire] * 3


RULES = st.builds(Rules, st.sampled_from(Missed), st.sampled_from(Overlap), st.booleans())


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), unique=True), RULES, st.booleans(), st.booleans())
def test_what_is_decided_is_a_beginning_of_what_is_due(
    minutes: list[int], rules: Rules, busy: bool, more: bool
) -> None:
    due = sorted(ago(m) for m in minutes)
    decided = schedule.decide(due, NOW, rules, busy=busy, more=more)
    assert [d.instant for d in decided] == due[: len(decided)]
    submitted = [d for d in decided if d.kind is Kind.submitted]
    if rules.overlap is Overlap.skip:
        assert len(submitted) <= (0 if busy else 1)
    if due and not decided:
        assert rules == Rules(Missed.all, Overlap.skip) and busy and schedule.late(due[0], NOW)


@pytest.mark.parametrize("missed", list(Missed))
@pytest.mark.parametrize("overlap", list(Overlap))
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_a_year_with_downtime_and_clock_steps_decides_each_occurrence_once(
    missed: Missed, overlap: Overlap, zone: str
) -> None:
    chance = random.Random(f"{missed} {overlap} {zone}")
    cron, place = schedule.parse("30 2,14 * * *"), schedule.zone(zone)
    begin, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    clock = cursor = begin
    decided: list[Decision] = []
    busy_until = begin
    furthest = begin
    while clock < end:
        fate = chance.random()
        if fate < 0.01:
            clock += timedelta(days=chance.randrange(1, 6))  # nobody there
        elif fate < 0.03:
            clock -= timedelta(hours=chance.randrange(1, 30))  # set back
        else:
            ahead = schedule.following(cron, place, cursor, 1)[0] - clock  # negative: one waits for its turn
            clock += max(ahead, timedelta(minutes=30)) + timedelta(seconds=chance.randrange(500))
        furthest = max(furthest, clock)
        due = list(schedule.occurrences(cron, place, cursor, clock))
        now = schedule.decide(due, clock, Rules(missed, overlap), busy=clock < busy_until)
        if any(d.kind is Kind.submitted for d in now):
            busy_until = clock + timedelta(hours=chance.choice([1, 1, 1, 20]))
        if now:
            assert now[-1].instant > cursor
            cursor = now[-1].instant
        decided += now
    expected = list(schedule.occurrences(cron, place, begin, cursor))
    assert [d.instant for d in decided] == expected
    assert len(expected) >= 700
    kinds = Counter(d.kind for d in decided)
    assert kinds[Kind.submitted] > 300
    if missed is not Missed.all:
        assert kinds[Kind.skipped_misfire] > 10
    assert (kinds[Kind.skipped_overlap] > 0) == (overlap is Overlap.skip)
    assert furthest - cursor < timedelta(days=3)  # but for those that wait for their turn


def test_lateness_begins_after_the_grace() -> None:
    assert not schedule.late(NOW - GRACE, NOW)
    assert schedule.late(NOW - GRACE - timedelta(seconds=1), NOW)
