"""What runs cost: epochs a second, as the machine gave them."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.figures.record import COST, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.figures.strips import Strip, row_height, rows_sheet, strip_legend, strip_rows
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import median_band
from bpsvc.reporting.style import Style

_COLUMNS: Final = [
    *("panel", "configuration", "colour", "runs", "run_id", "epochs_done", "seconds", "epochs_per_second"),
    *("median", "low", "high"),
]


def prepare(material: Material) -> pd.DataFrame:
    """One row per run that took any time: epochs_done, seconds, epochs_per_second, and the configuration's
    median.
    """
    parts = []
    for facet, cases in facets(material):
        timed = cases[(cases["seconds"] > 0) & (cases["epochs_done"] > 0)]
        if timed.empty:
            continue
        pace = timed["epochs_done"] / timed["seconds"]
        band = median_band(pace.to_numpy(np.float64))
        parts.append(
            timed[["run_id", "epochs_done", "seconds"]].assign(
                panel="",
                configuration=facet.configuration,
                colour=facet.colour,
                runs=len(timed),
                epochs_per_second=pace,
                median=float(band.median),
                low=float(band.low),
                high=float(band.high),
            )
        )
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A row per configuration on a log axis."""
    legend = strip_legend(style, "one run")
    row = row_height(frame)
    figure, (ax,), _ = rows_sheet(frame, style, title, legend, "epochs per second of computing", True, row)
    log_axis(ax, frame["epochs_per_second"], "x")
    strip_rows(ax, frame, Strip("epochs_per_second", log=True), style, row)
    return figure


def caption(frame: pd.DataFrame) -> str:
    total = float(frame["seconds"].sum())
    return (
        f"Epochs of each run over its share of the computing time; {total:,.1f} s in all, without waiting "
        "and storing. Runs that train together share a stack's time, so this is throughput, not how long "
        "one run alone would take."
    )


PACE: Final = FigureRecord(
    name="pace",
    title="Throughput, run by run",
    section=COST,
    needs="runs with epochs and seconds",
    applies=lambda m: bool(((m.cases["seconds"] > 0) & (m.cases["epochs_done"] > 0)).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, epochs_done, seconds, epochs_done / seconds AS epochs_per_second
FROM results
WHERE experiment IN ({experiments}) AND seconds > 0
ORDER BY experiment, run_id""",
)
