"""Each guard removed once: the test that is there for it must fail, or it is decoration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bpsvc

pytestmark = pytest.mark.guarantee

HERE = Path(__file__).parent
CONTRACT = "test_contract.py::TestSqlite::"

# File of the store, the guard, what is put in its place, the test that must notice.
GUARDS = {
    "fence": ("segments.py", "AND fence = :fence ", "", CONTRACT + "test_a_fenced_commit_writes_nothing"),
    "compare-and-swap": (
        "segments.py",
        " AND epochs_done = :from_epoch",
        "",
        CONTRACT + "test_a_segment_from_another_epoch_is_refused",
    ),
    "only the running": (
        "segments.py",
        "WHERE id = :run_id AND status = 'running' AND",
        "WHERE id = :run_id AND",
        "test_managing.py::test_cancel_takes_runs_from_the_queue_and_from_workers",
    ),
    "fenced rows dropped": (
        "segments.py",
        "slice(None) if kept.all() else kept[records.run]",
        "slice(None)",
        CONTRACT + "test_a_segment_counts_for_those_runs_that_are_still_held",
    ),
    "unique key": (
        "schema.py",
        'UniqueConstraint("key", name="uq_run_key"),',
        "",
        "test_schema.py::test_a_new_store_equals_a_migrated_one",
    ),
    "immediate": (
        "engine.py",
        '"BEGIN IMMEDIATE"',
        '"BEGIN"',
        "test_files.py::test_a_writing_transaction_locks_from_its_first_statement",
    ),
    "advisory lock": (
        "engine.py",
        "with locked(path, timeout_s), explained",
        "with explained",
        "test_files.py::test_a_lock_that_others_keep_is_told[sidecar]",
    ),
    "higher fence for each claim": (
        "queue.py",
        "fence = fence + 1, ",
        "",
        CONTRACT + "test_a_fenced_commit_writes_nothing",
    ),
    "numbers never given again": (
        "schema.py",
        "\n    autoincrement=True,\n)\nIndex(",
        "\n)\nIndex(",
        "test_managing.py::test_numbers_are_never_given_again",
    ),
    "horizon raised meanwhile": (
        "segments.py",
        "(:outcome IS 'horizon' AND epochs > :to_epoch)",
        "(0)",
        CONTRACT + "test_a_run_extended_while_it_trains_goes_on",
    ),
    "no end between two records": (
        "targets.py",
        "max(asked, nn.Cadence(every).neighbours(done)[1])",
        "max(asked, done)",
        "test_removing.py::test_a_run_that_stays_ends_where_it_is_still_wanted",
    ),
    "verified ends": (
        "verifying.py",
        "elif not nn.Cadence(every).records(epochs):",
        "elif False:",
        "test_upkeep.py::test_damage_is_named[UPDATE _run SET epochs = 105 WHERE id = 4-_run-4-105]",
    ),
    "vanished owners": (
        "queue.py",
        "if owners.vanished(owner):",
        "if False:",
        "test_concurrency.py::test_after_a_kill_the_next_goes_on_at_once",
    ),
    "alone before blamed": (
        "queue.py",
        "alone = first.attempts >= MAX_ATTEMPTS - 1",
        "alone = False",
        CONTRACT + "test_a_run_that_kills_its_worker_fails_alone",
    ),
    "authorizer": (
        "sandbox.py",
        "connection.set_authorizer(authorize)",
        "pass",
        "test_query.py::test_only_reading[SELECT * FROM pragma_database_list]",
    ),
    "reading statements only": (
        "query.py",
        "if first not in _BEGINNINGS:",
        "if False:",
        "test_query.py::test_only_reading[PRAGMA table_info(runs)]",
    ),
    "upgrade in one transaction": (
        "migrate.py",
        "            with connection.begin():\n",
        "            if True:\n",
        "test_upkeep.py::test_upgrade_backs_up_and_migrates",
    ),
}


def copied(folder: Path) -> Path:
    """A copy of the package, to be harmed."""
    package = Path(bpsvc.__file__).parent
    shutil.copytree(package, folder / "bpsvc", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package.parent / "migrations", folder / "migrations")
    return folder / "bpsvc"


def verdict(folder: Path, test: str) -> "subprocess.CompletedProcess[str]":
    """A test's verdict on the copy in `folder`."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", ""]
    command += ["-o", f"pythonpath={folder}", test]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.mark.parametrize("guard", GUARDS)
def test_without_the_guard_its_test_fails(tmp_path: Path, guard: str) -> None:
    file, old, new, test = GUARDS[guard]
    harmed = copied(tmp_path) / "store" / file
    source = harmed.read_text()
    assert source.count(old) == 1, "the guard is not where it was: look for it"
    harmed.write_text(source.replace(old, new))
    done = verdict(tmp_path, str(HERE / test))
    assert done.returncode == 1 and "FAILED" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]


def test_it_is_the_copy_that_is_tested_and_unharmed_it_passes(tmp_path: Path) -> None:
    copied(tmp_path)
    (tmp_path / "test_copy.py").write_text(
        f"""
import bpsvc.store.segments

def test_it():
    assert bpsvc.store.segments.__file__.startswith({str(tmp_path)!r})
"""
    )
    assert verdict(tmp_path, str(tmp_path / "test_copy.py")).returncode == 0
    assert verdict(tmp_path, str(HERE / (CONTRACT + "test_a_fenced_commit_writes_nothing"))).returncode == 0
