"""What a spec comes to: the planned runs, with everything that store, worker and report need to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bpsvc.data import Dataset
from bpsvc.spec.limits import Volume
from bpsvc.spec.run_spec import RunSpec

Factor = float | int | str | None


@dataclass(frozen=True)
class PlannedRun:
    """One run: its spec, seed, key (64 hex digits), epochs, data, and the value of every swept path."""

    run: RunSpec
    canonical: str
    seed: int
    key: str
    epochs: int
    dataset: Dataset
    factors: Mapping[str, Factor]


@dataclass(frozen=True)
class Experiment:
    """A resolved spec.

    `spec` is the document with defaults written out; `digest` is equal for experiments of the same runs,
    epochs and expectations (the same revision); `labels` has a short name for each swept path,
    `data_labels` one for each data set by digest; `volume` is what will be recorded.
    """

    name: str
    description: str
    spec: Mapping[str, Any]
    digest: str
    runs: tuple[PlannedRun, ...]
    datasets: Mapping[str, Dataset]
    epochs: int
    labels: Mapping[str, str]
    data_labels: Mapping[str, str]
    volume: Volume
    warnings: tuple[str, ...] = ()
    expect: tuple[Mapping[str, Any], ...] = field(default=())
