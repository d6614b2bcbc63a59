"""What any store must keep to: a class of tests for whatever opens one. `test_contract.py` runs it on
SQLite.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest
from store_material import counts, experiment, part, records, segment, stacks, state, train

from bpsvc.errors import NotFoundError, UsageError
from bpsvc.store import Segment, Store
from bpsvc.store.series import EPOCH_SERIES, LAYER_SERIES


class StoreContract:
    """Subclasses give `new_store`: an empty store, closed at the end."""

    def new_store(self) -> AbstractContextManager[Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        with self.new_store() as opened:
            yield opened

    # Submit

    def test_submit_submit_is_submit(self, store: Store) -> None:
        spec = experiment(losses=("log_likelihood", "squared"))
        first = store.submit(spec, stacks(spec))
        assert (first.experiment, first.new, first.existing, first.unchanged) == ("xor@1", 6, 0, False)
        before = counts(store)
        again = store.submit(spec, stacks(spec))
        assert (again.experiment, again.id, again.new, again.existing) == ("xor@1", first.id, 0, 6)
        assert again.unchanged and again.newest and counts(store) == before

    def test_other_content_is_the_next_revision_and_shares_runs(self, store: Store) -> None:
        small, large = experiment(seeds=3), experiment(seeds=5)
        store.submit(small, stacks(small))
        receipt = store.submit(large, stacks(large))
        assert (receipt.experiment, receipt.new, receipt.existing) == ("xor@2", 2, 3)
        assert store.experiment("xor").experiment == "xor@2"
        back = store.submit(small, stacks(small))
        assert back.experiment == "xor@1" and back.unchanged and not back.newest
        assert back.current == "xor@2"
        assert len(store.runs()) == 5
        assert set(store.runs("xor@1")["run_id"]) < set(store.runs("xor@2")["run_id"])

    def test_more_epochs_extend_and_fewer_are_there(self, store: Store) -> None:
        short, long = experiment(epochs=100), experiment("longer", epochs=200)
        store.submit(short, stacks(short))
        train(store, "me")
        assert set(store.runs()["status"]) == {"done"}
        receipt = store.submit(long, stacks(long))
        assert (receipt.new, receipt.extended, receipt.existing) == (0, 3, 0)
        runs = store.runs()
        assert (
            set(runs["status"]) == {"queued"}
            and set(runs["epochs"]) == {200}
            and set(runs["epochs_done"]) == {100}
        )
        assert runs["outcome"].isna().all() and runs["finished_at"].isna().all()
        claims = store.leases.claim("me", limit=9)
        assert {(claim.epochs_done, claim.epochs, claim.checkpoint) for claim in claims} == {
            (100, 200, state(claim.run_id, 100)) for claim in claims
        } or len(claims) == 3
        store.leases.release(claims)
        train(store, "me")
        fewer = experiment("fewer", epochs=50)
        receipt = store.submit(fewer, stacks(fewer))
        assert (receipt.new, receipt.extended, receipt.existing) == (0, 0, 3)
        assert set(store.runs()["status"]) == {"done"}
        assert list(store.epochs("fewer")["epoch"].unique()) == list(range(0, 51, 10))
        assert store.epochs("longer")["epoch"].max() == 200

    def test_each_experiment_sees_runs_as_of_its_own_epochs(self, store: Store) -> None:
        short, long = experiment(epochs=100), experiment("longer", epochs=200)
        store.submit(short, stacks(short))
        train(store, "me", step=100)
        before = store.runs("xor")
        store.submit(long, stacks(long))
        during = store.runs("xor")
        train(store, "me", step=100)
        after = store.runs("xor")
        measured = store.epochs("xor").groupby("run_id")["loss"]
        for seen in (during, after):
            assert set(seen["status"]) == {"done"} and set(seen["outcome"]) == {"horizon"}
            assert set(seen["epochs"]) == {100} == set(seen["epochs_done"])
            np.testing.assert_array_equal(seen["final_loss"], measured.last())
            np.testing.assert_array_equal(seen["best_loss"], measured.min())
            assert list(seen["finished_at"]) == list(before["finished_at"])
            assert list(seen["seconds"]) == list(before["seconds"])
        assert set(store.runs("longer")["epochs_done"]) == {200}

    def test_experiments_of_different_ends_share_runs_and_each_has_its_own_row(self, store: Store) -> None:
        ends = {"h1": 100, "h2": 200, "h3": 300}
        for name, end in ends.items():
            spec = experiment(name, epochs=end)
            store.submit(spec, stacks(spec))
            train(store, "me", step=50)
        seen = store.runs(["h2", "h1", "h3"])
        assert list(seen["experiment"]) == ["h2@1"] * 3 + ["h1@1"] * 3 + ["h3@1"] * 3
        at_end = ("loss", "accuracy", "mean_abs_error", "validation_loss", "validation_accuracy")
        for row in seen[seen["experiment"] != "h3@1"].to_dict("records"):
            end = ends[str(row["experiment"]).removesuffix("@1")]
            within = f"FROM epochs WHERE run_id = {row['run_id']} AND epoch <= {end}"
            final = store.query(f"SELECT {', '.join(at_end)} {within} ORDER BY epoch DESC LIMIT 1").rows[0]
            assert [row[f"final_{name}"] for name in at_end] == list(final)
            for loss, best in (("loss", "best"), ("validation_loss", "best_validation")):
                sql = f"SELECT {loss}, epoch {within} ORDER BY {loss}, epoch LIMIT 1"
                assert (row[f"{best}_loss"], row[f"{best}_epoch"]) == store.query(sql).rows[0]
            segments = f"FROM _segment WHERE run_id = {row['run_id']} AND to_epoch <= {end}"
            (spent,) = store.query(f"SELECT sum(seconds), max(committed_at) {segments}").rows
            assert (row["seconds"], row["finished_at"]) == spent
            assert row["epochs_done"] == row["epochs"] == row["target_epochs"] == end
        assert set(seen.loc[seen["experiment"] == "h3@1", "epochs_done"]) == {300}

    def test_an_experiment_that_ends_within_a_segment_has_its_share_of_it(self, store: Store) -> None:
        for name, end in {"longer": 300, "none": 0, "first": 40, "second": 200, "all": 300}.items():
            spec = experiment(name, epochs=end)
            store.submit(spec, stacks(spec))
            train(store, "me", step=150)
        committed = "SELECT run_id, to_epoch, committed_at FROM _segment"
        when = {(run, to): at for run, to, at in store.query(committed).rows}
        for name, seconds, to in (
            ("none", 0.0, 150), ("first", 0.5 * 40 / 150, 150),
            ("second", 0.5 + 0.5 * 50 / 150, 300), ("all", 1.0, 300),
        ):  # fmt: skip
            for row in store.runs(name).to_dict("records"):
                assert row["seconds"] == pytest.approx(seconds, rel=1e-12)
                assert row["finished_at"] == when[row["run_id"], to]

    def test_a_run_that_ended_for_a_reason_is_not_extended(self, store: Store) -> None:
        spec = experiment(seeds=3)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=3)
        ends = [("done", "solved"), ("done", "early_stop"), ("diverged", "diverged")]
        runs = [part(claim, 40, status=s, outcome=o) for claim, (s, o) in zip(claims, ends, strict=True)]
        assert store.leases.commit(Segment("me", 15.0, runs, None)) == {claim.run_id for claim in claims}
        long = experiment("longer", epochs=200)
        receipt = store.submit(long, stacks(long))
        assert (receipt.existing, receipt.extended) == (3, 0)
        assert not store.leases.claim("me", limit=3)
        assert set(store.runs()["epochs_done"]) == {40}

    def test_a_submit_is_all_or_nothing(self, store: Store) -> None:
        spec = experiment()
        before = counts(store)
        with pytest.raises(KeyError):
            store.submit(spec, dict(list(stacks(spec).items())[:2]))
        assert counts(store) == before

    def test_factors_of_every_run(self, store: Store) -> None:
        spec = experiment(losses=("log_likelihood", "squared"), seeds=2)
        store.submit(spec, stacks(spec))
        factors = store.factors("xor")
        assert list(factors.columns) == ["experiment", "run_id", "name", "label", "value"]
        assert sorted(factors["value"]) == ["log_likelihood"] * 2 + ["squared"] * 2
        assert set(store.runs("xor")["loss"]) == {"log_likelihood", "squared"}

    # Claim and commit

    def test_claim_takes_one_stack_in_order(self, store: Store) -> None:
        spec = experiment(losses=("log_likelihood", "squared"), seeds=3)
        store.submit(spec, stacks(spec))
        first = store.leases.claim("me", limit=2)
        second = store.leases.claim("me", limit=9)
        third = store.leases.claim("me", limit=9)
        assert [len(c) for c in (first, second, third)] == [2, 1, 3]
        assert not store.leases.claim("me", limit=9)
        for claims in (first, second, third):
            assert len({claim.stack_key for claim in claims}) == 1
            assert all(claim.checkpoint is None and claim.epochs_done == 0 for claim in claims)
        assert {claim.data for claim in first} == set(spec.datasets)
        keys = {run.key: run for run in spec.runs}
        assert all(keys[c.key].canonical == c.spec and keys[c.key].seed == c.seed for c in first)

    def test_claim_only_of_some_experiments(self, store: Store) -> None:
        one, two = experiment("one", seeds=[0, 1]), experiment("two", seeds=[1, 2])
        store.submit(one, stacks(one))
        receipt = store.submit(two, stacks(two))
        claims = store.leases.claim("me", limit=9, experiments=[receipt.id])
        assert sorted(claim.seed for claim in claims) == [1, 2]
        assert not store.leases.claim("me", limit=9, experiments=[receipt.id])
        assert [claim.seed for claim in store.leases.claim("me", limit=9)] == [0]
        assert not store.leases.claim("me", limit=9, experiments=[])

    def test_an_experiment_is_served_at_its_own_epochs(self, store: Store) -> None:
        short, long = experiment(epochs=100), experiment("longer", epochs=200)
        receipt = store.submit(short, stacks(short))
        train(store, "me")
        store.submit(long, stacks(long))
        assert not store.leases.claim("me", limit=9, experiments=[receipt.id])
        assert store.progress([receipt.id]).outstanding == 0
        assert store.progress().outstanding == 3

    def test_rows_are_exactly_what_was_recorded(self, store: Store) -> None:
        spec = experiment(seeds=4)
        store.submit(spec, stacks(spec))
        train(store, "me", step=40)
        runs = sorted(store.runs()["run_id"])
        expected = records(runs, range(0, 101, 10))
        epochs, layers = store.epochs(), store.layer_gradients()
        assert list(epochs.columns) == ["run_id", "epoch", *EPOCH_SERIES]
        np.testing.assert_array_equal(epochs["run_id"], np.array(runs)[expected.run])
        np.testing.assert_array_equal(epochs["epoch"], expected.epoch)
        for name in EPOCH_SERIES:
            np.testing.assert_array_equal(epochs[name], expected.epochs[name])
        assert list(layers.columns) == ["run_id", "epoch", "layer", *LAYER_SERIES]
        np.testing.assert_array_equal(layers["layer"], np.tile([1, 2], len(expected.epoch)))
        for name in LAYER_SERIES:
            np.testing.assert_array_equal(layers[name], expected.layers[name].ravel())

    def test_what_is_not_finite_is_null(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1)
        given = records([claims[0].run_id], [0, 10, 20])
        given.epochs["loss"][:] = [np.nan, np.inf, -np.inf]
        given.layers["delta_rms"][1] = [np.inf, 1.0]
        given = dataclasses.replace(given, epochs={k: v for k, v in given.epochs.items() if k != "accuracy"})
        one = part(
            claims[0], 20, final_loss=np.float64("inf"), best_epoch=np.int64(7), best_loss=np.float32(0.5)
        )
        store.leases.commit(Segment("me", 15.0, [one], given))
        assert store.query(
            "SELECT count(*), count(loss), count(accuracy), count(max_error) FROM epochs"
        ).rows == [(3, 0, 0, 3)]
        assert store.query("SELECT delta_rms FROM layer_gradients WHERE epoch = 10").rows == [(None,), (1.0,)]
        row = store.query("SELECT final_loss, best_epoch, best_loss, typeof(best_epoch) FROM runs").rows
        assert row == [(None, 7, 0.5, "integer")]

    def test_a_commit_refuses_series_it_does_not_know(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1)
        given = records([claims[0].run_id], [0])
        before = counts(store)
        wrong = dataclasses.replace(given, epochs={**given.epochs, "lose": given.epochs["loss"]})
        with pytest.raises(UsageError, match="lose"):
            store.leases.commit(Segment("me", 15.0, [part(claims[0], 10)], wrong))
        with pytest.raises(UsageError, match="final_lose"):
            store.leases.commit(Segment("me", 15.0, [part(claims[0], 10, final_lose=1.0)], given))
        assert counts(store) == before and set(store.runs()["epochs_done"]) == {0}

    def test_a_fenced_commit_writes_nothing(self, store: Store) -> None:
        spec = experiment(seeds=3)
        store.submit(spec, stacks(spec))
        zombie = store.leases.claim("zombie", limit=3, lease_s=-1.0)
        heir = store.leases.claim("heir", limit=3)
        assert [c.run_id for c in heir] == [c.run_id for c in zombie]
        assert all(new.fence > old.fence for new, old in zip(heir, zombie, strict=True))
        before = counts(store)
        assert store.leases.commit(segment("zombie", zombie, 50)) == set()
        assert counts(store) == before
        assert (
            not store.leases.renew(zombie)
            and not store.leases.release(zombie)
            and not store.leases.fail(zombie, "no")
        )
        assert store.leases.commit(segment("heir", heir, 50)) == {c.run_id for c in heir}
        assert store.leases.commit(segment("zombie", zombie, 50)) == set()

    def test_a_segment_counts_for_those_runs_that_are_still_held(self, store: Store) -> None:
        spec = experiment(seeds=3)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=3)
        store.leases.release(claims[1:2])
        kept = store.leases.commit(segment("me", claims, 50))
        assert kept == {claims[0].run_id, claims[2].run_id}
        assert set(store.epochs()["run_id"]) == kept
        expected = records([claim.run_id for claim in claims], range(0, 51, 10))
        chosen = expected.run != 1
        np.testing.assert_array_equal(store.epochs()["loss"], expected.epochs["loss"][chosen])

    def test_a_segment_from_another_epoch_is_refused(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1)
        assert store.leases.commit(segment("me", claims, 50))
        assert not store.leases.commit(segment("me", claims, 50))
        assert not store.leases.commit(segment("me", claims, 80))
        onward = [dataclasses.replace(claims[0], epochs_done=50, checkpoint=b"")]
        assert store.leases.commit(segment("me", onward, 100))
        assert list(store.epochs()["epoch"]) == list(range(0, 101, 10))

    def test_committing_renews_and_ending_releases(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1, lease_s=0.0)
        store.leases.commit(segment("me", claims, 50, lease_s=60.0))
        assert not store.leases.claim("other", limit=1)
        onward = [dataclasses.replace(claims[0], epochs_done=50, checkpoint=b"")]
        store.leases.commit(segment("me", onward, 100))
        runs = store.runs().iloc[0]
        assert (runs["status"], runs["outcome"], runs["epochs_done"]) == ("done", "horizon", 100)
        assert runs["finished_at"] is not None and runs["seconds"] == 1.0
        assert store.checkpoint(claims[0].run_id) == state(claims[0].run_id, 100)

    def test_a_run_extended_while_it_trains_goes_on(self, store: Store) -> None:
        short, long = experiment(epochs=100), experiment("longer", epochs=200)
        store.submit(short, stacks(short))
        claims = store.leases.claim("me", limit=3)
        assert store.submit(long, stacks(long)).extended == 3
        assert len(store.leases.commit(segment("me", claims, 100))) == 3
        runs = store.runs()
        assert set(runs["status"]) == {"queued"} and set(runs["epochs_done"]) == {100}
        assert runs["outcome"].isna().all()
        train(store, "me")
        assert list(store.epochs()["epoch"].unique()) == list(range(0, 201, 10))

    def test_no_epochs_at_all(self, store: Store) -> None:
        spec = experiment(epochs=0, seeds=1)
        receipt = store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1, experiments=[receipt.id])
        store.leases.commit(segment("me", claims, 0))
        assert list(store.epochs()["epoch"]) == [0]
        assert list(store.runs("xor")["status"]) == ["done"]
        assert store.progress([receipt.id]).done == 1

    def test_the_environment_is_kept_and_a_change_marked(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=1)
        assert claims[0].environment is None
        store.leases.commit(dataclasses.replace(segment("me", claims, 50), environment='{"numpy": 1}'))
        assert list(store.runs()["environment_changed"]) == [0]
        store.leases.release(claims)
        claims = store.leases.claim("me", limit=1)
        assert claims[0].environment == '{"numpy": 1}'
        store.leases.commit(dataclasses.replace(segment("me", claims, 100), environment='{"numpy": 2}'))
        assert store.query("SELECT environment, environment_changed FROM runs").rows == [('{"numpy": 2}', 1)]

    def test_a_claim_for_one_of_several_processes_is_its_share(self, store: Store) -> None:
        spec = experiment(seeds=10)
        store.submit(spec, stacks(spec))
        gone = store.leases.claim("elsewhere", limit=10, lease_s=-1.0)
        first = store.leases.claim("me", limit=100, among=3)
        assert len(gone) == 10 and len(first) == 4, "also what was in the hands of one who is gone"
        second = store.leases.claim("me", limit=100, among=3, holding=4)
        assert len(second) == 4 and len(store.leases.claim("me", limit=100, among=3, holding=8)) == 2

    # Lost workers

    def test_an_expired_lease_is_claimed_again_without_blame(self, store: Store) -> None:
        spec = experiment(seeds=2)
        store.submit(spec, stacks(spec))
        for _ in range(5):
            claims = store.leases.claim("elsewhere", limit=2, lease_s=-1.0)
            assert len(claims) == 2 and {claim.attempts for claim in claims} == {0}

    def test_a_run_that_kills_its_worker_fails_alone(self, store: Store) -> None:
        spec = experiment(seeds=4)
        store.submit(spec, stacks(spec))
        poison = 2
        seen = []
        while claims := store.leases.claim("me", limit=9):
            seen.append(len(claims))
            if any(claim.seed == poison for claim in claims):
                store.leases.lose(claims, "the process died of signal 11")
            else:
                store.leases.commit(segment("me", claims, 100))
        runs = store.runs().set_index("seed")
        assert runs.loc[poison, "status"] == "failed" and "signal 11" in runs.loc[poison, "error"]
        assert set(runs.drop(poison)["status"]) == {"done"}
        assert seen == [4, 4, 1, 1, 1, 1]

    def test_progress_clears_the_count(self, store: Store) -> None:
        spec = experiment(seeds=1)
        store.submit(spec, stacks(spec))
        for to in (20, 40, 60):
            for _ in range(2):
                store.leases.lose(store.leases.claim("me", limit=1), "died")
            claims = store.leases.claim("me", limit=1)
            assert claims[0].attempts == 2
            store.leases.commit(segment("me", claims, to))
            store.leases.release(claims)
        assert list(store.runs()["status"]) == ["queued"]

    def test_failed_runs_are_told(self, store: Store) -> None:
        spec = experiment(seeds=3)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim("me", limit=2)
        assert store.leases.fail(claims, "no such thing") == {claim.run_id for claim in claims}
        receipt = store.submit(spec, stacks(spec))
        assert receipt.failed == tuple(claim.run_id for claim in claims)
        assert (receipt.new, receipt.existing, receipt.runs) == (0, 1, 3)
        assert store.progress([receipt.id]).failed == 2

    # Names

    def test_runs_are_found_by_number_key_and_last(self, store: Store) -> None:
        with pytest.raises(NotFoundError, match="no runs yet"):
            store.run("@last")
        spec = experiment(seeds=3)
        store.submit(spec, stacks(spec))
        runs = store.runs()
        assert store.run("@last") == runs["run_id"].max()
        for run_id, key in zip(runs["run_id"], runs["run_key"], strict=True):
            assert (
                store.run(run_id)
                == store.run(str(run_id))
                == store.run(key)
                == store.run(key[:8].upper())
                == run_id
            )
        claims = store.leases.claim("me", limit=1)
        store.leases.commit(segment("me", claims, 100))
        assert store.run("@last") == claims[0].run_id

    @pytest.mark.parametrize(
        "wrong", ["0", "99", "-1", "", "abc", "zzzzzzzz", "0" * 64, "@first", "1.0", "9" * 30]
    )
    def test_a_run_that_is_not_there(self, store: Store, wrong: str) -> None:
        spec = experiment()
        store.submit(spec, stacks(spec))
        with pytest.raises(NotFoundError):
            store.run(wrong)

    @pytest.mark.parametrize("wrong", ["xo", "xor@0", "xor@2", "", "@", "xor@", "XOR", "'; --"])
    def test_an_experiment_that_is_not_there(self, store: Store, wrong: str) -> None:
        spec = experiment()
        store.submit(spec, stacks(spec))
        with pytest.raises(NotFoundError, match="no experiment"):
            store.experiment(wrong)

    # Reading

    def test_a_snapshot_does_not_move(self, store: Store) -> None:
        spec = experiment(seeds=2)
        store.submit(spec, stacks(spec))
        with store.snapshot() as now:
            before = now.progress()
            train(store, "me")
            assert now.progress() == before and now.epochs().empty and set(now.runs()["status"]) == {"queued"}
        assert store.progress().done == 2

    def test_a_store_without_anything(self, store: Store) -> None:
        assert store.experiments().empty and store.runs().empty and store.factors().empty
        assert store.epochs().empty and store.layer_gradients().empty and store.datasets().empty
        assert store.progress().runs == 0 and store.status().empty
        assert not store.leases.claim("me", limit=1)

    def test_data_come_back_bit_for_bit(self, store: Store) -> None:
        spec = experiment()
        store.submit(spec, stacks(spec), scalings={spec.runs[0].key: '{"mean": [0.5], "std": [1.0]}'})
        ((digest, data),) = spec.datasets.items()
        assert store.dataset(digest) == data
        row = store.datasets().iloc[0]
        assert (row["data"], row["digest"], row["examples"], row["inputs"]) == ("xor", digest, 4, 2)
        assert row["scaling"] == '[{"mean": [0.5], "std": [1.0]}]'
        assert list(store.runs()["scaling"]) == ['{"mean": [0.5], "std": [1.0]}', None, None]
        with pytest.raises(NotFoundError):
            store.dataset("0" * 64)

    def test_data_of_several_names_have_the_shortest_in_whichever_order_they_come(self, store: Store) -> None:
        parity = {"source": "parity", "bits": 2}
        ready = {"source": "xor", "validation": 0.5}
        for data, name in ((parity, "parity(bits=2)"), (ready, "xor"), (parity, "xor")):
            spec = experiment(data=data)
            store.submit(spec, stacks(spec))
            assert set(store.runs()["data"]) == set(store.datasets()["data"]) == {name}
