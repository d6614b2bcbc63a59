"""Generators: laws over the whole table, then each one's rule, then the pinned digests."""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, linprog

from bpsvc.data import SOURCES, Dataset, default_output, read_csv
from bpsvc.data.source import Source
from bpsvc.data.tables import TABLES
from bpsvc.errors import DataError
from bpsvc.registry import Knob

BUILT_IN = [source for source in SOURCES.values() if source not in TABLES]
SPECS = Path(__file__).parents[2] / "specs"
each_source = pytest.mark.parametrize("source", BUILT_IN, ids=lambda source: source.name)


def make(name: str, **knobs: Any) -> Dataset:
    return SOURCES[name].make(knobs)


@each_source
def test_every_source_makes_the_same_data_again(source: Source) -> None:
    dataset = source.make()
    assert dataset.to_bytes() == source.make({}).to_bytes()
    assert dataset.to_bytes() == source.make({knob.name: knob.default for knob in source.knobs}).to_bytes()
    assert dataset.truth_table == source.truth_table
    assert source.doc and all(knob.doc for knob in source.knobs)
    assert not source.truth_table or (dataset.kind == "binary" and default_output(dataset) == "logistic")


@each_source
def test_data_depend_on_the_seed_where_there_is_one(source: Source) -> None:
    knobs = {knob.name for knob in source.knobs}
    noisy = {"noise": 0.1} if "noise" in knobs else {}
    if "seed" in knobs:
        digests = {source.make({**noisy, "seed": seed}).digest for seed in (0, 1, 2, 2**63 - 1)}
        assert len(digests) == 4
    else:
        assert not noisy


@pytest.mark.parametrize("name", ["line", "checkerboard", "friedman", "linear", "teacher", "blobs"])
def test_fewer_examples_are_the_first_of_more(name: str) -> None:
    few, more = make(name, examples=20, seed=3), make(name, examples=50, seed=3)
    assert (few.x == more.x[:20]).all() and (few.y == more.y[:20]).all()


def refused(knob: Knob) -> list[Any]:
    values: list[Any] = ["1", True, None, float("nan"), float("inf"), [1]]
    if knob.kind is int:
        values += [1.5, 2.0]
    if knob.low is not None:
        values += [knob.low - 1, *([knob.low] if knob.low_open else [])]
    if knob.high is not None:
        values += [
            knob.high + 1 if knob.kind is int else knob.high * 2,
            *([knob.high] if knob.high_open else []),
        ]
    return values


@each_source
def test_knobs_out_of_bounds_are_refused(source: Source) -> None:
    for knob in source.knobs:
        assert knob.low is not None and knob.high is not None
        for value in refused(knob):
            with pytest.raises(DataError, match=f"data source '{source.name}': {knob.name}.*allowed: "):
                source.make({knob.name: value})


@each_source
def test_every_knob_works_at_its_low_end(source: Source) -> None:
    for knob in source.knobs:
        assert knob.low is not None
        value = knob.low + 0.01 if knob.low_open else knob.low
        assert source.make({knob.name: knob.kind(value)}).examples > 0


def test_an_unknown_knob_is_answered() -> None:
    with pytest.raises(
        DataError, match=r"has no knob 'nois'; allowed: examples, noise, seed; did you mean 'noise'\?"
    ):
        make("moons", nois=1)
    with pytest.raises(DataError, match="'xor' has no knob 'bits'; allowed: none"):
        make("xor", bits=2)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("blobs", {"examples": 1_000_000, "inputs": 100}),
        ("line", {"examples": 1_000_000, "inputs": 100}),
        ("friedman", {"examples": 1_000_000, "inputs": 100}),
        ("linear", {"examples": 1_000_000, "inputs": 100}),
        ("teacher", {"examples": 1_000_000, "hidden": 1000}),
    ],
)
def test_what_would_be_too_large_is_refused_with_the_figure(name: str, knobs: dict[str, int]) -> None:
    with pytest.raises(DataError, match=r"would take 1,000,000 × \d+.* MiB; allowed: at most 256 MiB"):
        make(name, **knobs)


# Truth tables


@pytest.mark.parametrize(
    ("name", "y"),
    [("xor", "0110"), ("and", "0001"), ("or", "0111"), ("nand", "1110"), ("nor", "1000")],
)
def test_functions_of_two_bits(name: str, y: str) -> None:
    dataset = make(name)
    assert dataset.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert "".join(str(int(value)) for value in dataset.y[:, 0]) == y


