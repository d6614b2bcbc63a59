"""G7: several schedulers over a year of downtime, clock steps and kills: each occurrence is decided once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from schedule_building import TINY, Add

from bpsvc import schedule
from bpsvc.store import Store

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
POINTS = ("cursor", "experiment", "runs", "enrolled", "decided", "ticked")
SCRIPT = Path(__file__).with_name("scheduler_process.py")
SCHEDULES = {
    "berlin": {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "missed": "latest"},
    "howe": {"cron": "*/15 2 * * SUN", "timezone": "Australia/Lord_Howe", "missed": "all", "fresh": "none"},
    "paulo": {"cron": "0 0 * * *", "timezone": "America/Sao_Paulo", "missed": "skip", "fresh": "none"},
}


def begun(store: Path, seed: str, fault: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(store), seed, BEGIN.isoformat(), END.isoformat()]
    return subprocess.Popen(command, env={**os.environ, "BPSVC_FAULT": fault}, stderr=subprocess.PIPE)


def text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.guarantee
def test_four_schedulers_over_a_year(store: Store, add: Add) -> None:
    for name, rules in SCHEDULES.items():
        add({**TINY, "name": name}, now=BEGIN, overlap="allow", **rules)
    # Alone, each is sure to come to its point; what it has not finished is left to those who come.
    for point in POINTS:
        victim = begun(store.path, point, f"kill {point} 1")
        told = victim.communicate()[1].decode()
        assert victim.returncode == -signal.SIGKILL, told
    chance = random.Random(20260101)
    live = [begun(store.path, f"scheduler {n}", "") for n in range(3)]
    victims: list[subprocess.Popen[bytes]] = []
    begins = 0
    while live or victims:
        # Three live through the year; a fourth is killed at a point of some transaction, and another comes.
        while live and not victims:
            begins += 1
            fault = f"kill {chance.choice(POINTS)} {chance.randrange(1, 6)}"
            victims.append(begun(store.path, f"victim {begins}", fault))
        time.sleep(0.02)
        for process in [one for one in live + victims if one.poll() is not None]:
            told = process.communicate()[1].decode()
            assert process.returncode in ((0,) if process in live else (0, -signal.SIGKILL)), told
            (live if process in live else victims).remove(process)
    rows = store.query(
        "SELECT schedule, instant, decision, experiment, why FROM occurrences WHERE planned ORDER BY instant",
        max_rows=10_000,
    ).rows
    for name, rules in SCHEDULES.items():
        found = [row for row in rows if row[0] == name]
        cron, zone = schedule.parse(rules["cron"]), schedule.zone(rules["timezone"])
        expected = [text(instant) for instant in schedule.occurrences(cron, zone, BEGIN, END)]
        assert [row[1] for row in found] == expected, name
        kinds = Counter(row[2] for row in found)
        assert set(kinds) <= {"submitted", "skipped_misfire"}
        assert kinds["submitted"], (name, kinds)
        assert (kinds["skipped_misfire"] > 0) == (rules["missed"] != "all"), (name, kinds)
        assert all((row[2] == "submitted") == (row[3] is not None) == (row[4] is None) for row in found)
    # Every submission of `berlin` used the next block of seeds, and none was lost or used twice; the others
    # train the runs of its first block.
    berlin = [row[3] for row in rows if row[0] == "berlin" and row[2] == "submitted"]
    assert len(set(berlin)) == len(berlin)
    assert sorted(store.runs()["seed"]) == list(range(2 * len(berlin)))
