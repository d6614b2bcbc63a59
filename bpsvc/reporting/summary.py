"""What was asked and what came out, in generated sentences with numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bpsvc.reporting.cases import DIVERGED, UNFINISHED
from bpsvc.reporting.figures import depth
from bpsvc.reporting.figures.effects import TOO_NARROW
from bpsvc.reporting.figures.pairs import comparisons, left_out
from bpsvc.reporting.material import Material
from bpsvc.reporting.outcomes import SOLVING
from bpsvc.reporting.plateaus import LEVELS, has_levels, started, stuck
from bpsvc.reporting.tables.comparison import COMPARISON
from bpsvc.reporting.tables.words import figure, later, percent, percent_range, whole
from bpsvc.wording import decimal, plural

Row = dict[str, Any]
_NAMED: Final = 3  # so many configurations are named one by one; more are counted
_NUMBERS: Final = ("difference", "low", "high")
_COMPARED: Final = 3  # more would be no summary
_ALPHA: Final = 0.05


def summary(material: Material) -> list[str]:
    """Plain sentences, the most important first; what cannot be said is left out."""
    if material.cases.empty:
        return ["There are no runs."]
    records = material.once(COMPARISON.prepare).to_dict("records")
    everyone: list[Row] = [{str(key): value for key, value in record.items()} for record in records]
    rows, among = apart(material, everyone)
    return [
        *asked(material),
        *material.notes,
        *unfinished(material),
        *among,
        *pooled(material),
        *solved(rows),
        *losses(material, rows),
        *validation(rows),
        *gradients(material),
        *diverged(material),
        *plateaus(material),
        *pace(rows),
        *paired(material),
    ]


def asked(material: Material) -> list[str]:
    """How many runs of what, per experiment."""
    sentences = []
    for name, cases in material.cases.groupby("experiment", sort=False):
        parts = [f"{name}: {plural(len(cases), 'run')}"]
        varying = {factor for factor in material.factors if cases[factor].nunique(dropna=False) > 1}
        swept = [factor.title for factor in material.telling if varying & {factor.name, *factor.along}]
        if swept:
            sizes = cases.groupby("configuration")["seed"].nunique()
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


def apart(material: Material, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The configurations that have no run in common, of others the largest or the one that is watched for
    longest; and a sentence on those that are therefore not ranked. A run does not compete with itself.
    """
    labels = material.configurations.set_index("configuration")["label"]
    runs = material.cases.groupby(material.cases["configuration"].map(labels))["run_id"].agg(set)
    taken: set[int] = set()
    kept: list[str] = []
    among: list[str] = []
    for row in sorted(rows, key=lambda row: (-row["runs"], -row["horizon"])):
        mine = runs[row["configuration"]]
        (among if mine & taken else kept).append(row["configuration"])
        taken |= mine if row["configuration"] in kept else set()
    ranked = [row for row in rows if row["configuration"] in kept]
    named = _listed([str(row["configuration"]) for row in rows if row["configuration"] in among])
    return ranked, [f"Not ranked, for runs of theirs are among others here: {named}."] if among else []


def pooled(material: Material) -> list[str]:
    """What intervals do not know where configurations are merged."""
    again = material.cases.duplicated(["configuration", "seed"])
    return [f"Configurations have several runs of a seed. {TOO_NARROW}"] if again.any() else []


def solved(rows: Sequence[Row]) -> list[str]:
    """Which configurations solved most, which least; those that did alike are named together. What was
    reached once and lost again is told apart.
    """
    known = [row for row in rows if not np.isnan(row.get("solved_share", np.nan))]
    told = [row for row in known if not np.isnan(row["held"])]
    lost = [row for row in told if row["held"] < row["solved"]]
    if not lost:
        return _ranked(known, "solved", "reached", "Reached") if known else []
    reached, judged = (sum(row[name] for row in known) for name in ("solved", "judged"))
    held, gone_in_all = sum(row["held"] for row in told), sum(row["solved"] - row["held"] for row in lost)
    unknown = sum(row["judged"] for row in known) - sum(row["judged"] for row in told)
    gone = _listed([f"{whole(row['solved'] - row['held'])} of {row['configuration']}" for row in lost])
    return [
        f"Reached at some epoch by {whole(reached)} of {plural(judged, 'ended run')}, held at the end by "
        f"{whole(held)}{f'; of {whole(unknown)} the end is not known' if unknown else ''}.",
        f"Reached, then lost: {plural(gone_in_all, 'run')} ({gone}).",
        *(_ranked(told, "held", "held at the end", "Held at the end") if held else []),
    ]


