"""Dotted paths into a spec: `network.layers.1.units` (layers counted from 1), and setting a value there.

A short form on the way is written out first, so that `init.range` can vary where the spec says `"init":
"uniform"`.
"""

from collections.abc import Mapping
from typing import Any, Final

from bpsvc.spec.base import Frozen

_SHORT_KEYS: Final[Mapping[str, str]] = {"data": "source", "init": "scheme", "training.stop": "when"}
"""The key that a bare name stands for; elsewhere it is `name`."""

_LEFT_OUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "init": {"scheme": "uniform"},
    "training.optimizer": {"name": "sgd"},
    "network.activation": {"name": "logistic"},
}
"""What stands where the spec says nothing, when a path goes on below."""

_SHORT_PATHS: Final[Mapping[str, str]] = {"data.validation": "data.split.validation"}
"""Where a model keeps what has a shorter way of being written."""

ABSENT: Final = object()


class PathError(Exception):
    """A path that leads nowhere; the message says where it breaks off."""


def put(raw: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `raw` with `value` at `path`; nothing that is not on the way is copied. Raises PathError."""
    parts = path.split(".")
    if "" in parts:
        raise PathError("a path is names joined by single dots, like training.learning_rate")
    changed: dict[str, Any] = _put(raw, parts, 0, value)
    return changed


def _put(inside: Any, parts: list[str], at: int, value: Any) -> Any:
    part, here = parts[at], ".".join(parts[:at])
    last = at + 1 == len(parts)
    if isinstance(inside, list):
        index = _index(inside, part, here)
        below = value if last else _put(_opened(inside[index], here, part), parts, at + 1, value)
        return [*inside[:index], below, *inside[index + 1 :]]
    if not isinstance(inside, Mapping):
        raise PathError(f"{here} has no parts here")
    if last:
        return {**inside, part: value}
    if inside.get(part) is None and parts[at + 1].isdecimal():
        raise PathError(
            f"{'.'.join(parts[: at + 1])} is not written out here: there is no entry {parts[at + 1]}"
        )
    return {**inside, part: _put(_opened(inside.get(part), here, part), parts, at + 1, value)}


def _index(inside: list[Any], part: str, here: str) -> int:
    if not part.isdecimal():
        raise PathError(f"{here} is a list here: its entries are 1 to {len(inside)}, not {part!r}")
    if not 1 <= int(part) <= len(inside):
        raise PathError(f"{here} has entries 1 to {len(inside)}, not {part}")
    return int(part) - 1


def _opened(value: Any, here: str, part: str) -> Any:
    """`value` as something a path can go on into."""
    path = f"{here}.{part}" if here else part
    if value is None:
        return _LEFT_OUT.get(path, {})
    if isinstance(value, str):
        return {_SHORT_KEYS.get(path, "name"): value}
    return value


def get(model: Any, path: str) -> Any:
    """The value at `path` in a model of the spec, or ABSENT."""
    for part in _SHORT_PATHS.get(path, path).split("."):
        if isinstance(model, Mapping):
            model = model.get(part, ABSENT)
        elif isinstance(model, tuple):
            inside = part.isdecimal() and 1 <= int(part) <= len(model)
            model = model[int(part) - 1] if inside else ABSENT
        elif isinstance(model, Frozen):
            names = {info.alias or name: name for name, info in type(model).__pydantic_fields__.items()}
            model = getattr(model, names[part]) if part in names else ABSENT
        else:
            return ABSENT
    return model
