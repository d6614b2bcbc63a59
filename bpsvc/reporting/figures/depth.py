"""Signal against layer before training: what depth costs, in decades per layer."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bpsvc.reporting.figures.panels import Layout, sheet, swatch, text_width
from bpsvc.reporting.figures.record import SIGNALS, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.figures.series import counted, facets, legend_names
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import decades_per_step, median_band
from bpsvc.reporting.style import Style
from bpsvc.reporting.theory import relative_signal

_COLUMNS: Final = [
    "panel",
    "series",
    "colour",
    "configuration",
    "runs",
    "layer",
    "hidden_layers",
    "delta_rms",
    "low",
    "high",
    "decades_per_layer",
    "theory",
    "theory_decades_per_layer",
]


def prepare(material: Material) -> pd.DataFrame:
    """Median signal of each hidden layer at epoch 0 with its interval, and the decades lost per layer towards
    the input.
    """
    start = material.start
    parts = []
    for facet, cases in facets(material):
        rows = start[start["case"].isin(cases["case"]) & (start["layer"] <= start["depth"])]
        if rows.empty:
            continue
        table = rows.pivot(index="case", columns="layer", values="delta_rms")
        band = median_band(table.to_numpy(np.float64))
        layers = table.columns.to_numpy(np.int64)
        lines = pd.DataFrame({"layer": layers, "delta_rms": band.median, "low": band.low, "high": band.high})
        theory = _theory(cases, float(band.median[-1]), layers)
        parts.append(
            lines.assign(
                **facet._asdict(),
                runs=len(table),
                hidden_layers=int(layers.max()),
                decades_per_layer=decades_per_step(layers, band.median).slope,
                theory=theory,
                theory_decades_per_layer=decades_per_step(layers, theory).slope,
            )
        )
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def _theory(cases: pd.DataFrame, last: float, layers: NDArray[np.int64]) -> NDArray[np.float64]:
    """What mean-field theory expects of these layers, hung up at the signal of the last one; NaN where it is
    silent.
    """
    try:
        (spec,) = cases["spec"].unique()
        expected = np.array(relative_signal(spec))
    except (KeyError, ValueError):
        return np.full(layers.size, np.nan)
    return last * expected[layers - 1] if expected.size == layers.max() else np.full(layers.size, np.nan)


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Medians as points, their fitted line dashed, the slope in words where there is room."""
    panels = list(dict.fromkeys(frame["panel"]))
    n = counted(frame, "runs")
    one = len(panels) == 1
    slopes = frame.drop_duplicates("configuration").set_index("series")["decades_per_layer"]
    legend = [
        swatch(
            f"{name} (n = {n[name]})" + (f": {_words(float(slopes[name]))}" if one else ""),
            colour,
            style,
            marker="o",
            markersize=2.6 * style.line,
        )
        for name, colour in legend_names(frame).items()
    ]
    if frame["theory"].notna().any():
        legend.append(swatch("theory of wide nets", "#555555", style, linestyle=":"))
    layout = Layout(
        title,
        "hidden layer, counted from the input",
        "signal at epoch 0: RMS of ∂loss/∂z",
        left=6.8,
        aspect=0.66,
    )
    figure, axes = sheet(style, panels, legend, layout)
    log_axis(axes[0], frame[["delta_rms", "low", "high", "theory"]])
    top = int(frame["layer"].max())
    axes[0].set_xlim(0.6, top + 0.4 + 0.02 * top)
    axes[0].set_xticks(_ticks(top))
    for ax, panel in zip(axes, panels, strict=True):
        here = frame[frame["panel"] == panel]
        for _, rows in here.groupby("series", sort=False):
            colour = rows["colour"].iloc[0]
            ax.fill_between(rows["layer"], rows["low"], rows["high"], color=colour, alpha=0.2, linewidth=0)
            ax.plot(rows["layer"], rows["delta_rms"], "o", color=colour, markersize=2.4 * style.line)
            fit = decades_per_step(rows["layer"], rows["delta_rms"])
            at = np.array([rows["layer"].min(), rows["layer"].max()])
            ax.plot(at, 10 ** (fit.intercept + fit.slope * at), color=colour, linewidth=0.7 * style.line)
            ax.plot(rows["layer"], rows["theory"], ":", color=colour, linewidth=0.9 * style.line)
        if not one:
            _slopes(ax, here, style)
    return figure


def _slopes(ax: Axes, here: pd.DataFrame, style: Style) -> None:
    rows = here.drop_duplicates("series")
    rows = rows[np.isfinite(rows["decades_per_layer"])]
    lines = [("decades lost per layer (theory)", "#555555")] + [
        (_slope(row.series, row.decades_per_layer, row.theory_decades_per_layer), str(row.colour))
        for row in rows.itertuples()
    ]
    box, (width, height) = ax.get_position(), ax.figure.get_figure(root=True).get_size_inches()
    size = 0.85 * style.font
    widest = max(text_width(text, size) for text, _ in lines)
    if widest > 0.56 * box.width * width or len(lines) * 1.25 * size / 72 > 0.42 * box.height * height:
        return  # they would lie on the data; the CSV has them
    for place, (text, colour) in enumerate(reversed(lines)):
        ax.annotate(
            text,
            (1, 0),
            xycoords="axes fraction",
            xytext=(-3, 3 + 1.25 * place * 0.85 * style.font),
            textcoords="offset points",
            ha="right",
            va="bottom",
            size=0.85 * style.font,
            color=colour,
        )


def _slope(name: object, measured: object, theory: object) -> str:
    expected = f" ({theory:+.2f})" if isinstance(theory, float) and np.isfinite(theory) else ""
    return f"{name}: {measured:+.2f}{expected}".replace("-0.00", "+0.00").replace("-", "−")


def _words(slope: float) -> str:
    if not np.isfinite(slope):
        return "no slope"
    return f"{abs(slope):.2f} decades {'lost' if slope >= 0 else 'gained'} per layer"


def _ticks(top: int) -> list[int]:
    if top <= 8:
        return list(range(1, top + 1))
    step = 5 if top <= 30 else 10 * int(np.ceil(top / 60))
    return [1, *range(step, top + 1, step)]


_THEORY: Final = (
    " Dotted, and in brackets: what mean-field theory expects of a wide net with this init, hung up at the "
    "last hidden layer; it is not fitted."
)


def caption(frame: pd.DataFrame) -> str:
    return (
        "Median signal of each hidden layer before any training, over all started runs, with its 95 % "
        "percentile bootstrap interval (shaded). Lines: least squares through the logarithms of the "
        "medians; their slopes are the decades lost per layer on the way from the output to the input "
        "(negative: gained)." + (_THEORY if frame["theory"].notna().any() else "")
    )


DEPTH: Final = FigureRecord(
    name="depth",
    title="Signal against layer before training",
    section=SIGNALS,
    needs="a record of epoch 0 and at least two hidden layers",
    applies=lambda m: bool((m.start["depth"] >= 2).any()),
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, depth, layer, delta_rms
FROM experiment_runs JOIN runs USING (run_id) JOIN layer_gradients USING (run_id)
WHERE experiment IN ({experiments}) AND epoch = 0 AND layer <= depth
ORDER BY experiment, run_id, layer""",
)
