"""Pictures of what each factor does: main effects in a panel per factor, interactions in a panel per pair,
and maps.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from bpsvc.reporting.figures.effects import TOO_NARROW, interactions, is_grid, main_effects
from bpsvc.reporting.figures.first import First
from bpsvc.reporting.figures.panels import Layout, colour_bar, fitted, sheet, text_width, tips
from bpsvc.reporting.figures.record import FACTORS, FigureRecord
from bpsvc.reporting.figures.scales import log_axis, share_axis
from bpsvc.reporting.palette import INK, ordered_colours, unordered_colours
from bpsvc.reporting.style import Style

_FACTORS: Final = First(6, "factors", ("first",))
_PAIRS: Final = First(6, "pairs of factors", ("first", "second"))
_MAPS: Final = First(4, "pairs of factors", ("first", "second"))
_TALLEST: Final = 16.0  # ems that an upright label is long
_TALLEST_ON_A_SLIDE: Final = 14.0  # where the height is given, of all rows of panels together
_SIDE: Final = 13.0  # ems that a label of a map's rows is long
_NUMBER: Final = re.compile(r"[-+0-9.e]+|inf")
_ASIDE: Final = 0.05
SQL: Final = """
SELECT experiment, label, value, run_id, solved_epoch, final_loss, final_accuracy, final_validation_loss,
    final_validation_accuracy
FROM factors JOIN results USING (experiment, run_id)
WHERE experiment IN ({experiments})
ORDER BY experiment, label, value, run_id"""


def draw_main(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel per factor, a point with its interval per level, n beneath."""
    names = _FACTORS.of(frame)
    layout = Layout(
        title,
        "",
        str(frame["outcome"].iloc[0]),
        same_x=False,
        left=6.4,
        columns=min(3, len(names)),
        foot=1.2,
        aspect=0.8,
    )
    parts = [frame[frame["first"] == name].sort_values("level_order") for name in names]
    labels = [
        [f"{level}\nn = {n}" for level, n in zip(rows["level"], rows["runs"], strict=True)] for rows in parts
    ]
    figure, axes = _sheet(style, names, layout, labels)
    value_axis(axes[0], frame)
    for ax, rows in zip(axes, parts, strict=True):
        shown = rows.replace([np.inf, -np.inf], np.nan)
        x = np.arange(len(rows))
        if rows["is_number"].all():
            ax.plot(x, shown["value"], color="#bbbbbb", linewidth=0.7 * style.line, zorder=1)
        low, high = ax.get_ylim()
        ax.vlines(x, shown["low"].fillna(low), shown["high"].fillna(high), color=INK, linewidth=style.line)
        ax.plot(x, shown["value"], "o", color=INK, markersize=3.4 * style.line)
    return figure


