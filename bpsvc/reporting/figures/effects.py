"""What each factor does: main effects, two-way interactions, and the map of two factors."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.encoding import Factor
from bpsvc.reporting.material import Material
from bpsvc.reporting.outcomes import Outcome, outcome
from bpsvc.reporting.stats import median_band, wilson

COLUMNS: Final = [
    *(
        "first",
        "second",
        "level",
        "other",
        "level_order",
        "other_order",
        "outcome",
        "is_share",
        "log",
        "is_number",
    ),
    *("runs", "seeds", "left_out", "value", "low", "high"),
]
# Runs of one seed start alike, whatever else differs: they are no independent draws.
TOO_NARROW: Final = (
    "Intervals take runs of one seed for independent: they are too narrow where these do alike."
)


def is_grid(material: Material) -> bool:
    """Whether every combination of levels was run: else the effect of one factor holds that of another."""
    sizes = [len(factor.levels) for factor in material.telling]
    return len(sizes) >= 2 and math.prod(sizes) == len(material.configurations)


def main_effects(material: Material) -> pd.DataFrame:
    """One row per factor and level: `value` over all ended runs with that level, with low and high, and of
    how many seeds they are.
    """
    return _table(material, [(factor, None) for factor in material.telling])


def drawn_effects(material: Material) -> pd.DataFrame:
    """The same for the numbers that were drawn at random: a row per axis and draw."""
    axes = [factor for factor in material.telling if factor.name in material.drawn and factor.is_number]
    return _table(material, [(factor, None) for factor in axes])


def interactions(material: Material) -> pd.DataFrame:
    """One row per pair of factors and pair of levels; the factor with more levels (numbers first) comes
    first. What was drawn at random has values, not levels.
    """
    levelled = [factor for factor in material.telling if factor.name not in material.drawn]
    ordered = sorted(levelled, key=lambda factor: (not factor.is_number, -len(factor.levels)))
    return _table(material, [(a, b) for place, a in enumerate(ordered) for b in ordered[place + 1 :]])


def _table(material: Material, pairs: Sequence[tuple[Factor, Factor | None]]) -> pd.DataFrame:
    yardstick = outcome(material)
    rows: list[dict[str, Any]] = []
    # What counts is how runs end; where that is not known, that they met the criterion once.
    share = ("held", "share solved at the end")
    if material.cases["held"].isna().any():
        share = ("solved", "share that was solved once")
    for first, second in pairs if yardstick is not None else ():
        assert yardstick is not None
        for places, cases in _cells(material.cases, first, second):
            ended = cases[cases["state"] != UNFINISHED]
            rows.append(
                {
                    "first": first.title,
                    "second": second.title if second else "",
                    "level": first.short(places[0]),
                    "other": second.short(places[1]) if second else "",
                    "level_order": places[0],
                    "other_order": places[1],
                    "outcome": share[1] if yardstick.is_share else f"median {yardstick.name}",
                    "is_share": int(yardstick.is_share),
                    "is_number": int(second.is_number if second else first.is_number),
                    "log": int(yardstick.log and not yardstick.is_share),
                    "runs": len(ended),
                    "seeds": ended["seed"].nunique(),
                    "left_out": len(cases) - len(ended),
                    **_value(ended, yardstick, share[0]),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _cells(
    cases: pd.DataFrame, first: Factor, second: Factor | None
) -> Iterator[tuple[tuple[int, int], pd.DataFrame]]:
    for place, level in enumerate(first.levels):
        here = cases[cases[first.name] == level]
        if second is None:
            yield (place, 0), here
            continue
        for other, value in enumerate(second.levels):
            cell = here[here[second.name] == value]
            if len(cell):
                yield (place, other), cell


def _value(ended: pd.DataFrame, yardstick: Outcome, success: str) -> dict[str, float]:
    """The share of `success` with Wilson's interval, or the median with its bootstrap interval."""
    if yardstick.is_share:
        share = wilson(int(ended[success].sum()), len(ended))
        return {"value": share.share, "low": share.low, "high": share.high}
    values = yardstick.values(ended).to_numpy(np.float64)
    band = median_band(values)
    return {"value": float(band.median), "low": float(band.low), "high": float(band.high)}
