"""The commands of schedules, from the command line."""

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

SPEC = {
    "name": "nightly",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 20},
    "seeds": 3,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}
Bpsvc = Callable[..., Any]


def some_minutes_ago(*minutes: int) -> tuple[str, str]:
    """A schedule that was due so many minutes ago, and is not due again for most of an hour."""
    now = datetime.now(UTC)
    return "--cron", ",".join(f"{(now - timedelta(minutes=m)).minute}" for m in minutes) + " * * * *"


def spec(**changes: object) -> Path:
    path = Path("nightly.json")
    path.write_text(json.dumps({**SPEC, **changes}))
    return path


def back(minutes: int) -> None:
    """As if the schedules had been added so many minutes earlier."""
    with sqlite3.connect("bpsvc.db") as db:
        db.execute(
            "UPDATE _schedule SET cursor = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)", (f"-{minutes} minutes",)
        )
    db.close()


def test_a_schedule_from_its_adding_to_its_removal(bpsvc: Bpsvc) -> None:
    added = bpsvc("schedule", "add", spec(), *some_minutes_ago(5, 6, 7), "--timezone", "Europe/Berlin")
    assert added.code == 0, added.err
    assert "added nightly: each time, fresh seeds" in added.err
    instants = added.out.splitlines()[2:]
    assert len(instants) == 3
    in_both_zones = r"[\d-]{10}T[\d:]{8}Z  \w{3} [\d-]{10} [\d:]{5} (CET \(\+0100\)|CEST \(\+0200\))"
    assert all(re.match(in_both_zones, line) for line in instants), added.out
    (row,) = bpsvc("schedule", "list", "--format", "json").json
    assert (row["schedule"], row["missed"], row["overlap"]) == ("nightly", "latest", "skip")
    assert bpsvc("schedule", "tick").out == ""
    back(20)
    ticked = bpsvc("schedule", "tick")
    assert ticked.code == 0
    assert ticked.out.count("skipped_misfire") == 2
    assert "nightly@1" in ticked.out
    assert bpsvc("worker", "--processes", 1).code == 0
    ended = bpsvc("schedule", "tick")
    assert ended.code == 0
    assert "ended" in ended.out
    shown = bpsvc("schedule", "show", "nightly", "--json").json
    assert [one["decision"] for one in shown["occurrences"]] == [
        "submitted",
        "skipped_misfire",
        "skipped_misfire",
    ]
    assert shown["occurrences"][0]["new_runs"] == 6
    assert shown["occurrences"][0]["ended_at"]
    assert "a later occurrence was due as well" in bpsvc("schedule", "show", "nightly").out
    assert "nightly is paused" in bpsvc("schedule", "pause", "nightly").err
    assert "paused" in bpsvc("schedule", "list").out
    assert "nightly goes on" in bpsvc("schedule", "resume", "nightly").err
    assert "nightly@2: 6 new runs" in bpsvc("schedule", "run", "nightly").err
    assert len(bpsvc("schedule", "preview", "nightly", "-n", 7).out.splitlines()) == 9
    assert bpsvc("schedule", "remove", "nightly").code == 0
    assert bpsvc("schedule", "list", "--format", "json").json == []
    assert len(bpsvc("status", "--json").json) == 2


