"""Two months of a daily sweep with a real worker on an accelerated clock, killed and restarted on the way."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from schedule_building import TINY, Add

from bpsvc import schedule
from bpsvc.service import submitting, working
from bpsvc.store import Store

SCRIPT = Path(__file__).with_name("worker_process.py")
BEGIN, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
SPEED = 2.5 * 86_400  # two months in 24 seconds
SWEEP: dict[str, Any] = {
    **TINY,
    "name": "nightly",
    "training": {"learning_rate": 1.0, "epochs": 200},
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
    "record": {"every": 20},
    "expect": [{"metric": "final_loss", "statistic": "max", "below": 1.0}],
}
PLAN = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}


def text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.guarantee
def test_two_months_of_nights(store: Store, add: Add, tmp_path: Path) -> None:
    add(SWEEP, now=BEGIN, missed="all", overlap="allow", **PLAN)
    add({**SWEEP, "name": "other", "seeds": {"first": 1000, "count": 2}}, now=BEGIN, **PLAN)
    zone = schedule.zone(PLAN["timezone"])
    nights = [text(night) for night in schedule.occurrences(schedule.parse(PLAN["cron"]), zone, BEGIN, END)]
    assert len(nights) == 61
    chance, kills, enough, started = random.Random(3), 0, 5, time.time()
    command = [sys.executable, str(SCRIPT), str(store.path), BEGIN.isoformat(), str(started), str(SPEED)]
    log = (tmp_path / "worker.txt").open("w")
    worker = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not finished(store, nights):
            assert time.time() - started < 1200, (tmp_path / "worker.txt").read_text()[-2000:]
            assert worker.poll() is None, (tmp_path / "worker.txt").read_text()
            if ended(store) >= enough:
                time.sleep(chance.uniform(0.0, 0.3))
                worker.kill()
                worker.wait()
                kills += 1
                time.sleep(chance.uniform(0.0, 1.0))
                worker = subprocess.Popen(command, stdout=log, stderr=log)
                enough = ended(store) + chance.randrange(6, 16)
            time.sleep(0.05)
    finally:
        worker.kill()
        worker.wait()
        log.close()
    assert kills >= 3
    check(store, nights)
    check_bits(store, tmp_path)


def ended(store: Store) -> int:
    return int(store.query("SELECT count(*) FROM occurrences WHERE ended_at IS NOT NULL").rows[0][0])


def finished(store: Store, nights: list[str]) -> bool:
    """All nights are decided, and all that was submitted in them has ended and is settled."""
    done = {one.plan.name: text(one.cursor) >= nights[-1] for one in store.schedules.all()}
    sql = """
        SELECT count(*) FROM occurrences
        WHERE decision = 'submitted' AND (ended_at IS NULL OR met IS NULL) AND instant <= :last
    """
    return all(done.values()) and store.query(sql, {"last": nights[-1]}).rows == [(0,)]


def check(store: Store, nights: list[str]) -> None:
    """Each night was decided once; of `nightly` each was submitted, with seeds of its own."""
    sql = """
        SELECT schedule, instant, decision, experiment, new_runs, met FROM occurrences
        WHERE instant <= :last ORDER BY schedule, instant
    """
    rows = store.query(sql, {"last": nights[-1]}).rows
    every = [row for row in rows if row[0] == "nightly"]
    other = [row for row in rows if row[0] == "other"]
    assert [row[1] for row in every] == nights
    assert [row[1] for row in other] == nights
    assert {row[2] for row in every} == {"submitted"}
    assert [row[3] for row in every] == [f"nightly@{n}" for n in range(1, 62)]
    kinds = Counter(row[2] for row in other)
    assert kinds["submitted"] > 0
    assert set(kinds) <= {"submitted", "skipped_misfire", "skipped_overlap"}
    assert all(row[4] == 4 and row[5] == 1 for row in rows if row[2] == "submitted")
    runs = store.runs(f"nightly@{61}")
    assert sorted(set(runs["seed"])) == [120, 121]
    assert set(runs["status"]) == {"done"}
    assert store.progress().failed == 0


def check_bits(store: Store, folder: Path) -> None:
    """What was trained with kills on the way is what is trained without: every record of a few nights."""
    path = folder / "nightly.json"
    with Store(folder / "oracle.db", mode="create") as oracle:
        for number in (1, 20, 61):
            first = 2 * (number - 1)
            (experiment,) = submitting.read([path], overrides={"seeds": {"first": first, "count": 2}})
            submitting.submit(oracle, [experiment])
        working.train(oracle, processes=1)
        for number, revision in zip((1, 20, 61), (1, 2, 3), strict=True):
            for series in ("epochs", "layer_gradients"):
                mine = getattr(store, series)(f"nightly@{number}").drop(columns="run_id")
                theirs = getattr(oracle, series)(f"nightly@{revision}").drop(columns="run_id")
                assert mine.equals(theirs)
                assert len(mine) > 0


def test_the_clock_of_the_test_covers_a_change_of_the_clocks() -> None:
    zone = schedule.zone(PLAN["timezone"])
    offsets = {instant.astimezone(zone).utcoffset() for instant in (BEGIN, END)}
    assert len(offsets) == 2
    assert timedelta(days=60) < END - BEGIN
