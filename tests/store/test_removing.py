"""Remove some runs of experiments, and what that means for the runs that others still contain."""

from pathlib import Path
from typing import Any

import pytest
from store_material import counts, experiment, segment, stacks, train

from bpsvc.errors import NotFoundError
from bpsvc.store import Store


def submit(store: Store, *specs: Any) -> None:
    for spec in specs:
        store.submit(spec, stacks(spec))


def test_runs_are_taken_from_one_experiment_and_stay_in_the_other(store: Store) -> None:
    submit(store, experiment("one", seeds=[0, 1, 2]), experiment("two", seeds=[2, 3]))
    train(store, "me")
    shared = store.runs("two").loc[0, "run_id"]
    asked = store.removal(runs=[("one", 1), ("one", shared)])
    assert store.remove(runs=[("one", 1), ("one", shared)]) == asked
    assert (asked.experiments, asked.smaller) == ((), ("one@1",))
    assert (asked.runs, asked.shared) == ((1,), (shared,))
    assert list(store.runs("one")["run_id"]) == [2] and list(store.runs("two")["run_id"]) == [shared, 4]
    assert set(store.epochs()["run_id"]) == {2, shared, 4} and not store.upkeep.verify()
    with pytest.raises(NotFoundError):
        store.remove(runs=[("three", 2)])


def test_an_experiment_without_a_run_goes_too(store: Store) -> None:
    submit(store, experiment("one", losses=("log_likelihood", "squared")), experiment("two", seeds=[7]))
    every = [("one@1", run) for run in store.runs("one")["run_id"]]
    going = store.remove(runs=[*every, *every])
    assert (going.experiments, going.smaller, len(going.runs)) == (("one@1",), (), 6)
    store.remove(["two"])
    assert {name for name, rows in counts(store).items() if rows} <= {"alembic_version", "sqlite_sequence"}


def test_what_is_meanwhile_gone_or_elsewhere_is_left_alone(store: Store) -> None:
    submit(store, experiment("one", seeds=[0, 1]), experiment("two", seeds=[2, 3]))
    going = store.remove(runs=[("one", 2), ("one", 3), ("one", 99)])
    assert (going.runs, going.shared, going.smaller) == ((2,), (), ("one@1",))
    assert set(store.runs()["run_id"]) == {1, 3, 4}


def test_submitting_again_brings_back_what_was_taken_away(store: Store) -> None:
    sweep = experiment("one", losses=("log_likelihood", "squared"), seeds=2)
    submit(store, sweep, experiment("two", seeds=[0]))
    train(store, "me")
    before = store.runs("one"), store.factors("one")
    shared, own = store.runs("two").loc[0, "run_id"], 4
    store.remove(runs=[("one", shared), ("one", own)])
    receipt = store.submit(sweep, stacks(sweep))
    assert (receipt.new, receipt.existing, receipt.unchanged) == (1, 3, True)
    train(store, "me")
    kept = ["run_key", "status", "loss", "seed"]
    assert store.runs("one")[kept].equals(before[0][kept])
    assert list(store.factors("one")["value"]) == list(before[1]["value"])


@pytest.mark.parametrize(
    ("every", "stands", "ends"),
    [(10, 40, 100), (10, 150, 150), (10, 153, 160), ("decades", 117, 120), ("decades", 100, 100)],
)
@pytest.mark.parametrize("held", [True, False])
def test_a_run_that_stays_ends_where_it_is_still_wanted(
    store: Store, every: Any, stands: int, ends: int, held: bool
) -> None:
    """Never between two records; and a worker that was going further has lost it."""
    short, long = (experiment(f"to {last}", epochs=last, every=every) for last in (100, 300))
    submit(store, short, long)
    claims = store.leases.claim("me", limit=9)
    step = 1 if every == "decades" and stands <= 100 else 10
    store.leases.commit(segment("me", claims, stands, every=step))
    if not held:
        store.leases.release(claims)
    store.remove(["to 300"])
    runs, reached = store.runs(), stands == ends
    assert set(runs["epochs"]) == {ends} and set(runs["epochs_done"]) == {stands}
    assert set(runs["status"]) == {"done" if reached else "queued"}
    assert set(store.runs("to 100")["status"]) == {"done" if stands >= 100 else "queued"}
    assert store.leases.renew(claims) == set()
    if every == 10:
        assert not store.upkeep.verify()
        train(store, "heir")
        assert set(store.runs()["outcome"]) == {"horizon"} and set(store.runs()["epochs_done"]) == {ends}
        assert not store.upkeep.verify()
        assert list(store.epochs("to 100", runs=[1])["epoch"]) == list(range(0, 101, 10))


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_what_had_come_far_enough_is_done_even_if_it_went_wrong_later(store: Store, how: str) -> None:
    submit(store, experiment("short", seeds=1), experiment("long", epochs=300, seeds=1))
    claims = store.leases.claim("me", limit=9)
    store.leases.commit(segment("me", claims, 150))
    if how == "failed":
        for _ in range(3):
            store.leases.lose(claims, "boom")
            claims = store.leases.claim("me", limit=9)
    else:
        store.cancel(["long"])
    assert list(store.runs()["status"]) == [how]
    store.remove(["long"])
    (run,) = store.runs().to_dict("records")
    assert (run["status"], run["outcome"], run["epochs"], run["error"]) == ("done", "horizon", 150, None)
    assert not store.upkeep.verify()


def test_what_ended_by_itself_stays_as_it_is(store: Store) -> None:
    submit(store, experiment("short"), experiment("long", epochs=300))
    train(store, "me", step=300)
    before = store.runs()
    store.remove(["long"])
    assert store.runs().equals(before) and not store.upkeep.verify()


def test_a_merge_asks_for_no_more_than_experiments_do(store: Store, tmp_path: Path) -> None:
    """Theirs is further than anybody still asks; ours is in a worker's hands, and stays as it is."""
    short, long = experiment("short"), experiment("long", epochs=300)
    with Store.open(tmp_path / "other.db", mode="create") as other:
        submit(other, short, long)
        train(other, "me", step=300)
        other.remove(["long"])
    submit(store, short)
    claims = store.leases.claim("me", limit=9)
    store.upkeep.merge(tmp_path / "other.db")
    assert set(store.runs()["epochs"]) == {100} and not store.upkeep.verify()
    assert len(store.leases.commit(segment("me", claims, 100))) == 3
    assert set(store.runs()["status"]) == {"done"}


def test_a_merge_brings_back_what_was_taken_away_with_all_that_belongs_to_it(
    store: Store, tmp_path: Path
) -> None:
    sweep = experiment("one", losses=("log_likelihood", "squared"), seeds=2)
    with Store(tmp_path / "whole.db", mode="create") as whole:
        for each in (store, whole):
            submit(each, sweep)
            train(each, "me")
    store.remove(runs=[("one", 1), ("one", 4)])
    merged = store.upkeep.merge(tmp_path / "whole.db")
    assert (merged.experiments, merged.new, merged.kept) == (0, 2, 2)
    assert not store.upkeep.verify() and store.factors("one")["run_id"].nunique() == 4
    with Store(tmp_path / "whole.db") as whole:
        kept = ["run_key", "status", "loss", "seed"]
        assert store.runs("one")[kept].equals(whole.runs("one")[kept])
