"""Accuracy at the end, run by run: training and validation, with the spread over seeds and splits."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.figures.record import LEARNING, FigureRecord
from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.figures.strips import Strip, rows_sheet, strip_legend, strip_rows
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import median_band
from bpsvc.reporting.style import Style
from bpsvc.wording import plural

_COLUMNS: Final = [
    *("panel", "configuration", "colour", "runs", "diverged", "run_id", "seed"),
    *("accuracy", "validation_accuracy", "median", "low", "high"),
]
_ROW: Final = 6.0


def prepare(material: Material) -> pd.DataFrame:
    """One row per ended run: its final accuracies, and its configuration's median validation accuracy with
    interval.
    """
    parts = []
    for facet, cases in facets(material):
        ended = cases[(cases["state"] != UNFINISHED) & cases["final_validation_accuracy"].notna()]
        if ended.empty:
            continue
        lost = cases["state"].eq("diverged") & cases["final_validation_accuracy"].isna()
        band = median_band(ended["final_validation_accuracy"].to_numpy(np.float64))
        parts.append(
            pd.DataFrame(
                {
                    "panel": "",
                    "configuration": facet.configuration,
                    "colour": facet.colour,
                    "runs": len(ended),
                    "diverged": int(lost.sum()),
                    "run_id": ended["run_id"],
                    "seed": ended["seed"],
                    "accuracy": ended["final_accuracy"],
                    "validation_accuracy": ended["final_validation_accuracy"],
                    "median": float(band.median),
                    "low": float(band.low),
                    "high": float(band.high),
                }
            )
        )
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A row per configuration: validation filled above the line, training hollow below it."""
    legend = strip_legend(style, "validation, one run", "training, one run")
    figure, (ax,), _ = rows_sheet(frame, style, title, legend, "share of examples right", True, _ROW)
    strip_rows(ax, frame, Strip("validation_accuracy", below="accuracy"), style, _ROW)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}" if value <= 1 else ""))
    low = min(0.9, float(frame[["accuracy", "validation_accuracy"]].min().min()))
    ax.set_xlim(max(-0.02, low - 0.08 * (1.02 - low)), 1 + 0.03 * (1.02 - low))
    return figure


def caption(frame: pd.DataFrame) -> str:
    lost = int(frame.drop_duplicates("configuration")["diverged"].sum())
    return (
        "Every ended run's accuracy at its last epoch: validation above the line, training (hollow) below "
        "it; equal values stand in a pile. The spread is over seeds, and over splits where each seed has "
        "its own. Bars: median of the validation accuracies with its 95 % percentile bootstrap interval."
        + (f" Not shown, having no accuracy: {plural(lost, 'diverged run')}." if lost else "")
    )


VALIDATION: Final = FigureRecord(
    name="validation",
    title="Validation accuracy, run by run",
    section=LEARNING,
    needs="a validation split, classes, and at least one ended run",
    applies=lambda m: bool(
        (m.cases["final_validation_accuracy"].notna() & (m.cases["state"] != UNFINISHED)).any()
    ),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, seed, final_accuracy, final_validation_accuracy
FROM results
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
)
