"""What figures with configurations have in common: their facets, their names in a legend, their n."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bpsvc.reporting.encoding import MOST_IN_ONE_PANEL, MOST_SERIES
from bpsvc.reporting.figures.first import First
from bpsvc.reporting.grids import per_configuration
from bpsvc.reporting.material import Material

_FIRST: Final = First(MOST_IN_ONE_PANEL, "series", ("series",))


class Facet(NamedTuple):
    """Where a configuration stands in every figure."""

    panel: str
    series: str
    colour: str
    configuration: str


def facets(material: Material) -> Iterator[tuple[Facet, pd.DataFrame]]:
    """(facet, its cases) of every configuration, panel by panel and in the order of the series."""
    cases = per_configuration(material.cases)
    ordered = material.configurations.sort_values(["panel_order", "series_order"], kind="stable")
    for row in ordered.itertuples():
        yield (
            Facet(str(row.panel), str(row.series), str(row.colour), str(row.label)),
            cases[int(str(row.configuration))],
        )


def under(heads: Sequence[Mapping[str, Any]], parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts below each other, each with its head repeated on every row; text of heads is categorical, for it
    is long.
    """
    if not parts:
        return pd.DataFrame()
    joined = pd.concat(parts, ignore_index=True)
    code = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    about = pd.DataFrame(list(heads))
    for name in about:
        column = about[name]
        is_number = pd.api.types.is_numeric_dtype(column)
        kinds = column if is_number else pd.Series(pd.Categorical(column, list(dict.fromkeys(column))))
        joined[name] = kinds.iloc[code].reset_index(drop=True)
    return joined


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of those series that are drawn: of more than a legend can tell apart the first ones."""
    return frame[frame["series"].isin(_FIRST.of(frame))] if _are_many(frame) else frame


def not_drawn(frame: pd.DataFrame) -> str:
    """A sentence for the caption when `shown` leaves series out, else nothing."""
    return _FIRST.said(frame) if _are_many(frame) else ""


def _are_many(frame: pd.DataFrame) -> bool:
    return frame["series"].nunique() > MOST_SERIES


def legend_names(frame: pd.DataFrame) -> dict[str, str]:
    """series -> colour: the order of every panel is kept, whichever panels lack a series."""
    order: list[str] = []
    frame = frame[["panel", "series", "colour"]].drop_duplicates()
    for _, rows in frame.groupby("panel", sort=False):
        names = [str(name) for name in rows["series"]]
        for place, name in enumerate(names):
            if name not in order:
                follower = next((other for other in names[place:] if other in order), None)
                order.insert(len(order) if follower is None else order.index(follower), name)
    colours = dict(zip(frame["series"], frame["colour"], strict=True))
    return {name: colours[name] for name in order}


def counted(frame: pd.DataFrame, column: str) -> dict[str, str]:
    """series -> its n: "20", or "18–20" where panels differ."""
    ranges = frame[["series", column]].drop_duplicates().groupby("series")[column].agg(["min", "max"])
    return {str(name): _range(int(low), int(high)) for name, low, high in ranges.itertuples()}


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def breadth(place: int, count: int) -> float:
    """How many times as wide as the last one line of several is: where they coincide, the earlier ones show
    beneath.
    """
    return 1.0 + 1.5 * (1 - (place + 1) / count)


def faint(runs: int) -> float:
    """How opaque one of many thin lines is."""
    return float(np.clip(2.2 / np.sqrt(max(runs, 1)), 0.06, 0.5))