def test_preview_of_an_expression_needs_no_store(bpsvc: Bpsvc) -> None:
    ran = bpsvc("schedule", "preview", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "-n", 400)
    assert ran.code == 0
    assert "does not exist on this day" in ran.out
    assert "comes twice; the first is taken" in ran.out
    assert not Path("bpsvc.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("add", "nightly.json", "--cron", "61 * * * *"), 2, ("minute", "'61'", "0-59")),
        (("add", "nightly.json", "--cron", "0 0 30 2 *"), 2, ("never fires",)),
        (("add", "nightly.json", "--cron", "0 2 * * *", "--timezone", "Europe/Berln"), 2, ("Europe/Berlin",)),
        (("add", "nightly.json", "--cron", "0 2 * * *", "--fresh", "data"), 2, ("not read from a file",)),
        (("add", "nightly.json", "--cron", "0 2 * * *", "--missed", "some"), 2, ("some",)),
        (("add", "nightly.json"), 2, ("--cron",)),
        (("add", "missing.json", "--cron", "0 2 * * *"), 2, ("missing.json",)),
        (("preview",), 2, ("--cron",)),
        (("preview", "x", "--cron", "0 2 * * *"), 2, ("not both",)),
        (("preview", "--cron", "0 2 * *"), 2, ("five fields",)),
        (("list",), 4, ("no store",)),
        (("tick",), 4, ("no store",)),
        (("run", "nightly"), 4, ("no store",)),
    ],
)
def test_wrong_commands_make_no_store(
    bpsvc: Bpsvc, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    spec()
    ran = bpsvc("schedule", *arguments)
    assert ran.code == code
    assert all(word in ran.err for word in words), ran.err
    assert ran.out == ""
    assert not Path("bpsvc.db").exists()


@pytest.mark.parametrize("command", ["show", "pause", "resume", "remove", "preview", "run"])
def test_an_unknown_schedule_exits_with_3(bpsvc: Bpsvc, command: str) -> None:
    bpsvc("schedule", "add", spec(), "--cron", "0 2 * * *")
    ran = bpsvc("schedule", command, "nihgtly")
    assert ran.code == 3
    assert "did you mean 'nightly'?" in ran.err


def test_what_is_wrong_at_an_occurrence_makes_the_tick_fail(bpsvc: Bpsvc) -> None:
    Path("table.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    path = spec(data={"source": "csv", "path": "table.csv", "target": "y"})
    assert bpsvc("schedule", "add", path, *some_minutes_ago(5)).code == 0
    Path("table.csv").unlink()
    back(20)
    ran = bpsvc("schedule", "tick")
    assert ran.code == 1
    assert "rejected" in ran.out
    assert "table.csv" in ran.out


def test_what_is_wrong_when_run_now_is_an_occurrence_as_well(bpsvc: Bpsvc) -> None:
    Path("table.csv").write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    path = spec(data={"source": "csv", "path": "table.csv", "target": "y"})
    assert bpsvc("schedule", "add", path, *some_minutes_ago(5)).code == 0
    Path("table.csv").unlink()
    ran = bpsvc("schedule", "run", "nightly")
    assert ran.code == 2 and "no such file" in ran.err
    (one,) = bpsvc("schedule", "show", "nightly", "--json").json["occurrences"]
    assert (one["planned"], one["decision"], one["experiment"]) == (0, "rejected", "")
    assert "table.csv: no such file" in one["detail"]
    (listed,) = bpsvc("schedule", "list", "--json").json
    assert listed["last_decision"] == "rejected"


@pytest.mark.parametrize("folder", ["taken", "taken/deeper/still"])
def test_a_folder_for_reports_that_cannot_be_is_refused_at_once(bpsvc: Bpsvc, folder: str) -> None:
    Path("taken").write_text("a file where the folder should be")
    ran = bpsvc("schedule", "add", spec(), "--cron", "0 2 * * *", "--report", folder)
    assert ran.code == 2
    assert "taken is no folder; name another folder with --report" in ran.err
    assert not Path("bpsvc.db").exists()


@pytest.mark.slow
def test_a_batch_reports_by_itself_and_says_what_is_not_as_expected(bpsvc: Bpsvc) -> None:
    expect = [
        {"metric": "final_loss", "statistic": "median", "below": 100.0},
        {"metric": "solved", "statistic": "mean", "at_least": 1.0},
    ]
    bpsvc("schedule", "add", spec(expect=expect), *some_minutes_ago(5), "--report", "drift")
    back(20)
    for begin in ("tick",), ("run", "nightly"):
        assert bpsvc("schedule", *begin).code == 0
        assert bpsvc("worker", "--processes", 1).code == 0
        ended = bpsvc("schedule", "tick")
        assert ended.code == 1
        assert "not as expected" in ended.out
        assert "mean of solved at least 1 does not hold" in ended.out
        assert "final_loss" not in ended.out
    pages = sorted(Path("drift/nightly@schedule").glob("*/index.html"))
    assert len(pages) == 2
    text = pages[1].read_text()
    assert "What was expected" in text
    assert "1 of 2 expectations hold" in text
    assert "Occurrences of the schedule" in text
    rows = (pages[1].parent / "figures" / "drift.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 2
    occurrences = bpsvc("schedule", "show", "nightly", "--json").json["occurrences"]
    assert [one["met"] for one in occurrences] == [0, 0]
    assert [one["detail"] for one in occurrences] == [str(page.resolve()) for page in pages[::-1]]
    checked = bpsvc("report", "nightly@2", "--check")
    assert checked.code == 1
    assert "median of final_loss below 100 holds" in checked.err
    assert "mean of solved at least 1 does not hold" in checked.err


@pytest.mark.slow
def test_the_reports_of_a_schedule_and_of_its_experiment_leave_each_other_alone(bpsvc: Bpsvc) -> None:
    """In the order of docs/schedules.md, and both again."""
    expect = [{"metric": "final_loss", "statistic": "max", "below": 100.0}]
    path = spec(expect=expect, sweep=None)
    assert bpsvc("schedule", "add", path, *some_minutes_ago(5), "--report", "reports").code == 0
    pages: set[Path] = set()
    for _ in range(2):
        assert bpsvc("schedule", "run", "nightly").code == 0
        assert bpsvc("worker", "--processes", 1).code == 0
        assert bpsvc("schedule", "tick").code == 0
        checked = bpsvc("report", "nightly", "--check", "--format", "csv")
        assert checked.code == 0, checked.err
        assert Path("reports/nightly/index.html").exists()
        now = set(Path("reports").glob("*/*/index.html"))
        assert pages < now
        pages = now


def test_a_report_that_cannot_be_written_is_said_once(bpsvc: Bpsvc) -> None:
    bpsvc("schedule", "add", spec(), *some_minutes_ago(5), "--report", "taken")
    bpsvc("schedule", "run", "nightly")
    ((instant,),) = sqlite3.connect("bpsvc.db").execute("SELECT instant FROM occurrences").fetchall()
    place = Path("taken/nightly@schedule") / (instant[:19].replace("-", "").replace(":", "") + "Z")
    place.mkdir(parents=True)
    (place / "precious.txt").write_text("mine")
    bpsvc("worker", "--processes", 1)
    ran = bpsvc("schedule", "tick")
    assert ran.code == 1
    assert "something other than a report" in ran.out
    assert bpsvc("schedule", "tick").out == ""
    assert "not written: this folder holds something other" in bpsvc("schedule", "show", "nightly").out
    assert (place / "precious.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_report_that_cannot_be_written_now_is_written_later(bpsvc: Bpsvc) -> None:
    assert bpsvc("schedule", "add", spec(sweep=None), *some_minutes_ago(5), "--report", "taken").code == 0
    Path("taken").write_text("a file where the folder should be")
    bpsvc("schedule", "run", "nightly")
    bpsvc("worker", "--processes", 1)
    for _ in range(2):
        ran = bpsvc("schedule", "tick")
        assert ran.code == 1
        assert "it is tried again" in ran.out
        assert "not written: the report cannot be written now" in bpsvc("schedule", "show", "nightly").out
    Path("taken").unlink()
    ran = bpsvc("schedule", "tick")
    assert ran.code == 0
    (page,) = Path("taken").glob("nightly@schedule/*/index.html")
    assert str(page.resolve()) in ran.out
    assert bpsvc("schedule", "tick").out == ""


def test_failed_runs_make_the_tick_fail(bpsvc: Bpsvc) -> None:
    expect = [{"metric": "final_loss", "statistic": "max", "below": 100.0}]
    bpsvc("schedule", "add", spec(expect=expect), *some_minutes_ago(5))
    bpsvc("schedule", "run", "nightly")
    bpsvc("worker", "--processes", 1)
    with sqlite3.connect("bpsvc.db") as db:
        db.execute("UPDATE _run SET status = 'failed', outcome = NULL, error = 'killed' WHERE id = 2")
    db.close()
    ran = bpsvc("schedule", "tick")
    assert ran.code == 1
    assert "1 of 6 runs failed" in ran.out
    assert "max of final_loss below 100 does not hold" in ran.out


@pytest.mark.slow
def test_a_worker_that_stays_attends_to_schedules(bpsvc: Bpsvc, tmp_path: Path) -> None:
    bpsvc("schedule", "add", spec(), *some_minutes_ago(5, 6))
    back(20)
    command = [
        sys.executable,
        "-c",
        "from bpsvc.cli import main; main()",
        "worker",
        "--watch",
        "--processes",
        "1",
    ]
    with (tmp_path / "told.txt").open("w") as told:
        worker = subprocess.Popen(command, cwd=tmp_path, stderr=told)
        try:
            deadline = time.monotonic() + 300
            while "ended: nightly@1" not in (tmp_path / "told.txt").read_text():
                assert worker.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            worker.terminate()
            assert worker.wait(300) == 143
        finally:
            worker.kill()
            worker.wait()
    text = (tmp_path / "told.txt").read_text()
    assert "skipped_misfire: a later occurrence was due as well" in text
    assert "submitted: nightly@1" in text
    assert len(bpsvc("status", "--json").json) == 1


def test_every_command_of_schedules_explains_itself(bpsvc: Bpsvc) -> None:
    listed = bpsvc("schedule", "--help").out
    for command in ("add", "list", "show", "pause", "resume", "remove", "preview", "run", "tick"):
        assert command in listed
        helped = bpsvc("schedule", command, "--help")
        assert helped.code == 0
        assert "Examples" in helped.out
