"""Configurations that differ in one factor, compared over the seeds they share."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.material import Material
from bpsvc.reporting.outcomes import Outcome, outcome
from bpsvc.reporting.stats import holm, paired_difference
from bpsvc.wording import plural

KEY: Final = ["factor", "base", "level", "others"]
LEAST_PAIRS: Final = 5  # decided ones: fewer say nothing, and could only take power from the others
_FEW: Final = f"with fewer than {LEAST_PAIRS} decided pairs"
_SAME: Final = "of runs with themselves"
_SEVERAL: Final = "of several runs a seed"
_TESTED: Final = ("low", "high", "higher", "lower", "correlation", "p_value")
_COLUMNS: Final = [
    *(*KEY, "outcome", "ratio", "pairs", "undecided", "row", "seed", "difference"),
    *(*_TESTED, "p_holm", "why"),
]


def comparisons(material: Material) -> pd.DataFrame:
    """Rows `pair` (a seed's difference) and `median` (interval, correlation, p) of each comparison, and a row
    `left out` of each that is none, with the reason (`why`).

    Each level of a factor is compared with the factor's first one, all else being equal, where each has one
    run a seed, not the same one, and enough pairs are decided. The difference is a ratio for epochs and
    losses (`ratio` 1; 0 and inf where one side is "later") and a difference for accuracies. `p_holm` is
    corrected for all comparisons here: what is drawn, counted and corrected is one family.
    """
    yardstick = outcome(material)
    parts: list[pd.DataFrame] = []
    without: list[dict[str, Any]] = []
    tests: list[float] = []
    for head, first, second in _pairs(material) if yardstick is not None else ():
        assert yardstick is not None
        about = {**head, "outcome": yardstick.name, "ratio": int(yardstick.log)}
        if _repeats(first) or _repeats(second):
            without.append({**about, "why": _SEVERAL})
            continue
        both = _side_by_side(first, second, yardstick)
        result = paired_difference(both["first"], both["second"])
        if result.pairs < LEAST_PAIRS:
            alone = both.empty and bool(set(first["run_id"]) & set(second["run_id"]))
            counts = {"pairs": result.pairs, "undecided": result.undecided}
            without.append({**about, **counts, "why": _SAME if alone else _FEW})
            continue
        decided = both[~(np.isinf(both["first"]) & np.isinf(both["second"]))]
        middle = {
            "row": "median",
            "difference": result.median,
            **{name: getattr(result, name) for name in _TESTED},
        }
        each = decided["second"] - decided["first"]
        rows = pd.concat(
            [pd.DataFrame([middle]), pd.DataFrame({"row": "pair", "seed": each.index, "difference": each})]
        )
        if yardstick.log:
            rows[["difference", "low", "high"]] = 10.0 ** rows[["difference", "low", "high"]]
        constant: dict[str, Any] = {**about, "pairs": result.pairs, "undecided": result.undecided}
        parts.append(rows.assign(**constant))
        tests.append(result.p_value)
    for part, corrected in zip(parts, holm(tests), strict=True):
        part.loc[part["row"] == "median", "p_holm"] = corrected
    if without:
        parts.append(pd.DataFrame(without).assign(row="left out"))
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)
    return joined.reindex(columns=_COLUMNS)


def left_out(frame: pd.DataFrame) -> str:
    """`2 comparisons with fewer than 5 decided pairs; 1 comparison of runs with themselves`, or nothing."""
    counts = frame.loc[frame["row"] == "left out", "why"].value_counts(sort=False)
    return "; ".join(f"{plural(int(count), 'comparison')} {why}" for why, count in counts.items())


def _side_by_side(first: pd.DataFrame, second: pd.DataFrame, yardstick: Outcome) -> pd.DataFrame:
    """The outcomes of the shared seeds, (seeds, 2); logarithms where ratios are wanted.

    Epoch 0 counts as half an epoch, and a loss of exactly 0 as the smallest positive one here. Where one side
    was watched for longer, what it reached after the other's last epoch is "later" as well. A run that is on
    both sides is no pair.
    """
    both = pd.concat(
        {"first": _by_seed(first, yardstick), "second": _by_seed(second, yardstick)}, axis=1, join="inner"
    )
    run, other = (side.set_index("seed")["run_id"].reindex(both.index) for side in (first, second))
    both = both[run != other]
    if not yardstick.log:
        return both
    if yardstick.is_share:
        watched = min(first["horizon"].min(), second["horizon"].min())
        both = both.where(both <= watched, np.inf)
    positive = both.to_numpy(np.float64)
    positive = positive[positive > 0]
    floor = 0.5 if yardstick.is_share else float(positive.min()) if positive.size else 1.0
    return both.clip(lower=floor).map(math.log10)


def _by_seed(cases: pd.DataFrame, yardstick: Outcome) -> "pd.Series[float]":
    """The outcome of the ended cases, by seed."""
    values = yardstick.values(cases)
    return values.set_axis(pd.Index(cases.loc[values.index, "seed"]))


def _repeats(cases: pd.DataFrame) -> bool:
    """Whether a seed is there twice, as where `--by` merges configurations: then there are no pairs."""
    return bool(cases["seed"].duplicated().any())


def _pairs(material: Material) -> Iterator[tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]]:
    """(what is compared, cases of the first level, cases of another), all else being equal."""
    cases, words = dict(list(material.cases.groupby("configuration"))), material.words
    for factor in material.telling:
        rest = [other.name for other in material.telling if other is not factor]
        table = material.configurations
        groups = table.groupby(rest, sort=False, dropna=False) if rest else [((), table)]
        for key, group in groups:
            number = group.drop_duplicates(factor.name).set_index(factor.name)["configuration"]
            values = key if isinstance(key, tuple) else (key,)
            others = " · ".join(words[pair] for pair in zip(rest, values, strict=True))
            present = [level for level in factor.levels if level in number.index]
            for level in present[1:]:
                head = {
                    "factor": factor.title,
                    "base": words[factor.name, present[0]],
                    "level": words[factor.name, level],
                    "others": others,
                }
                yield head, cases[int(number[present[0]])], cases[int(number[level])]
