"""What a run's records and ledger say: against plain numpy, and at the ends a run can come to."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from nn_building import XOR_X, XOR_Y, draw, network, problem, same_records, same_state, train, xor

from bpsvc import nn
from bpsvc.errors import UsageError


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_records_are_of_the_state_after_that_many_epochs() -> None:
    """Against five lines of numpy for one logistic layer."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.integers(0, 2, size=(6, 1)).astype(float)
    given = problem(network([3, 1], [], "logistic"), x, y, runs=1)
    theta = draw(given)
    state, records = train(given, theta, 4)
    w, b = theta[0, :3, None].copy(), theta[0, 3:].copy()
    for epoch in range(5):
        h = sigmoid(x @ w + b)
        loss = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
        dw, db = x.T @ (h - y) / 6, (h - y).mean(axis=0)
        row = {name: values[epoch] for name, values in records.epochs.items()}
        assert row["loss"] == pytest.approx(loss, rel=1e-13)
        assert row["log_likelihood"] == pytest.approx(-6 * loss, rel=1e-13)
        assert row["accuracy"] == np.mean(np.abs(y - h) < 0.5)
        assert row["mean_abs_error"] == pytest.approx(np.mean(np.abs(y - h)), rel=1e-13)
        assert row["max_error"] == pytest.approx(np.max(np.abs(y - h)), rel=1e-13)
        gradient = np.concatenate([dw.ravel(), db])
        assert row["gradient_l2"] == pytest.approx(np.linalg.norm(gradient), rel=1e-13)
        layer = {name: values[epoch, 0] for name, values in records.layers.items()}
        assert layer["gradient_l2"] == row["gradient_l2"]
        assert layer["gradient_mean_abs"] == pytest.approx(np.abs(gradient).mean(), rel=1e-13)
        assert layer["gradient_max_abs"] == pytest.approx(np.abs(gradient).max(), rel=1e-13)
        assert layer["weight_l2"] == pytest.approx(np.sqrt((w**2).sum() + (b**2).sum()), rel=1e-13)
        assert layer["delta_rms"] == pytest.approx(np.sqrt(np.mean((h - y) ** 2)), rel=1e-13)
        assert layer["saturated"] == np.mean(h * (1 - h) < 0.05 * 0.25)
        if epoch < 4:
            w, b = w - 0.1 * dw, b - 0.1 * db
    np.testing.assert_allclose(state.theta[0], [*w.ravel(), *b], rtol=1e-13)
    assert np.isnan(records.epochs["validation_loss"]).all()


def test_mini_batches_go_through_the_data_once_an_epoch() -> None:
    """Without shuffling, one epoch of online training is four single-example steps."""
    given = xor(runs=2, batch_size=1, shuffle=False)
    theta = draw(given)
    state, _ = train(given, theta, 1)
    step = theta
    for k in range(4):
        single = problem(given.network, XOR_X[[k]], XOR_Y[[k]], runs=2, hyper=given.hyper)
        step = train(single, step, 1)[0].theta
    np.testing.assert_allclose(state.theta, step, rtol=1e-14)


def test_the_last_batch_is_what_is_left_and_the_mean_is_over_it() -> None:
    given = xor(runs=1, batch_size=3, shuffle=False)
    theta = draw(given)
    first = train(problem(given.network, XOR_X[:3], XOR_Y[:3], 1, hyper=given.hyper), theta, 1)[0].theta
    second = train(problem(given.network, XOR_X[3:], XOR_Y[3:], 1, hyper=given.hyper), first, 1)[0].theta
    np.testing.assert_allclose(train(given, theta, 1)[0].theta, second, rtol=1e-14)


def test_shuffling_is_by_seed_and_epoch() -> None:
    seeds = np.array([3, 3, 4], dtype=np.uint64)
    given = xor(runs=3, batch_size=1, seeds=seeds, hyper={"learning_rate": np.full(3, 0.5)})
    theta = np.repeat(draw(given)[:1], 3, axis=0)
    state, _ = train(given, theta, 3)
    np.testing.assert_array_equal(state.theta[0], state.theta[1])
    assert not np.array_equal(state.theta[0], state.theta[2])


