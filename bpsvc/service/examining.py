"""Doctor: what there is to know about this machine and its store before trusting either."""

import json
import platform
import shutil
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import threadpoolctl

from bpsvc import data, nn
from bpsvc.errors import StoreError
from bpsvc.spec import RunSpec, read, resolve
from bpsvc.store import Store
from bpsvc.store.files import filesystem
from bpsvc.store.place import locate
from bpsvc.work import checkpoint, stacking
from bpsvc.work.environment import fingerprint

_PACKAGES: Final = ("bpsvc", "numpy", "pydantic", "sqlalchemy", "alembic", "pandas", "matplotlib", "typer")
_WAL_MENDED: Final = (3, 51, 3)
_LOW_DISK_BYTES: Final = 2**30


@dataclass(frozen=True)
class Fact:
    """One thing found: `good` is False where something should be done, which `value` then says."""

    name: str
    value: str
    good: bool = True


def facts(db: str | Path) -> list[Fact]:
    """Versions, BLAS, SQLite, the store's place and state, the environment's fingerprint."""
    found = [Fact("python", f"{platform.python_version()} on {platform.platform()}")]
    found += [Fact(name, version(name)) for name in _PACKAGES]
    for library in threadpoolctl.threadpool_info():
        name = f"{library['internal_api']} {library['version']}"
        found.append(Fact("blas", f"{name}, {library['num_threads']} threads (training uses 1 a process)"))
    found.append(_sqlite())
    found += _place(locate(db))
    found.append(_store(db))
    found.append(Fact("environment", fingerprint()))
    return found


def same_bits(rounds: int, seed: int = 0) -> list[str]:
    """Train random stacks and every run of them alone; what differed, as specs and seeds. Empty is good."""
    generator = np.random.default_rng(seed)
    activations = [name for name, record in nn.ACTIVATIONS.items() if not record.output_only]
    differences = []
    for number in range(rounds):
        document = {
            "name": "fuzz",
            "data": {"source": "parity", "bits": int(generator.integers(2, 5))},
            "network": {
                "hidden": generator.integers(1, 12, size=generator.integers(1, 4)).tolist(),
                "activation": str(generator.choice(activations)),
            },
            "init": {"scheme": "uniform", "range": float(generator.uniform(0.1, 1.5))},
            "training": {
                "optimizer": str(generator.choice(list(nn.OPTIMIZERS))),
                "learning_rate": float(generator.uniform(0.01, 1.0)),
                "epochs": int(generator.integers(1, 30)),
                "batch_size": int(generator.integers(1, 5)) if generator.random() < 0.5 else None,
            },
            "seeds": int(generator.integers(2, 40)),
        }
        experiment = resolve(read(json.dumps(document)), base=Path())
        specs, seeds = [run.run for run in experiment.runs], [run.seed for run in experiment.runs]
        dataset = experiment.runs[0].dataset
        together = _ends(specs, seeds, dataset, experiment.epochs)
        differences += [
            f"round {number}, seed {one}: {json.dumps(document)}"
            for spec, one, end in zip(specs, seeds, together, strict=True)
            if _ends([spec], [one], dataset, experiment.epochs) != [end]
        ]
    return differences


def _ends(specs: list[RunSpec], seeds: list[int], dataset: data.Dataset, epochs: int) -> list[bytes]:
    problem = stacking.stack(specs, seeds, dataset)
    with threadpoolctl.threadpool_limits(limits=1):
        state, _ = nn.start(problem, stacking.initial(problem.network, specs, problem.seeds))
        state, _ = nn.advance(problem, state, epochs)
    return checkpoint.pack(state)


def _sqlite() -> Fact:
    note = ""
    if sqlite3.sqlite_version_info < _WAL_MENDED:
        note = "; its write-ahead log takes one writer at a time, which bpsvc sees to"
    return Fact("sqlite", sqlite3.sqlite_version + note)


def _place(path: Path) -> list[Fact]:
    kind = filesystem(path)
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        return [Fact("store's folder", f"{path.parent}: {error.strerror}", good=False)]
    room = f"{free / 2**30:.1f} GiB free"
    return [
        Fact("store", str(path)),
        Fact("file system", kind or "unknown"),
        Fact("disk", room if free > _LOW_DISK_BYTES else f"only {room}", good=free > _LOW_DISK_BYTES),
    ]


def stored(db: str | Path) -> bool:
    """Whether there is a store."""
    return locate(db).exists()


def _store(db: str | Path) -> Fact:
    if not stored(db):
        return Fact("schema", "no store yet: `bpsvc submit SPEC` makes one")
    try:
        with Store(db) as store:
            return Fact("schema", f"revision {store.upkeep.info().schema}")
    except StoreError as error:
        return Fact("schema", str(error), good=False)
