"""Share of runs that have met their criterion against epoch: the common yardstick of losses that do not share
an axis.
"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import SUCCESS, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, share_axis, widened
from bpsvc.reporting.figures.series import breadth, counted, facets, legend_names, not_drawn, shown
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import wilson
from bpsvc.reporting.style import Style
from bpsvc.wording import plural

_ASIDE: Final = 0.16  # of the axis is for what is drawn beside the curves
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
    "held",
    "held_share",
    "held_low",
    "held_high",
]


def prepare(material: Material) -> pd.DataFrame:
    """Steps of the share that met the criterion once: panel, series, colour, configuration, runs (n),
    left_out, epoch, solved, share, low, high; and how many still met it at their last epoch (NaN: not known).
    """
    rows = []
    for configuration, cases in facets(material):
        ended = cases[(cases["state"] != UNFINISHED) & cases["judged"]]
        if ended.empty:
            continue
        horizon = int(ended["horizon"].max())
        held = float(ended["held"].sum(skipna=False))
        kept = (held, *(wilson(int(held), len(ended)) if np.isfinite(held) else (np.nan,) * 3))
        solved = np.sort(ended["solved_epoch"].dropna().to_numpy(np.int64))
        for epoch in np.unique(np.concatenate([[0], solved, [horizon]])):
            count = int(np.searchsorted(solved, epoch, side="right"))
            share = wilson(count, len(ended))
            rows.append(
                (*configuration, len(ended), len(cases) - len(ended), int(epoch), count, *share, *kept)
            )
    return pd.DataFrame(rows, columns=_COLUMNS)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Steps; at the right the last share with its Wilson interval, and hollow the share that held it."""
    frame = shown(frame)
    panels = list(dict.fromkeys(frame["panel"]))
    totals = counted(frame, "runs")
    single = len(panels) == 1
    some_lost = bool((frame.groupby("configuration")["solved"].max() > held_of(frame)).any())
    legend = [
        swatch(_label(name, frame, totals[name], single), colour, style)
        for name, colour in legend_names(frame).items()
    ]
    if some_lost:
        hollow = {"linestyle": "none", "marker": "o", "fillstyle": "none", "markersize": 2.2 * style.line}
        legend.append(swatch("held at the end", "#555555", style, **hollow))
    layout = Layout(
        title, epoch_label(first_epoch(frame["epoch"])), "share of runs that reached it", left=6.2
    )
    figure, axes = sheet(style, panels, legend, layout)
    horizon = float(frame["epoch"].max())
    series = list(legend_names(frame))
    epoch_axis(axes[0], frame["epoch"])
    widened(axes[0], _ASIDE)
    # The places of the shares at the last epoch, as fractions of the axis.
    places = 1 - _ASIDE + _ASIDE * (np.arange(len(series)) + 0.8) / (len(series) + 0.6)
    share_axis(axes[0])
    for ax, panel in zip(axes, panels, strict=True):
        ax.axvline(horizon, color="#bbbbbb", linewidth=0.5 * style.line, linestyle=(0, (2, 2)))
        for place, name in enumerate(series):
            rows = frame[(frame["panel"] == panel) & (frame["series"] == name)]
            if rows.empty:
                continue
            width = style.line * breadth(place, len(series))
            ax.step(rows["epoch"], rows["share"], where="post", color=rows["colour"].iloc[0], linewidth=width)
            end = rows.iloc[-1]
            at = float(places[place])
            _share(ax, at, end[["share", "low", "high"]], end["colour"], style)
            if some_lost:
                at += 0.4 * _ASIDE / (len(series) + 0.6)
                _share(
                    ax, at, end[["held_share", "held_low", "held_high"]], end["colour"], style, hollow=True
                )
    return figure


def held_of(frame: pd.DataFrame) -> "pd.Series[float]":
    """configuration -> how many runs still meet the criterion at their last epoch."""
    return frame.groupby("configuration")["held"].first()


def _share(
    ax: Axes, at: float, share: "pd.Series[float]", colour: str, style: Style, hollow: bool = False
) -> None:
    middle, low, high = share
    across = ax.get_yaxis_transform()  # x: a fraction of the axis
    ax.vlines(at, low, high, color=colour, linewidth=(0.5 if hollow else 1.0) * style.line, transform=across)
    face = "#ffffff" if hollow else colour
    ax.plot(
        at, middle, "o", color=colour, markerfacecolor=face, markersize=2.2 * style.line, transform=across
    )


def _label(name: str, frame: pd.DataFrame, total: str, single: bool) -> str:
    if not single:
        return f"{name} (n = {total})"
    last = frame[frame["series"] == name].iloc[-1]
    held = last["held"]
    kept = "" if np.isnan(held) or held == last["solved"] else f", {held:.0f} held"
    return f"{name}: {last['solved']} of {last['runs']} reached" + kept


def caption(frame: pd.DataFrame) -> str:
    each = frame.drop_duplicates("configuration", keep="last")
    left, lost = int(each["left_out"].sum()), int((each["solved"] - each["held"]).sum())
    return (
        "Share of all ended runs that had met the success criterion at least once by each epoch; the others, "
        "diverged ones too, stay in the denominator. The points with bars at the right are the shares at the "
        "last epoch (dotted line) with Wilson 95 % intervals"
        + (
            f"; {plural(lost, 'run')} lost it again, and hollow points are the shares that held it"
            if lost
            else ""
        )
        + ". Where curves coincide, the earlier ones show beneath as "
        "wider lines." + (f" Left out: {plural(left, 'unfinished run')}." if left else "") + not_drawn(frame)
    )


SOLVED: Final = FigureRecord(
    name="solved",
    title="Share of runs that reached the criterion",
    section=SUCCESS,
    needs="a success criterion and at least one trained and ended run",
    applies=lambda m: m.is_trained and bool((m.cases["judged"] & (m.cases["state"] != UNFINISHED)).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, status, solved_epoch, final_accuracy, target_epochs AS last_epoch
FROM results
WHERE experiment IN ({experiments})
ORDER BY experiment, run_id""",
)
