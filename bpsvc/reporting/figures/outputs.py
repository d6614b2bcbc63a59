"""What nets answer: the decision surface over two inputs, and the confusion matrix of classes."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import Layout, colour_bar, fitted, sheet, text_width
from bpsvc.reporting.figures.record import NETWORKS, FigureRecord
from bpsvc.reporting.material import Material
from bpsvc.reporting.palette import INK
from bpsvc.reporting.style import Style

_NETS: Final = First(12, "configurations", ("panel",))
_CONFUSED: Final = First(12, "configurations", ("configuration",))
_ROUNDING: Final = 1e-12
_DECISION, _REAL = "RdBu_r", "viridis"  # real numbers have no middle
_SAME_SCALE: Final = (
    "; one scale of colours for all nets, as wide as the targets and at most as much again on either side"
)
_ALONE: Final = 26.0  # ems a single panel is wide
_CASE: Final = ["experiment", "run_id"]
_SURFACE: Final = ["panel", "configurations", "run_id", "x1", "x2", "output", "target"]
_CONFUSION: Final = ["configuration", "runs", "actual", "predicted", "examples", "share"]


def prepare_surface(material: Material) -> pd.DataFrame:
    """x1, x2, output on a grid of the inputs for each run given; rows with a `target` are examples.

    `configurations`: how many there are, with or without a run given.
    """
    if material.surface is None:
        return pd.DataFrame(columns=_SURFACE)
    labels = material.configurations.set_index("configuration")["label"]
    told = material.surface.merge(material.cases[[*_CASE, "configuration", "seed"]], on=_CASE)
    told = told.sort_values("configuration", kind="stable", ignore_index=True)
    panel = "seed " + told["seed"].astype(int).astype(str) + " · " + told["configuration"].map(labels)
    return told.assign(panel=panel, configurations=len(labels)).reindex(columns=_SURFACE)


def draw_surface(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Output as colour, the examples as points with the colour of their target; between targets of 0 and 1
    the line at ½.
    """
    panels = _NETS.of(frame)
    decides = _decides(frame)
    norm = Normalize(0, 1) if decides else _spread(frame[frame["panel"].isin(panels)])
    colours = _DECISION if decides else _REAL
    left = 5.4
    figure, axes = sheet(style, panels, [], _layout(title, ("x1", "x2"), left, len(panels), style))
    axes[0].locator_params(nbins=4)
    for ax, panel in zip(axes, panels, strict=True):
        here = frame[frame["panel"] == panel]
        _landscape(ax, here[here["target"].isna()], norm, style, decides)
        points = here[here["target"].notna()]
        ax.scatter(
            points["x1"],
            points["x2"],
            c=points["target"],
            cmap=colours,
            norm=norm,
            s=14 * style.line,
            edgecolors="#ffffff",
            linewidths=0.8 * style.line,
            zorder=3,
            clip_on=False,
        )
        ax.grid(visible=False)
    label = "output h(x)" + ("; line: h = ½" if decides else "")
    colour_bar(figure, style, ScalarMappable(norm, colours), label, left)
    return figure


def _decides(frame: pd.DataFrame) -> bool:
    """Whether the targets are 0 and 1, so that ½ divides the answers; real ones are no decision."""
    return bool(frame["target"].dropna().isin([0, 1]).all())


def _spread(frame: pd.DataFrame) -> Normalize:
    """One scale of colours for the targets and outputs of all panels; outputs far beyond the targets, as of a
    run that blew up, have the colours of its ends.
    """
    targets, outputs = (frame[name].to_numpy(np.float64) for name in ("target", "output"))
    low, high = float(np.nanmin(targets)), float(np.nanmax(targets))
    room = (high - low) or 1.0
    known = np.clip(outputs[np.isfinite(outputs)], low - room, high + room)
    return Normalize(min(low, known.min(initial=low)), max(high, known.max(initial=high)))


def _layout(title: str, labels: tuple[str, str], left: float, panels: int, style: Style) -> Layout:
    """Up to three panels in a row over a scale of colours; one alone is not as wide as the page."""
    right = max(1.0, style.width / style.em - left - _ALONE) if panels == 1 else 1.0
    return Layout(title, *labels, left=left, right=right, columns=min(3, panels), aspect=0.85, below=4.6)


def _landscape(ax: Axes, grid: pd.DataFrame, norm: Normalize, style: Style, decides: bool) -> None:
    table = grid.pivot(index="x2", columns="x1", values="output")
    x, y, h = table.columns.to_numpy(np.float64), table.index.to_numpy(np.float64), table.to_numpy(np.float64)
    half_x, half_y = (np.ptp(side) / (side.size - 1) / 2 for side in (x, y))
    ax.imshow(
        h,
        cmap=_DECISION if decides else _REAL,
        norm=norm,
        aspect="auto",
        interpolation="bilinear",
        origin="lower",
        extent=(x.min() - half_x, x.max() + half_x, y.min() - half_y, y.max() + half_y),
    )
    if decides and h.min() < 0.5 - _ROUNDING and h.max() > 0.5 + _ROUNDING:
        ax.contour(x, y, h, levels=[0.5], colors=INK, linewidths=0.9 * style.line)
    ax.set_xlim(x.min(), x.max())
    ax.set_ylim(y.min(), y.max())