def test_accuracy_is_strict_and_null_for_real_targets() -> None:
    net = network([1, 2], [], "identity")
    theta = net.pack([nn.LayerParameters(np.zeros((1, 1, 2)), np.array([[0.5, 0.9]]))])
    x = np.zeros((2, 1))
    half = nn.start(problem(net, x, np.array([[1.0, 1.0], [0.0, 1.0]]), 1), theta)[1]
    assert half.epochs["accuracy"][0] == 0.0  # exactly ½ off is not right
    real = nn.start(problem(net, x, np.array([[1.0, 1.0], [0.25, 1.0]]), 1), theta)[1]
    assert np.isnan(real.epochs["accuracy"][0])
    assert real.epochs["max_error"][0] == 0.5 and real.epochs["mean_abs_error"][0] == pytest.approx(0.2375)


def test_softmax_accuracy_is_argmax_and_a_tie_is_wrong() -> None:
    net = network([1, 3], [], "softmax")
    x, y = np.array([[0.0], [1.0]]), np.eye(3)[[0, 0]]
    theta = net.pack([nn.LayerParameters(np.array([[[1.0, 0.0, 0.0]]]), np.zeros((1, 3)))])
    records = nn.start(problem(net, x, y, 1), theta)[1]
    assert records.epochs["accuracy"][0] == 0.5
    assert records.epochs["loss"][0] == pytest.approx((np.log(3) + np.log(np.e + 2) - 1) / 2, rel=1e-14)
    assert np.isnan(records.layers["saturated"][0, 0]) and np.isnan(records.layers["dead"][0, 0])


def test_log_likelihood_beside_squared_loss() -> None:
    likelihood, squared = xor(), xor(loss="squared")
    theta = draw(likelihood)
    a, b = nn.start(likelihood, theta)[1], nn.start(squared, theta)[1]
    np.testing.assert_array_equal(a.epochs["log_likelihood"], b.epochs["log_likelihood"])
    tanh = problem(network([2, 2, 1], "tanh", "tanh"), XOR_X, XOR_Y, loss="squared")
    assert np.isnan(nn.start(tanh, theta)[1].epochs["log_likelihood"]).all()
    real = problem(likelihood.network, XOR_X, 3.0 * XOR_Y, loss="squared")
    assert np.isnan(nn.start(real, theta)[1].epochs["log_likelihood"]).all()


def test_dead_units_and_saturation() -> None:
    net = network([1, 2, 1], "relu", "identity")
    layers = [
        nn.LayerParameters(np.array([[[1.0, 1.0]]]), np.array([[-10.0, 0.0]])),
        nn.LayerParameters(np.ones((1, 2, 1)), np.zeros((1, 1))),
    ]
    x, y = np.array([[-1.0], [2.0]]), np.zeros((2, 1))
    records = nn.start(problem(net, x, y, 1), net.pack(layers))[1]
    np.testing.assert_array_equal(records.layers["dead"][0], [0.5, 0.0])
    np.testing.assert_array_equal(records.layers["saturated"][0], [0.75, 0.0])


# How runs end


def test_a_solved_run_says_when_and_goes_on_unless_told_to_stop() -> None:
    criterion = nn.Criterion("accuracy", at_least=1.0)
    free = xor(10, 4, "tanh", hyper={"learning_rate": np.full(10, 0.5)}, success=criterion)
    theta = draw(free)
    state, records = train(free, theta, 300)
    solved = np.flatnonzero(state.solved_epoch >= 0)
    assert len(solved) >= 5 and (state.outcome == nn.Outcome.RUNNING).all()
    for run in range(10):
        right = records.of(run).epochs["accuracy"] == 1.0
        assert state.solved_epoch[run] == (records.of(run).epoch[right][0] if right.any() else nn.NEVER)
    sparse = xor(
        10, 4, "tanh", hyper=free.hyper, success=criterion, stop=nn.Stop("solved"), cadence=nn.Cadence(50)
    )
    stopped, kept = train(sparse, theta, 300)
    np.testing.assert_array_equal(stopped.solved_epoch, state.solved_epoch)
    np.testing.assert_array_equal(stopped.ended_epoch[solved], state.solved_epoch[solved])
    assert (stopped.outcome[solved] == nn.Outcome.SOLVED).all()
    for run in solved:
        last = kept.of(run)
        assert last.epoch[-1] == stopped.ended_epoch[run] and last.epochs["accuracy"][-1] == 1.0
        assert set(last.epoch[:-1]) == set(range(0, last.epoch[-1], 50))


