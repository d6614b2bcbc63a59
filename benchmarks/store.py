"""How fast a store takes records, against the same rows through sqlite3 alone, and against one row per value.

Run `python benchmarks/store.py`. 1,000 runs of XOR, 20 values an epoch (6 of the epoch, since
XOR has no validation, and 7 of each of 2 layers), WAL, synchronous FULL. To reach: 0.85 of the raw writer, and 2.5 million values a second.
"""

import argparse
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "store"))

from store_material import LAYERS, experiment, part, records, stacks  # noqa: E402

from bpsvc import nn  # noqa: E402
from bpsvc.store import Segment, Store, owner  # noqa: E402
from bpsvc.store.schema import EPOCH_SERIES, LAYER_SERIES  # noqa: E402

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
    raw = _measure(
        "sqlite3 executemany of ready tuples", lambda path: _raw(path, parts), volume, given.repeat
    )
    raw_too = _measure(
        "sqlite3, tuples made from arrays", lambda path: _raw(path, parts, ready=False), volume, given.repeat
    )
    ours = _measure(
        "bpsvc.store, segments of arrays", lambda path: _ours(path, parts, given), volume, given.repeat
    )
    _measure(
        "one row per value (1/20 of the rows)",
        lambda path: _values(path, parts[0], 20),
        volume // given.segments // 20,
        1,
    )
    print(
        f"\nbpsvc.store reaches {ours / raw_too:.2f} of sqlite3 from the same arrays, {ours / raw:.2f} of ready tuples"
    )


def _records(runs: int, epochs: range) -> nn.Records:
    found = records(range(1, runs + 1), epochs)
    for name in ("validation_loss", "validation_accuracy"):
        found.epochs[name][:] = np.nan
    return found


def _measure(name: str, write: Callable[[Path], float], values: int, repeat: int) -> float:
    """Millions of values a second: the median of `repeat` new files."""
    rates, size = [], 0
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            rates.append(values / write(path) / 1e6)
            size = sum(file.stat().st_size for file in Path(folder).glob("bench.db"))
    rate = statistics.median(rates)
    print(
        f"{name:40} {rate:6.3f} M values/s  ({min(rates):.3f} to {max(rates):.3f}), {size / values:5.1f} bytes a value"
    )
    return rate


def _ours(path: Path, parts: Sequence[nn.Records], given: argparse.Namespace) -> float:
    with Store.open(path, mode="create") as store:
        spec = experiment(seeds=given.runs, epochs=given.epochs, every=1)
        store.submit(spec, stacks(spec))
        claims = store.claim(owner(), limit=given.runs)
        began, at = time.perf_counter(), 0
        for found in parts:
            to = int(found.epoch[-1])
            commits = [_onward(part(claim, to), at) for claim in claims]
            assert len(store.commit(Segment(owner(), 15.0, commits, found))) == given.runs
            at = to
        return time.perf_counter() - began


def _onward(run: Any, at: int) -> Any:
    import dataclasses

    return dataclasses.replace(run, from_epoch=at)


def _raw(path: Path, parts: Sequence[nn.Records], *, ready: bool = True) -> float:
    """The public tables alone, one transaction a segment."""
    store = Store.open(path, mode="create")
    spec = experiment(seeds=len(np.unique(parts[0].run)), epochs=1, every=1)
    store.submit(spec, stacks(spec))
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    epochs = f"INSERT INTO epochs VALUES ({', '.join('?' * (2 + len(EPOCH_SERIES)))})"
    layers = f"INSERT INTO layer_gradients VALUES ({', '.join('?' * (3 + len(LAYER_SERIES)))})"
    seconds = 0.0
    for found in parts:
        rows: tuple[Any, Any] = _rows(found)
        if ready:
            rows = list(rows[0]), list(rows[1])
        began = time.perf_counter()
        if not ready:
            rows = _rows(found)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(epochs, rows[0])
        connection.executemany(layers, rows[1])
        connection.execute("COMMIT")
        seconds += time.perf_counter() - began
    connection.close()
    return seconds


def _rows(found: nn.Records) -> tuple[Iterator[Any], Iterator[Any]]:
    run = found.run + 1
    epochs = zip(
        run.tolist(),
        found.epoch.tolist(),
        *(found.epochs[name].tolist() for name in EPOCH_SERIES),
        strict=True,
    )
    layers = zip(
        np.repeat(run, LAYERS).tolist(),
        np.repeat(found.epoch, LAYERS).tolist(),
        np.tile(np.arange(1, LAYERS + 1), len(run)).tolist(),
        *(found.layers[name].ravel().tolist() for name in LAYER_SERIES),
        strict=True,
    )
    return epochs, layers


def _values(path: Path, found: nn.Records, share: int) -> float:
    """What a tracker with a table of (run, key, step, value) does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run TEXT, step INTEGER,"
        " PRIMARY KEY (key, timestamp, step, run, value))"
    )
    most = len(found.run) // share
    keys = [(name, found.epochs[name][:most]) for name in EPOCH_SERIES[:6]]
    keys += [
        (f"{name}/{layer}", found.layers[name][:most, layer])
        for name in LAYER_SERIES
        for layer in range(LAYERS)
    ]
    run = [f"{number:032x}" for number in found.run[:most].tolist()]
    step = found.epoch[:most].tolist()
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for name, values in keys:
        connection.executemany(
            "INSERT INTO metrics VALUES (?, ?, 1700000000000, ?, ?)",
            zip([name] * most, values.tolist(), run, step, strict=True),
        )
    connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
