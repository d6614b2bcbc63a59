"""The first spec: one to change, with the schema beside it that editors complete and check it by."""

import json
from pathlib import Path
from typing import Any, Final

from bpsvc import spec
from bpsvc.errors import UsageError

SCHEMA: Final = "bpsvc.schema.json"
NAME: Final = "first.json"

STARTER: Final[dict[str, Any]] = {
    "$schema": SCHEMA,
    "name": "first",
    "description": "A 2-2-1 network learns XOR from 10 starts with each of two losses. Editors that know "
    "JSON Schema complete and check this file. Change network.hidden, the activation (relu, tanh ...), the "
    "learning rate or the lists under sweep. `bpsvc submit --dry-run first.json` shows what that comes to, "
    "`bpsvc submit first.json` trains what is new, `bpsvc report first` draws conclusions.",
    "data": "xor",
    "network": {"hidden": [2], "activation": "logistic"},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 2000},
    "seeds": 10,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
    "record": {"every": "decades"},
}


def write(folder: Path) -> tuple[Path, Path]:
    """Write the starter spec and the schema into `folder`; their paths. What is there already is never
    overwritten, and is left as it is if it is the same.

    Raises:
        UsageError: one of them is there and differs; nothing is written.
    """
    texts = {
        folder / NAME: _text(STARTER, ensure_ascii=False),
        folder / SCHEMA: _text(spec.json_schema()),
    }
    for path, text in texts.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
            raise UsageError(
                f"{path} is there already and differs", remedy="name another folder, or move it away"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        if not path.exists():
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    return folder / NAME, folder / SCHEMA


def _text(document: Any, **style: Any) -> str:
    return json.dumps(document, indent=2, **style) + "\n"
