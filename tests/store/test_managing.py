"""Cancel, retry, remove: what becomes of runs at a user's word."""

from pathlib import Path

import pytest
from store_material import counts, experiment, segment, stacks, train

from bpsvc.errors import NotFoundError
from bpsvc.store import Store


def test_cancel_takes_runs_from_the_queue_and_from_workers(store: Store) -> None:
    spec = experiment(seeds=4)
    store.submit(spec, stacks(spec))
    claims = store.leases.claim("me", limit=2)
    cancelled = store.cancel(["xor"])
    assert len(cancelled) == 4 and set(store.runs()["status"]) == {"cancelled"}
    assert store.leases.commit(segment("me", claims, 50)) == set() and store.epochs().empty
    assert not store.leases.claim("me", limit=9) and store.cancel(["xor"]) == ()
    receipt = store.submit(spec, stacks(spec))
    assert (receipt.requeued, receipt.existing, receipt.unchanged) == (4, 0, True)
    assert store.leases.commit(segment("me", claims, 50)) == set()
    train(store, "me")
    assert set(store.runs()["status"]) == {"done"} and store.cancel(["xor"]) == ()


def test_cancelled_in_the_middle_goes_on_from_there(store: Store) -> None:
    spec = experiment(seeds=1)
    store.submit(spec, stacks(spec))
    store.leases.commit(segment("me", store.leases.claim("me", limit=1), 50))
    (run,) = store.cancel(runs=[store.run("@last")])
    assert store.run(run) == run
    store.submit(spec, stacks(spec))
    train(store, "me")
    assert list(store.epochs()["epoch"]) == list(range(0, 101, 10))


def test_a_cancelled_run_that_is_asked_for_more(store: Store) -> None:
    spec, long = experiment(seeds=1), experiment("longer", seeds=1, epochs=200)
    store.submit(spec, stacks(spec))
    store.cancel(["xor"])
    receipt = store.submit(long, stacks(long))
    assert (receipt.requeued, receipt.extended) == (1, 0)
    assert list(store.runs()["epochs"]) == [200]


def test_retry_queues_failed_runs(store: Store) -> None:
    one, two = experiment("one", seeds=[0, 1]), experiment("two", seeds=[2, 3])
    for spec in (one, two):
        store.submit(spec, stacks(spec))
    failed = store.leases.fail(store.leases.claim("me", limit=9), "boom")
    assert set(store.runs()["error"]) == {"boom"}
    assert set(store.retry(["one"])) < failed and len(store.retry()) == 2
    assert set(store.runs()["status"]) == {"queued"} and store.runs()["error"].isna().all()
    assert store.retry() == ()


def test_remove_takes_only_what_no_other_experiment_contains(store: Store) -> None:
    one, two = experiment("one", seeds=[0, 1, 2]), experiment("two", seeds=[2, 3], epochs=200)
    for spec in (one, two):
        store.submit(spec, stacks(spec))
    train(store, "me")
    expected = store.epochs("two"), store.layer_gradients("two"), store.runs("two")
    asked = store.removal(["one"])
    assert store.remove(["one"]) == asked
    assert (asked.experiments, len(asked.runs), len(asked.shared)) == (("one@1",), 2, 1)
    for before, after in zip(
        expected, (store.epochs("two"), store.layer_gradients("two"), store.runs("two")), strict=True
    ):
        assert before.equals(after)
    assert list(store.experiments()["name"]) == ["two"] and len(store.runs()) == 2
    with pytest.raises(NotFoundError):
        store.remove(["one"])
    store.remove(["two"])
    left = {table: rows for table, rows in counts(store).items() if rows}
    assert set(left) <= {"alembic_version", "sqlite_sequence"}


def test_numbers_are_never_given_again(store: Store) -> None:
    spec = experiment(seeds=3)
    store.submit(spec, stacks(spec))
    zombie = store.leases.claim("zombie", limit=3)
    store.remove(["xor"])
    store.submit(spec, stacks(spec))
    heirs = store.leases.claim("heir", limit=3)
    assert not {claim.run_id for claim in heirs} & {claim.run_id for claim in zombie}
    assert store.leases.commit(segment("zombie", zombie, 50)) == set() and store.epochs().empty


def test_removing_lowers_what_only_the_removed_wanted(store: Store) -> None:
    short, long = experiment("short", epochs=100), experiment("long", epochs=300)
    for spec in (short, long):
        store.submit(spec, stacks(spec))
    claims = store.leases.claim("me", limit=9)
    store.leases.commit(segment("me", claims, 150))
    store.leases.release(claims)
    store.remove(["long"])
    runs = store.runs()
    assert (
        set(runs["status"]) == {"done"} and set(runs["epochs"]) == {150} and runs["finished_at"].notna().all()
    )
    assert not store.leases.claim("me", limit=9) and not store.upkeep.verify()


def test_space_comes_back(store: Store, path: Path) -> None:
    small, large = experiment("small", seeds=1), experiment("large", seeds=[5, 6, 7], epochs=3000, every=1)
    for spec in (small, large):
        store.submit(spec, stacks(spec))
    train(store, "me", step=3000, every=1)
    store.upkeep.compact()
    full = path.stat().st_size
    store.remove(["large"])
    assert store.upkeep.info().free_bytes > full / 2
    given = store.upkeep.compact()
    assert given > full / 2 and path.stat().st_size == full - given < full / 4
    assert store.upkeep.check() == [] and len(store.epochs("small")) > 0


def test_what_an_experiment_has_is_not_touched_for_its_sake(store: Store) -> None:
    short, long = experiment("short", seeds=1), experiment("long", seeds=1, epochs=200)
    store.submit(short, stacks(short))
    train(store, "me")
    store.submit(long, stacks(long))
    assert store.cancel(["short"]) == ()
    store.leases.fail(store.leases.claim("me", limit=9), "boom")
    again = store.submit(short, stacks(short))
    assert (again.existing, again.failed, store.retry(["short"])) == (1, (), ())
    assert len(store.retry(["long"])) == 1 and len(store.cancel(["long"])) == 1
    again = store.submit(short, stacks(short))
    assert (again.existing, again.requeued) == (1, 0) and set(store.runs("long")["status"]) == {"cancelled"}


def test_a_claim_for_an_experiment_goes_as_far_as_it_asks(store: Store) -> None:
    short, long = experiment("short", seeds=2), experiment("long", seeds=3, epochs=200)
    store.submit(long, stacks(long))
    number = store.submit(short, stacks(short)).id
    claims = store.leases.claim("me", limit=9, experiments=[number])
    assert [claim.epochs for claim in claims] == [100, 100]
    store.leases.commit(segment("me", claims, 100))
    assert store.progress([number]).outstanding == 0 and not store.leases.claim(
        "me", limit=9, experiments=[number]
    )
    assert list(store.runs("short")["status"]) == ["done"] * 2
    assert set(store.runs("long")["status"]) == {"queued"}
    train(store, "me")
    assert (
        list(store.runs("long")["epochs_done"]) == [200] * 3
        and list(store.runs("short")["epochs_done"]) == [100] * 2
    )
