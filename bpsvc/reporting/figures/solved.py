"""Share of runs solved against epoch: the common yardstick of losses that do not share an axis."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import SUCCESS, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, share_axis
from bpsvc.reporting.figures.series import counted, facets, legend_names
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import wilson
from bpsvc.reporting.style import Style

_COLUMNS: Final = [
    "panel",
    "series",
    "colour",
    "configuration",
    "runs",
    "left_out",
    "epoch",
    "solved",
    "share",
    "low",
    "high",
]


def prepare(material: Material) -> pd.DataFrame:
    """Steps of the share solved: panel, series, colour, configuration, runs (n), left_out, epoch, solved,
    share, low, high.
    """
    rows = []
    for configuration, cases in facets(material):
        ended = cases[(cases["state"] != UNFINISHED) & cases["judged"]]
        if ended.empty:
            continue
        horizon = int(ended["horizon"].max())
        solved = np.sort(ended["solved_epoch"].dropna().to_numpy(np.int64))
        for epoch in np.unique(np.concatenate([[0], solved, [horizon]])):
            count = int(np.searchsorted(solved, epoch, side="right"))
            share = wilson(count, len(ended))
            rows.append((*configuration, len(ended), len(cases) - len(ended), int(epoch), count, *share))
    return pd.DataFrame(rows, columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Steps, with the Wilson interval of the last share at the right."""
    panels = list(dict.fromkeys(frame["panel"]))
    totals = counted(frame, "runs")
    single = len(panels) == 1
    legend = [
        swatch(_label(name, frame, totals[name], single), colour, style)
        for name, colour in legend_names(frame).items()
    ]
    layout = Layout(title, epoch_label(first_epoch(frame["epoch"])), "share of runs solved", left=6.2)
    figure, axes = sheet(style, panels, legend, layout)
    horizon = float(frame["epoch"].max())
    series = list(legend_names(frame))
    reach = 1.28 ** (len(series) + 2)
    epoch_axis(axes[0], frame["epoch"], beyond=reach)
    share_axis(axes[0])
    for ax, panel in zip(axes, panels, strict=True):
        ax.axvline(horizon, color="#bbbbbb", linewidth=0.5 * style.line, linestyle=(0, (2, 2)))
        for place, name in enumerate(series):
            rows = frame[(frame["panel"] == panel) & (frame["series"] == name)]
            if rows.empty:
                continue
            # Where curves coincide the earlier ones are wider and show beneath.
            width = style.line * (1.0 + 1.5 * (1 - (place + 1) / len(series)))
            ax.step(rows["epoch"], rows["share"], where="post", color=rows["colour"].iloc[0], linewidth=width)
            end = rows.iloc[-1]
            at = horizon * 1.28 ** (place + 1.5)
            ax.vlines(at, end["low"], end["high"], color=end["colour"], linewidth=style.line)
            ax.plot(at, end["share"], "o", color=end["colour"], markersize=2.2 * style.line)
    return figure


def _label(name: str, frame: pd.DataFrame, total: str, single: bool) -> str:
    if not single:
        return f"{name} (n = {total})"
    last = frame[frame["series"] == name].iloc[-1]
    return f"{name}: {last['solved']} of {last['runs']} solved"


def caption(frame: pd.DataFrame) -> str:
    left = int(frame.drop_duplicates("configuration")["left_out"].sum())
    return (
        "Share of all ended runs that had met the success criterion by each epoch; unsolved and diverged "
        "runs stay in the denominator. The points with bars at the right are the shares at the last epoch "
        "(dotted line) with Wilson 95 % intervals. Where curves coincide, the earlier ones show beneath as "
        "wider lines." + (f" {left} unfinished runs are left out." if left else "")
    )


SOLVED: Final = FigureRecord(
    name="solved",
    title="Share of runs solved",
    section=SUCCESS,
    needs="a success criterion and at least one trained and ended run",
    applies=lambda m: m.is_trained and bool((m.cases["judged"] & (m.cases["state"] != UNFINISHED)).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, status, solved_epoch, experiment_runs.epochs AS last_epoch
FROM experiment_runs JOIN runs USING (run_id)
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
)
