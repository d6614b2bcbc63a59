"""Submit: read specs, tell the plan, store what is new."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bpsvc import spec
from bpsvc.errors import UsageError
from bpsvc.store import Receipt, Store
from bpsvc.work import stacking

_STDIN_BYTES: Final = 2**21  # more than a spec may have

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]


def read(
    paths: Sequence[Path],
    *,
    overrides: Mapping[str, Any] | None = None,
    limits: spec.Limits | None = None,
    allow_path: bool = False,
) -> list[spec.Experiment]:
    """The experiments that spec files describe (`-` is standard input). Nothing is stored.

    Raises:
        SpecError: a spec is not valid; all that is wrong with it is told at once.
        DataError: the data of a spec cannot be read.
    """
    experiments = []
    for path in paths:
        piped = str(path) == "-"
        document = (
            spec.read(sys.stdin.buffer.read(_STDIN_BYTES), source="<stdin>") if piped else spec.read(path)
        )
        experiments.append(
            spec.resolve(
                document,
                base=Path() if piped else path.parent,
                name="stdin" if piped else path.stem,
                overrides=overrides,
                allow_path=allow_path,
                limits=limits,
            )
        )
    return experiments


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
