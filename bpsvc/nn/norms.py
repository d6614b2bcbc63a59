"""Lengths √Σv² of any size.

Squares of numbers beyond 1e±154 leave the range of float64 long before the length does: 110 logistic layers
do it, or one run that explodes. Where a sum of squares has got near either end, the largest |v| is taken out
before squaring. Everywhere else the length is √Σv² to the bit.
"""

from typing import Final

import numpy as np

from bpsvc.nn.arrays import Floats, Ints
from bpsvc.nn.layout import Layout

# Between these a sum of squares is as exact as its terms.
LEAST: Final = 1e-290
MOST: Final = 1e290


def ordinary(squares: Floats) -> bool:
    """Whether all these sums of squares, (M,), have a root that can be trusted. (A reduction would take six
    times as long as these two glances, and they are for every epoch.)
    """
    least, most = squares.item(squares.argmin()), squares.item(squares.argmax())
    return bool(least >= LEAST and most <= MOST)


def lengths(rows: Floats) -> Floats:
    """√Σv² of each row, (M, K) -> (M,), by its largest |v|. A row that is not finite has no finite length."""
    largest = np.maximum.reduce(np.abs(rows), axis=1)
    scale = np.where(np.isfinite(largest) & (largest > 0.0), largest, 1.0)
    scaled = rows / scale[:, None]
    found: Floats = scale * np.sqrt(np.vecdot(scaled, scaled))
    return found


def rescued(layout: Layout, values: Floats, squares: Floats) -> tuple[Ints, Floats]:
    """The lanes whose `squares` (R,), of all their `values`, are not to be trusted though their length is
    finite and not 0; and that length.
    """
    lanes = np.flatnonzero(~((squares >= LEAST) & (squares <= MOST)))
    rows = layout.lanes(values, lanes)
    if not rows.any():  # as those of dead units
        return lanes[:0], squares[:0]
    found = lengths(rows)
    some = np.isfinite(found) & (found > 0.0)
    return lanes[some], found[some]


def norms(layout: Layout, values: Floats, out: Floats) -> Floats:
    """√Σv² over all of a lane's values, (R,)."""
    layout.squares(values, out)
    odd = None if ordinary(out) else rescued(layout, values, out)
    np.sqrt(out, out=out)
    if odd is not None:
        out[odd[0]] = odd[1]
    return out
