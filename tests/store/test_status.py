"""Who trains what, since when, how fast; and whose runs are free because they are gone."""

import dataclasses
import subprocess
import sys

import pytest
from store_material import experiment, segment, stacks, train

from bpsvc.store import Store, owner, owners


def test_holders(store: Store) -> None:
    spec = experiment(seeds=4, epochs=1000)
    store.submit(spec, stacks(spec))
    assert store.holders() == []
    claims = store.leases.claim(owner(), limit=3, lease_s=6000.0)
    store.leases.claim("elsewhere/boot/ns/17/99", limit=1)
    with store._writing() as connection:  # as if that had been long ago
        sql = "UPDATE _run SET claimed_at = claimed_at - 2000 WHERE lease_owner = ?"
        connection.exec_driver_sql(sql, (owner(),))
    store.leases.commit(segment(owner(), claims, 100, lease_s=6000.0))
    mine, other = store.holders()
    assert (mine.owner, mine.runs, mine.gone, mine.epochs_left) == (owner(), 3, False, 2700)
    assert 2000 <= mine.held_s < 3000 and 5000 < mine.lease_s <= 6001 and mine.since.endswith("Z")
    assert mine.epochs_per_s == pytest.approx(300 / 30), "of the last thirty seconds"
    assert mine.eta_s == pytest.approx(2700 / mine.epochs_per_s)
    assert (other.runs, other.epochs_per_s, other.eta_s, other.gone) == (1, 0.0, None, False)
    assert other.name == "elsewhere, process 17"


def test_status_counts_by_experiment(store: Store) -> None:
    one, two = experiment("one", seeds=[0, 1]), experiment("two", seeds=[1, 2, 3], epochs=200)
    for spec in (one, two):
        store.submit(spec, stacks(spec))
    train(store, "me", experiments=[store.experiment("one").id])
    table = store.status().set_index("experiment")
    assert list(table.index) == ["one@1", "two@1"]
    assert tuple(table.loc["one@1", ["runs", "epochs_done", "epochs_to_do"]]) == (2, 200, 200)
    assert tuple(table.loc["one@1", ["done", "queued"]]) == (2, 0)
    assert list(table["epochs_left"]) == [0, 500] and table["eta_s"].isna().all()
    assert tuple(table.loc["two@1", ["runs", "done", "queued"]]) == (3, 0, 3)


def test_an_experiment_ends_at_the_speed_of_those_who_train_it(store: Store) -> None:
    """Whoever is gone, and whoever goes on with a run for another experiment, does not count."""
    short, long, idle = (
        experiment("short", seeds=2),
        experiment("long", seeds=3, epochs=1000),
        experiment("idle", seeds=[9]),
    )
    for spec in (short, long, idle):
        store.submit(spec, stacks(spec))
    store.leases.commit(segment(owner(), store.leases.claim(owner(), limit=1), 200))
    with store._writing() as connection:  # as if that had taken long
        connection.exec_driver_sql("UPDATE _run SET claimed_at = claimed_at - 2000 WHERE status = 'running'")
    table = store.status().set_index("experiment")
    assert tuple(table.loc["short@1", ["done", "running", "epochs_left"]]) == (1, 0, 100)
    assert tuple(table.loc["long@1", ["running", "epochs_left"]]) == (1, 2800)
    assert table.loc["long@1", "eta_s"] == pytest.approx(2800 / (200 / 30))
    assert table.loc[["short@1", "idle@1"], "eta_s"].isna().all()
    host, _, namespace, pid, started = owner().rsplit("/", 4)
    dead = "/".join([host, "another-boot", namespace, pid, started])
    with store._writing() as connection:
        connection.exec_driver_sql("UPDATE _run SET lease_owner = ? WHERE status = 'running'", (dead,))
        connection.exec_driver_sql("UPDATE _segment SET owner = ?", (dead,))
    assert store.holders()[0].gone and store.holders()[0].epochs_per_s > 0
    assert store.status()["eta_s"].isna().all()


def test_this_process_lives_and_another_does_not() -> None:
    assert owner() == owner() and not owners.vanished(owner())
    code = "from bpsvc.store import owner; print(owner())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    other = done.stdout.strip()
    assert other != owner() and owners.vanished(other)


@pytest.mark.parametrize("text", ["", "me", "a/b/c/d/e", "/////", "////1/2", "../../../1/1"])
def test_of_strangers_nothing_is_known(text: str) -> None:
    assert not owners.vanished(text)


def test_what_tells_owners_apart() -> None:
    host, boot, namespace, pid, started = owner().rsplit("/", 4)
    assert owners.vanished("/".join([host, "another-boot", namespace, pid, started]))
    assert owners.vanished("/".join([host, boot, namespace, pid, str(int(started) + 1)]))
    assert not owners.vanished("/".join([host, boot, "[another]", pid, str(int(started) + 1)]))
    assert not owners.vanished("/".join(["elsewhere", boot, namespace, pid, "1"]))


def test_progress_of_experiments_and_of_all(store: Store) -> None:
    spec = experiment(seeds=3)
    receipt = store.submit(spec, stacks(spec))
    claims = store.leases.claim("me", limit=2)
    store.leases.commit(segment("me", claims[:1], 100))
    store.leases.commit(segment("me", claims[1:], 40))
    now = store.progress([receipt.id])
    assert now == store.progress()
    assert dataclasses.astuple(now) == (1, 1, 1, 0, 0, 0, 140, 300)
    assert (now.runs, now.outstanding) == (3, 2)
