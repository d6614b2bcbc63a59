"""Short names for swept paths, and values as text: what reports and tables print."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bpsvc.spec.base import Frozen
from bpsvc.spec.choices import Choice
from bpsvc.spec.paths import ABSENT


def labels_of(paths: Iterable[str]) -> dict[str, str]:
    """The shortest end of each path that no other path has: `activation`, or `layers.1.units` beside
    `layers.2.units`.
    """
    paths = list(paths)
    return {path: _shortest(path, [other for other in paths if other != path]) for path in paths}


def _shortest(path: str, others: list[str]) -> str:
    parts = path.split(".")
    for size in range(1, len(parts)):
        end = ".".join(parts[-size:])
        if not parts[-size].isdecimal() and not any(
            other == end or other.endswith("." + end) for other in others
        ):
            return end
    return path


def value_of(value: Any) -> float | int | str | None:
    """A factor's value: numbers as they are, else text such as `leaky_relu(alpha=0.1)`; None where there is
    none.
    """
    if value is ABSENT:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return text_of(value)


def values_of(values: Sequence[Any]) -> list[float | int | str | None]:
    """The values of one factor beside each other: each as `value_of`, but a knob at its default is told where
    others of the same name differ in it, `uniform(range=0.1)` beside `uniform(range=0.5)`.
    """
    settings: dict[tuple[str, str], set[Any]] = {}
    for value in values:
        for knob, setting in value.knobs.items() if isinstance(value, Choice) else ():
            settings.setdefault((value.name, knob), set()).add(json.dumps(setting, default=str))
    differing = {place for place, found in settings.items() if len(found) > 1}
    return [
        value.text([knob for name, knob in differing if name == value.name])
        if isinstance(value, Choice)
        else value_of(value)
        for value in values
    ]


def text_of(value: Any) -> str:
    """Any value of a spec in few words."""
    if isinstance(value, Choice):
        return value.text()
    if isinstance(value, Frozen):
        given = value.model_dump(mode="json", exclude_defaults=True)
        return ", ".join(f"{key}={text_of(item)}" for key, item in given.items())
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def describe(factors: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """`loss=squared, learning_rate=4.0`."""
    return ", ".join(f"{labels[path]}={text_of(value)}" for path, value in factors.items())
