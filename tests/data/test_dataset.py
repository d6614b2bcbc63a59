"""Laws of the data set: what goes in comes out; the digest knows all of the content and nothing else."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bpsvc.data import SOURCES, Dataset, from_arrays
from bpsvc.errors import DataError

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    n, inputs, outputs = (draw(st.integers(1, 5)) for _ in range(3))
    names = draw(st.lists(NAMES, min_size=inputs + outputs, max_size=inputs + outputs, unique=True))
    classes = draw(st.none() | st.lists(NAMES, min_size=2, max_size=4, unique=True))
    if classes is not None:
        outputs = 1
        y = draw(hnp.arrays(np.float64, (n, 1), elements=st.integers(0, len(classes) - 1).map(float)))
    else:
        y = draw(hnp.arrays(np.float64, (n, outputs), elements=FINITE))
    x = draw(hnp.arrays(np.float64, (n, inputs), elements=FINITE))
    targets = tuple(names[inputs : inputs + outputs])
    return Dataset(
        x,
        y,
        tuple(names[:inputs]),
        targets,
        tuple(classes) if classes else None,
        truth_table=draw(st.booleans()),
    )


@given(datasets())
@settings(deadline=None)
def test_bytes_give_the_dataset_back(dataset: Dataset) -> None:
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.to_bytes() == dataset.to_bytes()
    assert again == dataset and hash(again) == hash(dataset)
    assert (again.x == dataset.x).all() and (again.y == dataset.y).all()
    assert (again.features, again.targets, again.classes, again.truth_table) == (
        dataset.features,
        dataset.targets,
        dataset.classes,
        dataset.truth_table,
    )


@given(datasets(), st.data())
@settings(max_examples=200, deadline=None)
@pytest.mark.slow
def test_damaged_bytes_are_refused_or_another_dataset(dataset: Dataset, data: st.DataObject) -> None:
    raw = bytearray(dataset.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    with pytest.raises(DataError):
        Dataset.from_bytes(bytes(raw[:cut]) if cut < len(raw) else bytes(raw) + b"x")
    with suppress(DataError):
        Dataset.from_bytes(bytes(raw))


# What is pinned: stored digests are in every run's key, so these may never change.
GOLDEN = {
    "xor": "80f7de04b09a8fd4870f1630abb3d416abb49c3cf0edea5d01e88faea1995c8c",
}


def test_golden_digests() -> None:
    assert SOURCES["xor"].make().digest == GOLDEN["xor"]
    letters = from_arrays([[0.1, -2.5e-300], [3, 4]], ["ä", "b"])
    assert letters.digest == "ed2906ae4e56a7475f67d39a4c325df1703f727e9e298c443b4bcec5a47c1c11"


def test_bytes_are_a_header_and_raw_arrays() -> None:
    raw = from_arrays([[1.0, 2.0]], [[3.0]]).to_bytes()
    assert raw[:8] == b"BPSVCDS1"
    length = int.from_bytes(raw[8:16], "little")
    assert json.loads(raw[16 : 16 + length]) == {
        "classes": None,
        "examples": 1,
        "features": ["x1", "x2"],
        "targets": ["y"],
        "truth_table": False,
    }
    assert raw[16 + length :] == np.array([1.0, 2.0, 3.0], "<f8").tobytes()


def test_the_digest_knows_every_part() -> None:
    x, y = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.0], [1.0]])
    variants = [
        Dataset(x, y, ("a", "b"), ("y",)),
        Dataset(np.nextafter(x, 9), y, ("a", "b"), ("y",)),
        Dataset(x, 1 - y, ("a", "b"), ("y",)),
        Dataset(x[::-1], y[::-1], ("a", "b"), ("y",)),
        Dataset(x, y, ("b", "a"), ("y",)),
        Dataset(x, y, ("a", "b"), ("z",)),
        Dataset(x, y, ("a", "b"), ("y",), ("no", "yes")),
        Dataset(x, y, ("a", "b"), ("y",), ("yes", "no")),
        Dataset(x[:, :1], np.hstack([x[:, 1:], y]), ("a",), ("b", "y")),
    ]
    assert len({variant.digest for variant in variants}) == len(variants)
    assert len(set(variants)) == len(variants)


def test_the_digest_is_of_the_content_not_of_its_form() -> None:
    x, y = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.0], [1.0]])
    plain = Dataset(x, y, ("a", "b"), ("y",))
    forms = [
        Dataset(np.asfortranarray(x), y, ("a", "b"), ("y",)),
        Dataset(x.astype(">f8"), y, ("a", "b"), ("y",)),
        Dataset(x.astype(np.int64), y, ("a", "b"), ("y",)),
        Dataset(np.array([[-0.0, 1.0], [2.0, 3.0]]), -0.0 + y, ("a", "b"), ("y",)),
        Dataset(x, y, ("a", "b"), ("y",), truth_table=True),
    ]
    assert all(form == plain and form.digest == plain.digest for form in forms)


def test_a_dataset_is_a_value() -> None:
    x = np.array([[0.0, 1.0]])
    dataset = Dataset(x, np.array([[2.0]]), ("a", "b"), ("y",))
    x[0, 0] = 9.0
    assert dataset.x[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        dataset.x[0, 0] = 9.0


def test_kinds() -> None:
    assert SOURCES["xor"].make().kind == "binary"
    assert from_arrays([[1], [2]], ["a", "b"]).kind == "classes"
    assert from_arrays([[1], [2]], [0, 0.5]).kind == "real"


ONE, TWO = np.ones((2, 1)), np.array([[0.0], [1.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones(2), TWO, ("a",), ("y",)), r"x has shape \(2,\)"),
        ((np.ones((2, 2)), TWO, ("a",), ("y",)), "1 feature names"),
        ((np.ones((0, 1)), np.ones((0, 1)), ("a",), ("y",)), "at least one of each"),
        ((ONE, np.ones((3, 1)), ("a",), ("y",)), "x has 2 examples, y has 3"),
        ((np.array([[1.0], [np.nan]]), TWO, ("a",), ("y",)), "example 2, feature 'a': nan is not a finite"),
        ((ONE, np.array([[np.inf], [0]]), ("a",), ("y",)), "y, example 1, target 'y': inf"),
        ((np.array([["a"], ["b"]]), TWO, ("a",), ("y",)), "not numbers"),
        ((np.ones((2, 1), complex), TWO, ("a",), ("y",)), "complex128, not numbers"),
        ((ONE, TWO, ("a",), ("a",)), "'a' appears twice"),
        ((ONE, TWO, (" ",), ("y",)), "is empty"),
        ((ONE, TWO, ("a\x1b[2J",), ("y",)), r"U\+001B"),
        ((ONE, TWO, ("a\u202e",), ("y",)), r"U\+202E"),
        ((ONE, TWO, ("a" * 201,), ("y",)), "longer than 200"),
        ((ONE, TWO, ("a",), ("y",), ("u",)), "1 classes"),
        ((ONE, TWO, ("a",), ("y",), ("u", "u")), "'u' appears twice"),
        ((ONE, 2 * TWO, ("a",), ("y",), ("u", "v")), "no index into the classes"),
        ((ONE, TWO / 2, ("a",), ("y",), ("u", "v")), "no index into the classes"),
        ((ONE, np.ones((2, 2)), ("a",), ("y", "z"), ("u", "v")), "one column, not 2"),
    ],
)
def test_what_is_no_dataset(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dataset(*arguments)  # type: ignore[arg-type]


def test_too_large_is_refused_with_the_figure() -> None:
    wide = np.broadcast_to(np.zeros(1), (40_000_000, 1))
    with pytest.raises(DataError, match=r"40,000,000 × 1 numbers, 305 MiB; allowed: at most 256 MiB"):
        Dataset(wide, wide, ("a",), ("y",))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[1, 2], [3]], [0, 1], "x, row 2: 1 numbers, the first row has 2"),
        ([[1, "2"], [3, 4]], [0, 1], r"x, row 1: '2' is not a number"),
        ([[1, True], [3, 4]], [0, 1], r"x, row 1: True is not a number"),
        ([[1, None]], [0], "None is not a number"),
        ([[1, [2]]], [0], "not a number"),
        ([[1, 10**400]], [0], "x, row 1: an integer that float64 cannot hold"),
        ([[1, 10**5000]], [0], "x, row 1: an integer that float64 cannot hold"),
        ([[0.5, 2**53 + 1]], [0], "x, row 1: an integer that float64 cannot hold"),
        ([[1], [2]], [0, -(2**53) - 1], "y, row 2: an integer that float64 cannot hold"),
        (np.array([[2**53 + 1]]), [0], "x holds integers that float64 cannot hold"),
        ([[1, float("nan")]], [0], "not a finite number"),
        ([], [], "x"),
        ([[]], [0], "x"),
        ([1, 2], [0, 1], r"x has shape \(2,\)"),
        (5, [0], "int, not a list"),
        ([[1], [2]], ["a", 1], r"y, row 1: 'a' is not a number"),
        ([[1], [2]], ["a", "a"], "every example has the class 'a'"),
        ([[1], [2]], ["1", "1.0"], "the same number"),
        ([[1], [2]], ["a", ""], "is empty"),
        ([[1], [2]], [0], "x has 2 examples, y has 1"),
        (np.zeros((2, 2, 2)), [0, 1], r"x has shape \(2, 2, 2\)"),
        (np.array([[object()]]), [0], "no table of numbers"),
    ],
)
def test_what_no_inline_array_is(x: object, y: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_arrays(x, y)


def test_inline_arrays() -> None:
    flat, rows = from_arrays([[1, 2], [3, 4]], [0, 1]), from_arrays(np.array([[1, 2], [3, 4]]), [[0], [1]])
    assert flat == rows and flat.features == ("x1", "x2") and flat.targets == ("y",)
    assert from_arrays([[1]], [[1, 2]]).targets == ("y1", "y2")
    named = from_arrays([[1], [2], [3]], [["b"], ["a"], ["b"]], features=["size"], targets=["kind"])
    assert (named.features, named.targets, named.classes) == (("size",), ("kind",), ("a", "b"))
    assert named.y.ravel().tolist() == [1, 0, 1]
    assert from_arrays([[1], [2], [3]], ["10", "9", "10"]).classes == ("9", "10")