def _ranked(known: Sequence[Row], what: str, words: str, alone: str) -> list[str]:
    """Who did `what` most and least often."""
    total, judged = sum(row[what] for row in known), sum(row["judged"] for row in known)
    if total in (0, judged):
        return [f"{alone}: {whole(total)} of {plural(judged, 'ended run')}."]
    worst, best = extremes(known, f"{what}_share")
    if len(known) == 1:
        return [f"{alone}: {_share(best, what)}."]
    if best == worst:
        all_of_them = "Both" if len(known) == 2 else f"All {len(known)}"
        return [f"{all_of_them} configurations {words} the same share: {_share(best, what)}."]
    first = f"Most often {words}: {_named(best)}, {_share(best, what)}."
    if worst[0][what] == 0:
        return [first, f"Never {words}: {_named(worst)}, {_share(worst, what)}."]
    return [first, f"Least often: {_named(worst)}, {_share(worst, what)}."]


def pace(rows: Sequence[Row]) -> list[str]:
    """The fastest median against the slowest; what was right before any training is no speed."""
    lucky = [row for row in rows if row.get("untrained", 0)]
    said = []
    if lucky:
        names = _listed([f"{row['untrained']} of {row['configuration']}" for row in lucky])
        count = plural(sum(row["untrained"] for row in lucky), "run")
        said = [f"Met before any training: {count} ({names})."]
    known = [row for row in rows if row.get("epochs_median", 0) > 0]
    if not any(np.isfinite(row["epochs_median"]) for row in known):
        return said
    fast, slow = extremes(known, "epochs_median")
    median = f"{_epochs(fast)} until first reached (the others counted as later)"
    if fast == slow:
        return [*said, f"Pace: {median}{_each(known)}."]
    return [*said, f"Fastest: {_named(fast)}, {median}; slowest: {_named(slow)}, {_epochs(slow)}."]


def _epochs(rows: Sequence[Row]) -> str:
    """`median 24 epochs (95 % interval 15–46)`; the interval only where it is one row's."""
    row, horizon = rows[0], min(row["horizon"] for row in rows)
    median, low, high = (later(row[f"epochs_{name}"], horizon) for name in ("median", "low", "high"))
    interval = f" (95 % interval {low} to {high})" if len(rows) == 1 and low != high else ""
    return f"median {median} epochs{interval}"


def paired(material: Material) -> list[str]:
    """How many times the epochs, over common seeds, where configurations differ in one factor: the
    clearest differences, how many comparisons are undecided after Holm's correction, and what is left out.
    """
    table = material.once(comparisons)
    table = table[table["outcome"] == SOLVING.name]
    rows, without = table[table["row"] == "median"], left_out(table)
    clear = rows[rows["p_holm"] <= _ALPHA].sort_values("p_holm", kind="stable").to_dict("records")
    open_ = len(rows) - len(clear)
    said = [_times(row) if _has_ends(row) else _sooner(row) for row in clear[:_COMPARED]]
    if open_:
        said.append(
            f"Seed by seed, {whole(open_)} of {plural(len(rows), 'comparison')} of epochs until first "
            f"reached {'is' if open_ == 1 else 'are'} undecided (sign test, p > {_ALPHA} after Holm's "
            "correction)."
        )
    return [*said, *([f"Left out, seed by seed: {without}."] if without else [])]


def _has_ends(row: Mapping[Any, Any]) -> bool:
    """Whether neither side of the middle pair, nor of the interval, is "later"."""
    values = np.array([row[name] for name in _NUMBERS])
    return bool(np.isfinite(values).all() and (values > 0).all())


def _times(row: Mapping[Any, Any]) -> str:
    times, low, high = (row[name] for name in _NUMBERS)
    more, less = row["level"], row["base"]
    if times < 1:
        more, less, times, low, high = less, more, 1 / times, 1 / high, 1 / low
    correlation = "" if np.isnan(row["correlation"]) else f", rank correlation {decimal(row['correlation'])}"
    return (
        f"Seed by seed{_within(row)}, {more} needs {times:.2f} times the epochs of {less} "
        f"(median of {row['pairs']:.0f} pairs, 95 % interval {low:.2f}–{high:.2f}, "
        f"{_p(row)}{correlation})."
    )


def _sooner(row: Mapping[Any, Any]) -> str:
    """Where the middle of the pairs, or an end of its interval, has no number."""
    first, then, count = row["base"], row["level"], row["higher"]
    if row["lower"] > row["higher"]:
        first, then, count = then, first, row["lower"]
    return (
        f"Seed by seed{_within(row)}, {first} reaches it before {then} in {count:.0f} of {row['pairs']:.0f} "
        f"pairs ({_p(row)}), and too often alone for a median ratio."
    )