def caption_surface(frame: pd.DataFrame) -> str:
    line = "; the black line is where it changes its mind (h = ½)" if _decides(frame) else _SAME_SCALE
    return (
        f"What each net answers for every pair of inputs at its last epoch{line}. Points: the examples, in "
        "the colour of their target." + _NETS.said(frame, int(frame["configurations"].iloc[0]))
    )


def prepare_confusion(material: Material) -> pd.DataFrame:
    """Examples by actual and predicted class, summed over the runs of a configuration; share of the actual
    class.
    """
    if material.confusion is None:
        return pd.DataFrame(columns=_CONFUSION)
    joined = material.confusion.merge(material.cases[[*_CASE, "case", "configuration"]], on=_CASE)
    runs = joined.groupby("configuration")["case"].nunique()
    counts = joined.groupby(["configuration", "actual", "predicted"], sort=False, as_index=False)[
        "examples"
    ].sum()
    totals = counts.groupby(["configuration", "actual"])["examples"].transform("sum")
    labels = material.configurations.set_index("configuration")["label"]
    ordered = counts.assign(share=counts["examples"] / totals, runs=counts["configuration"].map(runs))
    ordered = ordered.sort_values("configuration", kind="stable")
    named: pd.DataFrame = ordered.assign(configuration=ordered["configuration"].map(labels))
    return named.reindex(columns=_CONFUSION)


def draw_confusion(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A matrix per configuration: rows are what the examples are, columns what the nets say."""
    names = _CONFUSED.of(frame)
    classes = list(dict.fromkeys([*frame["actual"], *frame["predicted"]]))
    short = [fitted(str(name), 0.9 * style.font, 1.3) for name in classes]
    left = max(text_width(name, 0.9 * style.font) for name in short) / style.em + 3.4
    runs = frame.drop_duplicates("configuration").set_index("configuration")["runs"]
    norm = Normalize(0, 1)
    headings = [f"{name} (n = {runs[name]} runs)" for name in names]
    layout = _layout(title, ("predicted", "actual"), left, len(names), style)
    figure, axes = sheet(style, headings, [], layout)
    for ax, name in zip(axes, names, strict=True):
        here = frame[frame["configuration"] == name]
        table = here.pivot(index="actual", columns="predicted", values="share").reindex(
            index=classes, columns=classes
        )
        values = table.fillna(0.0).to_numpy(np.float64)
        ax.pcolormesh(
            np.arange(len(classes) + 1) - 0.5,
            np.arange(len(classes) + 1) - 0.5,
            values,
            cmap="Blues",
            norm=norm,
        )
        if len(classes) <= 12:
            for (row, column), share in np.ndenumerate(values):
                text = f"{share:.0%}" if len(classes) > 5 else f"{share:.1%}"
                colour = "#ffffff" if share > 0.6 else INK
                ax.text(column, row, text, ha="center", va="center", size=0.8 * style.font, color=colour)
        ax.set_xticks(range(len(classes)), [name if len(classes) <= 4 else name[:3] for name in short])
        ax.set_yticks(range(len(classes)), short)
        ax.set_ylim(len(classes) - 0.5, -0.5)
        ax.grid(visible=False)
        ax.tick_params(length=0)
    colour_bar(figure, style, ScalarMappable(norm, "Blues"), "share of the actual class", left)
    return figure


def caption_confusion(frame: pd.DataFrame) -> str:
    total = int(frame["examples"].sum())
    return (
        f"Predictions by class, summed over the runs of each configuration ({total:,} in all); rows add up "
        "to 100 %. The diagonal is what is right." + _CONFUSED.said(frame)
    )


SURFACE: Final = FigureRecord(
    name="surface",
    title="Output surface",
    needs="two inputs, and runs whose outputs were computed on a grid",
    applies=lambda m: not m.once(prepare_surface).empty,
    prepare=prepare_surface,
    draw=draw_surface,
    caption=caption_surface,
    sql="""
SELECT experiment, run_id, seed, epochs_done
FROM results
WHERE experiment IN ({experiments})""",
    section=NETWORKS,
)
CONFUSION: Final = FigureRecord(
    name="confusion",
    title="Confusion of classes",
    needs="classes, and runs whose predictions were computed",
    applies=lambda m: not m.once(prepare_confusion).empty,
    prepare=prepare_confusion,
    draw=draw_confusion,
    caption=caption_confusion,
    sql="""
SELECT experiment, run_id, final_accuracy, final_validation_accuracy
FROM results
WHERE experiment IN ({experiments})""",
    section=NETWORKS,
)
