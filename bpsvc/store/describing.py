"""The plain columns of a run and of a data set, read off their canonical forms."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bpsvc.data import Dataset

# The keys under which a choice with parameters of its own says its name.
_NAMES: Final = ("name", "scheme", "source")

BETTER_LABEL: Final = "(length(excluded.label), excluded.label) < (length(label), label)"
"""When data that are there take the name they come with now: the shortest stays, in whichever order they
came, so that `data = 'xor'` finds what somebody else called `parity(bits=2)`.
"""


def recipe(canonical: str) -> dict[str, Any]:
    """What `runs` shows of a run's canonical spec: names without their parameters, and the whole as it is."""
    content = json.loads(canonical)
    layers = content["network"]["layers"]
    hidden, last = layers[:-1], layers[-1]
    training = content["training"]
    activations = [name(layer["activation"]) for layer in hidden]
    return {
        "spec": canonical,
        "loss": name(content["loss"]),
        "hidden": json.dumps([layer["units"] for layer in hidden]),
        "depth": len(hidden),
        "activation": ", ".join(activations if len(set(activations)) > 1 else activations[:1]) or None,
        "output": name(last["activation"]),
        "init": name(content["init"]),
        "optimizer": name(training["optimizer"]),
        "learning_rate": training.get("learning_rate"),
        "batch_size": training.get("batch_size"),
    }


def dataset(data: Dataset, label: str) -> dict[str, Any]:
    """The row of a data set."""
    return {
        "digest": data.digest,
        "label": label,
        "examples": len(data.x),
        "inputs": len(data.features),
        "targets": len(data.targets),
        "features": json.dumps(data.features, ensure_ascii=False),
        "target_names": json.dumps(data.targets, ensure_ascii=False),
        "classes": None if data.classes is None else json.dumps(data.classes, ensure_ascii=False),
        "content": data.to_bytes(),
    }


def name(choice: Any) -> str:
    """The bare name of a choice, which is a text or an object with parameters."""
    if isinstance(choice, Mapping):
        return next(str(choice[key]) for key in _NAMES if key in choice)
    return str(choice)


def plain(value: Any) -> float | int | str | None:
    """A factor's value as the database keeps it: a number or a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, float):
        return float(value)
    return "null" if value is None else str(value)
