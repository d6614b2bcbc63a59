"""Which losses an axis shows: a run that blew up, or that came down to nothing, must not flatten the rest."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bpsvc.reporting.figures.scales import power_of_ten
from bpsvc.wording import plural

_BLOWN_UP: Final = 1e3
_ROUNDED: Final = 1e-32  # the square of what a float resolves


class Limits(NamedTuple):
    """The least and the largest loss that an axis shows."""

    low: float
    high: float

    def clipped(self, losses: ArrayLike) -> NDArray[np.float64]:
        """The losses above 0, those outside moved to the limits; what is not finite stays so."""
        given = np.asarray(losses, dtype=np.float64)
        given = given[given > 0]
        return np.where(np.isfinite(given), np.clip(given, self.low, self.high), given)


def limits(starts: ArrayLike) -> Limits:
    """Limits for runs with these losses before training: from 10⁻³² to 10³ times the largest."""
    given = np.asarray(starts, dtype=np.float64)
    known = given[np.isfinite(given) & (given > 0)]
    largest = min(float(known.max()), 1e300) if known.size else 1.0
    return Limits(largest * _ROUNDED, largest * _BLOWN_UP)


def beyond(runs: "pd.Series[int]", losses: "pd.Series[float]", within: Limits) -> pd.DataFrame:
    """The runs that leave the limits: run_id, loss (the farthest), side (above, below)."""
    known = pd.DataFrame({"run_id": runs, "loss": losses.astype(np.float64)})
    known = known[np.isfinite(known["loss"]) & (known["loss"] > 0)].groupby("run_id", as_index=False)
    above, below = known.max(), known.min()
    sides = (above[above["loss"] > within.high], "above"), (below[below["loss"] < within.low], "below")
    out: pd.DataFrame = pd.concat([rows.assign(side=side) for rows, side in sides], ignore_index=True)
    return out


def said(out: pd.DataFrame) -> str:
    """Sentences for the caption on what `beyond` found, else nothing."""
    text = ""
    for side, end, farthest in (("above", "1,000 times", "max"), ("below", "10⁻³² of", "min")):
        rows = out[out["side"] == side]
        if len(rows):
            count = rows["run_id"].nunique()
            at = power_of_ten(int(np.floor(np.log10(rows["loss"].agg(farthest)))))
            text += (
                f" The frame ends at {end} the largest loss before training: {plural(count, 'run')} went "
                f"{side}, as far as about {at}."
            )
    return text
