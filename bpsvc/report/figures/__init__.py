"""The figures of a report, in the order in which it shows them. To add one is to add its record here."""

from typing import Final

from bpsvc.registry import Table
from bpsvc.report.figures.cost import PACE
from bpsvc.report.figures.curves import ACCURACY, LIKELIHOOD
from bpsvc.report.figures.depth import DEPTH
from bpsvc.report.figures.drift import DRIFT
from bpsvc.report.figures.factors import EFFECTS, INTERACTIONS, MAP
from bpsvc.report.figures.final import FINAL
from bpsvc.report.figures.functions import FUNCTIONS
from bpsvc.report.figures.heat import HEAT
from bpsvc.report.figures.layers import DEAD, GRADIENT, SATURATED, SIGNAL, WEIGHTS
from bpsvc.report.figures.loss import LOSS
from bpsvc.report.figures.outputs import CONFUSION, SURFACE
from bpsvc.report.figures.paired import PAIRED
from bpsvc.report.figures.record import SECTIONS, FigureRecord
from bpsvc.report.figures.solved import SOLVED
from bpsvc.report.figures.survival import SURVIVAL
from bpsvc.report.figures.validation import VALIDATION

_ALL = [
    DRIFT,
    SOLVED,
    SURVIVAL,
    LOSS,
    LIKELIHOOD,
    ACCURACY,
    VALIDATION,
    FINAL,
    PAIRED,
    EFFECTS,
    INTERACTIONS,
    MAP,
    DEPTH,
    SIGNAL,
    HEAT,
    GRADIENT,
    SATURATED,
    DEAD,
    WEIGHTS,
    FUNCTIONS,
    SURFACE,
    CONFUSION,
    PACE,
]
FIGURES: Final = Table("figure", sorted(_ALL, key=lambda record: SECTIONS.index(record.section)))

__all__ = ["FIGURES", "SECTIONS", "FigureRecord"]