@pytest.mark.parametrize("bits", [2, 3, 4, 7])
def test_all_cases_in_the_order_of_counting(bits: int) -> None:
    cases = [list(case) for case in product([0.0, 1.0], repeat=bits)]
    for name, rule in [
        ("parity", lambda case: sum(case) % 2 == 1),
        ("majority", lambda case: sum(case) > bits / 2),
        ("symmetry", lambda case: case == case[::-1]),
    ]:
        dataset = make(name, bits=bits)
        assert dataset.x.tolist() == cases
        assert dataset.y[:, 0].tolist() == [float(rule(case)) for case in cases]
    assert make("parity", bits=2) == make("xor")


def test_the_encoder_is_the_identity() -> None:
    dataset = make("encoder", size=10)
    assert (dataset.x == np.eye(10)).all() and (dataset.y == np.eye(10)).all()


# Points in the plane


def test_two_spirals_follow_the_rule() -> None:
    dataset = make("two_spirals")
    assert dataset.x.shape == (194, 2) and dataset.y[:4, 0].tolist() == [1, 0, 1, 0]
    assert dataset.x[:2].tolist() == [[0, 6.5], [0, -6.5]]
    for i in range(97):
        angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
        expected = [radius * np.sin(angle), radius * np.cos(angle)]
        assert dataset.x[2 * i] == pytest.approx(expected, abs=1e-9)
        assert (dataset.x[2 * i + 1] == -dataset.x[2 * i]).all()
    dense = make("two_spirals", density=3)
    assert (dense.x[::6] == dataset.x[::2]).all()


def test_moons_are_half_circles() -> None:
    dataset = make("moons", noise=0.0, examples=101)
    upper, lower = dataset.x[dataset.y[:, 0] == 0], dataset.x[dataset.y[:, 0] == 1]
    assert (len(upper), len(lower)) == (51, 50)
    assert np.hypot(*upper.T) == pytest.approx(1) and (upper[:, 1] >= 0).all()
    assert np.hypot(*(lower - [1, 0.5]).T) == pytest.approx(1) and (lower[:, 1] <= 0.5).all()
    assert upper[[0, -1]] == pytest.approx(np.array([[1, 0], [-1, 0]]))
    assert lower[[0, -1]] == pytest.approx(np.array([[0, 0.5], [2, 0.5]]))


def test_circles_have_their_radius() -> None:
    dataset = make("circles", noise=0.0, factor=0.25, examples=40)
    radius = np.hypot(*dataset.x.T)
    assert radius == pytest.approx(np.where(dataset.y[:, 0] == 1, 0.25, 1.0))
    assert dataset.x.mean(axis=0) == pytest.approx([0, 0])


def test_noise_has_its_standard_deviation() -> None:
    for name in ("moons", "circles", "two_spirals", "checkerboard"):
        size = {"density": 20} if name == "two_spirals" else {"examples": 4000}
        difference = make(name, noise=0.3, **size).x - make(name, noise=0.0, **size).x
        assert difference.std() == pytest.approx(0.3, rel=0.05) and abs(difference.mean()) < 0.02
    for name in ("sine", "chebyshev", "friedman", "linear", "teacher"):
        noisy, clean = (make(name, noise=noise, examples=4000) for noise in (0.3, 0.0))
        assert (noisy.y - clean.y).std() == pytest.approx(0.3, rel=0.05) and (noisy.x == clean.x).all()


def test_blobs_are_clouds_around_their_centres() -> None:
    points = make("blobs", spread=0.0, classes=4, inputs=3, examples=42)
    assert len(np.unique(np.hstack([points.x, points.y]), axis=0)) == 4
    assert points.classes == ("1", "2", "3", "4") and np.abs(points.x).max() <= 10
    clouds = make("blobs", spread=0.5, classes=4, inputs=3, examples=4000)
    for k in range(4):
        cloud = clouds.x[clouds.y[:, 0] == k]
        assert cloud.mean(axis=0) == pytest.approx(points.x[k], abs=0.1)
        assert cloud.std(axis=0) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_separates_line(seed: int) -> None:
    dataset = make("line", inputs=3, seed=seed)
    sign = 2 * dataset.y - 1
    assert 0 < dataset.y.mean() < 1
    rows = -sign * np.hstack([dataset.x, np.ones((dataset.examples, 1))])
    assert linprog(np.zeros(4), A_ub=rows, b_ub=-np.ones(len(rows)), bounds=(None, None)).status == 0


def test_the_checkerboard_of_two_cells_is_xor() -> None:
    dataset = make("checkerboard")
    assert (dataset.y[:, 0] == (dataset.x[:, 0] * dataset.x[:, 1] < 0)).all()
    assert np.abs(dataset.x).max() <= 1 and 0.4 < dataset.y.mean() < 0.6


# Curves


