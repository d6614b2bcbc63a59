"""Rows of points: every run of a configuration at its value, with the median and its interval."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import Entry, Layout, fitted, sheet, swatch, text_width
from bpsvc.reporting.figures.swarm import stacked
from bpsvc.reporting.palette import INK
from bpsvc.reporting.style import Style

FIRST: Final = First(6, "kinds of loss", ("panel",))
_MOST_DRAWN: Final = 300  # points of a row; more are rasterised


@dataclass(frozen=True)
class Strip:
    """How rows are drawn: the column on the x axis, and whether the axis is logarithmic.

    `below` names a second column, drawn hollow beneath the line.
    """

    column: str
    log: bool = False
    below: str | None = None


def rows_sheet(
    frame: pd.DataFrame, style: Style, title: str, legend: list[Entry], x: str, same_x: bool, row: float
) -> tuple[Figure, list[Axes], list[str]]:
    """One panel per `panel`, below each other, a row per `configuration`, labelled with its n."""
    panels = FIRST.of(frame)
    names = {panel: row_names(frame[frame["panel"] == panel]) for panel in panels}
    widest = max(
        (text_width(label, 0.9 * style.font) for labels in names.values() for label in labels), default=1
    )
    left = min(widest / style.em + 1.6, 0.46 * style.width / style.em)
    layout = Layout(
        title,
        x,
        left=left,
        right=2,
        columns=1,
        same_x=same_x,
        same_y=False,
        row_heights=tuple(row * len(names[panel]) + 0.6 for panel in panels),
    )
    figure, axes = sheet(style, panels, legend, layout)
    for ax, panel in zip(axes, panels, strict=True):
        labels = [fitted(name, 0.9 * style.font, (left - 1) * style.em) for name in names[panel]]
        ax.set_yticks(range(len(labels)), labels[::-1])
        ax.set_ylim(-0.6, len(labels) - 0.4)
        ax.grid(visible=False, axis="y")
        ax.tick_params(axis="y", length=0)
    return figure, axes, panels


def row_names(frame: pd.DataFrame) -> list[str]:
    """`tanh (n = 20)` for each configuration, in order."""
    each = frame.drop_duplicates("configuration")
    return [f"{name} (n = {int(n)})" for name, n in zip(each["configuration"], each["runs"], strict=True)]


def row_height(frame: pd.DataFrame) -> float:
    """Ems a row: fewer when there are many."""
    most = int(frame.groupby("panel")["configuration"].nunique().max())
    return 4.4 if most <= 8 else 3.0


def strip_rows(ax: Axes, frame: pd.DataFrame, strip: Strip, style: Style, row: float) -> None:
    """Draw one panel: points in piles, and the median with its interval."""
    names = list(dict.fromkeys(frame["configuration"]))
    step = 2.4 * style.line / (row * style.font)
    for place, name in enumerate(names):
        rows = frame[frame["configuration"] == name]
        colour = rows["colour"].iloc[0]
        y = len(names) - 1 - place
        for column, side in ((strip.column, 1), (strip.below, -1)):
            if column is None:
                continue
            values = rows[column].to_numpy(np.float64)
            at = (
                np.where(values > 0, np.log10(np.where(values > 0, values, 1)), np.nan)
                if strip.log
                else values
            )
            ax.plot(
                values,
                y + side * (0.12 + stacked(at, step, 0.3)),
                "o",
                color=colour,
                markerfacecolor=colour if side > 0 else "none",
                markersize=2.2 * style.line,
                markeredgewidth=0.4 * style.line,
                alpha=0.8,
                rasterized=len(values) > _MOST_DRAWN,
            )
        first = rows.iloc[0]
        ax.hlines(y, first["low"], first["high"], color=INK, linewidth=1.2 * style.line)
        ax.plot(
            first["median"], y, "|", color=INK, markersize=7 * style.line, markeredgewidth=1.2 * style.line
        )


def strip_legend(style: Style, above: str, below: str | None = None) -> list[Entry]:
    """What a point is, and the median."""
    dot = {"linestyle": "none", "marker": "o", "markersize": 2.2 * style.line}
    points = [swatch(above, "#666666", style, **dot)]
    if below is not None:
        points.append(swatch(below, "#666666", style, fillstyle="none", **dot))
    return [*points, swatch("median, 95 % interval", INK, style, marker="|", markersize=7 * style.line)]
