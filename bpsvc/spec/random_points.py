"""Points drawn at random, the same ones every time: a draw is a function of the block's seed, the path and
the index.
"""

import itertools
import math
import zlib
from collections.abc import Iterator
from typing import Any, Final

from bpsvc import draws
from bpsvc.spec.identity import canonical_json
from bpsvc.spec.sweep_section import Draw, Random

_CHUNK: Final = 256
_PATIENCE: Final = 30
"""Draws without a new point, for each point that was found, after which there is hardly another."""


def drawn(block: Random) -> list[dict[str, Any]]:
    """`block.count` different points, or fewer when the axes do not have that many.

    A path's draws do not depend on which other paths vary.
    """
    wanted = min(block.count, math.prod(map(_size, block.axes.values())))
    found: dict[str, dict[str, Any]] = {}
    misses = 0
    for point in _endless(block):
        misses = misses + 1 if (text := canonical_json(point)) in found else 0
        found.setdefault(text, point)
        if len(found) == wanted or misses > _PATIENCE * len(found) + _CHUNK:
            break
    return list(found.values())


def _endless(block: Random) -> Iterator[dict[str, Any]]:
    for start in itertools.count(0, _CHUNK):
        columns = {
            path: draws.uniform([block.seed], draws.SWEEP, zlib.crc32(path.encode()), _CHUNK, start)[0]
            for path in block.axes
        }
        for index in range(_CHUNK):
            yield {path: _value(draw, float(columns[path][index])) for path, draw in block.axes.items()}


def _size(draw: Draw) -> float:
    """How many values an axis has."""
    if draw.integers is not None:
        return draw.integers[1] - draw.integers[0] + 1
    return math.inf if draw.choice is None else len(set(map(canonical_json, draw.choice)))


def _value(draw: Draw, u: float) -> Any:
    """The value at the share `u` of a distribution; numbers to six digits, which is how they are written
    down, but never beyond the bounds.
    """
    if draw.uniform is not None:
        low, high = draw.uniform
        within = low + (high - low) * u if math.isfinite(high - low) else low * (1 - u) + high * u
        return _short(within, low, high)
    if draw.log_uniform is not None:
        low, high = draw.log_uniform
        if math.isfinite(high / low):
            return _short(low * math.exp(math.log(high / low) * u), low, high)
        return _short(math.exp(math.log(low) * (1 - u) + math.log(high) * u), low, high)
    if draw.integers is not None:
        first, last = draw.integers
        return first + int(u * (last - first + 1))
    choice = draw.choice or ()
    return choice[int(u * len(choice))]


def _short(value: float, low: float, high: float) -> float:
    return min(max(float(f"{value:.6g}"), low), high)
