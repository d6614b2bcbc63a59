"""Encoding, splitting, scaling: laws over random data, then the cases the spec names."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bpsvc.data import (
    SOURCES,
    Dataset,
    Scaling,
    Split,
    default_output,
    encode,
    from_arrays,
    output_width,
    prepare,
)
from bpsvc.data.scaling import fit
from bpsvc.errors import DataError

LABELS = st.lists(st.sampled_from("abcd"), min_size=8, max_size=60).filter(
    lambda labels: len(set(labels)) > 1
)
SEEDS = st.integers(0, 2**64 - 1)


def labelled(labels: list[str]) -> Dataset:
    return from_arrays(np.arange(len(labels) * 1.0)[:, None], labels)


def unscaled(scaling: Scaling, x: np.ndarray) -> np.ndarray:
    return x * scaling.std + scaling.mean


@given(LABELS, st.floats(0.1, 0.9), SEEDS, st.booleans())
@settings(deadline=None)
def test_a_split_is_a_partition(labels: list[str], share: float, seed: int, stratify: bool) -> None:
    dataset, split = labelled(labels), Split(share, stratify, seed)
    try:
        training, validation = split.indices(dataset)
    except DataError:
        assert stratify
        return
    assert sorted([*training, *validation]) == list(range(len(labels)))
    assert len(validation) == int(np.floor(share * len(labels) + 0.5))
    assert (np.diff(training) > 0).all() and (np.diff(validation) > 0).all()
    assert [i.tolist() for i in split.indices(dataset)] == [training.tolist(), validation.tolist()]


@given(LABELS, st.floats(0.1, 0.9), SEEDS)
@settings(deadline=None)
def test_a_stratified_split_is_within_one_of_the_ideal(labels: list[str], share: float, seed: int) -> None:
    dataset = labelled(labels)
    codes = dataset.y[:, 0].astype(int)
    sizes = np.bincount(codes)
    try:
        training, validation = Split(share, True, seed).indices(dataset)
    except DataError as error:
        assert "no example to train on" in str(error) and min(sizes) <= 1 / (1 - share) + 1
        return
    ideal = sizes * len(validation) / len(codes)
    assert (np.abs(np.bincount(codes[validation], minlength=len(sizes)) - ideal) < 1).all()
    assert set(codes[training]) == set(codes)


def test_every_example_is_held_out_equally_often() -> None:
    dataset = labelled(list("aaaabbbbcccc"))
    for stratify in (False, True):
        held = np.zeros(12)
        for seed in range(2000):
            held[Split(0.25, stratify, seed).indices(dataset)[1]] += 1
        assert np.abs(held / 2000 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)


def test_splits_are_pinned() -> None:
    """They decide what stored runs were trained on."""
    dataset = labelled(list("aaaaabbbbb"))
    assert Split(0.3).indices(dataset)[1].tolist() == [0, 2, 7]
    assert Split(0.4, stratify=True, seed=7).indices(dataset)[1].tolist() == [1, 2, 7, 8]


def test_zero_one_targets_are_stratified() -> None:
    parity = SOURCES["parity"].make({"bits": 4})
    _, validation = Split(0.25, stratify=True).indices(parity)
    assert parity.y[validation].sum() == 2
    pairs = from_arrays(np.eye(8), np.repeat([[0, 1], [1, 0]], 4, axis=0))
    _, validation = Split(0.25, stratify=True).indices(pairs)
    assert pairs.y[validation].sum(axis=0).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("share", "stratify", "labels", "message"),
    [
        (0.0, False, "aabb", r"split\.validation \(given: 0\.0\); allowed: 0 < validation < 1"),
        (1.0, False, "aabb", "allowed: 0 < validation < 1"),
        (float("nan"), False, "aabb", "allowed: 0 < validation < 1"),
        (0.1, False, "aabb", "0.1 of 4 examples holds out 0; allowed: at least one"),
        (0.9, False, "aabb", "0.9 of 4 examples holds out 4"),
        (0.7, True, "aaaaaaab", "leaves class 'b' no example to train on; it has 1"),
    ],
)
def test_splits_that_cannot_be(share: float, stratify: bool, labels: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Split(share, stratify).indices(labelled(list(labels)))


def test_numbers_cannot_be_stratified() -> None:
    with pytest.raises(DataError, match="needs classes or 0/1 targets; these are numbers"):
        Split(0.5, stratify=True).indices(from_arrays([[1], [2]], [0.1, 0.2]))


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))
)
@settings(deadline=None)
def test_scaling_has_an_inverse_and_standardises(x: np.ndarray) -> None:
    try:
        scaling = fit(x, ["a", "b", "c", "d"])
    except DataError:
        assert (np.ptp(x, axis=0) < 1e-148).any()  # a spread whose square is below float64
        return
    constant = x.min(axis=0) == x.max(axis=0)
    scaled = scaling.apply(x)
    assert unscaled(scaling, scaled) == pytest.approx(x, rel=1e-9, abs=1e-9 * np.abs(x).max())
    assert (scaled[:, constant] == 0).all() and (scaling.std[constant] == 1).all()
    spread = ~constant & (np.ptp(x, axis=0) > 1e-9 * np.abs(x).max(axis=0))
    assert scaled[:, spread].std(axis=0) == pytest.approx(1, rel=1e-6)
    stored = json.loads(scaling.to_json())
    again = Scaling(np.array(stored["mean"]), np.array(stored["std"]))
    assert again == scaling and (again.apply(x) == scaled).all()


def test_a_constant_column_that_rounding_would_spread() -> None:
    scaling = fit(np.full((10, 1), 0.1), ["a"])
    assert (scaling.mean.tolist(), scaling.std.tolist()) == ([0.1], [1.0])


@pytest.mark.parametrize("column", [[1e308, -1e308], [1e200, 0.0], [1e-200, 0.0]])
def test_columns_that_cannot_be_standardised(column: list[float]) -> None:
    with pytest.raises(DataError, match="the feature 'size' spreads too far or too little"):
        fit(np.array([[1.0, 2.0], column]).T, ["fine", "size"])


def test_scaling_as_json() -> None:
    scaling = fit(np.array([[1.0, 0.1], [3.0, 0.1]]), ["a", "b"])
    assert json.loads(scaling.to_json()) == {"mean": [2.0, 0.1], "std": [1.0, 1.0]}


BINARY = SOURCES["xor"].make()
TWO, THREE = labelled(["no", "yes", "no"]), labelled(["c", "a", "b"])
REAL = from_arrays([[1], [2]], [[1, 5.5], [0, 2]])


@pytest.mark.parametrize(
    ("dataset", "output", "expected"),
    [
        (BINARY, "logistic", [[0], [1], [1], [0]]),
        (TWO, "logistic", [[0], [1], [0]]),
        (TWO, "binary_step", [[0], [1], [0]]),
        (TWO, "softmax", [[1, 0], [0, 1], [1, 0]]),
        (THREE, "softmax", [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        (THREE, "logistic", [[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        (REAL, "identity", [[1, 5.5], [0, 2]]),
    ],
)
def test_encoding(dataset: Dataset, output: str, expected: list[list[float]]) -> None:
    y = encode(dataset, output)
    assert y.tolist() == expected and y.dtype == np.float64
    assert output_width(dataset, output) == len(expected[0])


def test_default_outputs() -> None:
    assert [default_output(d) for d in (BINARY, TWO, THREE, REAL)] == [
        "logistic",
        "softmax",
        "softmax",
        "identity",
    ]


def test_encoding_checks_its_size_first() -> None:
    n = 100_000
    many = Dataset(
        np.zeros((n, 1)),
        (np.arange(n) % 1000)[:, None].astype(np.float64),
        ("x",),
        ("y",),
        tuple(map(str, range(1000))),
    )
    with pytest.raises(DataError, match="one-hot targets would take 100,000 × 1,000 numbers, 763 MiB"):
        encode(many, "softmax")


def test_prepare_scales_by_the_training_part_alone() -> None:
    dataset = from_arrays(np.arange(20.0).reshape(10, 2), list("ababababab"))
    split = Split(0.2, stratify=True, seed=3)
    prepared = prepare(dataset, output="softmax", split=split, scale="standard")
    training, validation = split.indices(dataset)
    assert (prepared.training_index == training).all() and (prepared.validation_index == validation).all()
    assert (
        prepared.scaling is not None
        and prepared.validation_x is not None
        and prepared.validation_y is not None
    )
    assert prepared.x.mean(axis=0) == pytest.approx([0, 0]) and prepared.x.std(axis=0) == pytest.approx(
        [1, 1]
    )
    assert unscaled(prepared.scaling, prepared.validation_x) == pytest.approx(dataset.x[validation])
    assert (prepared.y == encode(dataset, "softmax")[training]).all()
    assert (prepared.validation_y == encode(dataset, "softmax")[validation]).all()


def test_prepare_changes_nothing_unasked() -> None:
    prepared = prepare(BINARY, output="logistic", split=None, scale=None)
    assert prepared.x is BINARY.x and prepared.y is BINARY.y
    assert prepared.scaling is None and prepared.validation_x is None and prepared.validation_y is None
    assert prepared.training_index.tolist() == [0, 1, 2, 3] and prepared.validation_index.tolist() == []