def _within(row: Mapping[Any, Any]) -> str:
    return f" with {row['others']}" if row["others"] else ""


def _p(row: Mapping[Any, Any]) -> str:
    return ("p < 0.001" if row["p_holm"] < 0.001 else f"p = {row['p_holm']:.2g}") + " after Holm's correction"


def losses(material: Material, rows: Sequence[Row]) -> list[str]:
    """The lowest median final loss, where losses compare and no success is defined: on the validation
    examples where there are some.
    """
    told = [row for row in rows if not np.isnan(row.get("median_validation_loss", np.nan))]
    column = "median_validation_loss" if told else "median_final_loss"
    what = f"final {'validation ' if told else ''}loss"
    known = told or [row for row in rows if not np.isnan(row[column])]
    if material.is_judged or not known or len({row["loss"] for row in known}) > 1:
        return []
    low, high = extremes(known, column)
    if np.isinf(low[0][column]):
        return []
    if low == high:
        return [f"Median {what} ({low[0]['loss']}): {_median(low, column)}{_each(known)}."]
    blown = np.isinf(high[0][column])
    highest = ", half of whose runs diverged" if blown else f" with {_median(high, column)}"
    lowest = f"{_named(low)} with {_median(low, column)}"
    return [
        f"Lowest median {what} ({low[0]['loss']}): {lowest}; highest: {_named(high)}{highest}"
        f"{_lost_beside(known)}."
    ]


def _lost_beside(rows: Sequence[Row]) -> str:
    """What a ranking of medians hides: who lost runs on the way."""
    lost = [row for row in rows if row["diverged"]]
    names = _listed([f"{row['diverged']} of {row['ended']} of {row['configuration']}" for row in lost])
    return f" (diverged, counted as worse than any: {names})" if lost else ""


def _median(rows: Sequence[Row], column: str) -> str:
    """The median with its interval, which is told only where it is one row's."""
    row = rows[0]
    low, high = figure(row[f"{column}_low"]), figure(row[f"{column}_high"])
    interval = f" (95 % interval {low} to {high})" if len(rows) == 1 and low != high else ""
    return figure(row[column]) + interval


def plateaus(material: Material) -> list[str]:
    """At which level XOR runs stand at the end, and which of them may not have left their start."""
    cases = material.cases[has_levels(material.cases)]
    ends = stuck(cases)
    # Who was right on the way has left the start, and come back.
    idle = ends.eq(started(cases)) & ~cases["solved"]
    counts = [
        (
            level.outputs,
            int(ends.eq(level.outputs).sum()),
            int((ends.eq(level.outputs) & idle).sum()),
        )
        for level in LEVELS
    ]
    total = sum(count for _, count, _ in counts)
    if not total:
        return []
    words = "; ".join(
        f"{count} with the outputs for {outputs}"
        + (f", {still} of which started there and may not have left it yet" if still else "")
        for outputs, count, still in counts
        if count
    )
    return [f"On a plateau at the end: {plural(total, 'run')} ({words})."]


def validation(rows: Sequence[Row]) -> list[str]:
    """The range of the medians of validation accuracy."""
    known = [row for row in rows if not np.isnan(row["median_validation_accuracy"])]
    if not known:
        return []
    column = "median_validation_accuracy"
    worst, best = extremes(known, column)
    if best == worst:
        return [f"Median validation accuracy: {_median(best, column)}{_each(known)}."]
    return [
        f"Median validation accuracy: from {_median(worst, column)} for {_named(worst)} to "
        f"{_median(best, column)} for {_named(best)}{_lost_beside(known)}."
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
    words = [f"{name}: {decimal(slope)}" for name, slope in pairs]
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


def _share(rows: Sequence[Row], what: str) -> str:
    """What these rows, which did it equally often, have in common: `28 of 30 each (93 %, …)`."""
    row, each = rows[0], " each" if len(rows) > 1 else ""
    if len({row["judged"] for row in rows}) > 1:
        return f"{percent(row[f'{what}_share'])}{each}"
    interval = percent_range(row[f"{what}_low"], row[f"{what}_high"])
    share = f"{percent(row[f'{what}_share'])}, 95 % interval {interval}"
    return f"{whole(row[what])} of {whole(row['judged'])}{each} ({share})"


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown}; and {len(names) - _NAMED} more"


def _span(low: int, high: int) -> str:
    return whole(low) if low == high else f"{whole(low)} to {whole(high)}"
