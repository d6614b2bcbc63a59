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
    """Which configuration solved most, which least."""
    known = [row for row in rows if row.get("solved") is not None and row["ended"]]
    if not known:
        return []
    if len(known) == 1:
        return [f"Solved: {_solved(known[0])}."]
    if not any(row["solved"] for row in known):
        return ["No run was solved."]
    shares = [row["solved_share"] for row in known]
    best = [row for row in known if row["solved_share"] == max(shares)]
    worst = [row for row in known if row["solved_share"] == min(shares)]
    if len(best) == len(known):
        return [f"All configurations solved the same share: {_solved(best[0])}."]
    alike = f", and as often {_listed([row['configuration'] for row in best[1:]])}" if len(best) > 1 else ""
    first = f"Most often solved: {best[0]['configuration']} with {_solved(best[0])}{alike}."
    if worst[0]["solved"] == 0:
        never = _listed([row["configuration"] for row in worst])
        return [first, f"Never solved by {len(worst)} of {len(known)} configurations: {never}."]
    return [first, f"Least often: {worst[0]['configuration']} with {_solved(worst[0])}."]


def pace(material: Material, rows: Sequence[Row]) -> list[str]:
    """The fastest median against the slowest, and seed by seed."""
    known = [row for row in rows if not np.isnan(row.get("epochs_median", np.nan))]
    finite = [row for row in known if np.isfinite(row["epochs_median"])]
    if not finite:
        return []
    fast = min(finite, key=lambda row: row["epochs_median"])
    slow = max(known, key=lambda row: row["epochs_median"])
    median = f"median {whole(fast['epochs_median'])} epochs to solve (unsolved counted as later)"
    if len(known) == 1:
        return [f"Pace: {median}."]
    late = later(slow["epochs_median"], slow["horizon"])
    sentence = f"Fastest: {fast['configuration']}, {median}; slowest: {slow['configuration']}, median {late}."
    return [sentence, *_paired(material)]


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
    return (
        f"Seed by seed{within}, {more} needs {times:.2f} times the epochs of {less} "
        f"(median of {row['pairs']:.0f} pairs, 95 % interval {low:.2f}–{high:.2f}{correlation})."
    )


def losses(material: Material, rows: Sequence[Row]) -> list[str]:
    """The lowest median final loss, where losses compare and no success is defined."""
    known = [row for row in rows if np.isfinite(row["median_final_loss"])]
    if material.is_judged or len(known) < 2 or len({row["loss"] for row in known}) > 1:
        return []
    best, worst = (pick(known, key=lambda row: row["median_final_loss"]) for pick in (min, max))
    return [
        f"Lowest median final loss ({best['loss']}): {best['configuration']} with "
        f"{figure(best['median_final_loss'])}; highest: {worst['configuration']} with "
        f"{figure(worst['median_final_loss'])}."
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
    worst, best = (pick(known, key=lambda row: row["median_validation_accuracy"]) for pick in (min, max))
    low, high = worst["median_validation_accuracy"], best["median_validation_accuracy"]
    if low == high:
        return [
            f"Median validation accuracy: {high:.3f}{' for every configuration' if len(known) > 1 else ''}."
        ]
    return [
        f"Median validation accuracy: from {low:.3f} ({worst['configuration']}) to {high:.3f} "
        f"({best['configuration']})."
    ]


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


def _solved(row: Row) -> str:
    interval = percent_range(row["solved_low"], row["solved_high"])
    return f"{row['solved']} of {row['ended']} ({percent(row['solved_share'])}, 95 % interval {interval})"


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown}; and {len(names) - _NAMED} more"


def _span(low: int, high: int) -> str:
    return whole(low) if low == high else f"{whole(low)} to {whole(high)}"
