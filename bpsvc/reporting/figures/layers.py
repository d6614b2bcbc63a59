"""A series per layer against epoch, log–log, one panel per configuration: the lecture's signal, weight
gradients, weight norms.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import Entry, Layout, sheet, swatch
from bpsvc.reporting.figures.record import SIGNALS, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, log_axis, share_axis
from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.grids import per_configuration
from bpsvc.reporting.material import Material
from bpsvc.reporting.palette import ordered_colours
from bpsvc.reporting.style import Style

FIRST: Final = First(24, "configurations", ("configuration",))
_COLUMNS: Final = ["configuration", "layer", "layers", "runs", "epoch"]


def preparing(column: str) -> Callable[[Material], pd.DataFrame]:
    """prepare for one column: configuration, layer, layers (how many), runs (n), epoch, the median over ended
    runs.
    """

    def prepare(material: Material) -> pd.DataFrame:
        by_configuration = per_configuration(material.layer_medians)
        parts = [pd.DataFrame(columns=[*_COLUMNS, column])]
        for facet, cases in facets(material):
            rows = by_configuration.get(int(cases["configuration"].iloc[0]))
            if rows is None:
                continue
            told = rows[rows[column].notna().groupby(rows["layer"]).transform("any")]
            about = {"configuration": facet.configuration, "layers": rows["layer"].max()}
            parts.append(told.assign(**about)[[*_COLUMNS, column]])
        return pd.concat(parts[1:] or parts, ignore_index=True)

    return prepare


def drawing_of(column: str, y: str, is_share: bool = False) -> Callable[[pd.DataFrame, Style, str], Figure]:
    """draw for one column: a line per layer, dark at the input, bright at the output."""

    def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
        told = frame[frame[column] > 0] if is_share else frame
        names = FIRST.of(told)
        drawn = frame.loc[frame["configuration"].isin(names), ["layer", "layers"]].drop_duplicates()
        counts = {name: int(frame.loc[frame["configuration"] == name, "runs"].max()) for name in names}
        alike = len(set(counts.values())) == 1
        headings = [name if alike else f"{name} (n = {counts[name]})" for name in names]
        figure, axes = sheet(
            style,
            headings,
            _legend(drawn, style, f"n = {counts[names[0]]} each" if alike else ""),
            Layout(title, epoch_label(first_epoch(frame["epoch"])), y, left=6.8),
        )
        epoch_axis(axes[0], frame["epoch"])
        if is_share:
            share_axis(axes[0])
        else:
            log_axis(axes[0], frame[column])
        for ax, name in zip(axes, names, strict=True):
            here = frame[frame["configuration"] == name]
            layers = int(here["layers"].iloc[0])
            # Without a value a line has a gap: no median, or none that a log axis can show.
            shown = here[column].where(np.isfinite(here[column]) & (is_share | (here[column] > 0)))
            points = np.column_stack([here["epoch"], shown])
            cuts = np.flatnonzero(np.diff(here["layer"])) + 1
            lines = LineCollection(
                np.split(points, cuts),
                colors=[_colour(layer, layers) for layer in dict.fromkeys(here["layer"])],
                linewidths=style.line * (1.0 if layers <= 6 else 0.7),
                capstyle="round",
            )
            ax.add_collection(lines, autolim=False)
            if not (np.isfinite(points[1:, 1]) & np.isfinite(points[:-1, 1])).any():
                ax.text(0.5, 0.5, "median 0", transform=ax.transAxes, ha="center", color="#555555")
        return figure

    return draw


def _colour(layer: int, layers: int) -> str:
    return ordered_colours(max(layers, 2))[layer - 1]


def _legend(lines: pd.DataFrame, style: Style, n: str) -> list[Entry]:
    """What there is a line of: `layer` of a net of so many `layers`."""
    note = [swatch(n, "none", style)] if n else []
    deepest = int(lines["layers"].max())
    if deepest <= 4:
        known = sorted(set(lines["layer"]))
        return [swatch(f"layer {k}" + _place(k, deepest), _colour(k, deepest), style) for k in known] + note
    shown = [(0.0, "first layer (at the input)"), (0.5, "middle")]
    if (lines["layer"] == lines["layers"]).any():
        shown.append((1.0, "last layer (output)"))
    return [swatch(text, ordered_colours(101)[int(100 * part)], style) for part, text in shown] + note


def _place(layer: int, deepest: int) -> str:
    return {1: " (at the input)", deepest: " (output)"}.get(layer, "")


def captioned(column: str, what: str, share: bool = False) -> Callable[[pd.DataFrame], str]:
    """caption for one column."""

    def caption(frame: pd.DataFrame) -> str:
        return (
            f"{what} Lines: medians over the ended runs (a run keeps its last value once it has stopped; a "
            "diverged one counts as larger than any), dark at the input, bright at the output."
            + (
                " Configurations where it is 0 throughout are left out of the picture."
                if share
                else " A median of exactly 0 has no place on a log axis: its line ends there."
            )
            + FIRST.said(frame[frame[column] > 0] if share else frame)
        )

    return caption


def layer_figure(
    name: str, title: str, column: str, y: str, what: str, *, is_share: bool = False
) -> FigureRecord:
    """The record of a per-layer series."""
    prepare = preparing(column)
    return FigureRecord(
        name=name,
        title=title,
        section=SIGNALS,
        needs=f"recorded layers of trained and ended runs ({column})",
        # A share that is 0 throughout is no picture.
        applies=lambda m: column in m.layers and m.is_trained and bool((m.once(prepare)[column] > 0).any()),
        prepare=prepare,
        draw=drawing_of(column, y, is_share),
        caption=captioned(column, what, is_share),
        sql=f"""
SELECT experiment, run_id, epoch, layer, {column}
FROM experiment_runs JOIN layer_gradients USING (run_id)
WHERE experiment IN ({{experiments}}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch, layer""",
    )


SIGNAL: Final = layer_figure(
    "signal",
    "Signal per layer against epoch",
    "delta_rms",
    "signal: RMS of ∂loss/∂z",
    "The lecture's signal: root mean square, over examples and units, of the derivative of one example's "
    "loss by the unit's input z.",
)
GRADIENT: Final = layer_figure(
    "gradient",
    "Weight gradient per layer against epoch",
    "gradient_l2",
    "L2 norm of the gradient",
    "Euclidean norm of the loss's gradient by a layer's weights, biases and learned knobs.",
)
SATURATED: Final = layer_figure(
    "saturated",
    "Saturated units per layer against epoch",
    "saturated",
    "share of saturated units",
    "Share of (example, unit) pairs whose |f′| is below 5 % of its maximum.",
    is_share=True,
)
DEAD: Final = layer_figure(
    "dead",
    "Dead units per layer against epoch",
    "dead",
    "share of dead units",
    "Share of units with f′ = 0 on every example: no signal passes through them.",
    is_share=True,
)
WEIGHTS: Final = layer_figure(
    "weights",
    "Weight norm per layer against epoch",
    "weight_l2",
    "L2 norm of the layer",
    "Euclidean norm of a layer's weights, biases and learned knobs.",
)