def test_curves_are_their_functions() -> None:
    sine, chebyshev = make("sine", frequency=3.0), make("chebyshev")
    assert sine.y == pytest.approx(np.sin(3 * sine.x), abs=1e-8)
    assert sine.x[[0, -1], 0] == pytest.approx([-np.pi, np.pi])
    x = chebyshev.x
    assert chebyshev.y == pytest.approx(8 * x**4 - 8 * x**2 + 1, abs=1e-8) and chebyshev.examples == 20
    assert np.diff(x[:, 0]) == pytest.approx(2 / 19) and x[[0, -1], 0].tolist() == [-1, 1]
    one = make("chebyshev", degree=1)
    assert (one.y == one.x).all()


def test_only_five_inputs_of_friedman_matter() -> None:
    dataset = make("friedman", examples=2000)
    a, b, c, d, e = dataset.x.T[:5]
    assert dataset.y[:, 0] == pytest.approx(10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e)
    assert dataset.x.min() >= 0 and dataset.x.max() < 1


def test_the_linear_teacher_is_found_by_least_squares() -> None:
    dataset = make("linear", inputs=4, outputs=2, examples=400)
    weights, residual, *_ = np.linalg.lstsq(dataset.x, dataset.y)
    assert weights.shape == (4, 2) and residual == pytest.approx(0, abs=1e-12)
    assert dataset.x.std() == pytest.approx(1, abs=0.1)


def test_a_student_of_the_teachers_size_can_fit_it_and_a_line_cannot() -> None:
    dataset = make("teacher", hidden=1, examples=100)
    lines = np.hstack([dataset.x, np.ones((100, 1))])
    assert np.linalg.lstsq(lines, dataset.y)[1][0] > 0.01

    def errors(student: Any) -> Any:
        return student[4] + student[3] * np.tanh(lines @ student[:3]) - dataset.y[:, 0]

    starts = [[1, 1, 0, 1, 0], [1, -1, 0, 1, 0], [1, 0, 0, 1, 0], [0, 1, 0, 1, 0]]
    assert min(least_squares(errors, start, xtol=1e-15, ftol=1e-15).cost for start in starts) < 1e-12


def test_the_teachers_sizes_and_name() -> None:
    dataset = make("teacher", inputs=3, hidden=7, outputs=2, examples=5)
    assert (dataset.features, dataset.targets) == (("x1", "x2", "x3"), ("y1", "y2"))
    assert SOURCES.canonical("teacher_network") == "teacher"


# scikit-learn's tables


@pytest.mark.parametrize("source", TABLES, ids=lambda source: source.name)
def test_tables_say_what_to_install(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        DataError, match=f"'{source.name}' needs scikit-learn.*pip install 'bpsvc\\[tables\\]'"
    ):
        source.make()


def test_tables() -> None:
    pytest.importorskip("sklearn")
    shapes = {s.name: (s.make().x.shape, len(s.make().classes or ()), s.make().digest[:16]) for s in TABLES}
    assert shapes == {
        "iris": ((150, 4), 3, "1b7bef73322bf1be"),
        "digits": ((1797, 64), 10, "b45df4699a169a54"),
        "wine": ((178, 13), 3, "bfa63d61cc3ee94a"),
        "breast_cancer": ((569, 30), 2, "48921c048806baed"),
        "diabetes": ((442, 10), 0, "869265d6db0587fc"),
    }
    ours, theirs = read_csv(SPECS / "iris.csv", target="species"), make("iris")
    assert (ours.x == theirs.x).all() and (ours.y == theirs.y).all() and ours.classes == theirs.classes
    digits = make("digits")
    assert digits.classes == tuple("0123456789") and (digits.x.min(), digits.x.max()) == (0, 16)


# Pinned: the digest is in the key of every stored run
GOLDEN = {
    "xor": "80f7de04b09a8fd4",
    "and": "d9b9f83e08273901",
    "or": "4f656e7438c49199",
    "nand": "3b25f3faa33a44c5",
    "nor": "19513f8f5de7499c",
    "parity": "fdf91880319c71fa",
    "majority": "7149cd8f765bec09",
    "symmetry": "e0bcae6a1c66c53e",
    "encoder": "d29ded673b40f694",
    "two_spirals": "955e206af24cb4c1",
    "moons": "395aa2e16eaecb4b",
    "circles": "fa1e48359db234dd",
    "blobs": "0b6f1d0b022cf863",
    "line": "a1a6fe1d144afa8f",
    "checkerboard": "02461afef491014c",
    "sine": "e2aa52057b64724a",
    "chebyshev": "a25c79f268c7e36f",
    "friedman": "0024a0fb102d5b6d",
    "linear": "353ff6c0de6dc727",
    "teacher": "1d9fc1f6a83d77ec",
}


@each_source
def test_golden_digests_of_generators(source: Source) -> None:
    assert source.make().digest[:16] == GOLDEN[source.name]


def test_every_generator_is_pinned() -> None:
    assert sorted(GOLDEN) == sorted(source.name for source in BUILT_IN)
