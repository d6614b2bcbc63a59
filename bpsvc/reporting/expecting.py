"""What a spec expects of its runs together, checked against what they came to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bpsvc.reporting.cases import UNFINISHED
from bpsvc.reporting.stats.quantiles import quantiles

Floats = NDArray[np.float64]

STATISTICS: Final[Mapping[str, Callable[[Floats], float]]] = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(quantiles(values, 0.5)),
    "min": lambda values: float(np.min(values)),
    "max": lambda values: float(np.max(values)),
}


@dataclass(frozen=True)
class Verdict:
    """One expectation of an experiment and what came of it.

    `value` is the statistic (NaN when no run has ended, infinite when runs without a value decide it),
    `runs` how many it is over, `missing` how many of them have no value.
    """

    experiment: str
    metric: str
    statistic: str
    bound: str
    value: float
    runs: int
    missing: int
    met: bool

    def __str__(self) -> str:
        holds = "holds" if self.met else "does not hold"
        without = f" ({self.missing} without a value)" if self.missing else ""
        return (
            f"{self.experiment}: {self.statistic} of {self.metric} {self.bound} {holds}: "
            f"it is {self.value:.6g} over {self.runs} runs{without}"
        )


def expectations(experiments: pd.DataFrame, cases: pd.DataFrame) -> list[Verdict]:
    """Check what each experiment's spec expects over its ended runs.

    `experiments` has experiment and spec (JSON), `cases` is as `cases.judged` gives it. A run without a value
    (failed, diverged before there was one, or not solved where the metric is solved_epoch) counts as worse
    than any, so that no expectation holds because runs dropped out.
    """
    found = []
    for name, text in experiments[["experiment", "spec"]].itertuples(index=False, name=None):
        expected = json.loads(text).get("expect") or [] if isinstance(text, str) else []
        own = cases[cases["experiment"] == name]
        failed = own["status"].eq("failed")
        ended = own[failed | (own["state"] != UNFINISHED)]
        found += [_verdict(str(name), one, ended) for one in expected]
    return found


def _verdict(experiment: str, one: Mapping[str, Any], ended: pd.DataFrame) -> Verdict:
    metric, statistic = str(one["metric"]), str(one["statistic"])
    rising = one.get("at_least") is not None
    limit = float(one["at_least"] if rising else one["below"])
    values = ended[metric].to_numpy(np.float64, na_value=np.nan)
    missing = np.isnan(values) | ended["status"].eq("failed").to_numpy()
    value = float("nan")
    if len(values):
        value = STATISTICS[statistic](np.where(missing, -np.inf if rising else np.inf, values))
    return Verdict(
        experiment=experiment,
        metric=metric,
        statistic=statistic,
        bound=f"at least {limit:g}" if rising else f"below {limit:g}",
        value=value,
        runs=len(ended),
        missing=int(missing.sum()),
        met=value >= limit if rising else value < limit,
    )
