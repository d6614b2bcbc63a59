"""Two levels of a factor against each other, seed by seed: a row per comparison."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bpsvc.reporting.figures.pairs import KEY, LEAST_PAIRS, comparisons, left_out
from bpsvc.reporting.figures.panels import Layout, fitted, sheet, swatch, text_width, wrapped
from bpsvc.reporting.figures.record import FACTORS, FigureRecord
from bpsvc.reporting.figures.scales import log_axis
from bpsvc.reporting.figures.swarm import stacked
from bpsvc.reporting.palette import INK, OKABE_ITO
from bpsvc.reporting.style import Style
from bpsvc.wording import decimal, plural

_MOST: Final = 16  # comparisons drawn
_MOST_ON_A_SLIDE: Final = 8  # it has the height that it has: fewer rows, which people can read
_BENEATH: Final = 14  # ems of a page that are not rows
_ROW: Final = 3.4
_CELL: Final = 4.0  # ems of a column of numbers at the right
_HEADINGS: Final = {"pairs": "n", "correlation": "r", "p_holm": "p"}


def draw(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """Pairs as points, the median with its interval, the line at no difference; n, r and p at the right."""
    middles = frame[frame["row"] == "median"]
    narrow = style.width < 5
    room = (0.44 * style.width / style.em - 1.4) * style.em
    rows = middles.head(_MOST).to_dict("records")
    labels = [_label(row, narrow, room, style) for row in rows]
    row_height = max(_ROW, 1.25 * max(label.count("\n") + 1 for label in labels) + 0.6)
    most = _MOST if style.height is None else _MOST_ON_A_SLIDE
    if style.tallest is not None:
        most = min(most, int((style.tallest / style.em - _BENEATH) / row_height))
    rows, labels = rows[:most], labels[:most]
    legend = _legend(style)
    if len(middles) > most:  # The caption cannot say it: it does not know the style.
        legend.append(swatch(f"the first {most} of {len(middles)}", "none", style))
    numbers = list(_HEADINGS) if style.width > 5 else ["pairs", "p_holm"]
    lines = [line for label in labels for line in label.split("\n")]
    widest = max(text_width(line, 0.9 * style.font) for line in lines) / style.em
    left = min(widest + 2.0, 0.44 * style.width / style.em)
    is_ratio = bool(frame["ratio"].iloc[0])
    kind = "ratio within a seed (log scale)" if is_ratio else "difference within a seed"
    layout = Layout(
        title,
        f"{frame['outcome'].iloc[0]}: {kind}",
        left=left,
        right=_CELL * len(numbers) + 0.8,
        row_heights=(row_height * len(labels) + 1.6,),
    )
    figure, (ax,) = sheet(style, [""], legend, layout)
    shown = frame.replace([np.inf, -np.inf], np.nan)
    if is_ratio:
        shown = shown.replace({"difference": {0.0: np.nan}, "low": {0.0: np.nan}, "high": {0.0: np.nan}})
        log_axis(ax, _reach(frame, shown), "x")
    else:
        ax.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:+.3g}".replace("-", "−") if value else "0")
        )
    ax.axvline(1.0 if is_ratio else 0.0, color="#777777", linewidth=0.6 * style.line)
    pairs = dict(list(frame[frame["row"] == "pair"].groupby(KEY, sort=False)["difference"]))
    for place, row in enumerate(rows):
        y = len(labels) - 1 - place
        values = pairs[tuple(row[name] for name in KEY)].to_numpy(np.float64)
        _points(ax, values, y, style, is_ratio)
        _beyond(ax, values, y, style, is_ratio)
        _middle(ax, row, y, style, is_ratio)
        _numbers(ax, row, numbers, y, style)
    _numbers(ax, None, numbers, len(labels) - 0.1, style)
    fit = ["\n".join(fitted(line, 0.9 * style.font, room) for line in label.split("\n")) for label in labels]
    ax.set_yticks(range(len(labels)), fit[::-1])
    ax.set_ylim(-0.6, len(labels) + 0.25)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0, pad=0.7 * style.font)
    return figure


def _reach(frame: pd.DataFrame, shown: pd.DataFrame) -> np.ndarray[Any, Any]:
    """What the axis of ratios must hold, with room at an end where pairs lie beyond it."""
    known = shown[["difference", "low", "high"]].to_numpy(np.float64).ravel()
    known = np.append(known[np.isfinite(known)], [0.8, 1.25])
    ends = [known.min() / 4] if (frame["difference"] == 0).any() else []
    ends += [known.max() * 4] if (frame["difference"] == np.inf).any() else []
    return np.append(known, ends)


def _legend(style: Style) -> list[Any]:
    return [
        swatch("one seed", OKABE_ITO[0], style, linestyle="none", marker="o", markersize=2.2 * style.line),
        swatch("median, 95 % interval", INK, style, marker="|", markersize=7 * style.line),
    ]


def _points(ax: Axes, values: np.ndarray[Any, Any], y: float, style: Style, is_ratio: bool) -> None:
    known = values[np.isfinite(values) & ~(is_ratio & (values == 0))]
    at = np.log10(known) if is_ratio else known
    heights = y + 0.12 + stacked(at, 2.4 * style.line / (_ROW * style.font), 0.34)
    ax.plot(
        known, heights, "o", color=OKABE_ITO[0], markersize=2.2 * style.line, alpha=0.7, markeredgewidth=0
    )


def _beyond(ax: Axes, values: np.ndarray[Any, Any], y: float, style: Style, is_ratio: bool) -> None:
    """How many pairs lie beyond any axis, because one side never came."""
    for count, x, text, align in (
        (int((values == (0 if is_ratio else -np.inf)).sum()), 0.0, "◂ {}", "left"),
        (int((values == np.inf).sum()), 1.0, "{} ▸", "right"),
    ):
        if count:
            ax.annotate(
                text.format(count),
                (x, y + 0.34),
                xycoords=("axes fraction", "data"),
                ha=align,
                va="center",
                size=0.8 * style.font,
                color=OKABE_ITO[0],
            )


def _middle(ax: Axes, row: dict[Any, Any], y: float, style: Style, is_ratio: bool) -> None:
    low, high = ax.get_xlim()
    ends = np.clip(np.nan_to_num([row["low"], row["high"]], posinf=high, neginf=low), low, high)
    ax.hlines(y, ends[0], ends[1], color=INK, linewidth=1.2 * style.line)
    value = row["difference"]
    if np.isfinite(value) and not (is_ratio and value == 0):
        ax.plot(value, y, "|", color=INK, markersize=7 * style.line, markeredgewidth=1.2 * style.line)
    elif not np.isnan(value):
        at, mark = (high, ">") if value > 0 else (low, "<")
        ax.plot(at, y, mark, color=INK, markersize=3 * style.line, clip_on=False)


def _numbers(ax: Axes, row: dict[Any, Any] | None, columns: list[str], y: float, style: Style) -> None:
    for place, column in enumerate(columns):
        ax.annotate(
            _HEADINGS[column] if row is None else _number(column, row[column]),
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=((place + 1) * _CELL * style.font, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            size=0.85 * style.font,
            color="#555555" if row is None else INK,
        )


def _number(column: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    if column == "pairs":
        return f"{value:.0f}"
    if column == "p_holm" and value < 0.001:
        return "< 0.001"
    return decimal(value, 3 if column == "p_holm" and value < 0.1 else 2)


def _label(row: dict[Any, Any], narrow: bool, room: float, style: Style) -> str:
    if narrow:
        parts = [row["level"], f"against {row['base']}", f"({row['others']})" if row["others"] else ""]
        return "\n".join(wrapped(part, 0.9 * style.font, room) for part in parts if part)
    others = f" ({row['others']})" if row["others"] else ""
    what, after = f"{row['level']} against {row['base']}", f"against {row['base']}{others}"

    def fits(line: str) -> bool:
        return text_width(line, 0.9 * style.font) <= room

    if fits(what + others) or (style.height is not None and fits(what)):  # a slide's rows are low
        return what + others
    return f"{what}\n{others.strip()}".rstrip() if fits(what) else f"{row['level']}\n{after}"


_OTHERS: Final = " The CSV has all comparisons, and `bpsvc report --where …` draws others."


def caption(frame: pd.DataFrame) -> str:
    middles = frame[frame["row"] == "median"]
    undecided = int(middles["undecided"].sum())
    family = f", corrected for all {len(middles)} comparisons (Holm)" if len(middles) > 1 else ""
    without = left_out(frame)
    what = "ratio" if frame["ratio"].iloc[0] else "difference"
    return (
        "Configurations that differ in one factor, or in factors that travel together, over the seeds they "
        f"share: {what} of the first named to the other. Medians with 95 % percentile bootstrap intervals; "
        "an arrow with a count: pairs in which one side never came. n: decided pairs; r: rank correlation "
        f"between the sides (what common seeds gain); p: exact sign test{family}."
        + (f" Undecided, for neither side came: {plural(undecided, 'pair')}." if undecided else "")
        + (f" Left out: {without}." if without else "")
        + (_OTHERS if len(middles) > _MOST else "")
    )


PAIRED: Final = FigureRecord(
    name="paired",
    title="Levels compared seed by seed",
    needs="two configurations that differ in one factor and have a yardstick in common, by which at least "
    f"{LEAST_PAIRS} of the seeds that they share decide",
    applies=lambda m: bool(m.once(comparisons)["row"].eq("median").any()),
    prepare=comparisons,
    draw=draw,
    caption=caption,
    sql="""
SELECT experiment, seed, run_id, label, value, solved_epoch, final_loss, final_validation_loss,
    final_validation_accuracy
FROM results JOIN factors USING (experiment, run_id)
WHERE experiment IN ({experiments})
ORDER BY experiment, seed, run_id, label""",
    section=FACTORS,
)
