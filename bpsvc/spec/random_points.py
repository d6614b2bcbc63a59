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
_TRIES: Final = 100


def drawn(block: Random) -> list[dict[str, Any]]:
    """`block.count` different points, or fewer when the axes do not have that many.

    A path's draws do not depend on which other paths vary.
    """
    found: dict[str, dict[str, Any]] = {}
    for point in itertools.islice(_endless(block), _TRIES * block.count + _CHUNK):
        found.setdefault(canonical_json(point), point)
        if len(found) == block.count:
            break
    return list(found.values())


def _endless(block: Random) -> Iterator[dict[str, Any]]:
    for size in itertools.count(1):
        total = size * _CHUNK
        columns = {
            path: draws.uniform([block.seed], draws.SWEEP, zlib.crc32(path.encode()), total)[
                0, total - _CHUNK :
            ]
            for path in block.axes
        }
        for index in range(_CHUNK):
            yield {path: _value(draw, float(columns[path][index])) for path, draw in block.axes.items()}


def _value(draw: Draw, u: float) -> Any:
    """The value at the share `u` of a distribution; numbers to six digits, which is how they are written
    down.
    """
    if draw.uniform is not None:
        low, high = draw.uniform
        return float(f"{low + (high - low) * u:.6g}")
    if draw.log_uniform is not None:
        low, high = draw.log_uniform
        return float(f"{low * math.exp(math.log(high / low) * u):.6g}")
    if draw.integers is not None:
        first, last = draw.integers
        return first + int(u * (last - first + 1))
    choice = draw.choice or ()
    return choice[int(u * len(choice))]
