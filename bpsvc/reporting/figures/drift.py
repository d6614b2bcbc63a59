"""Success, final loss and computing time of a schedule's occurrences, one after the other."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import FigureRecord
from bpsvc.reporting.figures.scales import log_axis, share_axis
from bpsvc.reporting.material import Material
from bpsvc.reporting.palette import FAINT, unordered_colours
from bpsvc.reporting.style import Style

_DAYS: Final = 6
_TIMES: Final = 3
_SHARE: Final = "share of runs solved"
_SECONDS: Final = "seconds a run"


def prepare(material: Material) -> pd.DataFrame:
    """The rows of `material.history` (see `history.COLUMNS`)."""
    return pd.DataFrame() if material.history is None else material.history


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel for each measure; the last occurrence is marked."""
    losses = sorted(frame["loss"].unique())
    colours = dict(zip(losses, unordered_colours(len(losses)), strict=True))
    solved = [_SHARE] if frame["judged"].any() else []
    panels = [*solved, *(f"final loss: {loss}" for loss in losses), _SECONDS]
    legend = [swatch(str(loss), colours[loss], style, marker="o") for loss in losses]
    legend.append(swatch("median or share, and quartiles or 95 % interval", FAINT, style, marker="o"))
    layout = Layout(title, "occurrence (month-day, UTC)", "", columns=2, same_x=True, same_y=False)
    figure, axes = sheet(style, panels, legend, layout)
    for ax, panel in zip(axes, panels, strict=True):
        for loss in losses:
            rows = frame[frame["loss"] == loss]
            if panel == _SHARE:
                _line(
                    ax, rows[rows["judged"] > 0], ("share_low", "share", "share_high"), colours[loss], style
                )
            elif panel == _SECONDS:
                _line(ax, rows, ("seconds_q1", "seconds", "seconds_q3"), colours[loss], style)
            elif panel.endswith(f": {loss}"):
                names = ("final_loss_q1", "final_loss", "final_loss_q3")
                _line(ax, rows, names, colours[loss], style)
                log_axis(ax, rows[list(names)].to_numpy(np.float64))
        if panel == _SHARE:
            share_axis(ax)
        elif panel == _SECONDS:
            ax.set_ylim(bottom=0)
    _instants(axes[0], frame)
    return figure


def _line(ax: Axes, rows: pd.DataFrame, names: tuple[str, str, str], colour: str, style: Style) -> None:
    low, middle, high = (rows[name].to_numpy(np.float64) for name in names)
    seen = np.isfinite(middle)
    x = rows["occurrence"].to_numpy(np.float64)
    top = np.where(np.isfinite(high), high, middle)
    ax.vlines(x[seen], low[seen], top[seen], color=colour, linewidth=0.8 * style.line, alpha=0.6)
    ax.plot(x, np.where(seen, middle, np.nan), "o-", color=colour, linewidth=0.6 * style.line)
    if seen.size and seen[-1]:
        ax.plot(x[-1], middle[-1], "o", color=colour, markersize=4.5 * style.line)


def _instants(ax: Axes, frame: pd.DataFrame) -> None:
    """Days as ticks; with the time, and fewer of them, where a day has several occurrences."""
    about = frame.drop_duplicates("occurrence")
    days = about["instant"].str[5:10]
    texts = days if days.is_unique else about["instant"].str[5:16].str.replace("T", " ")
    count = min(_DAYS if days.is_unique else _TIMES, len(texts))
    chosen = np.unique(np.linspace(0, len(texts) - 1, count).round().astype(np.intp))
    numbers = about["occurrence"].to_numpy(np.float64)
    ax.xaxis.set_major_locator(FixedLocator(numbers[chosen].tolist()))
    ax.xaxis.set_major_formatter(FixedFormatter([texts.iloc[place] for place in chosen]))
    ax.set_xlim(numbers.min() - 0.6, numbers.max() + 0.6)


def caption(frame: pd.DataFrame) -> str:
    lost = int((~np.isfinite(frame["final_loss"].to_numpy(np.float64))).sum())
    return (
        f"The last {frame['occurrence'].nunique()} submitted occurrences of this schedule; the large points "
        "are this one. Shares have Wilson 95 % intervals, losses and seconds quartiles over runs."
        + (f" {lost} medians of the loss are infinite (diverged runs) and not drawn." if lost else "")
    )


DRIFT: Final = FigureRecord(
    name="drift",
    title="This occurrence and those before it",
    needs="an occurrence of a schedule",
    applies=lambda material: material.history is not None and not material.history.empty,
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT instant, experiment, run_id, loss, final_loss, solved_epoch, seconds
FROM occurrences JOIN results USING (experiment)
WHERE schedule = (SELECT schedule FROM occurrences WHERE experiment IN ({experiments}) LIMIT 1)
ORDER BY instant, run_id""",
)
