"""Occurrences of one schedule beside each other: does what is submitted again and again stay as it was?"""

from typing import Any, Final

import numpy as np
import pandas as pd

from bpsvc.reporting.cases import DIVERGED, UNFINISHED, judged
from bpsvc.reporting.stats import quantiles, wilson

COLUMNS: Final = (
    "occurrence",
    "instant",
    "experiment",
    "loss",
    "runs",
    "ended",
    "diverged",
    "judged",
    "solved",
    "share",
    "share_low",
    "share_high",
    "final_loss_q1",
    "final_loss",
    "final_loss_q3",
    "seconds_q1",
    "seconds",
    "seconds_q3",
)


def history(occurrences: pd.DataFrame, experiments: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """One row per occurrence and loss, in order of time; the columns are `COLUMNS`.

    `occurrences` has instant (ISO-8601 UTC text) and experiment; `experiments` and `runs` are those of a
    Material. Shares with Wilson's 95 % interval are over ended runs that have a success criterion; quartiles
    of the final loss are over ended runs, a diverged one counting as infinite; those of seconds over all.
    """
    cases = judged(experiments, runs)
    by_experiment = {str(name): rows for name, rows in cases.groupby("experiment", sort=False)}
    rows = []
    ordered = occurrences.sort_values("instant", kind="stable")[["instant", "experiment"]]
    for number, (instant, experiment) in enumerate(ordered.itertuples(index=False, name=None), 1):
        for loss, group in by_experiment[experiment].groupby("loss", sort=True):
            about = {"occurrence": number, "instant": instant, "experiment": experiment, "loss": loss}
            rows.append({**about, **_summary(group)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _summary(cases: pd.DataFrame) -> dict[str, Any]:
    ended = cases[cases["state"] != UNFINISHED]
    diverged = ended["state"].eq(DIVERGED)
    known = ended["judged"]
    share = wilson(int(ended.loc[known, "solved"].sum()), int(known.sum()))
    losses = ended["final_loss"].to_numpy(np.float64, na_value=np.nan)
    losses = np.where(diverged.to_numpy() | np.isnan(losses), np.inf, losses)
    return {
        "runs": len(cases),
        "ended": len(ended),
        "diverged": int(diverged.sum()),
        "judged": int(known.sum()),
        "solved": int(ended.loc[known, "solved"].sum()),
        "share": share.share,
        "share_low": share.low,
        "share_high": share.high,
        **_quartiles("final_loss", losses),
        **_quartiles("seconds", cases["seconds"].to_numpy(np.float64)),
    }


def _quartiles(name: str, values: Any) -> dict[str, float]:
    low, middle, high = quantiles(values, [0.25, 0.5, 0.75])
    return {f"{name}_q1": float(low), name: float(middle), f"{name}_q3": float(high)}
