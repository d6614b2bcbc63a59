"""The table that compares configurations: everything counted, nothing averaged over survivors."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.cases import DIVERGED, UNFINISHED
from bpsvc.reporting.figures.series import facets
from bpsvc.reporting.material import Material
from bpsvc.reporting.stats import median_band, quantiles, wilson
from bpsvc.reporting.tables.record import TableRecord
from bpsvc.reporting.tables.words import MISSING, figure, later, percent, percent_range, whole
from bpsvc.wording import plural


def prepare(material: Material) -> pd.DataFrame:
    """One row per configuration.

    runs, ended, unfinished, diverged; judged: of the ended runs those that have a criterion, and of these how
    many met it at some epoch: solved, solved_share, solved_low, solved_high (Wilson 95 %), still met it at
    the last one: held, held_share, … (NaN: not known), and met it before any training: untrained; epochs_q1,
    epochs_median, epochs_q3 until first met (inf: later than `horizon`), epochs_low, epochs_high: the
    median's 95 % bootstrap interval; loss, median_final_loss and median_validation_loss (inf: diverged),
    median_accuracy, median_validation_accuracy, each with the _low and _high of such an interval;
    signal_ratio: median over runs of delta_rms of the first over the last hidden layer at epoch 0; seconds in
    all.
    """
    ratios = signal_ratios(material)
    has_validation = material.has("final_validation_loss")
    rows = []
    for facet, cases in facets(material):
        ended = cases[cases["state"] != UNFINISHED]
        row: dict[str, Any] = {"configuration": facet.configuration}
        row |= {name: cases[name].iloc[0] for name in material.factors}
        row |= {
            "runs": len(cases),
            "ended": len(ended),
            "unfinished": len(cases) - len(ended),
            "diverged": int(ended["state"].eq(DIVERGED).sum()),
            "horizon": int(cases["horizon"].max()),
        }
        row |= _success(ended[ended["judged"]]) if material.is_judged else {}
        one_loss = ended["loss"].nunique() <= 1
        row |= {
            "loss": str(cases["loss"].iloc[0]) if one_loss else "several",
            **_median(ended if one_loss else ended.iloc[:0], "final_loss"),
            **_median(ended if one_loss and has_validation else ended.iloc[:0], "final_validation_loss"),
            **_median(ended, "final_accuracy", lost=0.0),
            **_median(ended, "final_validation_accuracy", lost=0.0),
            "signal_ratio": _middle(ratios.reindex(cases["case"])),
            "seconds": float(cases["seconds"].sum()),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def signal_ratios(material: Material) -> "pd.Series[float]":
    """Signal of the first over the last hidden layer at epoch 0, by case; only nets with two hidden layers
    have it.
    """
    if "delta_rms" not in material.start:
        return pd.Series(dtype=np.float64)
    start = material.start[material.start["depth"] >= 2]
    first = start[start["layer"] == 1].set_index("case")["delta_rms"]
    last = start[start["layer"] == start["depth"]].set_index("case")["delta_rms"]
    return first / last


def _success(judged: pd.DataFrame) -> dict[str, float]:
    """Success and epochs to solve of the ended runs that have a criterion; unsolved counted as later."""
    epochs = judged["solved_epoch"].fillna(np.inf).to_numpy(np.float64)
    q1, median, q3 = quantiles(epochs, [0.25, 0.5, 0.75])
    band = median_band(epochs)
    return {
        "judged": len(judged),
        **_share("solved", float(judged["solved"].sum()), len(judged)),
        **_share("held", float(judged["held"].sum(skipna=False)), len(judged)),
        "untrained": int(judged["solved_epoch"].eq(0).sum()),
        "epochs_q1": q1,
        "epochs_median": median,
        "epochs_q3": q3,
        "epochs_low": float(band.low),
        "epochs_high": float(band.high),
    }


def _share(name: str, count: float, runs: int) -> dict[str, float]:
    if np.isnan(count):
        return {name: count, f"{name}_share": count, f"{name}_low": count, f"{name}_high": count}
    share = wilson(int(count), runs)
    about = {name: int(count), f"{name}_share": share.share}
    return {**about, f"{name}_low": share.low, f"{name}_high": share.high}


def _median(ended: pd.DataFrame, column: str, lost: float = np.inf) -> dict[str, float]:
    """The median over ended runs and its interval; a diverged run has the worst value, `lost`."""
    known = ended[column].to_numpy(np.float64, na_value=np.nan)
    values = np.where(ended["state"].eq(DIVERGED).to_numpy(), lost, known)
    if np.isnan(known).all() and not (values.size and np.isinf(values).all()):
        values = values[:0]
    name = "median_final_loss" if column == "final_loss" else f"median_{column.removeprefix('final_')}"
    band = median_band(values[~np.isnan(values)])
    return {name: float(band.median), f"{name}_low": float(band.low), f"{name}_high": float(band.high)}


def _middle(values: "pd.Series[float]") -> float:
    known = values.dropna().to_numpy(np.float64)
    return float(median_band(known).median) if known.size else float("nan")


def present(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that say something, as text."""
    shown: dict[str, list[str]] = {"configuration": [str(label) for label in frame["configuration"]]}
    rows = frame.to_dict("records")
    shown["runs (unfinished, diverged)"] = [
        f"{whole(row['runs'])} ({whole(row['unfinished'])}, {whole(row['diverged'])})" for row in rows
    ]
    if "solved" in frame:
        shown["reached (95 % interval)"] = [_counted(row, "solved") for row in rows]
        shown["held at the end (95 % interval)"] = [_counted(row, "held") for row in rows]
        shown["epochs until reached: median (quartiles)"] = [_epochs(row) for row in rows]
    shown["median final loss (95 % interval)"] = [_banded(row, "median_final_loss", figure) for row in rows]
    for column, heading in _OPTIONAL.items():
        # A criterion on accuracy has said what the median accuracy could say.
        if frame[column].notna().any() and not (column == "median_accuracy" and "solved" in frame):
            words = percent if "accuracy" in column else figure
            shown[heading] = [_banded(row, column, words) for row in rows]
    return pd.DataFrame(shown)


