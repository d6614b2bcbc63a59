"""What was asked and what came out, in generated sentences with numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bpsvc.reporting.cases import DIVERGED, UNFINISHED
from bpsvc.reporting.figures import depth
from bpsvc.reporting.figures.pairs import comparisons
from bpsvc.reporting.material import Material
from bpsvc.reporting.plateaus import LEVELS, has_levels, stuck
from bpsvc.reporting.tables.comparison import COMPARISON
from bpsvc.reporting.tables.words import figure, later, percent, percent_range, plural, whole

Row = dict[str, Any]
_NAMED: Final = 3  # so many configurations are named one by one; more are counted
_NUMBERS: Final = ("difference", "low", "high")
_COMPARED: Final = 3  # more would be no summary
_PAIRS: Final = 5  # fewer common seeds say nothing


def summary(material: Material) -> list[str]:
    """Plain sentences, the most important first; what cannot be said is left out."""
    if material.cases.empty:
        return ["There are no runs."]
    records = material.once(COMPARISON.prepare).to_dict("records")
    rows: list[Row] = [{str(key): value for key, value in record.items()} for record in records]
    return [
        *asked(material),
        *unfinished(material),
        *solved(rows),
        *pace(material, rows),
        *losses(material, rows),
        *plateaus(material),
        *validation(rows),
        *gradients(material),
        *diverged(material),
    ]


def asked(material: Material) -> list[str]:
    """How many runs of what, per experiment."""
    sentences = []
    for name, cases in material.cases.groupby("experiment", sort=False):
        parts = [f"{name}: {plural(len(cases), 'run')}"]
        swept = [factor for factor in material.factors if cases[factor].nunique(dropna=False) > 1]
        if swept:
            sizes = cases.groupby("configuration").size()
            each = _span(int(sizes.min()), int(sizes.max()))
            parts.append(f"{len(sizes)} configurations ({' × '.join(swept)}) with {each} seeds each")
        data = " and ".join(str(value) for value in dict.fromkeys(cases["data"].dropna()))
        parts.append(f"on {data}" if data else "")
        parts.append(f"for {whole(cases['horizon'].max())} epochs")
        sentences.append(", ".join(part for part in parts if part) + ".")
    shared = int(material.cases["run_id"].duplicated().sum())
    if shared:
        sentences.append(f"{plural(shared, 'run')} in more than one experiment, counted in each of them.")
    return sentences


def unfinished(material: Material) -> list[str]:
    """What is missing, by status."""
    missing = material.cases[material.cases["state"] == UNFINISHED]
    if missing.empty:
        return []
    counts = missing["status"].value_counts().sort_index()
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    if len(missing) == len(material.cases):
        return [f"No run has ended yet ({words}): there is nothing to conclude."]
    return [
        f"Unfinished: {whole(len(missing))} of {whole(len(material.cases))} runs have not ended ({words}). "
        "They are counted in the tables and left out of shares and medians: this report is of what has "
        "ended."
    ]


def solved(rows: Sequence[Row]) -> list[str]:
    """Which configurations solved most, which least; those that did alike are named together."""
    known = [row for row in rows if not np.isnan(row.get("solved_share", np.nan))]
    if not known:
        return []
    total, ended = sum(row["solved"] for row in known), sum(row["ended"] for row in known)
    if total in (0, ended):
        return [f"Solved: {whole(total)} of {plural(ended, 'ended run')}."]
    worst, best = extremes(known, "solved_share")
    if len(known) == 1:
        return [f"Solved: {_solved(best)}."]
    if best == worst:
        return [f"All {len(known)} configurations solved the same share: {_solved(best)}."]
    first = f"Most often solved: {_named(best)}, {_solved(best)}."
    if worst[0]["solved"] == 0:
        return [first, f"Never solved: {_named(worst)}, {_solved(worst)}."]
    return [first, f"Least often: {_named(worst)}, {_solved(worst)}."]


def pace(material: Material, rows: Sequence[Row]) -> list[str]:
    """The fastest median against the slowest, and seed by seed."""
    known = [row for row in rows if not np.isnan(row.get("epochs_median", np.nan))]
    if not any(np.isfinite(row["epochs_median"]) for row in known):
        return []
    fast, slow = extremes(known, "epochs_median")
    median = f"median {whole(fast[0]['epochs_median'])} epochs to solve (unsolved counted as later)"
    if fast == slow:
        return [f"Pace: {median}{_each(known)}."]
    late = later(slow[0]["epochs_median"], max(row["horizon"] for row in slow))
    return [f"Fastest: {_named(fast)}, {median}; slowest: {_named(slow)}, median {late}.", *_paired(material)]


def _paired(material: Material) -> list[str]:
    """How many times the epochs, over common seeds, where configurations differ in one factor alone."""
    table = material.once(comparisons)
    rows = table[(table["row"] == "median") & (table["ratio"] == 1) & (table["pairs"] >= _PAIRS)]
    told = [row for row in rows.to_dict("records") if _decided(row)]
    return [_times(row) for row in told[:_COMPARED]]


def _decided(row: Mapping[Any, Any]) -> bool:
    """Whether neither side of the middle pair, nor of the interval, is "later"."""
    values = np.array([row[name] for name in _NUMBERS])
    return bool(np.isfinite(values).all() and (values > 0).all())


def _times(row: Mapping[Any, Any]) -> str:
    times, low, high = (row[name] for name in _NUMBERS)
    more, less = row["level"], row["base"]
    if times < 1:
        more, less, times, low, high = less, more, 1 / times, 1 / high, 1 / low
    within = f" with {row['others']}" if row["others"] else ""
    correlation = "" if np.isnan(row["correlation"]) else f", rank correlation {row['correlation']:.2f}"
    needs = f"{times:.2f} times the epochs of" if f"{times:.2f}" != "1.00" else "as many epochs as"
    return (
        f"Seed by seed{within}, {more} needs {needs} {less} "
        f"(median of {row['pairs']:.0f} pairs, 95 % interval {low:.2f}–{high:.2f}{correlation})."
    )


def losses(material: Material, rows: Sequence[Row]) -> list[str]:
    """The lowest median final loss, where losses compare and no success is defined."""
    known = [row for row in rows if not np.isnan(row["median_final_loss"])]
    if material.is_judged or not known or len({row["loss"] for row in known}) > 1:
        return []
    low, high = extremes(known, "median_final_loss")
    least, most = low[0]["median_final_loss"], high[0]["median_final_loss"]
    if np.isinf(least):
        return []
    if low == high:
        return [f"Median final loss ({low[0]['loss']}): {figure(least)}{_each(known)}."]
    highest = ", half of whose runs diverged" if np.isinf(most) else f" with {figure(most)}"
    return [
        f"Lowest median final loss ({low[0]['loss']}): {_named(low)} with {figure(least)}; highest: "
        f"{_named(high)}{highest}."
    ]


def plateaus(material: Material) -> list[str]:
    """At which level unsolved XOR runs stand."""
    ends = stuck(material.cases[has_levels(material.cases)]).value_counts()
    counts = [(level.outputs, int(ends.get(level.outputs, 0))) for level in LEVELS]
    total = sum(count for _, count in counts)
    if not total:
        return []
    words = "; ".join(f"{count} with the outputs for {outputs}" for outputs, count in counts if count)
    return [f"Stuck on a plateau at the end: {plural(total, 'unsolved run')} ({words})."]


def validation(rows: Sequence[Row]) -> list[str]:
    """The range of the medians of validation accuracy."""
    known = [row for row in rows if not np.isnan(row["median_validation_accuracy"])]
    if not known:
        return []
    worst, best = extremes(known, "median_validation_accuracy")
    low, high = worst[0]["median_validation_accuracy"], best[0]["median_validation_accuracy"]
    if best == worst:
        return [f"Median validation accuracy: {high:.3f}{_each(known)}."]
    return [f"Median validation accuracy: from {low:.3f} ({_named(worst)}) to {high:.3f} ({_named(best)})."]


def gradients(material: Material) -> list[str]:
    """Decades of signal lost per layer before training, by the deepest configuration of each panel."""
    if not depth.DEPTH.applies(material):
        return []
    frame = depth.DEPTH.data(material).drop_duplicates("configuration")
    frame = frame[np.isfinite(frame["decades_per_layer"]) & (frame["hidden_layers"] >= 3)]
    if frame["panel"].nunique() > 1:
        frame = frame.sort_values("hidden_layers", kind="stable").groupby("panel", sort=False).tail(1)
    if frame.empty:
        return []
    ordered = frame.sort_values("decades_per_layer", ascending=False, kind="stable")
    pairs = zip(ordered["configuration"], ordered["decades_per_layer"], strict=True)
    words = [f"{name}: {slope:.2f}".replace(": -", ": −") for name, slope in pairs]
    shown = "; ".join(words[:6]) + (f"; and {len(words) - 6} more" if len(words) > 6 else "")
    return [f"Before training the signal falls towards the input by these decades per hidden layer: {shown}."]


def diverged(material: Material) -> list[str]:
    """What diverged, and when."""
    lost = material.cases[material.cases["state"] == DIVERGED]
    if lost.empty:
        return []
    labels = material.configurations.set_index("configuration")["label"]
    counts = lost.groupby("configuration").size().sort_values(ascending=False, kind="stable")
    words = _listed([f"{count} of {labels[int(str(number))]}" for number, count in counts.items()])
    first = lost["diverged_epoch"].min()
    return [f"Diverged: {plural(len(lost), 'run')} ({words}), the first at epoch {whole(first)}."]


def extremes(rows: Sequence[Row], column: str) -> tuple[list[Row], list[Row]]:
    """The rows that have the smallest value, and those that have the largest: all of them where they tie."""
    values = [row[column] for row in rows]
    low, high = min(values), max(values)
    return [row for row in rows if row[column] == low], [row for row in rows if row[column] == high]


def _named(rows: Sequence[Row]) -> str:
    return _listed([row["configuration"] for row in rows])


def _each(rows: Sequence[Row]) -> str:
    return f" in each of {len(rows)} configurations" if len(rows) > 1 else ""


def _solved(rows: Sequence[Row]) -> str:
    """What these rows, which solved the same share, have in common: `28 of 30 each (93 %, …)`."""
    row, each = rows[0], " each" if len(rows) > 1 else ""
    if len({row["ended"] for row in rows}) > 1:
        return f"{percent(row['solved_share'])}{each}"
    interval = percent_range(row["solved_low"], row["solved_high"])
    share = f"{percent(row['solved_share'])}, 95 % interval {interval}"
    return f"{whole(row['solved'])} of {whole(row['ended'])}{each} ({share})"


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown}; and {len(names) - _NAMED} more"


def _span(low: int, high: int) -> str:
    return whole(low) if low == high else f"{whole(low)} to {whole(high)}"
