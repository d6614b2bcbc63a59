"""A run's bits: the same alone and in any stack, in one go and in any segments, in both layouts."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nn_building import bits, draw, network, problem, same_records, same_state, train

from bpsvc import nn

HIDDEN = [name for name in nn.ACTIVATIONS if name not in ("softmax", "binary_step")]


@st.composite
def problems(draws: st.DrawFn, optimizers: tuple[str, ...] = tuple(nn.OPTIMIZERS)) -> nn.Problem:
    """Small stacks of any kind, on both sides of the border between the layouts, with early leavers."""
    rng = np.random.default_rng(draws(st.integers(0, 2**32)))
    wide = draws(st.booleans())
    span = (6, 13) if wide else (1, 3)
    sizes = [draws(st.integers(*span)) for _ in range(draws(st.integers(2, 4)))]
    examples, runs = draws(st.integers(9, 40) if wide else st.integers(1, 6)), draws(st.integers(1, 9))
    output = draws(st.sampled_from(["logistic", "softmax", "identity", "tanh"]))
    hidden = [draws(st.sampled_from(HIDDEN)) for _ in sizes[2:]]
    net = network(sizes, hidden, output, bias=draws(st.booleans()))
    loss = "squared" if output == "tanh" else draws(st.sampled_from(["log_likelihood", "squared", "huber"]))
    lead = (runs,) if draws(st.booleans()) else ()
    x = rng.normal(size=(*lead, examples, sizes[0]))
    y = (rng.random(size=(*lead, examples, sizes[-1])) < 0.5).astype(float)
    choices: dict[str, Any] = {
        "loss": loss,
        "reduction": draws(st.sampled_from(["mean", "sum"])),
        "optimizer": draws(st.sampled_from(optimizers)),
        "hyper": {"learning_rate": 10.0 ** rng.uniform(-3, 3, size=runs)},  # some of them diverge
        "seeds": rng.integers(0, 2**63, size=runs).astype(np.uint64),
        "knobs": tuple({} for _ in net.layers),
        "batch_size": draws(st.sampled_from([None, 7, 9] if wide else [None, 1, 2, 3])),
        "shuffle": draws(st.booleans()),
        "cadence": nn.Cadence(draws(st.sampled_from([1, 3, "decades"]))),
        "success": draws(
            st.sampled_from([None, nn.Criterion("accuracy", at_least=0.75), nn.Criterion("loss", below=0.5)])
        ),
        "stop": draws(st.sampled_from([None, nn.Stop("solved"), nn.Stop("validation_loss", 2)])),
    }
    if draws(st.booleans()):
        choices["schedule"] = draws(st.sampled_from(["exponential", "cosine", "step"]))
        knobs = {"gamma": 0.9, "over": 5.0, "every": 2.0, "warm_up": draws(st.sampled_from([0.0, 3.0]))}
        names = {knob.name for knob in nn.SCHEDULES[choices["schedule"]].knobs}
        choices["schedule_knobs"] = {
            k: v * rng.uniform(0.5, 1.0, runs) for k, v in knobs.items() if k in names
        }
    if draws(st.booleans()):
        choices["weight_decay"], choices["clip"] = rng.uniform(0, 0.1, runs), rng.uniform(0.1, 2.0, runs)
    if choices["batch_size"] is not None and choices["batch_size"] > examples:
        choices["batch_size"] = None
    if choices["stop"] is not None and choices["stop"].when == "validation_loss":
        choices["validation_x"], choices["validation_y"] = x[..., :2, :], y[..., :2, :]
    return problem(net, x, y, runs, **choices)


fuzz = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fuzz
@given(problems(), st.data())
def test_a_stack_is_its_runs_alone(given_: nn.Problem, data: st.DataObject) -> None:
    epochs = data.draw(st.integers(0, 8))
    theta = draw(given_)
    order = np.array(data.draw(st.lists(st.integers(0, given_.runs - 1), min_size=1, max_size=12)))
    state, records = train(given_.take(order), theta[order], epochs)
    for lane, run in enumerate(order):
        alone, own = train(given_.take([run]), theta[[run]], epochs)
        assert same_state(alone, state.take([lane]))
        assert same_records(own, records.of(lane))


@fuzz
@given(problems(), st.integers(0, 6), st.integers(0, 6))
def test_segments_are_one_go(given_: nn.Problem, m: int, n: int) -> None:
    theta = draw(given_)
    whole, records = train(given_, theta, m + n)
    first, early = train(given_, theta, m)
    # through what a checkpoint keeps, in another order of runs
    kept = nn.State.of(first.epoch, {name: values[::-1].copy() for name, values in first.arrays().items()})
    second, late = nn.advance(given_.take(slice(None, None, -1)), kept, n)
    assert same_state(whole, second.take(slice(None, None, -1)))
    for run in range(given_.runs):
        mine, a, b = records.of(run), early.of(run), late.of(given_.runs - 1 - run)
        assert [*a.epoch, *b.epoch] == list(mine.epoch)
        for name, values in mine.epochs.items():
            assert np.concatenate([a.epochs[name], b.epochs[name]]).tobytes() == values.tobytes()


@fuzz
@given(problems(), st.integers(1, 4))
def test_stacks_join_and_part(given_: nn.Problem, epochs: int) -> None:
    theta = draw(given_)
    whole, _ = train(given_, theta, epochs)
    halves = [np.arange(given_.runs) % 2 == side for side in (0, 1)]
    parts = [train(given_.take(half), theta[half], epochs)[0] for half in halves if half.any()]
    joined = nn.concatenate(parts)
    back = np.argsort(np.concatenate([np.flatnonzero(half) for half in halves]))
    assert same_state(whole, joined.take(back))


def test_both_layouts_are_met() -> None:
    seen = set()

    @settings(max_examples=60, deadline=None, database=None)
    @given(problems())
    def look(given_: nn.Problem) -> None:
        seen.add(given_.layout.name)

    look()
    assert seen == {"runs_last", "runs_first"}


def test_shared_data_and_the_same_data_for_each_run_give_the_same_bits() -> None:
    rng = np.random.default_rng(3)
    for sizes, batch, shuffle in [
        ([2, 2, 1], None, True),
        ([9, 20, 4], None, True),
        ([9, 20, 4], 5, True),
        ([9, 20, 4], 5, False),
        ([2, 2, 1], 3, False),
        ([2, 2, 1], 3, True),
    ]:
        net = network(sizes, "tanh")
        x, y = rng.normal(size=(13, sizes[0])), rng.integers(0, 2, size=(13, sizes[-1])).astype(float)
        shared = problem(net, x, y, 4, batch_size=batch, shuffle=shuffle)
        each = problem(net, np.stack([x] * 4), np.stack([y] * 4), 4, batch_size=batch, shuffle=shuffle)
        theta = draw(shared)
        one, other = train(shared, theta, 5), train(each, theta, 5)
        assert same_state(one[0], other[0]) and same_records(one[1], other[1])


def test_chunks_do_not_show(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    for sizes in ([2, 2, 1], [9, 20, 4]):
        x, y = rng.normal(size=(7, sizes[0])), rng.integers(0, 2, size=(7, sizes[-1])).astype(float)
        given_ = problem(network(sizes, "logistic"), x, y, 23)
        theta = draw(given_)
        whole = train(given_, theta, 6)
        for width in (1, 2, 5, 22):
            monkeypatch.setattr("bpsvc.nn.training.chunk_width", lambda problem, width=width: width)
            chunked = train(given_, theta, 6)
            assert same_state(whole[0], chunked[0]) and same_records(whole[1], chunked[1])
            monkeypatch.undo()


def test_deep_and_thin_nets_too() -> None:
    """Sums over layers and single units, where a reduction could change its order with the number of runs."""
    rng = np.random.default_rng(8)
    for sizes, examples in [
        ([2] + [1] * 20 + [1], 1),
        ([3] + [9] * 12 + [11], 1),
        ([3] + [9] * 12 + [11], 30),
    ]:
        net = network(sizes, "tanh", "softmax" if sizes[-1] > 1 else "logistic")
        y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], examples)]
        given_ = problem(net, rng.normal(size=(examples, sizes[0])), y, 5)
        theta = draw(given_)
        state, records = train(given_, theta, 4)
        for run in range(5):
            alone, own = train(given_.take([run]), theta[[run]], 4)
            assert same_state(alone, state.take([run])) and same_records(own, records.of(run))


def test_fewer_series_do_not_change_the_others() -> None:
    rng = np.random.default_rng(9)
    for sizes in ([2, 2, 1], [9, 20, 4]):
        x, y = rng.normal(size=(7, sizes[0])), rng.integers(0, 2, size=(7, sizes[-1])).astype(float)
        full = problem(network(sizes, "logistic"), x, y, 3)
        some = replace(full, series=("loss", "gradient_l2"))
        theta = draw(full)
        (a, whole), (b, part) = train(full, theta, 5), train(some, theta, 5)
        assert same_state(a, b)
        assert list(part.epochs) == ["loss", "gradient_l2"] and list(part.layers) == ["gradient_l2"]
        assert bits(whole.epochs["loss"]) == bits(part.epochs["loss"])
        assert bits(whole.layers["gradient_l2"]) == bits(part.layers["gradient_l2"])
