"""A median curve per configuration: accuracy, the lecture's log-likelihood, loss on validation data."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bpsvc.reporting.figures.limits import Limits, limits
from bpsvc.reporting.figures.panels import Layout, sheet, swatch
from bpsvc.reporting.figures.record import LEARNING, FigureRecord
from bpsvc.reporting.figures.scales import epoch_axis, epoch_label, first_epoch, log_axis, share_axis
from bpsvc.reporting.figures.series import counted, facets, legend_names, not_drawn, shown
from bpsvc.reporting.grids import grid
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import median_band
from bpsvc.reporting.style import Style
from bpsvc.wording import plural

_HEAD: Final = ["panel", "series", "colour", "configuration", "runs", "epoch", "of"]
_COLUMNS: Final = [*_HEAD, "median", "low", "high"]
_SOLID: Final = "training"
_DASHED: Final = "validation"
_WORSE: Final = 3.0


def preparing(columns: dict[str, str], worst: float) -> Callable[[Material], pd.DataFrame]:
    """prepare for some columns of `epochs`: `of` (training or validation), epoch, median with interval, runs
    (n).
    """

    def prepare(material: Material) -> pd.DataFrame:
        parts = []
        for facet, cases in facets(material):
            records = material.curves_of(cases)
            for of, column in columns.items():
                if column not in records or records[column].isna().all():
                    continue
                epochs, values = grid(records, cases, column, worst)
                band = median_band(values)
                middle = pd.DataFrame(
                    {"epoch": epochs, "median": band.median, "low": band.low, "high": band.high}
                )
                parts.append(middle.assign(**facet._asdict(), runs=values.shape[0], of=of))
        joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
        return joined.reindex(columns=_COLUMNS)

    return prepare


def drawing_of(
    y: str, scale: Callable[[Axes, pd.DataFrame], None]
) -> Callable[[pd.DataFrame, Style, str], Figure]:
    """draw: training solid with its band, validation dashed."""

    def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
        frame = shown(frame)
        panels = list(dict.fromkeys(frame["panel"]))
        n = counted(frame, "runs")
        legend = [
            swatch(f"{name} (n = {n[name]})", colour, style) for name, colour in legend_names(frame).items()
        ]
        if (frame["of"] == _DASHED).any():
            legend += [swatch(_SOLID, "#555555", style), swatch(_DASHED, "#555555", style, linestyle="--")]
        layout = Layout(title, epoch_label(first_epoch(frame["epoch"])), y, left=6.4)
        figure, axes = sheet(style, panels, legend, layout)
        epoch_axis(axes[0], frame["epoch"])
        scale(axes[0], frame)
        for ax, panel in zip(axes, panels, strict=True):
            here = frame[frame["panel"] == panel]
            for (_, of), rows in here.groupby(["series", "of"], sort=False):
                colour = rows["colour"].iloc[0]
                seen = rows[np.isfinite(rows["low"])]
                if of == _SOLID:
                    ax.fill_between(
                        seen["epoch"], seen["low"], seen["high"], color=colour, alpha=0.16, linewidth=0
                    )
                ax.plot(
                    rows["epoch"],
                    rows["median"].where(np.isfinite(rows["median"])),
                    color=colour,
                    linestyle="-" if of == _SOLID else (0, (3.2, 1.6)),
                )
        return figure

    return draw


def _shares(ax: Axes, frame: pd.DataFrame) -> None:
    if frame["median"].min() < 0.6:
        share_axis(ax)
    else:
        _plain(ax, frame)


def _log(ax: Axes, frame: pd.DataFrame) -> None:
    log_axis(ax, _limits(frame).clipped(frame[["median", "low", "high"]]))


def _limits(frame: pd.DataFrame) -> Limits:
    return limits(frame.loc[frame["epoch"] == 0, "high"])


def _plain(ax: Axes, frame: pd.DataFrame) -> None:
    known = frame[["median", "low", "high"]].to_numpy(np.float64)
    known = known[np.isfinite(known)]
    known = known[known >= _lowest(frame)]
    if known.size:
        low, high = float(known.min()), float(known.max())
        margin = 0.05 * ((high - low) or 1.0)
        ax.set_ylim(low - margin, high + margin)


def _lowest(frame: pd.DataFrame) -> float:
    """The lowest log-likelihood that is drawn: none that blew up may flatten the rest. Shares have none."""
    starts = frame.loc[frame["epoch"] == 0, "low"]
    return _WORSE * starts.min() if starts.min() < 0 else -np.inf


def _outside(frame: pd.DataFrame) -> str:
    """A sentence on the medians that leave the frame, if any do."""
    lowest = _lowest(frame)
    lost = frame.loc[np.isfinite(frame["median"]) & (frame["median"] < lowest), "configuration"].nunique()
    if not lost:
        return ""
    return (
        f" The frame ends at three times the lowest interval before training: {plural(lost, 'median')} went "
        "below."
    )


def caption_of(what: str) -> Callable[[pd.DataFrame], str]:
    def caption(frame: pd.DataFrame) -> str:
        both = (frame["of"] == _DASHED).any()
        return (
            f"{what} Median over all ended runs, each kept at its last value once it has stopped (a "
            "diverged run counts as worse than any); shaded: the 95 % percentile bootstrap interval of "
            "that median"
            + (" on the training examples. Dashed: on the validation examples." if both else ".")
            + _outside(shown(frame))
            + not_drawn(frame)
        )

    return caption


ACCURACY: Final = FigureRecord(
    name="accuracy",
    title="Accuracy against epoch",
    needs="0/1 or class targets with a validation split, or without a success criterion",
    applies=lambda m: (
        m.is_trained
        and "accuracy" in m.epochs
        and bool(m.epochs["accuracy"].notna().any())
        and (not m.is_judged or bool(m.epochs["validation_accuracy"].notna().any()))
    ),
    prepare=preparing({_SOLID: "accuracy", _DASHED: "validation_accuracy"}, 0.0),
    draw=drawing_of("share of examples right", _shares),
    caption=caption_of("Share of examples right."),
    sql="""