def _counted(row: Mapping[Hashable, Any], what: str) -> str:
    if np.isnan(row[what]) or not row["judged"]:
        return MISSING
    interval = percent_range(row[f"{what}_low"], row[f"{what}_high"])
    return f"{whole(row[what])} of {whole(row['judged'])}: {percent(row[f'{what}_share'])} ({interval})"


def _banded(row: Mapping[Hashable, Any], column: str, words: Callable[[float], str]) -> str:
    ends = [words(row[name]) for name in (f"{column}_low", f"{column}_high") if name in row]
    return words(row[column]) + (f" ({' … '.join(ends)})" if len(set(ends)) == 2 else "")


def _epochs(row: Mapping[Hashable, Any]) -> str:
    q1, median, q3 = (later(row[f"epochs_{name}"], row["horizon"]) for name in ("q1", "median", "q3"))
    return f"{median} ({q1} … {q3})" if q1 != q3 else median


_OPTIONAL: Final = {
    "median_validation_loss": "median final validation loss (95 % interval)",
    "median_accuracy": "median accuracy (95 % interval)",
    "median_validation_accuracy": "median validation accuracy (95 % interval)",
    "signal_ratio": "signal, first / last hidden layer",
}


def note(frame: pd.DataFrame) -> str:
    parts = [
        "Every run of this report is counted; shares, medians (with percentile bootstrap intervals) and "
        "quartiles are over the ended runs."
    ]
    if "solved" in frame:
        parts.append(
            "Reached: the success criterion was met at some epoch, the first of which counts; held at the "
            "end: at the last one too. Intervals are Wilson's, 95 %; an unsolved or diverged run counts as "
            "reaching it later than the last epoch."
        )
        if luck := int(frame["untrained"].sum()):
            parts.append(f"{plural(luck, 'run')} met it before any training, at epoch 0.")
    if frame["diverged"].sum():
        parts.append("A diverged run counts as worse than any in the medians.")
    if frame["loss"].nunique() > 1:
        parts.append("Losses of different kinds do not compare by size.")
    if frame["signal_ratio"].notna().any():
        parts.append(
            "Signal: delta_rms of the first over the last hidden layer before training, median over runs; "
            "a single hidden layer has no such ratio."
        )
    return " ".join(parts)


COMPARISON: Final = TableRecord(
    name="comparison",
    title="Configurations compared",
    needs="at least one run",
    applies=lambda material: not material.cases.empty,
    prepare=prepare,
    present=present,
    note=note,
)
