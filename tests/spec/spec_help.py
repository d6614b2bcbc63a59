"""What the tests of the spec room share: a small valid spec, and ways to change and resolve it."""

import json
from pathlib import Path
from typing import Any

from bpsvc import spec
from bpsvc.errors import SpecError

SPECS = Path(__file__).parents[2] / "specs"

TRAINING = {"learning_rate": 1.0, "epochs": 10}
SMALL: dict[str, Any] = {
    "name": "small",
    "data": "xor",
    "network": {"hidden": [2]},
    "training": TRAINING,
    "seeds": 3,
}


def changed(**sections: Any) -> dict[str, Any]:
    """The small spec with other sections; None leaves one out."""
    return {key: value for key, value in {**SMALL, **sections}.items() if value is not None}


def training(**fields: Any) -> dict[str, Any]:
    return {**TRAINING, **fields}


def resolved(raw: dict[str, Any], **options: Any) -> spec.Experiment:
    document = spec.read(json.dumps(raw, indent=1))
    return spec.resolve(document, base=options.pop("base", SPECS), **options)


def small(**sections: Any) -> spec.Experiment:
    return resolved(changed(**sections))


def refusal(raw: dict[str, Any] | str, **options: Any) -> SpecError:
    """The error that a spec is refused with."""
    text = raw if isinstance(raw, str) else json.dumps(raw, indent=1)
    try:
        spec.resolve(spec.read(text), base=options.pop("base", SPECS), **options)
    except SpecError as error:
        return error
    raise AssertionError("this spec was accepted")


def keys(experiment: spec.Experiment) -> list[str]:
    return [run.key for run in experiment.runs]
