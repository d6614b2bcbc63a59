"""Small multiples laid out in inches: a title, panels with their own headings, shared axis labels, a legend
below all of them.

Placing everything by hand is what keeps legends outside the data, and it costs a fraction of matplotlib's
constrained layout.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path

from bpsvc.reporting.style import Style, clean

Entry = Line2D | Patch
_LEAST_PANEL = 1.5  # ems that a panel is tall where a sheet has a height of its own


@dataclass(frozen=True)
class Layout:
    """What a sheet of panels is to look like. `aspect` is a panel's height over its width."""

    title: str = ""
    x: str = ""
    y: str = ""
    columns: int | None = None
    aspect: float | None = None
    same_x: bool = True
    same_y: bool = True
    left: float = 6.0
    right: float = 1.0
    row_heights: tuple[float, ...] = ()
    below: float = 0.0
    gap: float | None = None
    foot: float = 0.0


def sheet(
    style: Style, headings: Sequence[str], legend: Sequence[Entry], layout: Layout
) -> tuple[Figure, list[Axes]]:
    """A figure with one panel per heading. `left` and `right` margins are in ems; so are the gaps.

    `row_heights` (in ems) sets the heights of the rows one by one; `below` leaves room beneath the panels,
    `foot` beneath each of them.

    Panels of one sheet share their axes where `same_x` and `same_y` say so; only the outer ones then carry
    tick labels.
    """
    em = style.em
    count = max(1, len(headings))
    columns = min(layout.columns or _columns(count), style.columns, count)
    rows = math.ceil(count / columns)
    left, right = layout.left * em, layout.right * em
    gap_x = (layout.gap or (2.3 if layout.same_y else layout.left * 0.9)) * em
    width = (style.width - left - right - gap_x * (columns - 1)) / columns
    aside = [0.6 * gap_x if place % columns < columns - 1 else 0.8 * right for place in range(count)]
    # A narrow sheet needs its whole width for the legend.
    margin = left if style.width > 5 else 0.6 * em
    per_row, lines = _legend_shape(legend, style, style.width - margin - 0.4 * em)
    below = lines * 1.6 * em + (0.6 * em if lines else 0) + layout.below * em
    bottom = ((4.0 if layout.x else 2.2) + layout.foot) * em + below
    row_room = ((style.height or math.inf) - bottom - 2.6 * em) / rows / em
    most = max(1.0, (row_room - _LEAST_PANEL - 1.25) // 1.25)
    heads = [
        wrapped(text, style.font, width + room, most)
        for text, room in zip(headings or [""], aside, strict=True)
    ]
    heading = (0.65 + 1.25 * max(text.count("\n") + 1 for text in heads)) * em if any(heads) else 0.5 * em
    gap_y = heading + (0.6 if layout.same_x else 3.2 + layout.foot) * em
    top = (2.6 * em if style.titled and layout.title else 0.4 * em) + heading
    aspect = layout.aspect or (0.52 if columns == 1 else 0.72)
    heights = [layout.row_heights[k] * em if layout.row_heights else width * aspect for k in range(rows)]
    total = top + bottom + sum(heights) + (rows - 1) * gap_y
    wanted = style.height
    if style.tallest is not None and total > style.tallest and not layout.row_heights:
        wanted = style.tallest
    if wanted is not None:
        scale = max(wanted - total + sum(heights), 2 * em) / sum(heights)
        heights = [height * scale for height in heights]
        total = wanted
    figure = Figure(figsize=(style.width, total))
    axes: list[Axes] = []
    for place, text in enumerate(heads):
        row, column = divmod(place, columns)
        above = top + sum(heights[: row + 1]) + row * gap_y
        box = (left + column * (width + gap_x), total - above, width, heights[row])
        ax = figure.add_axes(
            (box[0] / style.width, box[1] / total, box[2] / style.width, box[3] / total),
            sharex=axes[0] if axes and layout.same_x else None,
            sharey=axes[0] if axes and layout.same_y else None,
        )
        if text:
            ax.set_title(text, linespacing=1.2)
        ax.tick_params(
            labelleft=column == 0 or not layout.same_y,
            labelbottom=place + columns >= count or not layout.same_x,
        )
        axes.append(ax)
    _frame(figure, style, layout, left, total)
    if legend:
        room = style.width - margin - 2.7 * em
        labels = [fitted(str(entry.get_label()), 0.95 * style.font, room) for entry in legend]
        figure.legend(
            handles=list(legend),
            labels=labels,
            loc="lower left",
            bbox_to_anchor=(margin / style.width, 0.25 * em / total),
            ncols=per_row,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.7,
            handletextpad=0.6,
            columnspacing=1.6,
            labelspacing=0.5,
        )
    return figure, axes


def _frame(figure: Figure, style: Style, layout: Layout, left: float, total: float) -> None:
    """The title and the axis labels that all panels share."""
    em = style.em
    if style.titled and layout.title:
        figure.text(
            0.8 * em / style.width,
            1 - 1.7 * em / total,
            clean(layout.title, 90),
            weight="bold",
            size=1.15 * style.font,
            va="baseline",
        )
    if layout.x:
        middle = (left + style.width - layout.right * em) / 2
        under = min(ax.get_position().y0 for ax in figure.axes) * total
        figure.text(middle / style.width, (under - 3.3 * em) / total, layout.x, ha="center", va="baseline")
    if layout.y:
        boxes = [ax.get_position() for ax in figure.axes]
        centre = (min(b.y0 for b in boxes) + max(b.y1 for b in boxes)) / 2
        head = 2.4 * em if style.titled and layout.title else 0.3 * em
        size = style.font * min(1.0, (total - head - 0.3 * em) / text_width(layout.y, style.font))
        half = 0.5 * text_width(layout.y, size) / total
        at = (0.9 * em / style.width, min(max(centre, half), 1 - head / total - half))
        figure.text(*at, layout.y, rotation=90, ha="center", va="center", size=size)


def _columns(count: int) -> int:
    """4 panels stand as 2 × 2, 6 as 2 × 3, 8 as 2 × 4, 16 as 4 × 4."""
    return {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 9: 3}.get(count, 4)


def _legend_shape(legend: Sequence[Entry], style: Style, room: float) -> tuple[int, int]:
    """(entries in a row, rows) such that the longest label fits its column."""
    if not legend:
        return 1, 0
    widths = [text_width(str(entry.get_label()), 0.95 * style.font) for entry in legend]
    cell = max(widths) + (1.7 + 0.6 + 1.6) * style.em
    per_row = max(1, min(len(legend), int(room / cell)))
    rows = math.ceil(len(legend) / per_row)
    return math.ceil(len(legend) / rows), rows


def text_width(text: str, size: float) -> float:
    """The width of a line of text of this size (points), cleaned as figures show it, in inches."""
    font = FontProperties(family="DejaVu Sans", size=size)
    return float(text_to_path.get_text_width_height_descent(clean(text, 200), font, False)[0]) / 72


def fitted(text: str, size: float, room: float) -> str:
    """User text cleaned, and cut with an ellipsis where it is wider than `room` inches."""
    shown = clean(text, 120)
    while text_width(shown, size) > room and len(shown) > 4:
        shown = shown[: len(shown) - 2].rstrip(" ·…") + "…"
    return shown


def wrapped(text: str, size: float, room: float, most: float = math.inf) -> str:
    """User text cleaned, on as many lines as the parts between its dots need, each no wider than `room`; the
    last of `most` ends in an ellipsis where there would be more.
    """
    lines: list[str] = []
    for part in clean(text, 120).split(" · "):
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    if len(lines) > most:
        lines = [*lines[: int(most) - 1], " · ".join(lines[int(most) - 1 :])]
    return "\n".join(fitted(line, size, room) for line in lines)


def tips(ax: Axes, named: Sequence[tuple[float, str, str]], style: Style) -> None:
    """(height in data, text, colour) at the right edge of a panel, moved apart where they would cover each
    other.
    """
    tall = ax.get_position().height * ax.figure.get_figure(root=True).get_size_inches()[1] * 72
    low, high = (float(ax.transAxes.transform((0, end))[1]) for end in (0, 1))
    places = sorted((float(ax.transData.transform((0, y))[1]), text, colour) for y, text, colour in named)
    wanted = [(y - low) / (high - low) * tall for y, _, _ in places]
    heights = apart(wanted, 1.1 * style.font)
    over = max(0.0, heights[-1] - tall) if heights else 0.0
    for height, (_, text, colour) in zip(heights, places, strict=True):
        ax.annotate(
            text,
            (1, (height - over) / tall),
            xycoords="axes fraction",
            xytext=(0.4 * style.font, 0),
            textcoords="offset points",
            va="center",
            size=0.9 * style.font,
            color=colour,
        )


def apart(wanted: Sequence[float], step: float) -> list[float]:
    """Places (n,), `step` apart or more, as near to the wanted, rising ones as can be (least squares)."""
    # The lowest place of each group that touches, less its rank among all, and the group's size.
    groups: list[tuple[float, int]] = []
    for place, value in enumerate(wanted):
        group = (value - place * step, 1)
        while groups and groups[-1][0] > group[0]:
            mean, size = groups.pop()
            group = ((mean * size + group[0] * group[1]) / (size + group[1]), size + group[1])
        groups.append(group)
    flat = [mean for mean, size in groups for _ in range(size)]
    return [mean + place * step for place, mean in enumerate(flat)]


def swatch(label: str, colour: str, style: Style, **how: object) -> Entry:
    """A legend entry: a line of this colour."""
    line = Line2D([], [], color=colour, label=clean(label), linewidth=style.line * 1.2)
    if how:
        line.set(**how)
    return line


def colour_bar(figure: Figure, style: Style, mappable: ScalarMappable, label: str, left: float) -> Axes:
    """A horizontal scale of colours beneath the panels; the layout must leave `below` 4.4 ems or more."""
    em, (width, height) = style.em, figure.get_size_inches()
    size = (min(0.5 * width, 24 * em) / width, 0.7 * em / height)
    bar = figure.add_axes((left * em / width, 3.3 * em / height, *size))
    figure.colorbar(mappable, cax=bar, orientation="horizontal")
    bar.set_xlabel(label, labelpad=0.25 * style.font)
    bar.grid(visible=False)
    return bar