def test_early_stopping_keeps_the_best_parameters() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 2, size=(30, 1)).astype(float)
    given = problem(
        network([4, 16, 1], "tanh"),
        x[:15],
        y[:15],
        6,
        validation_x=x[15:],
        validation_y=y[15:],
        stop=nn.Stop("validation_loss", patience=5),
    )
    state, records = train(given, draw(given), 400)
    assert (state.outcome == nn.Outcome.EARLY_STOP).any()
    assert state.best_theta is not None
    for run in range(6):
        mine = records.of(run)
        losses = mine.epochs["validation_loss"]
        best = int(np.argmin(losses))
        assert state.best_validation_epoch[run] == best and state.best_validation_loss[run] == losses[best]
        if state.outcome[run] == nn.Outcome.EARLY_STOP:
            assert state.ended_epoch[run] == best + 5 == mine.epoch[-1]
        again = problem(given.network, x[15:], y[15:], 1)
        assert nn.start(again, state.best_theta[[run]])[1].epochs["loss"][0] == losses[best]


def test_best_and_initial_loss() -> None:
    given = xor(5, hyper={"learning_rate": np.full(5, 30.0)})
    state, records = train(given, draw(given), 60)
    for run in range(5):
        losses = records.of(run).epochs["loss"]
        assert state.initial_loss[run] == losses[0]
        assert state.best_loss[run] == losses.min() and state.best_epoch[run] == losses.argmin()


@pytest.mark.parametrize("layers", [[2, 3, 1], [2, 30, 1]])
def test_divergence_is_an_outcome_and_companions_do_not_notice(layers: list[int]) -> None:
    net = network(layers, "relu", "identity")
    rates = np.array([0.05, 1e6, 0.01, 1e200])
    given = problem(net, XOR_X, XOR_Y, 4, loss="squared", hyper={"learning_rate": rates})
    theta = draw(given)
    state, records = train(given, theta, 40)
    assert list(state.outcome == nn.Outcome.DIVERGED) == [False, True, False, True]
    for run in (1, 3):
        epoch = state.diverged_epoch[run]
        assert 0 < epoch == state.ended_epoch[run] == records.of(run).epoch[-1]
        assert state.diverged_layer[run] in (1, 2)
        assert np.isfinite(records.of(run).epochs["loss"][:-1]).all()
    for run in (0, 2):
        alone, own = train(given.take([run]), theta[[run]], 40)
        assert same_state(alone, state.take([run])) and same_records(own, records.of(run))
    assert not np.isinf(np.concatenate([*records.epochs.values()])).any()


def test_divergence_names_the_layer_where_it_begins() -> None:
    net = network([1, 2, 1], "relu", "identity")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    theta = np.ones((4, net.parameters))
    theta[1, 0] = np.nan  # a weight of layer 1
    theta[2, 4] = np.inf  # a weight of layer 2
    theta[3, 4] = 1e200  # its output is finite, its loss is not
    state, records = nn.start(problem(net, x, y, 4, loss="squared"), theta)
    np.testing.assert_array_equal(state.diverged_layer, [-1, 1, 2, 2])
    np.testing.assert_array_equal(state.diverged_epoch, [-1, 0, 0, 0])
    assert np.isnan(records.epochs["loss"][1:]).all() and np.isfinite(records.epochs["loss"][0])


