"""What the specs expect of their runs, and whether it holds."""

from dataclasses import asdict
from typing import Final

import pandas as pd

from bpsvc.reporting.expecting import expectations
from bpsvc.reporting.material import Material
from bpsvc.reporting.tables.record import TableRecord
from bpsvc.reporting.tables.words import figure


def prepare(material: Material) -> pd.DataFrame:
    """One row per expectation: the fields of `expecting.Verdict`."""
    return pd.DataFrame([asdict(one) for one in expectations(material.experiments, material.cases)])


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """Statistic, bound, value and verdict as text."""
    return pd.DataFrame(
        {
            "experiment": frame["experiment"].astype(str),
            "expected": [
                f"{statistic} of {metric} {bound}"
                for statistic, metric, bound in zip(
                    frame["statistic"], frame["metric"], frame["bound"], strict=True
                )
            ],
            "is": [figure(value).replace("diverged", "worse than any") for value in frame["value"]],
            "runs (without a value)": [
                f"{runs} ({missing})" for runs, missing in zip(frame["runs"], frame["missing"], strict=True)
            ],
            "holds": ["yes" if met else "no" for met in frame["met"]],
        }
    )


def note(frame: pd.DataFrame) -> str:
    return (
        f"{int(frame['met'].sum())} of {len(frame)} expectations hold. Statistics are over ended runs; one "
        "without a value counts as worse than any."
    )


EXPECTED: Final = TableRecord(
    name="expected",
    title="What was expected",
    needs="a spec with “expect”",
    applies=lambda material: bool(expectations(material.experiments, material.cases)),
    prepare=prepare,
    present=present,
    note=note,
)
