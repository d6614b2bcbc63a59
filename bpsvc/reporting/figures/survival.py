"""Epochs until the criterion was first met, as survival curves: runs that never met it, or have not ended,
are censored where we stopped looking.
"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import SUCCESS, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, share_axis
from bpsvc.reporting.figures.series import breadth, counted, facets, legend_names, not_drawn, shown
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import kaplan_meier
from bpsvc.reporting.style import Style

_COLUMNS: Final = [
    *("panel", "series", "colour", "configuration", "runs", "events", "epoch"),
    *("at_risk", "censored", "unsolved", "low", "high"),
]


def prepare(material: Material) -> pd.DataFrame:
    """Kaplan–Meier steps: epoch, at_risk, censored (runs lost from view there), unsolved (share) with low and
    high.
    """
    parts = []
    for facet, cases in facets(material):
        seen = cases[cases["judged"] & ((cases["state"] != UNFINISHED) | (cases["epochs_done"] > 0))]
        if seen.empty:
            continue
        solved = seen["solved"].to_numpy(bool)
        # A run that ended for good without solving (diverged, stopped) never will: unsolved to the horizon.
        last = seen["last_epoch"].where(seen["state"] == UNFINISHED, seen["horizon"])
        times = seen["solved_epoch"].where(seen["solved"], last).to_numpy(np.float64)
        curve = kaplan_meier(times, solved)
        censored = [int(((times == time) & ~solved).sum()) for time in curve.time]
        steps = pd.DataFrame(
            {
                "epoch": [0.0, *curve.time],
                "at_risk": [len(seen), *curve.at_risk],
                "censored": [0, *censored],
                "unsolved": [1.0, *curve.share],
                "low": [np.nan, *curve.low],
                "high": [np.nan, *curve.high],
            }
        )
        parts.append(steps.assign(**facet._asdict(), runs=len(seen), events=int(solved.sum())))
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Falling steps with shaded intervals; a cross where runs were lost from view."""
    frame = shown(frame)
    panels = list(dict.fromkeys(frame["panel"]))
    n = counted(frame, "runs")
    legend = [
        swatch(f"{name} (n = {n[name]})", colour, style) for name, colour in legend_names(frame).items()
    ]
    legend.append(
        swatch("censored", "#555555", style, linestyle="none", marker="+", markersize=4 * style.line)
    )
    layout = Layout(
        title, epoch_label(first_epoch(frame["epoch"])), "share that has not reached it", left=6.2
    )
    figure, axes = sheet(style, panels, legend, layout)
    epoch_axis(axes[0], frame["epoch"])
    share_axis(axes[0])
    widths = {name: style.line * breadth(place, len(n)) for place, name in enumerate(legend_names(frame))}
    for ax, panel in zip(axes, panels, strict=True):
        for name, rows in frame[frame["panel"] == panel].groupby("series", sort=False):
            colour = rows["colour"].iloc[0]
            ax.fill_between(
                rows["epoch"], rows["low"], rows["high"], step="post", color=colour, alpha=0.1, linewidth=0
            )
            width = widths[str(name)]
            ax.step(rows["epoch"], rows["unsolved"], where="post", color=colour, linewidth=width)
            lost = rows[rows["censored"] > 0]
            ax.plot(
                lost["epoch"], lost["unsolved"], "+", color=colour, markersize=4 * style.line, clip_on=False
            )
    return figure


def caption(frame: pd.DataFrame) -> str:
    each = frame.drop_duplicates("configuration")
    return (
        "Epochs until the success criterion was first reached, whatever came afterwards: Kaplan–Meier "
        f"estimate of the share that has not yet; {int(each['events'].sum())} of {int(each['runs'].sum())} "
        "runs reached it. Runs that had not when we stopped looking are censored (+), not failures; "
        "diverged ones count as not reaching it to the last epoch. Shaded: pointwise 95 % intervals "
        "(Greenwood, log–log). Where curves coincide, the earlier ones show beneath as wider lines."
        + not_drawn(frame)
    )


SURVIVAL: Final = FigureRecord(
    name="survival",
    title="Epochs until first reached, other runs censored",
    needs="a success criterion and a run that was solved",
    applies=lambda m: bool((m.cases["solved"] & (m.cases["horizon"] > 0)).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, status, solved_epoch, epochs_done
FROM results
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
    section=SUCCESS,
)
