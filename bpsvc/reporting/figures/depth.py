"""Signal against layer before training, midway and at the end: what depth costs, in decades per layer."""

import math
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bpsvc.reporting.figures.panels import Layout, fitted, sheet, swatch, text_width
from bpsvc.reporting.figures.record import SIGNALS, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.figures.series import counted, facets, legend_names, not_drawn, shown
from bpsvc.reporting.grids import per_configuration
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import decades_per_step, median_band
from bpsvc.reporting.style import Style
from bpsvc.reporting.theory import relative_signal
from bpsvc.wording import plural

_BEFORE, _MIDWAY, _END = "before", "midway", "at the end"
_LINES: Final = {_BEFORE: "-", _MIDWAY: "--", _END: "-"}  # stages in their order
_MOST: Final = 24  # slopes in words
_MOST_WHERE_LOW: Final = 10  # where the height is given or bounded
_MOST_BELOW_ROWS: Final = 4  # where the height is given and several rows of panels take most of it
_SMALL: Final = 0.8  # of the type's size
_LINE: Final = 1.3  # ems
_COLUMNS: Final = [
    "panel",
    "series",
    "colour",
    "configuration",
    "runs",
    "stage",
    "epoch",
    "layer",
    "hidden_layers",
    "delta_rms",
    "low",
    "high",
    "decades_per_layer",
    "theory",
    "theory_decades_per_layer",
    "left_out",
]


def prepare(material: Material) -> pd.DataFrame:
    """Median signal of each hidden layer of nets with two or more, and the decades lost per layer towards the
    input: at epoch 0 of all started runs with the median's interval, midway and at the end of the ended ones.

    A configuration of nets of several depths has no such slope: `left_out` says how many there are.
    """
    start, later = material.start, per_configuration(material.layer_medians)
    parts, left_out = [], 0
    for facet, cases in facets(material):
        rows = start[start["case"].isin(cases["case"]) & (start["layer"] <= start["depth"])]
        if rows.empty or rows["layer"].max() < 2:
            continue
        if cases["depth"].nunique() > 1:
            left_out += 1
            continue
        table = rows.pivot(index="case", columns="layer", values="delta_rms")
        band = median_band(table.to_numpy(np.float64))
        layers = table.columns.to_numpy(np.int64)
        first = pd.DataFrame({"layer": layers, "delta_rms": band.median, "low": band.low, "high": band.high})
        theory = _theory(cases, material.inputs, float(band.median[-1]), layers)
        expected = decades_per_step(layers, theory).slope
        first = first.assign(stage=_BEFORE, epoch=0, runs=len(table), theory=theory)
        first["theory_decades_per_layer"] = expected
        medians = later.get(int(cases["configuration"].iloc[0]))
        for lines in (first, *([] if medians is None else _later(medians, int(layers.max())))):
            slope = decades_per_step(lines["layer"], lines["delta_rms"]).slope
            about = {**facet._asdict(), "hidden_layers": int(layers.max()), "decades_per_layer": slope}
            parts.append(lines.assign(**about).reindex(columns=_COLUMNS))
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True).assign(left_out=left_out)


def _later(medians: pd.DataFrame, deepest: int) -> list[pd.DataFrame]:
    """The hidden layers midway (the recorded epoch nearest to it on the log scale) and at the end."""
    trained = np.unique(medians.loc[medians["epoch"] > 0, "epoch"].to_numpy(np.float64))
    if not trained.size:
        return []
    last = trained[-1]
    middle = trained[np.argmin(np.abs(np.log(trained) - 0.5 * np.log(trained[0] * last)))]
    hidden = medians[(medians["layer"] <= deepest)][["epoch", "layer", "runs", "delta_rms"]]
    stages = {last: _END} if middle == last else {middle: _MIDWAY, last: _END}
    return [hidden[hidden["epoch"] == epoch].assign(stage=stage) for epoch, stage in stages.items()]


