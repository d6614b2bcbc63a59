"""What the tests of the command line share: what a command printed, and a small spec."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Bpsvc = Callable[..., Ran]
Once = Callable[[Callable[[], None]], Path]

TINY = {
    "name": "tiny",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 20},
    "seeds": 3,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}
