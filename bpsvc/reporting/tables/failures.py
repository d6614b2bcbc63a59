"""How XOR runs ended: solved at the end, or stuck at one of three levels (NUMERICS R2)."""

from typing import Final

import pandas as pd

from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.material import Material
from bpsvc.reporting.plateaus import BLOWN_UP, LEVELS, NOT_ENDED, OTHER, SOLVED, TOLERANCE, has_levels, stuck
from bpsvc.reporting.tables.record import TableRecord

_ENDS: Final = (SOLVED, *(level.outputs for level in LEVELS), OTHER, BLOWN_UP, NOT_ENDED)


def prepare(material: Material) -> pd.DataFrame:
    """One row per configuration: runs, and how many of them ended in each way."""
    rows = []
    for facet, cases in facets(material):
        known = cases[has_levels(cases)]
        if known.empty:
            continue
        counts = stuck(known).value_counts()
        rows.append(
            {
                "configuration": facet.configuration,
                "loss": " and ".join(dict.fromkeys(known["loss"])),
                "runs": len(known),
                **{end: int(counts.get(end, 0)) for end in _ENDS},
            }
        )
    return pd.DataFrame(rows)


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts; the columns `diverged` and `unfinished` only where there are such runs."""
    idle = [end for end in (BLOWN_UP, NOT_ENDED) if not frame[end].any()]
    shown = frame.drop(columns=[*idle, "loss"])
    return shown.astype(str)


def note(frame: pd.DataFrame) -> str:
    nats = ", ".join(f"{level.outputs}: {level.log_likelihood:.3f}" for level in LEVELS)
    squares = ", ".join(f"{level.squared:.3f}" for level in LEVELS)
    return (
        "Judged at the last epoch alone, whatever was met before: solved, or the level at which the loss "
        "stands, within "
        f"{TOLERANCE:.0%}".replace("%", " %")
        + f". Summed over the four patterns, −log L is there {nats}; the squared loss {squares}. "
        f"“{OTHER}”: between levels, most likely still on its way. A net whose outputs start near ½ stands "
        "at the first level before any training, and may not have left it yet."
    )


FAILURES: Final = TableRecord(
    name="failures",
    title="Where XOR runs ended",
    needs="runs on XOR with a success criterion",
    applies=lambda material: bool(has_levels(material.cases).any()),
    prepare=prepare,
    present=present,
    note=note,
)
