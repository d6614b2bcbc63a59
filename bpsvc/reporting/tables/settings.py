"""In what experiments differ though none of them sweeps it: who had which net, loss or step."""

from typing import Final

import pandas as pd

from bpsvc.reporting.encoding import number
from bpsvc.reporting.material import Material
from bpsvc.reporting.tables.record import TableRecord


def prepare(material: Material) -> pd.DataFrame:
    """One row per experiment: runs, and its value of each path in which experiments differ."""
    assert material.settings is not None
    wide = material.settings.pivot(index="experiment", columns="name", values="value")
    there = [name for name in material.names if name in wide.index]
    wide = wide.loc[there, list(dict.fromkeys(material.settings["name"]))]
    wide.insert(0, "runs", material.cases.groupby("experiment")["run_id"].count().reindex(there))
    return wide.rename_axis(columns=None).reset_index()


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """The same as text."""
    return frame.map(number)


def note(frame: pd.DataFrame) -> str:
    return (
        "What no experiment here sweeps and yet differs between them; `--by` tells runs apart by any of it. "
        "What one of them sweeps stands in the names of configurations."
    )


SETTINGS: Final = TableRecord(
    name="settings",
    title="What differs between the experiments",
    needs="two experiments that differ in what none of them sweeps",
    applies=lambda material: material.settings is not None and not material.settings.empty,
    prepare=prepare,
    present=present,
    note=note,
)
