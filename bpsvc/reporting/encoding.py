"""How configurations (combinations of factors) are named and coloured: once for a report, so that a colour
means one thing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.palette import ordered_colours, unordered_colours

EXPERIMENT: Final = "experiment"
MOST_IN_ONE_PANEL: Final = 7
MOST_SERIES: Final = 12
_CONSTANTS: Final = ("null", "true", "false")  # of JSON, which say nothing without their factor
_MOST_SETTINGS: Final = 2  # that differ between experiments, in a name; more stand in a table


@dataclass(frozen=True)
class Factor:
    """A swept path: its levels in order (numbers ascending, text as it first appears).

    `along` are the factors that travel with it: the name of each and its value at each level (a step that is
    set together with the activation). What such a level does, all of them do together.
    """

    name: str
    levels: tuple[Any, ...]
    is_number: bool
    along: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`activation with learning_rate`."""
        return " with ".join([self.name, *self.along])

    def short(self, place: int) -> str:
        """A level where the title is told beside it: `tanh · 0.2`."""
        values = (levels[place] for levels in (self.levels, *self.along.values()))
        return " · ".join(str(number(value)) for value in values)


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
    others the panels, unless each would have one of its own. `fallback` names all runs where nothing tells
    them apart.
    """
    table = cases.drop_duplicates("configuration").sort_values("configuration").reset_index(drop=True)
    table = table[["configuration", *factors]].copy()
    table["label"] = _joined(table, telling, words) if telling else fallback
    series = _series(telling, table)
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


def telling(cases: pd.DataFrame, factors: Sequence[str], drawn: Collection[str] = ()) -> tuple[Factor, ...]:
    """The factors that vary, each with those that travel along with it.

    One travels along with another that decides it: at each level of that one it has one value. Text leads
    numbers, and a number leads text only where each decides the other, for steps of their own for every
    optimizer do not carry the optimizer along. The experiment and what is `drawn` at random follow nothing:
    that no two points have a value in common binds no factors together.
    """
    table = cases.drop_duplicates("configuration")[list(factors)]
    known = [_factor(name, cases[name]) for name in factors]
    kept = [factor for factor in known if len(factor.levels) > 1]
    followed: dict[str, list[str]] = {}
    backwards = kept[::-1]
    for one in sorted(backwards, key=lambda factor: not factor.is_number):
        leader = next((other for other in kept if _leads(other, one, table, drawn)), None)
        if leader is not None:
            kept.remove(one)
            followed.setdefault(leader.name, []).extend([one.name, *followed.pop(one.name, [])])
    return tuple(_with(factor, followed.get(factor.name, []), factors, table) for factor in kept)


def _leads(leader: Factor, other: Factor, table: pd.DataFrame, drawn: Collection[str]) -> bool:
    if leader is other or other.name == EXPERIMENT or {leader.name, other.name} & set(drawn):
        return False
    combinations = len(table[[leader.name, other.name]].drop_duplicates())
    one_to_one = combinations == len(other.levels)
    return combinations == len(leader.levels) and (one_to_one or not leader.is_number or other.is_number)


def _with(factor: Factor, names: Sequence[str], order: Sequence[str], table: pd.DataFrame) -> Factor:
    each = table.drop_duplicates(factor.name).set_index(factor.name)
    along = {name: tuple(each.loc[list(factor.levels), name]) for name in order if name in names}
    return replace(factor, along=along)


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def describe(name: str, value: object) -> str:
    """`depth 5` for a number, `batch_size none` and `bias false` for JSON's constants, the bare value for
    other text.
    """
    return f"{name} {number(value)}" if _is_real(value) or value in _CONSTANTS else str(value)


def number(value: object) -> str:
    """A number as people write it: 5, 0.05, 1e-06; `none` for a missing one and for JSON's null."""
    if _is_missing(value) or value == "null":
        return "none"
    return f"{value:g}" if isinstance(value, Real) else str(value)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _factor(name: str, column: "pd.Series[Any]") -> Factor:
    values = [value for value in pd.unique(column) if not _is_missing(value)]
    is_number = bool(values) and all(map(_is_real, values))
    return Factor(name, tuple(sorted(values)) if is_number else tuple(values), is_number)


def _ranks(column: "pd.Series[Any]") -> np.ndarray[Any, Any]:
    places = {value: place for place, value in enumerate(_factor("", column).levels)}
    return np.array([places.get(value, len(places)) for value in column], dtype=np.intp)


def _place(factor: Factor, value: object) -> int:
    return factor.levels.index(value) if value in factor.levels else 0


def _series(factors: Sequence[Factor], table: pd.DataFrame) -> Factor | None:
    """The factor that gives the colours within a panel; None: everything is in one panel."""
    if len(table) <= MOST_IN_ONE_PANEL or not factors:
        return None
    fitting = [
        f for f in factors if len(f.levels) <= (MOST_SERIES if f.is_number else MOST_IN_ONE_PANEL)
    ] or factors
    series = max(fitting, key=lambda f: (f.is_number, len(f.levels)))
    rest = [factor.name for factor in factors if factor is not series]
    alone = bool(rest) and len(table[rest].drop_duplicates()) == len(table)
    return None if alone else series


def vocabulary(
    factors: Sequence[Factor], order: Sequence[str], settings: pd.DataFrame | None = None
) -> Mapping[tuple[str, Any], str]:
    """(factor, level) -> words, with those of the factors that travel along, in their `order`.

    Text that two factors have in common, or that is no word (`[8, 4]`), carries the factor's name. Where
    nothing but the experiment tells runs apart, it is told with what differs (`settings`, see Material), if
    that is little.
    """
    values = {name: levels for one in factors for name, levels in {one.name: one.levels, **one.along}.items()}
    texts = [text for levels in values.values() for text in {str(v) for v in levels if not _is_real(v)}]

    def word(name: str, value: object) -> str:
        shared = not _is_real(value) and (texts.count(str(value)) > 1 or not str(value)[:1].isalnum())
        return f"{name} {number(value)}" if shared else describe(name, value)

    words = {
        (factor.name, level): " · ".join(
            word(name, values[name][place])
            for name in sorted([factor.name, *factor.along], key=list(order).index)
        )
        for factor in factors
        for place, level in enumerate(factor.levels)
    }
    alone = [factor.name for factor in factors] == [EXPERIMENT]
    if settings is None or not alone or settings["name"].nunique() > _MOST_SETTINGS:
        return words
    for experiment, rows in settings.groupby(EXPERIMENT, sort=False):
        pairs = zip(rows["label"], rows["value"], strict=True)
        told = ", ".join(f"{label} {number(value)}" for label, value in pairs)
        words |= {key: f"{text} ({told})" for key, text in words.items() if key == (EXPERIMENT, experiment)}
    return words


def _joined(
    table: pd.DataFrame, factors: Sequence[Factor], words: Mapping[tuple[str, Any], str]
) -> list[str]:
    rows = table[[factor.name for factor in factors]].itertuples(index=False, name=None)
    names = [factor.name for factor in factors]
    return [" · ".join(words[pair] for pair in zip(names, row, strict=True)) for row in rows]
