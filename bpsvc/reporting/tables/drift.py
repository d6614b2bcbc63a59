"""A schedule's occurrences as rows, the newest first."""

from typing import Final

import pandas as pd

from bpsvc.reporting.material import Material
from bpsvc.reporting.tables.record import TableRecord
from bpsvc.reporting.tables.words import MISSING, figure, percent


def prepare(material: Material) -> pd.DataFrame:
    """The rows of `material.history` (see `history.COLUMNS`), newest first."""
    if material.history is None:
        return pd.DataFrame()
    return material.history.iloc[::-1].reset_index(drop=True)


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts, shares and medians as text."""
    shown = {
        "occurrence (UTC)": [text[:16].replace("T", " ") for text in frame["instant"]],
        "experiment": frame["experiment"].astype(str),
        "loss": frame["loss"].astype(str),
        "runs (diverged)": [f"{a} ({b})" for a, b in zip(frame["runs"], frame["diverged"], strict=True)],
        "reached": [
            f"{percent(share)} of {runs}" if runs else MISSING
            for share, runs in zip(frame["share"], frame["judged"], strict=True)
        ],
        "median final loss": [figure(value) for value in frame["final_loss"]],
        "median seconds": [figure(value) for value in frame["seconds"]],
    }
    return pd.DataFrame(shown)


def note(frame: pd.DataFrame) -> str:
    return (
        f"The last {frame['occurrence'].nunique()} submitted occurrences of this schedule, this one first. "
        "Medians are over ended runs, a diverged one counting as worse than any."
    )


OCCURRENCES: Final = TableRecord(
    name="occurrences",
    title="Occurrences of the schedule",
    needs="an occurrence of a schedule",
    applies=lambda material: material.history is not None and not material.history.empty,
    prepare=prepare,
    present=present,
    note=note,
)
