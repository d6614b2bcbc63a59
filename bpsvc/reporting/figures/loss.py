"""Loss against epoch: one panel per loss, every run thin, the median and its interval bold."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from bpsvc.reporting.figures.limits import Limits, beyond, limits, said
from bpsvc.reporting.figures.panels import Layout, sheet, swatch, tips
from bpsvc.reporting.figures.record import LEARNING, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, log_axis
from bpsvc.reporting.figures.series import counted, facets, faint, legend_names, not_drawn, shown, under
from bpsvc.reporting.grids import grid
from bpsvc.reporting.material import Material
from bpsvc.reporting.palette import INK
from bpsvc.reporting.plateaus import levels_met
from bpsvc.reporting.stats import median_band
from bpsvc.reporting.style import Style

_UNITS: Final = {"log_likelihood": "−log L in nats", "squared": "½ Σ (y − h)²"}
_COLUMNS: Final = [
    *("panel", "unit", "data", "series", "colour", "configuration", "runs"),
    *("row", "run_id", "epoch", "loss", "low", "high"),
]


def unit(loss: object, reduction: object) -> str:
    """`−log L in nats, mean`: what is measured, and how it is reduced over the examples."""
    return f"{_UNITS.get(str(loss), str(loss))}, {'sum' if reduction == 'sum' else 'mean'}"


def prepare(material: Material) -> pd.DataFrame:
    """Rows `run` (each run's records) and `median` (over ended runs, interval low … high) per panel and
    series.
    """
    measures = material.cases[["loss", "reduction"]].drop_duplicates()
    parts, heads = [], []
    for facet, cases in facets(material):
        for (loss, reduction), members in cases.groupby(["loss", "reduction"], sort=False):
            records = material.curves_of(members)
            if records.empty:
                continue
            epochs, values = grid(records, members, "loss")
            band = median_band(values)
            head = {
                **facet._asdict(),
                "panel": _panel(str(loss), str(reduction), facet.panel, measures),
                "unit": unit(loss, reduction),
                "data": str(members["data"].iloc[0]) if members["data"].nunique() == 1 else "",
                "runs": values.shape[0],
            }
            middle = pd.DataFrame({"epoch": epochs, "loss": band.median, "low": band.low, "high": band.high})
            parts += [records[["run_id", "epoch", "loss"]], middle]
            heads += [head | {"row": "run"}, head | {"row": "median"}]
    return under(heads, parts).reindex(columns=_COLUMNS)


def _panel(loss: str, reduction: str, panel: str, measures: pd.DataFrame) -> str:
    """The heading: it names the loss where there are several, and the reduction where there are several of
    those.
    """
    parts = [panel] if panel else []
    if measures["reduction"].nunique() > 1 and reduction not in panel:
        parts.insert(0, reduction)
    if measures["loss"].nunique() > 1 and loss not in panel:
        parts.insert(0, loss)
    return " · ".join(parts)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Bundles are rasterised: thousands of thin lines would make the SVG heavy and add nothing."""
    frame = shown(frame)
    panels, units = ([str(name) for name in frame[column].unique()] for column in ("panel", "unit"))
    n = counted(frame, "runs")
    names = legend_names(frame)
    legend = [swatch(f"{name} (n = {n[name]})", colour, style) for name, colour in names.items()]
    together = len(units) == 1
    layout = Layout(
        title,
        epoch_label(first_epoch(frame["epoch"])),
        f"loss: {' or '.join(units)}",
        same_y=together,
        columns=None if together or style.height else 1 if style.width < 5 else min(3, len(panels)),
        left=6.6,
        right=1.6,
        aspect=None if len(panels) == 1 else 0.72,
    )
    figure, axes = sheet(style, panels, legend, layout)
    epoch_axis(axes[0], frame["epoch"])
    for ax, panel in zip(axes, panels, strict=True):
        here = frame[frame["panel"] == panel]
        if ax is axes[0] or not together:
            seen = frame if together else here
            log_axis(ax, _limits(seen).clipped(seen["loss"]))
        for _, rows in here[here["row"] == "run"].groupby("series", sort=False):
            _bundle(ax, rows, style)
        for _, rows in here[here["row"] == "median"].groupby("series", sort=False):
            _middle(ax, rows, style)
        _levels(ax, here, style)
    return figure


def _limits(seen: pd.DataFrame) -> Limits:
    """Those of one axis, from how the runs that it shows start."""
    return limits(seen.loc[(seen["row"] == "run") & (seen["epoch"] == 0), "loss"])


def _outside(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that leave the frames of their axes: see `beyond`."""
    axes = [frame] if frame["unit"].nunique() == 1 else [rows for _, rows in frame.groupby("panel")]
    parts = [beyond(rows["run_id"], rows["loss"], _limits(rows)) for rows in axes]
    return pd.concat(parts, ignore_index=True)


def _bundle(ax: Axes, rows: pd.DataFrame, style: Style) -> None:
    ordered = rows.sort_values(["run_id", "epoch"], kind="stable")
    points = ordered[["epoch", "loss"]].to_numpy(np.float64)
    cuts = np.flatnonzero(np.diff(ordered["run_id"].to_numpy(np.float64))) + 1
    lines = np.split(points, cuts)
    bundle = LineCollection(
        lines,
        colors=rows["colour"].iloc[0],
        linewidths=0.45 * style.line,
        alpha=faint(len(lines)),
        rasterized=True,
        zorder=1.5,
    )
    ax.add_collection(bundle, autolim=False)


def _middle(ax: Axes, rows: pd.DataFrame, style: Style) -> None:
    colour = rows["colour"].iloc[0]
    known = rows[np.isfinite(rows["high"])]
    ax.fill_between(known["epoch"], known["low"], known["high"], color=colour, alpha=0.22, linewidth=0)
    ax.plot(rows["epoch"], rows["loss"].replace(np.inf, np.nan), color=colour, linewidth=1.35 * style.line)


def _levels(ax: Axes, here: pd.DataFrame, style: Style) -> None:
    """The plateaus at which runs of this panel ended, lettered at the right edge."""
    met = levels_met(here)
    for level in met:
        ax.axhline(level.height, color="#777777", linewidth=0.4 * style.line, linestyle=(0, (4, 3)), zorder=1)
    tips(ax, [(level.height, level.letter, INK) for level in met], style)


def caption(frame: pd.DataFrame) -> str:
    many = frame["unit"].nunique() > 1
    met = {level.letter: level.outputs for _, rows in frame.groupby("panel") for level in levels_met(rows)}
    letters = "; ".join(f"{letter}: {outputs}" for letter, outputs in sorted(met.items()))
    return (
        "Loss, reduced over the examples as its axis says. Thin: every run. Bold: the median over all "
        "ended runs, each kept at its last value once it has stopped (a diverged run counts as larger than "
        "any); shaded: the 95 % percentile bootstrap interval of that median."
        + (" Losses in different units have their own panels; their heights do not compare." if many else "")
        + (
            f" Dashed: where runs got stuck, with the outputs for the four patterns: {letters}."
            if met
            else ""
        )
        + said(_outside(shown(frame)))
        + not_drawn(frame)
    )


LOSS: Final = FigureRecord(
    name="loss",
    title="Loss against epoch",
    section=LEARNING,
    needs="at least one trained and ended run with records",
    applies=lambda m: m.is_trained and not m.curves.empty,
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, epoch, epochs.loss
FROM experiment_runs JOIN epochs USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch""",
)
