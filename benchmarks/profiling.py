"""Where the time goes: a profile of one training, for the rows that miss their floor."""

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LINES = 8


class Line(NamedTuple):
    """A function's own share of the time, and how often it was called."""

    where: str
    share: float
    calls: int


def profiled(train: Callable[[], object]) -> list[Line]:
    """The functions that take most of the time for themselves."""
    profile = cProfile.Profile()
    profile.runcall(train)
    stats = pstats.Stats(profile).stats  # (file, line, name) -> calls, all calls, own seconds, …
    total = sum(values[2] for values in stats.values())
    own = sorted(stats.items(), key=lambda item: -item[1][2])[:LINES]
    return [Line(named(*place), values[2] / total, values[1]) for place, values in own]


def named(file: str, line: int, name: str) -> str:
    """`layout.affine`; a built-in's name without its wrapping."""
    if file == "~":
        return name.strip("<>{}").replace("built-in method ", "").replace("method ", "").replace("'", "")
    return f"{Path(file).stem}.{name}"