def draw_interactions(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel per pair of factors: a line with intervals per level of the second, named at its right end."""
    pairs = _PAIRS.of(frame)
    headings = [f"{second} by {first} · n = {_each(frame, first, second)}" for first, second in pairs]
    ends = [str(other) for other in frame["other"].unique()]
    right = min(
        14.0, max(text_width(fitted(end, style.font, 1.4), 0.9 * style.font) for end in ends) / style.em + 1.5
    )
    layout = Layout(
        title,
        "",
        str(frame["outcome"].iloc[0]),
        same_x=False,
        left=6.4,
        right=right,
        columns=min(2, len(pairs)),
        gap=right + 1,
        foot=1.4,
        aspect=0.7 if len(pairs) > 1 else None,
    )
    figure, axes = _sheet(style, headings, layout, [_across(frame, *pair) for pair in pairs])
    value_axis(axes[0], frame)
    for ax, (first, second) in zip(axes, pairs, strict=True):
        here = frame[(frame["first"] == first) & (frame["second"] == second)]
        others = here.drop_duplicates("other_order").sort_values("other_order")
        pick = ordered_colours if others["is_number"].all() else unordered_colours
        colours = pick(len(others))
        ends_here = []
        low, high = ax.get_ylim()
        for place, (colour, other) in enumerate(zip(colours, others["other"], strict=True)):
            rows = here[here["other"] == other].sort_values("level_order").replace([np.inf, -np.inf], np.nan)
            # A little beside each other, so that intervals do not hide each other.
            x = rows["level_order"] + _ASIDE * (place - (len(colours) - 1) / 2)
            ax.plot(x, rows["value"], "o-", color=colour, markersize=2.8 * style.line)
            known = rows["value"].notna()
            least, most = rows["low"].fillna(low), rows["high"].fillna(high)
            ax.vlines(x[known], least[known], most[known], color=colour, linewidth=0.6 * style.line)
            last = rows.dropna(subset="value").tail(1)
            if len(last):
                ends_here.append((float(last["value"].iloc[0]), fitted(str(other), style.font, 1.4), colour))
        ax.set_xlabel(fitted(first, style.font, 2.5))
        tips(ax, ends_here, style)
    return figure


def _each(frame: pd.DataFrame, first: str, second: str) -> str:
    runs = frame.loc[(frame["first"] == first) & (frame["second"] == second), "runs"]
    low, high = int(runs.min()), int(runs.max())
    return f"{low} each" if low == high else f"{low} to {high}"


def draw_map(frame: pd.DataFrame, style: Style, title: str) -> Figure:
    """A panel per pair of factors: a coloured cell per pair of levels with its value, interval and n."""
    pairs = _MAPS.of(frame)
    most = max(frame.groupby(["first", "second"])["other_order"].nunique().max(), 2)
    widest = max(
        text_width(fitted(str(other), 0.9 * style.font, _SIDE * style.em), 0.9 * style.font)
        for other in frame["other"].unique()
    )
    left = widest / style.em + 3.6
    layout = Layout(
        title,
        "",
        "",
        same_x=False,
        same_y=False,
        left=left,
        columns=min(2, len(pairs)) if style.width > 5 else 1,
        below=4.6,
        row_heights=tuple([max(8.0, 4.0 * most)] * len(pairs)),
        gap=left,
        foot=1.6,
    )
    figure, axes = _sheet(style, [""] * len(pairs), layout, [_across(frame, *pair) for pair in pairs])
    norm = _norm(frame)
    for ax, (first, second) in zip(axes, pairs, strict=True):
        here = frame[(frame["first"] == first) & (frame["second"] == second)]
        _cells(ax, here, norm, style)
        ax.set_xlabel(fitted(first, style.font, 3.0))
        ax.set_ylabel(fitted(second, style.font, 2.0))
    colour_bar(figure, style, ScalarMappable(norm, "cividis"), str(frame["outcome"].iloc[0]), left)
    return figure


def _cells(ax: Axes, here: pd.DataFrame, norm: Normalize, style: Style) -> None:
    wide, tall = int(here["level_order"].max()) + 1, int(here["other_order"].max()) + 1
    values = np.full((tall, wide), np.nan)
    values[here["other_order"], here["level_order"]] = here["value"]
    finite = np.ma.masked_invalid(values)
    ax.set_facecolor("#cccccc")
    ax.pcolormesh(np.arange(wide + 1) - 0.5, np.arange(tall + 1) - 0.5, finite, cmap="cividis", norm=norm)
    width = ax.get_position().width * style.width / wide
    cells = [(row, _cell_lines(row)) for row in here.to_dict("records")]
    # A line that one cell has no room for is left out of all, so that none looks surer than its neighbour.
    fit = [
        all(len(lines) <= k or text_width(lines[k], 0.8 * style.font) < 0.95 * width for _, lines in cells)
        for k in range(3)
    ]
    for row, lines in cells:
        dark = np.isfinite(row["value"]) and float(norm(row["value"])) < 0.55
        ax.text(
            row["level_order"],
            row["other_order"],
            "\n".join(line for line, fits in zip(lines, fit, strict=False) if fits),
            ha="center",
            va="center",
            size=0.8 * style.font,
            color="#ffffff" if dark else INK,
            linespacing=1.25,
        )
    others = here.drop_duplicates("other_order").sort_values("other_order")["other"]
    ax.set_yticks(
        range(len(others)), [fitted(str(other), 0.9 * style.font, _SIDE * style.em) for other in others]
    )
    ax.set_ylim(-0.5, tall - 0.5)
    ax.set_xlim(-0.5, wide - 0.5)
    ax.grid(visible=False)
    ax.tick_params(length=0)


def _cell_lines(row: dict[Any, Any]) -> list[str]:
    """The value, its interval, and n."""
    value = row["value"]
    if not np.isfinite(value):
        return ["diverged", "", f"n = {row['runs']}"] if row["runs"] else ["none"]
    is_share = row["is_share"] or "accuracy" in row["outcome"]
    shown, low, high = (f"{x:.0%}" if is_share else f"{x:.2g}" for x in (value, row["low"], row["high"]))
    return [shown, f"{low.rstrip('%')}–{high}".replace("inf", "diverged"), f"n = {row['runs']}"]


def _norm(frame: pd.DataFrame) -> Normalize:
    values = frame["value"].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    if frame["is_share"].iloc[0]:
        return Normalize(0, 1)
    if frame["log"].iloc[0] and (values > 0).any():
        return LogNorm(values[values > 0].min(), values.max())
    return Normalize(values.min(), values.max()) if values.size else Normalize(0, 1)


def value_axis(ax: Axes, frame: pd.DataFrame) -> None:
    """The y axis for the values of effects, with their intervals."""
    if frame["is_share"].iloc[0]:
        share_axis(ax)
        return
    values = frame[["value", "low", "high"]].to_numpy(np.float64)
    values = values[np.isfinite(values)]
    if frame["log"].iloc[0]:
        log_axis(ax, values)
    elif values.size:
        margin = 0.08 * ((values.max() - values.min()) or 0.1)
        ax.set_ylim(values.min() - margin, values.max() + margin)


def _across(frame: pd.DataFrame, first: str, second: str) -> list[str]:
    """The levels on the x axis of a pair's panel, in order."""
    here = frame[(frame["first"] == first) & (frame["second"] == second)]
    return [str(level) for level in here.drop_duplicates("level_order").sort_values("level_order")["level"]]


def _sheet(
    style: Style, headings: Sequence[str], layout: Layout, labels: Sequence[Sequence[str]]
) -> tuple[Figure, list[Axes]]:
    """A sheet with levels (lines of `labels`) along the x axis of each panel.

    Of numbers only every second, third … has a label where they would touch: the others lie between. What
    text says nobody could guess: where it does not fit, it stands upright, and the panels make room for it.
    """
    figure, axes = sheet(style, headings, [], layout)
    pairs = list(zip(axes, labels, strict=True))
    upright = [_has_text(names) and _crowding(ax, names, style) > 1 for ax, names in pairs]
    rows = len({ax.get_position().y0 for ax in axes})
    most = _TALLEST if style.height is None else _TALLEST_ON_A_SLIDE / rows
    long = [
        [fitted(label.replace("\n", " · "), 0.9 * style.font, most * style.em) for label in names]
        if turned
        else None
        for turned, names in zip(upright, labels, strict=True)
    ]
    if any(upright):
        tall = max(text_width(name, 0.9 * style.font) for names in long for name in names or ())
        figure, axes = sheet(style, headings, [], replace(layout, foot=layout.foot + tall / style.em))
    for ax, names, turned in zip(axes, labels, long, strict=True):
        if turned is not None:
            ax.set_xticks(range(len(turned)), turned, rotation=90)
        else:
            step = 1 if _has_text(names) else math.ceil(_crowding(ax, names, style))
            ax.set_xticks(range(0, len(names), step), list(names[::step]))
        ax.set_xlim(-0.5, len(names) - 0.5)
    return figure, axes


def _has_text(labels: Sequence[str]) -> bool:
    """Whether any level is no number."""
    return any(_NUMBER.fullmatch(label.split("\n")[0]) is None for label in labels)


def _crowding(ax: Axes, labels: Sequence[str], style: Style) -> float:
    """How many times its room the widest label takes, with a gap; 1 or less: all fit."""
    figure = ax.figure.get_figure(root=True)
    room = ax.get_position().width * figure.get_size_inches()[0] / max(len(labels), 1)
    widest = max(text_width(line, 0.9 * style.font) for label in labels for line in label.split("\n"))
    return max(1.0, float(widest * 1.15 / room))


def method(frame: pd.DataFrame) -> str:
    """A sentence for captions: how the values of effects were found."""
    left = int(frame["left_out"].sum())
    how = (
        "Shares of the ended runs with Wilson 95 % intervals"
        if frame["is_share"].iloc[0]
        else "Medians over the ended runs (diverged: worst) with 95 % percentile bootstrap intervals"
    )
    shared = bool((frame["seeds"] < frame["runs"]).any())
    return (
        f"{how}, pooled over all other factors."
        + (f" {TOO_NARROW}" if shared else "")
        + (" Unfinished runs are left out." if left else "")
    )


def caption_main(frame: pd.DataFrame) -> str:
    idle = "A factor can look idle here and still matter together with another one."
    return f"{method(frame)} {idle}{_FACTORS.said(frame)}"


def caption_interactions(frame: pd.DataFrame) -> str:
    lines = "Parallel lines: the factors act apart; crossing: each decides what the other does."
    return f"{method(frame)} {lines}{_PAIRS.said(frame)}"


def _confounded(frame: pd.DataFrame) -> str:
    """A warning where a third factor goes with the other two, for not every combination was run."""
    pairs = frame.groupby(["first", "second"])[["level", "other"]]
    sparse = [len(cells) < cells["level"].nunique() * cells["other"].nunique() for _, cells in pairs]
    if len(sparse) < 2 or not any(sparse):
        return ""
    return " Not every combination was run: cells beside each other can differ in other factors too."


def caption_map(frame: pd.DataFrame) -> str:
    return (
        f"{method(frame)}{_confounded(frame)} Where cells have no room for them, the CSV has intervals and "
        f"n. Grey: no such runs, or more than half of them diverged.{_MAPS.said(frame)}"
    )


EFFECTS: Final = FigureRecord(
    name="effects",
    title="Main effects",
    needs="two factors or more, every combination of their levels, and a yardstick in common",
    applies=lambda m: is_grid(m) and not m.once(main_effects).empty,
    prepare=main_effects,
    draw=draw_main,
    caption=caption_main,
    sql=SQL,
    section=FACTORS,
)
INTERACTIONS: Final = FigureRecord(
    name="interactions",
    title="Two-way interactions",
    needs="two factors or more, every combination of their levels, and a yardstick in common",
    applies=lambda m: is_grid(m) and not m.once(interactions).empty,
    prepare=interactions,
    draw=draw_interactions,
    caption=caption_interactions,
    sql=SQL,
    section=FACTORS,
)
MAP: Final = FigureRecord(
    name="map",
    title="Map of two factors",
    needs="two factors that vary, four combinations or more, and a yardstick in common",
    applies=lambda m: len(m.telling) >= 2 and len(m.configurations) >= 4 and not m.once(interactions).empty,
    prepare=interactions,
    draw=draw_map,
    caption=caption_map,
    sql=SQL,
    section=FACTORS,
)