def test_a_gradient_alone_can_diverge() -> None:
    """The loss 1e308·h is finite while its gradient through a weight of 1e300 is not."""
    net = network([1, 1, 1], "identity", "identity", bias=False)
    theta = np.array([[1e-200, 1e300]])
    state, _ = nn.start(
        problem(
            net,
            np.array([[1e100]]),
            np.zeros((1, 1)),
            1,
            loss="huber",
            loss_knobs={"delta": np.array([1e100])},
        ),
        theta,
    )
    assert state.outcome[0] == nn.Outcome.DIVERGED and state.diverged_layer[0] == 1


def explosive(rates: list[float]) -> nn.Problem:
    return problem(
        network([2, 2, 1], "identity", "identity"),
        XOR_X,
        XOR_Y,
        len(rates),
        hyper={"learning_rate": np.array(rates)},
    )


def test_ended_runs_keep_still() -> None:
    given = explosive([1e300, 0.1, 0.2])
    state, _ = train(given, draw(given), 20)
    assert state.outcome[0] == nn.Outcome.DIVERGED
    later, records = nn.advance(given, state, 20)
    assert later.theta[0].tobytes() == state.theta[0].tobytes() and 0 not in records.run
    assert later.epoch == 40 and len(records.of(1)) == 20


def test_nothing_left_to_do() -> None:
    given = explosive([1e300, 1e300])
    state, _ = train(given, draw(given), 20)
    later, records = nn.advance(given, state, 5)
    assert len(records) == 0 and set(records.layers) == set(nn.LAYER_SERIES) and later.epoch == 25
    assert nn.advance(given, state, 0)[0].epoch == 20


def test_states_at_different_epochs_do_not_join() -> None:
    given = xor(2)
    state, _ = train(given, draw(given), 2)
    with pytest.raises(UsageError, match="different epochs"):
        nn.concatenate([state, nn.advance(given, state, 1)[0]])


def test_records_are_sorted_by_run_and_epoch() -> None:
    given = xor(7, cadence=nn.Cadence(3))
    records = train(given, draw(given), 20)[1]
    order = np.lexsort((records.epoch, records.run))
    np.testing.assert_array_equal(order, np.arange(len(records)))
    assert list(records.of(4).epoch) == [0, 3, 6, 9, 12, 15, 18]


def test_runs_that_ended_do_not_trouble_the_others() -> None:
    """A solved run that has stopped may diverge in its idle lane: nothing of that is seen."""
    net = network([1, 1], [], "identity")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    rates = np.array([5.0, *[0.01] * 15])  # the first doubles away once it goes on past its solution
    given = problem(
        net,
        x,
        y,
        16,
        hyper={"learning_rate": rates},
        success=nn.Criterion("loss", below=10.0),
        stop=nn.Stop("solved"),
    )
    theta = np.full((16, 2), 1.0)
    theta[1:] = 30.0
    state, records = train(given, theta, 900)
    assert state.outcome[0] == nn.Outcome.SOLVED and state.ended_epoch[0] == 0
    for run in (1, 15):
        alone, own = train(given.take([run]), theta[[run]], 900)
        assert same_state(alone, state.take([run])) and same_records(own, records.of(run))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"y": np.zeros((4, 2))}, "y has the shape"),
        ({"y": np.zeros((3, 1))}, "y has the shape"),
        ({"x": np.zeros((4, 3)), "y": np.zeros((4, 1))}, "x has the shape"),
        ({"validation_x": np.zeros((5, 2)), "validation_y": np.zeros((5, 3))}, "validation_y has the shape"),
        ({"hyper": {}}, "sgd needs learning_rate"),
        ({"hyper": {"learning_rate": np.ones(3), "mu": np.ones(3)}}, "sgd has no 'mu'"),
        ({"knobs": ({},)}, "1 of 2 layers"),
    ],
)
def test_what_does_not_go_together_is_refused(wrong: dict[str, Any], told: str) -> None:
    given = dataclasses.replace(xor(), **wrong)
    with pytest.raises(UsageError, match=told):
        nn.start(given, draw(given))
