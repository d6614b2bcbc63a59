"""How fast a store takes records, against the same rows through sqlite3 alone, and one row per value.

Run `python benchmarks/store.py`. 1,000 runs of XOR, 20 values an epoch (6 of the epoch, since XOR has no
validation part, and 7 of each of 2 layers), WAL, synchronous FULL. To reach: 0.85 of sqlite3 with the same
rows, and 2.5 million values a second.
"""

import argparse
import dataclasses
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "store"))

from store_material import LAYERS, experiment, part, records, stacks

from bpsvc import nn
from bpsvc.store import Segment, Store, owner

VALUES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--segments", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    parts = [
        _records(given.runs, range(a[0], a[-1] + 1))
        for a in np.array_split(np.arange(given.epochs + 1), given.segments)
    ]
    volume = given.runs * (given.epochs + 1) * VALUES
    print(f"{given.runs:,} runs × {given.epochs:,} epochs × {VALUES} values in {given.segments} segments")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, numpy {np.__version__}\n")
    few = parts[0].take(np.arange(len(parts[0]) // 20))
    ways = {
        "sqlite3, ready tuples": (lambda path: _raw(path, parts), volume),
        "sqlite3, tuples from arrays": (lambda path: _raw(path, parts, ready=False), volume),
        "bpsvc.store, segments of arrays": (lambda path: _ours(path, parts, given), volume),
        "one row per value (fewer rows)": (lambda path: _values(path, few), len(few) * VALUES),
    }
    spent = _measure(ways, given.repeat)
    ready, arrays, ours, _ = (min(seconds.cpu_s for seconds in of) for of in spent.values())
    print("\nbpsvc.store, as a share of sqlite3 from arrays, and with ready tuples:")
    print(f"by CPU time {arrays / ours:.2f}, {ready / ours:.2f}")
    ready, arrays, ours, _ = (min(seconds.wall_s for seconds in of) for of in spent.values())
    print(f"by the clock: {arrays / ours:.2f}, {ready / ours:.2f}")


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the processor."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """Adds up what blocks take."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def __enter__(self) -> None:
        self.began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall_s += time.perf_counter() - self.began[0]
        self.cpu_s += time.process_time() - self.began[1]

    @property
    def spent(self) -> Spent:
        return Spent(self.wall_s, self.cpu_s)


def _measure(ways: Mapping[str, tuple[Callable[[Path], Spent], int]], repeat: int) -> dict[str, list[Spent]]:
    """Every way in turn, `repeat` times, each in a new file: on a busy machine they share the weather."""
    spent: dict[str, list[Spent]] = {name: [] for name in ways}
    sizes = {}
    for _ in range(repeat):
        for name, (write, values) in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                spent[name].append(write(Path(folder) / "bench.db"))
                sizes[name] = (Path(folder) / "bench.db").stat().st_size / values
    print(f"{'millions of values a second':34}  best  median  by CPU time  bytes a value")
    for name, (_, values) in ways.items():
        wall, cpu = (
            [values / one.wall_s / 1e6 for one in spent[name]],
            [values / one.cpu_s / 1e6 for one in spent[name]],
        )
        print(
            f"{name:34} {max(wall):5.2f} {statistics.median(wall):7.2f} {max(cpu):12.2f} {sizes[name]:14.1f}"
        )
    return spent


def _records(runs: int, epochs: range) -> nn.Records:
    """Records of the series that are always measured; XOR has no validation part."""
    found = records(range(1, runs + 1), epochs)
    series = {name: found.epochs[name] for name in nn.EPOCH_SERIES}
    for name in ("validation_loss", "validation_accuracy"):
        series[name] = np.full(len(found), np.nan)
    return dataclasses.replace(
        found, epochs=series, layers={name: found.layers[name] for name in nn.LAYER_SERIES}
    )


def _ours(path: Path, parts: Sequence[nn.Records], given: argparse.Namespace) -> Spent:
    with Store.open(path, mode="create") as store:
        spec = experiment(seeds=given.runs, epochs=given.epochs, every=1)
        store.submit(spec, stacks(spec))
        claims = store.leases.claim(owner(), limit=given.runs)
        watch, at = Stopwatch(), 0
        for found in parts:
            to = int(found.epoch[-1])
            commits = [dataclasses.replace(part(claim, to), from_epoch=at) for claim in claims]
            with watch:
                kept = store.leases.commit(Segment(owner(), 15.0, commits, found))
            assert len(kept) == given.runs
            at = to
        return watch.spent


def _raw(path: Path, parts: Sequence[nn.Records], *, ready: bool = True) -> Spent:
    """The public tables alone, one transaction a segment."""
    store = Store.open(path, mode="create")
    spec = experiment(seeds=len(np.unique(parts[0].run)), epochs=1, every=1)
    store.submit(spec, stacks(spec))
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    epochs = _insert("epochs", "run_id", "epoch", *nn.EPOCH_SERIES)
    layers = _insert("layer_gradients", "run_id", "epoch", "layer", *nn.LAYER_SERIES)
    watch = Stopwatch()
    for found in parts:
        rows: tuple[Any, Any] = _rows(found)
        if ready:
            rows = list(rows[0]), list(rows[1])
        with watch:
            if not ready:
                rows = _rows(found)
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(epochs, rows[0])
            connection.executemany(layers, rows[1])
            connection.execute("COMMIT")
    connection.close()
    return watch.spent


def _insert(table: str, *columns: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _rows(found: nn.Records) -> tuple[Iterator[Any], Iterator[Any]]:
    run = found.run + 1
    epochs = zip(
        run.tolist(),
        found.epoch.tolist(),
        *(found.epochs[name].tolist() for name in nn.EPOCH_SERIES),
        strict=True,
    )
    layers = zip(
        np.repeat(run, LAYERS).tolist(),
        np.repeat(found.epoch, LAYERS).tolist(),
        np.tile(np.arange(1, LAYERS + 1), len(run)).tolist(),
        *(found.layers[name].ravel().tolist() for name in nn.LAYER_SERIES),
        strict=True,
    )
    return epochs, layers


def _values(path: Path, found: nn.Records) -> Spent:
    """What a tracker with a table of (run, key, step, value) does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run TEXT, step INTEGER,"
        " PRIMARY KEY (key, timestamp, step, run, value))"
    )
    most = len(found)
    keys = [(name, found.epochs[name]) for name in nn.EPOCH_SERIES[:6]]
    keys += [
        (f"{name}/{layer}", found.layers[name][:, layer])
        for name in nn.LAYER_SERIES
        for layer in range(LAYERS)
    ]
    run = [f"{number:032x}" for number in found.run.tolist()]
    step = found.epoch.tolist()
    watch = Stopwatch()
    with watch:
        connection.execute("BEGIN IMMEDIATE")
        for name, values in keys:
            connection.executemany(
                "INSERT INTO metrics VALUES (?, ?, 1700000000000, ?, ?)",
                zip([name] * most, values.tolist(), run, step, strict=True),
            )
        connection.execute("COMMIT")
    connection.close()
    return watch.spent


if __name__ == "__main__":
    main()