def _theory(
    cases: pd.DataFrame, inputs: pd.DataFrame | None, last: float, layers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What mean-field theory expects of these layers, hung up at the signal of the last one; NaN where it is
    silent.
    """
    silent = np.full(layers.size, np.nan)
    given = None if inputs is None else inputs[inputs["run_id"].isin(cases["run_id"])]
    if given is None or given.empty or given["inputs"].nunique() > 1:
        return silent
    try:
        (spec,) = cases["spec"].unique()
        expected = np.array(
            relative_signal(spec, int(given["inputs"].iloc[0]), float(given["mean_square"].mean()))
        )
    except (KeyError, ValueError):
        return silent
    return last * expected[layers - 1] if expected.size == layers.max() else silent


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Medians before training as points with their fitted line, later ones as thinner lines; the slopes in
    words beneath.
    """
    frame = shown(frame)
    start = frame[frame["epoch"] == 0]
    panels = list(dict.fromkeys(frame["panel"]))
    n = counted(start, "runs")
    dot = {"marker": "o", "markersize": 2.6 * style.line}
    stages = _stages(frame)
    slopes = _slopes(frame, stages, style)
    # One panel's words say the names already, in their colours.
    alike = set(n.values())
    in_words = len(panels) == 1 and len(slopes) == len(n) and len(alike) == 1
    named = [] if in_words else list(legend_names(start).items())
    head = "decades lost per layer: " + " → ".join(stage.removeprefix("at the ") for stage in stages)
    head += " (theory)" if frame["theory"].notna().any() else ""
    head += f"; n = {min(alike)} each" if in_words else ""
    several = frame["configuration"].nunique()
    head += f"; {len(slopes)} of {several}, the CSV has all" if len(slopes) < several else ""
    legend = [swatch(f"{name} (n = {n[name]})", colour, style, **dot) for name, colour in named]
    legend += [
        swatch(stage, "#555555", style, linestyle=_LINES[stage], linewidth=0.7 * style.line)
        for stage in stages
        if stage != _BEFORE
    ]
    if frame["theory"].notna().any():
        legend.append(swatch("theory of wide nets", "#555555", style, linestyle=":"))
    left = 6.8
    shape = _shape(head, slopes, style, left)
    layout = Layout(
        title,
        "hidden layer, counted from the input",
        "signal: RMS of ∂loss/∂z",
        left=left,
        aspect=0.66,
        below=_LINE * shape.rows + 0.6,
    )
    figure, axes = sheet(style, panels, legend, layout)
    log_axis(axes[0], frame[["delta_rms", "low", "high", "theory"]])
    top = int(frame["layer"].max())
    axes[0].set_xlim(0.6, top + 0.4 + 0.02 * top)
    axes[0].set_xticks(_ticks(top))
    for ax, panel in zip(axes, panels, strict=True):
        for _, lines in frame[frame["panel"] == panel].groupby("configuration", sort=False):
            _lines(ax, lines, style)
    _words(figure, shape, style)
    return figure


def _stages(frame: pd.DataFrame) -> list[str]:
    """Those that any configuration has, in their order."""
    return [stage for stage in _LINES if (frame["stage"] == stage).any()]


def _lines(ax: Axes, lines: pd.DataFrame, style: Style) -> None:
    """One configuration, at each of its stages."""
    for stage in _stages(lines):
        rows = lines[lines["stage"] == stage]
        colour = rows["colour"].iloc[0]
        if stage != _BEFORE:
            medians = rows["delta_rms"].where(np.isfinite(rows["delta_rms"]) & (rows["delta_rms"] > 0))
            ax.plot(rows["layer"], medians, color=colour, linestyle=_LINES[stage], linewidth=0.7 * style.line)
            continue
        ax.fill_between(rows["layer"], rows["low"], rows["high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(rows["layer"], rows["delta_rms"], "o", color=colour, markersize=2.4 * style.line)
        fit = decades_per_step(rows["layer"], rows["delta_rms"])
        at = np.array([rows["layer"].min(), rows["layer"].max()])
        ax.plot(at, 10 ** (fit.intercept + fit.slope * at), color=colour, linewidth=0.7 * style.line)
        ax.plot(rows["layer"], rows["theory"], ":", color=colour, linewidth=0.9 * style.line)


def _slopes(frame: pd.DataFrame, stages: list[str], style: Style) -> list[tuple[str, str]]:
    """(words, colour) of each slope worth telling: all of one panel; of several those of three layers or
    more, else all; of very many the deepest of each panel.
    """
    most = _MOST if style.height is None and style.tallest is None else _MOST_WHERE_LOW
    if style.height is not None and frame["panel"].nunique() > style.columns:
        most = _MOST_BELOW_ROWS
    told = frame
    if frame["panel"].nunique() > 1 or frame["configuration"].nunique() > most:
        told = frame[frame["hidden_layers"] >= min(3, frame["hidden_layers"].max())]
    if told["configuration"].nunique() > most:
        deepest = told.groupby("panel")["hidden_layers"].transform("max")
        told = told[told["hidden_layers"] == deepest]
    each = told.groupby("configuration", sort=False)
    return [
        (_slope(str(name), rows, stages), str(rows["colour"].iloc[0])) for name, rows in list(each)[:most]
    ]


def _slope(name: str, rows: pd.DataFrame, stages: list[str]) -> str:
    """A slope for each of the stages in the heading; a dash for one that others have and this one lacks."""
    by_stage = rows.drop_duplicates("stage").set_index("stage")
    known = by_stage["decades_per_layer"]
    along = " → ".join(_signed(known[stage]) if stage in known else "–" for stage in stages)
    theory = by_stage["theory_decades_per_layer"].iloc[0]
    return f"{name}: {along}" + (f" ({_signed(theory)})" if np.isfinite(theory) else "")


def _signed(slope: float) -> str:
    if not np.isfinite(slope):
        return "none"
    return f"{slope:+.2f}".replace("-0.00", "+0.00").replace("-", "−")


class _Shape(NamedTuple):
    """How the words stand beneath the panels: in `columns`, each `wide` inches from `start` on; `lines` of
    them, as many to each slope (its numbers on one of their own where they do not fit beside its name), and
    those of the heading.
    """

    columns: int
    wide: float
    start: float
    lines: list[tuple[list[str], str]]
    head: list[str]

    @property
    def rows(self) -> int:
        each = len(self.lines[0][0]) if self.lines else 0
        return len(self.head) + each * math.ceil(len(self.lines) / self.columns)


def _shape(head: str, slopes: list[tuple[str, str]], style: Style, left: float) -> _Shape:
    # Only on a screen is there so much width that words can stand under the panels alone.
    start = (left if style.height is None and style.width > 5 else 0.6) * style.em
    size, room = _SMALL * style.font, style.width - start - 0.4 * style.em
    gap = 0.6 * style.em
    widest = max((text_width(text, size) for text, _ in slopes), default=1.0)
    columns = max(1, min(int(room / (widest + style.em)), len(slopes)))
    wide = room / columns
    apart = widest > wide - gap
    lines = [
        ([fitted(name, size, wide - gap), "    " + numbers] if apart else [f"{name}:{numbers}"], colour)
        for text, colour in slopes
        for name, numbers in [_parted(text)]
    ]
    return _Shape(columns, wide, start, lines, _head_lines(head, size, style.width - start - gap))


def _parted(text: str) -> tuple[str, str]:
    name, _, numbers = text.rpartition(":")
    return name, numbers


def _head_lines(head: str, size: float, room: float) -> list[str]:
    """The heading, after its colon on a second line where it does not fit one."""
    if text_width(head, size) <= room:
        return [head]
    what, _, rest = head.partition(": ")
    return [what + ":", rest]


def _words(figure: Figure, shape: _Shape, style: Style) -> None:
    """A heading, and slopes below it column by column."""
    em, height = style.em, float(figure.get_size_inches()[1])
    top = min(ax.get_position().y0 for ax in figure.axes) * height - 5.2 * em
    deep = math.ceil(len(shape.lines) / shape.columns)
    placed = [(row, 0, text, "#555555") for row, text in enumerate(shape.head)]
    for place, (lines, colour) in enumerate(shape.lines):
        first = len(shape.head) + place % deep * len(lines)
        placed += [(first + row, place // deep, text, colour) for row, text in enumerate(lines)]
    for row, column, text, colour in placed:
        figure.text(
            (shape.start + column * shape.wide) / style.width,
            (top - _LINE * em * row) / height,
            text,
            color=colour,
            size=_SMALL * style.font,
            va="baseline",
        )


def _ticks(top: int) -> list[int]:
    if top <= 8:
        return list(range(1, top + 1))
    step = 5 if top <= 30 else 10 * int(np.ceil(top / 60))
    return [1, *range(step, top + 1, step)]


_THEORY: Final = (
    " Dotted: what mean-field theory expects of a wide net with this init on inputs of this number and mean "
    "square, hung up at the last hidden layer; it is not fitted."
)
_LEFT_OUT: Final = " Left out, for their nets differ in depth: {}."


def caption(frame: pd.DataFrame) -> str:
    later = [f"{epoch:,.0f}" for epoch in sorted(set(frame["epoch"])) if epoch > 0]
    epochs = f"epoch{'s' if len(later) > 1 else ''} {' and '.join(later)}"
    left_out = int(frame["left_out"].iloc[0])
    return (
        "Median signal of each hidden layer: before any training, over all started runs, as points with its "
        "95 % percentile bootstrap interval (shaded)"
        + (f"; later, over the ended runs, as lines (at {epochs})" if later else "")
        + ". Slopes: least squares through the logarithms of the medians, in decades lost per layer on the "
        "way from the output to the input (negative: gained)."
        + (_THEORY if frame["theory"].notna().any() else "")
        + (_LEFT_OUT.format(plural(left_out, "configuration")) if left_out else "")
        + not_drawn(frame)
    )


DEPTH: Final = FigureRecord(
    name="depth",
    title="Signal against layer, and what training makes of it",
    section=SIGNALS,
    needs="a record of epoch 0, and a configuration of nets of one depth with at least two hidden layers",
    applies=lambda m: not m.once(prepare).empty,
    prepare=prepare,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, run_id, depth, epoch, layer, delta_rms
FROM experiment_runs JOIN runs USING (run_id) JOIN layer_gradients USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs AND layer <= depth
ORDER BY experiment, run_id, epoch, layer""",
)
