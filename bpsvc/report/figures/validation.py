"""Accuracy at the end, run by run: training and validation, with the spread over seeds and splits."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bpsvc.report.cases import UNFINISHED
from bpsvc.report.figures.panels import Layout, sheet, swatch
from bpsvc.report.figures.record import FigureRecord
from bpsvc.report.figures.series import facets
from bpsvc.report.figures.swarm import stacked
from bpsvc.report.material import Material
from bpsvc.report.palette import INK
from bpsvc.report.stats import median_band
from bpsvc.report.style import Style, clean

_COLUMNS: Final = [
    "configuration",
    "colour",
    "runs",
    "diverged",
    "run_id",
    "seed",
    "accuracy",
    "validation_accuracy",
    "median",
    "low",
    "high",
]

_ROW: Final = 6.0  # ems a configuration


def prepare(material: Material) -> pd.DataFrame:
    """One row per ended run: its final accuracies, and the median validation accuracy of its configuration
    with interval.
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
                    "run_id": ended["run_id"],
                    "seed": ended["seed"],
                    "accuracy": ended["final_accuracy"],
                    "validation_accuracy": ended["final_validation_accuracy"],
                }
            ).assign(
                configuration=facet.configuration,
                colour=facet.colour,
                runs=len(ended),
                diverged=int(lost.sum()),
                median=float(band.median),
                low=float(band.low),
                high=float(band.high),
            )
        )
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A row per configuration: validation filled above the line, training hollow below it."""
    names = list(dict.fromkeys(frame["configuration"]))
    legend = [
        swatch(
            "validation, one run", "#666666", style, linestyle="none", marker="o", markersize=2.2 * style.line
        ),
        swatch(
            "training, one run",
            "#666666",
            style,
            linestyle="none",
            marker="o",
            markersize=2.2 * style.line,
            fillstyle="none",
        ),
        swatch("median of validation, 95 % interval", INK, style, marker="|", markersize=7 * style.line),
    ]
    labels = [f"{clean(name, 34)} (n = {_n(frame, name)})" for name in names]
    room = max(len(label) for label in labels) * 0.56 + 2
    layout = Layout(
        title,
        "share of examples right",
        "",
        left=min(room, 0.45 * style.width / style.em),
        right=2,
        row_height=_ROW * len(names) + 0.6,
    )
    figure, (ax,) = sheet(style, [""], legend, layout)
    for place, name in enumerate(names):
        rows = frame[frame["configuration"] == name]
        colour = rows["colour"].iloc[0]
        y = len(names) - 1 - place
        for column, side, face in (("validation_accuracy", 1, colour), ("accuracy", -1, "none")):
            at = stacked(rows[column].to_numpy(np.float64), 2.4 * style.line / (_ROW * style.font), 0.33)
            ax.plot(
                rows[column],
                y + side * (0.1 + at),
                "o",
                color=colour,
                markerfacecolor=face,
                markersize=2.2 * style.line,
                markeredgewidth=0.4 * style.line,
                alpha=0.85,
                linestyle="none",
            )
        ax.hlines(y, rows["low"].iloc[0], rows["high"].iloc[0], color=INK, linewidth=1.2 * style.line)
        ax.plot(
            rows["median"].iloc[0],
            y,
            "|",
            color=INK,
            markersize=7 * style.line,
            markeredgewidth=1.2 * style.line,
        )
    ax.set_yticks(range(len(names)), labels[::-1])
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}" if value <= 1 else ""))
    low = float(frame[["accuracy", "validation_accuracy"]].min().min())
    ax.set_xlim(max(-0.02, low - 0.08 * (1.02 - low)), 1 + 0.03 * (1.02 - low))
    return figure


def _n(frame: pd.DataFrame, name: str) -> int:
    return int(frame.loc[frame["configuration"] == name, "runs"].iloc[0])


def caption(frame: pd.DataFrame) -> str:
    lost = int(frame.drop_duplicates("configuration")["diverged"].sum())
    return (
        "Every ended run's accuracy at its last epoch: validation above the line, training (hollow) below "
        "it; equal values stand in a pile. The spread is over seeds, and over splits where each seed has "
        "its own." + (f" {lost} diverged runs have no accuracy and are not shown." if lost else "")
    )


VALIDATION: Final = FigureRecord(
    name="validation",
    title="Validation accuracy, run by run",
    needs="a validation split, classes, and at least one ended run",
    applies=lambda m: bool(
        (m.cases["final_validation_accuracy"].notna() & (m.cases["state"] != UNFINISHED)).any()
    ),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, seed, final_accuracy, final_validation_accuracy
FROM experiment_runs JOIN runs USING (run_id)
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
)
