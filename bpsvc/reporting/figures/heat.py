"""The signal as a landscape: layer by epoch, a colour for each decade."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bpsvc.reporting.figures.layers import FIRST, SIGNAL
from bpsvc.reporting.figures.panels import Layout, colour_bar, sheet
from bpsvc.reporting.figures.record import SIGNALS, FigureRecord
from bpsvc.reporting.figures.scales import decades, epoch_axis, epoch_label, first_epoch, power_of_ten
from bpsvc.reporting.style import Style

_SCALE: Final = "cividis"
_WIDE: Final = 480  # columns of a panel's image
_ACROSS: Final = np.stack([(np.arange(_WIDE) + 0.5) / _WIDE, np.zeros(_WIDE)], axis=1)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Rectangles from one recorded epoch to the next; grey where there is no signal at all."""
    names = FIRST.of(frame)
    positive = frame.loc[(frame["delta_rms"] > 0) & np.isfinite(frame["delta_rms"]), "delta_rms"]
    norm = LogNorm(float(positive.min()), float(positive.max())) if len(positive) else LogNorm(0.1, 1)
    counts = frame.groupby("configuration")["runs"].max()
    alike = counts.nunique() == 1
    left = 4.6
    layout = Layout(
        title,
        epoch_label(first_epoch(frame["epoch"])),
        "layer (1 at the input)",
        left=left,
        same_y=False,
        below=4.6,
        aspect=0.6,
    )
    figure, axes = sheet(
        style, [name if alike else f"{name} (n = {int(counts[name])})" for name in names], [], layout
    )
    epoch_axis(axes[0], frame["epoch"])
    for ax, name in zip(axes, names, strict=True):
        table = frame[frame["configuration"] == name].pivot(
            index="layer", columns="epoch", values="delta_rms"
        )
        values = table.to_numpy(np.float64)
        shown = np.ma.masked_where(~(np.isfinite(values) & (values > 0)), values)
        ax.set_facecolor("#bbbbbb")
        at = ax.transData.inverted().transform(ax.transAxes.transform(_ACROSS))[:, 0]
        recorded = np.searchsorted(table.columns.to_numpy(np.float64), at, side="right") - 1
        # An image as wide as a panel: a mesh of rectangles takes five times as long to draw.
        ax.imshow(
            shown[:, np.maximum(recorded, 0)],
            cmap=_SCALE,
            norm=norm,
            aspect="auto",
            interpolation="nearest",
            origin="lower",
            extent=(0, 1, 0, 1),
            transform=ax.transAxes,
        )
        top = len(table)
        step = max(1, int(np.ceil(top / 5)))
        ax.yaxis.set_major_locator(
            FixedLocator([1, *range(step, top + 1, step)] if step > 2 else range(1, top + 1, step))
        )
        ax.yaxis.set_minor_locator(NullLocator())
        ax.grid(visible=False)
        ax.set_ylim(0.5, top + 0.5)
    bar = colour_bar(
        figure,
        style,
        ScalarMappable(norm, _SCALE),
        "median signal: RMS of ∂loss/∂z" + (f" (n = {int(counts.iloc[0])} each)" if alike else ""),
        left,
    )
    chosen = decades(norm.vmin or 0.1, norm.vmax or 1.0, 6)
    bar.xaxis.set_major_locator(FixedLocator([10.0**k for k in chosen]))
    bar.xaxis.set_minor_locator(NullLocator())
    bar.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(round(np.log10(value)))))
    return figure


def caption(frame: pd.DataFrame) -> str:
    return (
        "Median signal (delta_rms) of each layer over the ended runs, from one recorded epoch to the next; "
        "grey: no signal at all, or diverged. A net that learns brightens the lower layers before it "
        "darkens throughout." + FIRST.said(frame)
    )


HEAT: Final = FigureRecord(
    name="heat",
    title="Signal by layer and epoch",
    needs="at least two hidden layers and a trained and ended run",
    applies=lambda m: bool((m.start["depth"] >= 2).any()) and m.is_trained,
    prepare=SIGNAL.prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, epoch, layer, delta_rms
FROM experiment_runs JOIN layer_gradients USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch, layer""",
    section=SIGNALS,
)
