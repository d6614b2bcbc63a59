"""Counter-based random numbers: a draw is a function of (seed, purpose, which, index), never a stream that is
carried along.

So runs with one seed share their initial weights and data order wherever shapes allow, a run's draws do not
depend on its companions in a stack, and a checkpoint needs no generator state. The generator is SplitMix64
(Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) started at a key that
is itself a SplitMix64 hash of seed, purpose and which. The outputs are pinned by golden values: changing them
is a new numerics version.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

# What a draw is for. Numbers, once given, keep their meaning.
WEIGHTS: Final = 1
ORDER: Final = 2
SPLIT: Final = 3
DATA: Final = 4
BIASES: Final = 5
PROBE: Final = 6
SWEEP: Final = 7

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def _mix(word: Words) -> Words:
    """The SplitMix64 finaliser: a bijection of 64-bit words."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def bits(seeds: ArrayLike, purpose: int, which: int, count: int, start: int = 0) -> Words:
    """64 random bits for each seed and index start … start+count-1: shape (R, count) for `seeds` (R,)."""
    with np.errstate(over="ignore"):
        key = np.asarray(seeds, dtype=np.uint64)
        for part in (purpose, which):
            key = _mix(key + _GOLDEN) ^ np.uint64(part)
        key = _mix(key + _GOLDEN)
        counter = np.arange(start + 1, start + count + 1, dtype=np.uint64) * _GOLDEN
        return _mix(key[..., None] + counter)


def uniform(seeds: ArrayLike, purpose: int, which: int, count: int, start: int = 0) -> Floats:
    """Uniform on [0, 1) with 53 bits, from index `start` on: shape (R, count)."""
    words = bits(seeds, purpose, which, count, start) >> np.uint64(11)
    return words.astype(np.float64) * 2.0**-53


def normal(seeds: ArrayLike, purpose: int, which: int, count: int) -> Floats:
    """Standard normal by Box and Muller, index i from the uniforms 2i and 2i+1: shape (R, count)."""
    pairs = uniform(seeds, purpose, which, 2 * count)
    radius = np.sqrt(-2.0 * np.log1p(-pairs[..., 0::2]))
    normals: Floats = radius * np.cos(2.0 * np.pi * pairs[..., 1::2])
    return normals


def permutation(seeds: ArrayLike, purpose: int, which: int, count: int) -> NDArray[np.intp]:
    """A random order of 0 … count-1 for each seed (the order of its random bits): shape (R, count)."""
    return np.argsort(bits(seeds, purpose, which, count), axis=-1, kind="stable")
