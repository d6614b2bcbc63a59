"""The Python face: what `from bpsvc import …` offers beside `Store`."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bpsvc import nn, spec
from bpsvc.service import networks, reporting, submitting, working
from bpsvc.store import Receipt, Store

SpecLike = Mapping[str, Any] | str | os.PathLike[str]
Target = str | Path


def submit(
    what: SpecLike, *, db: Target = "bpsvc.db", processes: int | None = None, detach: bool = False
) -> Receipt:
    """Train what a spec (a dict, or the path of a file) describes and the store does not have yet.

    `detach` only queues it. The receipt names the experiment: `Store(db).runs(receipt.experiment)` are its
    runs. A script that uses several processes must guard its main part with `if __name__ == "__main__":`.

    Raises:
        SpecError, DataError: the spec or its data are not valid; nothing is stored.
        StoreError: the store cannot be used.
    """
    experiment = _resolved(what)
    with Store(db, mode="create") as store:
        (receipt,) = submitting.submit(store, [experiment])
        if not detach:
            working.train(store, experiments=[receipt.id], processes=processes)
    return receipt


@dataclass(frozen=True)
class Training:
    """What `train` gives: DataFrames with the columns of the public tables (`runs` has one more for each
    factor), and for each run_id the parameters of its layers: weights (I, O), bias (O,) or None.
    """

    runs: pd.DataFrame
    epochs: pd.DataFrame
    layers: pd.DataFrame
    parameters: Mapping[int, tuple[nn.LayerParameters, ...]]


def train(what: SpecLike, *, processes: int = 1) -> Training:
    """Train a spec and keep nothing: the same numbers, to the bit, as `submit` would store.

    It is `submit` into a store of its own that is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="bpsvc-") as folder:
        db = Path(folder) / "train.db"
        receipt = submit(what, db=db, processes=processes)
        with Store(db) as store:
            runs = store.runs(receipt.experiment)
            return Training(
                runs=runs,
                epochs=store.epochs(receipt.experiment),
                layers=store.layer_gradients(receipt.experiment),
                parameters={int(run): networks.load(store, run).parameters for run in runs["run_id"]},
            )


def report(
    experiments: str | Sequence[str] = (), *, db: Target = "bpsvc.db", folder: Target = "reports"
) -> Path:
    """Write the report about one or several experiments (none: the one submitted last); the path of its page.

    Raises:
        NotFoundError: there is no such experiment.
        StoreError: the store cannot be used.
    """
    names = [experiments] if isinstance(experiments, str) else list(experiments)
    with Store(db) as store:
        return reporting.report(reporting.material(store, names), Path(folder))


def _resolved(what: SpecLike) -> spec.Experiment:
    if isinstance(what, Mapping):
        document = spec.read(json.dumps(what), source="spec")
        return spec.resolve(document, base=Path(), name="unnamed")
    (experiment,) = submitting.read([Path(what)])
    return experiment
