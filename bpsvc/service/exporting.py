"""Export: all that a store has of some experiments, as files that other programs read."""

import functools
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bpsvc import nn
from bpsvc.data import Dataset
from bpsvc.folders import replacing
from bpsvc.service import dictionary
from bpsvc.service.columnar import FORMS
from bpsvc.service.reporting import title
from bpsvc.service.selecting import ALL, Filter, chosen
from bpsvc.spec import RunSpec
from bpsvc.store import PUBLIC, Store
from bpsvc.store.extracting import Extraction
from bpsvc.work import checkpoint, stacking

_DIGITS: Final = 16
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Exported:
    """Where an export lies, how many runs it has and how many rows each relation."""

    folder: Path
    runs: int
    rows: dict[str, int]


def export(
    store: Store,
    experiments: Sequence[str],
    folder: Path,
    *,
    form: str = "csv",
    which: Filter = ALL,
) -> Exported:
    """Write everything about these experiments (none: the one submitted last) into a folder of its own below
    `folder`: the public relations, the weights, the data and a dictionary.

    It is one state of the store, read in batches, in an order that never changes: the same content gives the
    same bytes. `which` lets some runs through. An older export is replaced at once, or not at all.

    Raises:
        NotFoundError: there is no such experiment, or no run fits.
        UsageError: there is no such format, or it needs a package that is missing; or the folder holds
            something else.
        QueryError: the filter is not valid SQL.
    """
    with store.snapshot() as now:
        names = [now.experiment(name).experiment for name in experiments or ["@last"]]
        pairs = None if which.is_open else chosen(store, now, names, which)
        return _written(now.extraction(names, pairs), folder / title(now.experiments(names)), form)


def _written(source: Extraction, target: Path, form: str) -> Exported:
    writer = FORMS[FORMS.canonical(form)].writer
    with replacing(target, "export") as fresh:
        files = {name: f"{name}.{FORMS.canonical(form)}" for name in PUBLIC}
        counts = dict.fromkeys(files, 0)
        for name, file in files.items():
            with writer(fresh / file, PUBLIC[name]) as write:
                for batch in source.rows(name):
                    write(batch)
                    counts[name] += len(batch)
        _weights(source, fresh / "weights.npz")
        (fresh / "data").mkdir()
        for dataset in source.datasets():
            _data(dataset, fresh / "data" / f"{dataset.digest[:_DIGITS]}.npz")
        package = json.dumps(
            dictionary.package(source.experiments, files, counts), indent=1, ensure_ascii=False
        )
        (fresh / "datapackage.json").write_text(package + "\n", encoding="utf-8")
        page = dictionary.page(source.experiments, files, counts)
        (fresh / "README.md").write_text(page, encoding="utf-8")
        return Exported(target, len(source.runs), counts)


def _weights(source: Extraction, path: Path) -> None:
    """What `np.load` reads as a mapping; written array by array, dated alike, so that equal weights are equal
    bytes.
    """
    networks = functools.lru_cache(maxsize=256)(_network)
    with zipfile.ZipFile(path, "w") as archive:
        for run in source.states():
            network, state = networks(run.spec, run.inputs), checkpoint.unpack([run.checkpoint])
            for name, array in _arrays(network, state):
                entry = zipfile.ZipInfo(f"run_{run.run_id}/{name}.npy", _LONG_AGO)
                with archive.open(entry, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)


def _network(spec: str, inputs: int) -> nn.Network:
    return stacking.network(RunSpec.from_canonical(spec), inputs)


def _arrays(network: nn.Network, state: nn.State) -> Iterator[tuple[str, NDArray[np.generic]]]:
    yield "epoch", np.asarray(state.epoch)
    for number, layer in enumerate(network.unpack(state.theta[0]), 1):
        yield f"layer_{number}/weights", layer.weights
        if layer.bias is not None:
            yield f"layer_{number}/bias", layer.bias
        for knob, value in layer.knobs.items():
            yield f"layer_{number}/{knob}", np.asarray(value)


def _data(dataset: Dataset, path: Path) -> None:
    arrays = {"x": dataset.x, "y": dataset.y}
    arrays |= {"features": np.array(dataset.features), "targets": np.array(dataset.targets)}
    if dataset.classes is not None:
        arrays["classes"] = np.array(dataset.classes)
    np.savez(path, allow_pickle=False, **arrays)
