"""Submit: read specs, tell the plan, store what is new."""

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bpsvc import spec
from bpsvc.errors import DataError, NotFoundError, SpecError, UsageError, dotted
from bpsvc.store import Receipt, Store
from bpsvc.store.files import locate
from bpsvc.work import stacking

_STDIN_BYTES: Final = 2**21  # more than a spec may have


def read(
    paths: Sequence[Path],
    *,
    overrides: Mapping[str, Any] | None = None,
    limits: spec.Limits | None = None,
    allow_path: bool = False,
    seeds: Callable[[spec.Experiment], Sequence[int]] | None = None,
) -> list[spec.Experiment]:
    """The experiments that spec files describe; `-` is standard input, a folder all specs in it. Nothing is
    stored. `seeds` may give each experiment other seeds than its spec has.

    Raises:
        SpecError: a spec is not valid; all that is wrong with it is told at once.
        DataError: the data of a spec cannot be read.
    """
    experiments = []
    for path in _files(paths):
        piped = str(path) == "-"
        document = (
            spec.read(sys.stdin.buffer.read(_STDIN_BYTES), source="<stdin>") if piped else spec.read(path)
        )
        base, name = (Path(), "stdin") if piped else (path.parent, path.stem)
        resolve = partial(spec.resolve, document, base=base, name=name, allow_path=allow_path, limits=limits)
        experiment = resolve(overrides=overrides)
        if seeds is not None:
            experiment = resolve(overrides={**(overrides or {}), "seeds": list(seeds(experiment))})
        experiments.append(experiment)
    return experiments


def findings(paths: Sequence[Path], *, allow_path: bool = False) -> list[dict[str, Any]]:
    """What is wrong with specs, as JSON: file, line, column, field, what, allowed, remedy. Empty when all is
    well.
    """
    found: list[dict[str, Any]] = []
    for path in _files(paths):
        try:
            read([path], allow_path=allow_path)
        except SpecError as error:
            found += [
                {"file": str(path), **vars(finding), "path": dotted(finding.path)}
                for finding in error.findings
            ]
        except DataError as error:
            found.append({"file": str(path), "what": str(error)})
    return found


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"there is no spec (*.json) in the folder {path}")
        files += found
    return files


def more_seeds(db: str | Path, count: int) -> Callable[[spec.Experiment], Sequence[int]]:
    """For `read`: the seeds of the stored experiment of that name (or else of the spec), and `count` next
    ones.
    """

    def seeds(experiment: spec.Experiment) -> Sequence[int]:
        known = {run.seed for run in experiment.runs}
        if locate(db).exists():
            with Store(db) as store, contextlib.suppress(NotFoundError):
                known = set(store.runs(store.experiment(experiment.name).experiment)["seed"].tolist())
        first = max(known) + 1
        return sorted(known) + list(range(first, first + count))

    return seeds


def overrides(settings: Sequence[str]) -> dict[str, Any]:
    """`["training.epochs=200", "network.activation=relu"]` as values by path; a value is JSON, or else text.

    Raises:
        UsageError: a setting has no `=`, or sets nothing.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path:
            raise UsageError("a setting is a path and a value", value=setting, allowed="training.epochs=200")
        try:
            values[path] = json.loads(text)
        except ValueError:
            values[path] = text
    return values


def submit(store: Store, experiments: Sequence[spec.Experiment]) -> list[Receipt]:
    """Store the experiments and the runs that are not there yet; nothing is trained."""
    return [
        store.submit(experiment, stacking.keys(experiment), scalings=stacking.scalings(experiment))
        for experiment in experiments
    ]


def described(receipt: Receipt) -> str:
    """What a submit came to, in one line: `xor@1: 90 new runs, 0 already there`."""
    parts = [f"{receipt.new} new runs", f"{receipt.existing} already there"]
    parts += [f"{receipt.extended} extended"] * bool(receipt.extended)
    parts += [f"{receipt.requeued} queued again"] * bool(receipt.requeued)
    if receipt.failed:
        parts.append(f"{len(receipt.failed)} failed before (`bpsvc retry {receipt.experiment}`)")
    if not receipt.newest:
        parts.append("an older revision than the bare name means")
    return f"{receipt.experiment}: {', '.join(parts)}"
