"""bpsvc: a declarative experiment service with a result store for training neural networks by
backpropagation.

`submit`, `train` and `report` do what the commands do; `Store` gives what is stored as DataFrames. They are
loaded when they are first used, so that importing bpsvc costs nothing.
"""

import importlib
from typing import Any

_HOMES = {
    "Store": "bpsvc.store",
    **dict.fromkeys(("Training", "report", "submit", "train"), "bpsvc.service.python"),
}

__all__ = ["Store", "Training", "report", "submit", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bpsvc' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
