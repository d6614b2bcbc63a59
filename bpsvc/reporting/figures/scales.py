"""Axes: epochs on a logarithmic scale that has room for epoch 0, and decades written as 10⁻³."""

import math
from collections.abc import Sequence
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST, _MOST = -307.5, 308.2  # exponents between which powers of ten are normal floats
_SUFFIX: Final = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def power_of_ten(exponent: int) -> str:
    """10⁻³ from -3."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def short_count(value: float) -> str:
    """1500 -> 1.5k: numbers in few characters."""
    for size, suffix in _SUFFIX:
        if size <= value < 1000 * size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def epoch_label(first: float) -> str:
    """What the axis must say about itself when it starts at 0."""
    return f"epoch (log scale from {first:g} on; 0 = before training)"


def first_epoch(epochs: ArrayLike) -> float:
    """Where the logarithmic part of the axis starts: the first of these after 0, down to 1, 2 or 5 of its
    decade.
    """
    values = np.asarray(epochs, dtype=np.float64)
    positive = values[values > 0]
    if not positive.size:
        return 1.0
    least = float(positive.min())
    decade = 10.0 ** math.floor(math.log10(least))
    return max(1.0, decade * max(digit for digit in (1, 2, 5) if digit * decade <= least))


def epoch_axis(ax: Axes, epochs: ArrayLike) -> float:
    """A symlog x axis, linear between epoch 0 and the first one after it; answers that first epoch."""
    values = np.asarray(epochs, dtype=np.float64)
    first = first_epoch(values)
    last = float(values.max()) if values.size else first
    ax.set_xscale("symlog", linthresh=first, linscale=0.45)
    decades = [
        10.0**k
        for k in range(math.ceil(math.log10(first) + 0.3), math.floor(math.log10(max(last, first))) + 1)
    ]
    skip = max(1, math.ceil(len(decades) / 6))
    ticks = [0.0, first, *decades[::-1][::skip][::-1]]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    ax.set_xlim(-0.04 * first, max(last, first))
    return first


def widened(ax: Axes, share: float) -> None:
    """Room on the right of the x axis: this share of its length, whatever its scale."""
    scale = ax.xaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_xlim()))
    end = scale.inverted().transform(np.array([high + (high - low) * share / (1 - share)]))
    ax.set_xlim(right=float(end[0]))


def log_axis(ax: Axes, values: ArrayLike, which: str = "y", room: float = 0.06) -> None:
    """A logarithmic axis that fits the positive, finite `values`, with at most about seven labelled ticks."""
    given = np.asarray(values, dtype=np.float64)
    usable = given[np.isfinite(given) & (given > 0)]
    low, high = (float(usable.min()), float(usable.max())) if usable.size else (0.1, 1.0)
    start, end = max(math.log10(low), _LEAST + 0.6), min(math.log10(high), _MOST - 0.6)
    start, end = min(start, end), max(start, end)
    if end - start < 0.6:
        middle = (start + end) / 2
        start, end = middle - 0.3, middle + 0.3
    margin = room * (end - start)
    start, end = max(start - margin, _LEAST), min(end + margin, _MOST)
    ticks, labels = _ticks(start, end, _room(ax, which))
    axis = ax.yaxis if which == "y" else ax.xaxis
    (ax.set_yscale if which == "y" else ax.set_xscale)("log")
    (ax.set_ylim if which == "y" else ax.set_xlim)(10**start, 10**end)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: labels.get(round(math.log10(value), 6), "")))


def _room(ax: Axes, which: str) -> int:
    """How many tick labels have room on this axis, seven at most."""
    box, (width, height) = ax.get_position(), ax.figure.get_figure(root=True).get_size_inches()
    size = float(matplotlib.rcParams["ytick.labelsize"]) / 72
    room = box.height * height / (1.7 * size) if which == "y" else box.width * width / (4.0 * size)
    return max(2 if which == "y" else 3, min(7, int(room)))


def _ticks(start: float, end: float, most: int) -> tuple[list[float], dict[float, str]]:
    whole = list(range(math.ceil(start), math.floor(end) + 1))
    if len(whole) >= 3:
        step = max(1, math.ceil(len(whole) / most))
        chosen = [k for k in whole if k % step == 0]
        return [10.0**k for k in chosen], {float(k): power_of_ten(k) for k in chosen}
    fine = (
        _between(start, end, (1, 2, 5))
        if end - start > 0.8
        else _between(start, end, (1, 1.5, 2, 3, 4, 5, 7))
    )
    fine = fine[:: max(1, math.ceil(len(fine) / most))]
    return fine, {round(math.log10(value), 6): short_count(value) for value in fine}


def _between(start: float, end: float, digits: Sequence[float]) -> list[float]:
    decades = range(math.floor(start), math.floor(end) + 1)
    values = [digit * 10.0**k for k in decades for digit in digits]
    return [value for value in values if start <= math.log10(value) <= end]


def decades(low: float, high: float, most: int = 7) -> list[int]:
    """Exponents of the powers of ten between two values, at most about `most`, evenly spaced."""
    whole = list(range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1))
    step = max(1, math.ceil(len(whole) / most))
    return [k for k in whole if k % step == 0] or whole


def share_axis(ax: Axes) -> None:
    """A y axis from 0 % to 100 %."""
    ax.set_ylim(-0.03, 1.03)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1] if _room(ax, "y") >= 5 else [0, 0.5, 1]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
