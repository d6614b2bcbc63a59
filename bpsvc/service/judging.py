"""Judge recorded epochs anew by another criterion of success, without training."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from bpsvc.errors import UsageError
from bpsvc.reporting import Material
from bpsvc.reporting.cases import BOUNDS

_SIGNS: Final[Mapping[str, str]] = {"<=": "at_most", "<": "below", ">=": "at_least", ">": "above"}
_CONDITION: Final = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*")


def rejudged(material: Material, condition: str) -> Material:
    """The material with runs solved at the first recorded epoch at which `condition` holds, such as
    `loss<=0.05`.

    Raises:
        UsageError: the condition is none, or its metric is not recorded.
    """
    metric, how, bound = _parsed(condition, material.epochs)
    met = material.epochs[BOUNDS[how](material.epochs[metric], bound)]
    first = met.groupby("run_id")["epoch"].min()
    solved = material.runs["run_id"].map(first).astype("float64")
    runs = material.runs.assign(
        # What the records of another experiment, which went on further, show does not count here.
        solved_epoch=solved.where(solved <= material.runs["target_epochs"]),
        spec=[_with_success(text, {"metric": metric, how: bound}) for text in material.runs["spec"]],
    )
    note = f" Judged anew: solved means {condition.strip()} at a recorded epoch."
    experiments = material.experiments.assign(
        description=[f"{text or ''}{note}".strip() for text in material.experiments["description"]]
    )
    return replace(material, runs=runs, experiments=experiments)


def _parsed(condition: str, epochs: pd.DataFrame) -> tuple[str, str, float]:
    match = _CONDITION.fullmatch(condition)
    metrics = [name for name in epochs.columns if name not in ("run_id", "epoch")]
    if match is None:
        raise UsageError(
            "a criterion is a metric, < <= > or >=, and a number", value=condition, allowed="loss<=0.05"
        )
    metric, sign, number = match.groups()
    if metric not in metrics:
        raise UsageError(f"{metric} is not recorded", allowed=", ".join(metrics))
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise UsageError("the bound is not a finite number", value=number)
    return metric, _SIGNS[sign], bound


def _with_success(text: str, success: Mapping[str, object]) -> str:
    return json.dumps({**json.loads(text), "success": success})
