"""The specs that ship with bpsvc: what there is, and copies to begin with."""

import json
from pathlib import Path

from bpsvc.errors import UsageError
from bpsvc.registry import did_you_mean
from bpsvc.shipped import paths


def listing() -> list[tuple[str, str]]:
    """(name, description) of each shipped spec."""
    documents = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths().items()}
    return [(name, document.get("description", "")) for name, document in documents.items()]


def copy(names: list[str], target: Path) -> list[Path]:
    """Copy shipped specs, and the data files they need, into `target`; what is there already is left as it
    is.

    Raises:
        UsageError: there is no such example, or a file of that name is there with other content.
    """
    known = paths()
    sources: list[Path] = []
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no example called {name!r}",
                allowed=", ".join(known),
                remedy=did_you_mean(name, known),
            )
        spec = known[name]
        data = json.loads(spec.read_text(encoding="utf-8")).get("data")
        sources.append(spec)
        if isinstance(data, dict) and "path" in data:
            sources.append(spec.parent / data["path"])
    target.mkdir(parents=True, exist_ok=True)
    targets = [target / source.name for source in sources]
    for source, path in zip(sources, targets, strict=True):
        if path.exists() and path.read_bytes() != source.read_bytes():
            raise UsageError(
                f"{path} is there already and differs", remedy="copy into another folder, or move it away"
            )
    for source, path in zip(sources, targets, strict=True):
        path.write_bytes(source.read_bytes())
    return targets
