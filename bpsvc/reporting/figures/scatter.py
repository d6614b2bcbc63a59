"""How runs come out against each axis that was drawn at random: a point per draw, a panel per axis."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bpsvc.reporting.figures.effects import drawn_effects
from bpsvc.reporting.figures.factors import SQL, method, value_axis
from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import Layout, sheet
from bpsvc.reporting.figures.record import FACTORS, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.palette import INK
from bpsvc.reporting.style import Style

_AXES: Final = First(6, "axes", ("first",))
_WIDE: Final = 30.0  # the largest over the least, from which on a logarithmic axis shows more


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Points with their intervals, so faint that many beside each other still tell."""
    names = _AXES.of(frame)
    layout = Layout(
        title, "", str(frame["outcome"].iloc[0]), same_x=False, left=6.4, columns=min(3, len(names))
    )
    figure, axes = sheet(style, names, [], layout)
    value_axis(axes[0], frame)
    for ax, name in zip(axes, names, strict=True):
        rows = frame[frame["first"] == name].replace([np.inf, -np.inf], np.nan).dropna(subset="value")
        x = rows["level"].astype(np.float64)
        if x.min() > 0 and x.max() > _WIDE * x.min():
            log_axis(ax, x, "x")
        else:
            ax.locator_params(axis="x", nbins=5)
        low, high = ax.get_ylim()
        ends = rows["low"].fillna(low), rows["high"].fillna(high)
        ax.vlines(x, *ends, color=INK, linewidth=0.5 * style.line, alpha=0.3)
        ax.plot(x, rows["value"], "o", color=INK, markersize=2.4 * style.line, alpha=0.8)
    return figure


def caption(frame: pd.DataFrame) -> str:
    lost = int((~np.isfinite(frame["value"])).groupby(frame["first"]).sum().max())
    return (
        "A point for each draw, against what was drawn for this axis; all other axes vary too. "
        + method(frame).replace(", pooled over all other factors", "")
        + (f" {lost} draws of which more than half diverged have no place." if lost else "")
        + _AXES.said(frame)
    )


SCATTER: Final = FigureRecord(
    name="scatter",
    title="Outcome against what was drawn at random",
    needs="an axis drawn at random, and a yardstick in common",
    applies=lambda m: bool(np.isfinite(m.once(drawn_effects)["value"].astype(np.float64)).any()),
    prepare=drawn_effects,
    draw=draw,
    caption=caption,
    sql=SQL,
    section=FACTORS,
)
