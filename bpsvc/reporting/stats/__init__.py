"""Statistics of runs: pure functions of arrays. Each says what it does with "later" (+inf), ties and too few
values.
"""

from bpsvc.reporting.stats.multiplicity import holm
from bpsvc.reporting.stats.paired import Paired, paired_difference, sign_test, spearman
from bpsvc.reporting.stats.proportions import Interval, wilson
from bpsvc.reporting.stats.quantiles import Band, median_band, quantiles
from bpsvc.reporting.stats.slopes import Decades, decades_per_step
from bpsvc.reporting.stats.survival import Survival, kaplan_meier

__all__ = [
    "Band",
    "Decades",
    "Interval",
    "Paired",
    "Survival",
    "decades_per_step",
    "holm",
    "kaplan_meier",
    "median_band",
    "paired_difference",
    "quantiles",
    "sign_test",
    "spearman",
    "wilson",
]
