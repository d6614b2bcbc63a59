"""The figures of a report, in the order in which it shows them. To add one is to add its record here."""

from typing import Final

from bpsvc.registry import Table
from bpsvc.reporting.figures.cost import PACE
from bpsvc.reporting.figures.curves import ACCURACY, LIKELIHOOD, VALIDATION_LOSS
from bpsvc.reporting.figures.depth import DEPTH
from bpsvc.reporting.figures.drift import DRIFT
from bpsvc.reporting.figures.factors import EFFECTS, INTERACTIONS, MAP
from bpsvc.reporting.figures.final import FINAL
from bpsvc.reporting.figures.functions import FUNCTIONS
from bpsvc.reporting.figures.heat import HEAT
from bpsvc.reporting.figures.layers import DEAD, GRADIENT, SATURATED, SIGNAL, WEIGHTS
from bpsvc.reporting.figures.loss import LOSS
from bpsvc.reporting.figures.outputs import CONFUSION, SURFACE
from bpsvc.reporting.figures.paired import PAIRED
from bpsvc.reporting.figures.record import SECTIONS, FigureRecord
from bpsvc.reporting.figures.scatter import SCATTER
from bpsvc.reporting.figures.solved import SOLVED
from bpsvc.reporting.figures.survival import SURVIVAL
from bpsvc.reporting.figures.validation import VALIDATION

_ALL = [
    DRIFT,
    SOLVED,
    SURVIVAL,
    LOSS,
    VALIDATION_LOSS,
    LIKELIHOOD,
    ACCURACY,
    VALIDATION,
    FINAL,
    PAIRED,
    SCATTER,
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
