"""How configurations (combinations of factors) are named and coloured: once for a report, so that a colour
means one thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.palette import ordered_colours, unordered_colours

EXPERIMENT: Final = "experiment"
MOST_IN_ONE_PANEL: Final = 7
MOST_SERIES: Final = 12
_MOST_SETTINGS: Final = 2  # that differ between experiments, in a name; more stand in a table


@dataclass(frozen=True)
class Factor:
    """A swept path: its levels in order (numbers ascending, text as it first appears)."""

    name: str
    levels: tuple[Any, ...]
    is_number: bool


def numbering(cases: pd.DataFrame, factors: Sequence[str]) -> np.ndarray[Any, Any]:
    """The number of each case's configuration, by the order of the factors' levels: (cases,)."""
    ranks = [_ranks(cases[name]) for name in factors]
    if not ranks or cases.empty:
        return np.zeros(len(cases), dtype=np.intp)
    return np.unique(np.stack(ranks, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def encoded(
    cases: pd.DataFrame,
    factors: Sequence[str],
    telling: Sequence[Factor],
    words: Mapping[tuple[str, Any], str],
    fallback: str,
) -> pd.DataFrame:
    """One row per configuration, by number: label, panel, series, colour, panel_order, series_order, and the
    factors' values.

    Up to seven configurations stand together in one panel, each with its own colour. More are spread over
    panels: one factor (numbers first, as they have an order to show) gives the colours within a panel, the
    others the panels. `fallback` names all runs where nothing tells them apart.
    """
    table = cases.drop_duplicates("configuration").sort_values("configuration").reset_index(drop=True)
    table = table[["configuration", *factors]].copy()
    table["label"] = _joined(table, telling, words) if telling else fallback
    series = _series(telling, len(table))
    if series is None:
        table["panel"], table["series"] = "", table["label"]
        table["panel_order"], table["series_order"] = 0, np.arange(len(table))
        only = (
            telling[0] if len(telling) == 1 and telling[0].is_number and len(telling[0].levels) > 2 else None
        )
        colours = ordered_colours(len(table)) if only else unordered_colours(len(table))
    else:
        rest = [factor for factor in telling if factor is not series]
        table["panel"], table["series"] = _joined(table, rest, words), _joined(table, [series], words)
        table["label"] = _joined(table, [*rest, series], words)
        table["panel_order"] = pd.factorize(table["panel"])[0]
        table["series_order"] = [_place(series, value) for value in table[series.name]]
        colours = (ordered_colours if series.is_number else unordered_colours)(len(series.levels))
    table["colour"] = [colours[place] for place in table["series_order"]]
    return table


def telling(cases: pd.DataFrame, factors: Sequence[str]) -> tuple[Factor, ...]:
    """The factors that vary, without those that follow from the others."""
    table = cases.drop_duplicates("configuration")[list(factors)]
    known = [_factor(name, cases[name]) for name in factors]
    return tuple(_telling([factor for factor in known if len(factor.levels) > 1], table))


def describe(name: str, value: object) -> str:
    """`depth 5` for a number, the bare value for text."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{name} {number(value)}"
    return str(value)


def number(value: object) -> str:
    """A number as people write it: 5, 0.05, 1e-06."""
    return f"{value:g}" if isinstance(value, Real) else str(value)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _factor(name: str, column: "pd.Series[Any]") -> Factor:
    values = [value for value in pd.unique(column) if not _is_missing(value)]
    is_number = bool(values) and all(isinstance(v, Real) and not isinstance(v, bool) for v in values)
    return Factor(name, tuple(sorted(values)) if is_number else tuple(values), is_number)


def _ranks(column: "pd.Series[Any]") -> np.ndarray[Any, Any]:
    places = {value: place for place, value in enumerate(_factor("", column).levels)}
    return np.array([places.get(value, len(places)) for value in column], dtype=np.intp)


def _place(factor: Factor, value: object) -> int:
    return factor.levels.index(value) if value in factor.levels else 0


def _telling(factors: list[Factor], table: pd.DataFrame) -> list[Factor]:
    """The factors that a label needs: one that follows from the others (a step that travels with the
    activation) does not, but for the experiment.
    """
    kept = list(factors)
    for factor in [f for f in reversed(factors) if f.is_number] + [
        f for f in reversed(factors) if not f.is_number
    ]:
        others = [f.name for f in kept if f is not factor]
        if factor.name != EXPERIMENT and others and len(table[others].drop_duplicates()) == len(table):
            kept.remove(factor)
    return kept


def _series(factors: Sequence[Factor], configurations: int) -> Factor | None:
    """The factor that gives the colours within a panel; None: everything fits one panel."""
    if configurations <= MOST_IN_ONE_PANEL or not factors:
        return None
    fitting = [
        f for f in factors if len(f.levels) <= (MOST_SERIES if f.is_number else MOST_IN_ONE_PANEL)
    ] or factors
    return max(fitting, key=lambda f: (f.is_number, len(f.levels)))


def vocabulary(
    factors: Sequence[Factor], settings: pd.DataFrame | None = None
) -> Mapping[tuple[str, Any], str]:
    """(factor, level) -> words; text that two factors have in common, or that is no word (`[8, 4]`), carries
    the factor's name. Where nothing but the experiment tells runs apart, it is told with what differs
    (`settings`, see Material), if that is little.
    """
    texts = [str(level) for factor in factors for level in factor.levels if not factor.is_number]
    words = {
        (factor.name, level): (
            f"{factor.name} {level}"
            if not factor.is_number and (texts.count(str(level)) > 1 or not str(level)[:1].isalnum())
            else describe(factor.name, level)
        )
        for factor in factors
        for level in factor.levels
    }
    alone = [factor.name for factor in factors] == [EXPERIMENT]
    if settings is None or not alone or settings["name"].nunique() > _MOST_SETTINGS:
        return words
    for experiment, rows in settings.groupby(EXPERIMENT, sort=False):
        pairs = zip(rows["label"], rows["value"], strict=True)
        told = ", ".join(f"{label} {number(none(value))}" for label, value in pairs)
        words |= {key: f"{text} ({told})" for key, text in words.items() if key == (EXPERIMENT, experiment)}
    return words


def none(value: object) -> object:
    """The value, or a word for a missing one."""
    return "none" if _is_missing(value) else value


def _joined(
    table: pd.DataFrame, factors: Sequence[Factor], words: Mapping[tuple[str, Any], str]
) -> list[str]:
    rows = table[[factor.name for factor in factors]].itertuples(index=False, name=None)
    names = [factor.name for factor in factors]
    return [" · ".join(words[pair] for pair in zip(names, row, strict=True)) for row in rows]