SELECT experiment, run_id, epoch, accuracy, validation_accuracy
FROM experiment_runs JOIN epochs USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch""",
    section=LEARNING,
)
LIKELIHOOD: Final = FigureRecord(
    name="likelihood",
    title="Log-likelihood against epoch",
    needs="targets with a likelihood and at least one trained and ended run",
    applies=lambda m: (
        m.is_trained and "log_likelihood" in m.epochs and bool(m.epochs["log_likelihood"].notna().any())
    ),
    prepare=preparing({_SOLID: "log_likelihood"}, -np.inf),
    draw=drawing_of("log L in nats, summed over examples", _plain),
    caption=caption_of(
        "What the lecture ascends, in nats, summed over the training examples; 0 is certainty."
    ),
    sql="""
SELECT experiment, run_id, epoch, log_likelihood
FROM experiment_runs JOIN epochs USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch""",
    section=LEARNING,
)
VALIDATION_LOSS: Final = FigureRecord(
    name="validation_loss",
    title="Loss against epoch, training and validation",
    needs="a validation split, one kind of loss, and at least one trained and ended run",
    applies=lambda m: (
        m.is_trained
        and "validation_loss" in m.epochs
        and bool(m.epochs["validation_loss"].notna().any())
        and len(m.cases[["loss", "reduction"]].drop_duplicates()) == 1
    ),
    prepare=preparing({_SOLID: "loss", _DASHED: "validation_loss"}, np.inf),
    draw=drawing_of("loss", _log),
    caption=caption_of(
        "Loss, on a logarithmic axis of at most 1,000 times its largest value before training."
    ),
    sql="""
SELECT experiment, run_id, epoch, epochs.loss, validation_loss
FROM experiment_runs JOIN epochs USING (run_id)
WHERE experiment IN ({experiments}) AND epoch <= experiment_runs.epochs
ORDER BY experiment, run_id, epoch""",
    section=LEARNING,
)
