"""What training takes in memory, in Python integers: how many runs train together depends on it, and whether
one can at all. `tests/nn/test_footprint.py` holds it against what is allocated.
"""

from collections.abc import Sequence

_NUMBER = 8  # bytes


def of_pass(widths: Sequence[int], examples: int) -> int:
    """Bytes for one run to go forward and back through layers of these widths: z, a, delta and slope of every
    unit with the copies that feed the next layer, and the scratch of the widest layer.
    """
    return _NUMBER * examples * (6 * sum(widths) + 4 * max(widths))


def of_run(
    widths: Sequence[int],
    inputs: int,
    parameters: int,
    examples: int,
    *,
    batch: int | None = None,
    validation: int = 0,
) -> int:
    """Bytes that one run takes while it trains on so many examples: a pass over all of them, since records
    are of the full training set, over a batch where it is smaller, and over the validation set; the data
    and their copies; for each parameter its value, gradient, scratch, and what optimizer and state keep.
    """
    passed = examples + validation + (batch if batch is not None and batch < examples else 0)
    data = 3 * (examples + validation) * (inputs + 1 + 3 * widths[-1])
    return of_pass(widths, passed) + _NUMBER * (data + 14 * parameters)
