"""The one number by which configurations compare: epochs until reached, validation accuracy, or the loss at
the end, on validation data where there are some.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bpsvc.reporting.cases import DIVERGED, UNFINISHED
from bpsvc.reporting.material import Material


@dataclass(frozen=True)
class Outcome:
    """A number of a run. `worst` is what a run without one counts as; `is_share`: configurations have a share
    solved.
    """

    name: str
    column: str
    worst: float
    log: bool
    is_share: bool = False

    def values(self, cases: pd.DataFrame) -> "pd.Series[float]":
        """The outcome of the ended cases, by their index."""
        ended = cases[cases["state"] != UNFINISHED]
        values = ended[self.column].astype(np.float64)
        lost = values.isna() if self.is_share else ended["state"].eq(DIVERGED)
        return values.mask(lost, self.worst).dropna()


SOLVING: Final = Outcome("epochs until reached", "solved_epoch", np.inf, True, is_share=True)
VALIDATION: Final = Outcome("validation accuracy", "final_validation_accuracy", 0.0, False)
VALIDATION_LOSS: Final = Outcome("final validation loss", "final_validation_loss", np.inf, True)
LOSS: Final = Outcome("final loss", "final_loss", np.inf, True)


def outcome(material: Material) -> Outcome | None:
    """The best yardstick these runs have in common: success, validation accuracy, or one kind of loss."""
    cases = material.cases[material.cases["state"] != UNFINISHED]
    if cases.empty:
        return None
    if cases["judged"].all():
        return SOLVING
    if cases["final_validation_accuracy"].notna().any():
        return VALIDATION
    one_kind = len(cases[["loss", "reduction"]].drop_duplicates()) == 1
    if one_kind and cases["final_validation_loss"].notna().any():
        return VALIDATION_LOSS
    return LOSS if one_kind and cases["final_loss"].notna().any() else None
