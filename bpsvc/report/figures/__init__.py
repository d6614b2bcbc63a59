"""The figures of a report, in the order in which it shows them. To add one is to add its record here."""

from typing import Final

from bpsvc.registry import Table
from bpsvc.report.figures.depth import DEPTH
from bpsvc.report.figures.layers import GRADIENT, SIGNAL
from bpsvc.report.figures.loss import LOSS
from bpsvc.report.figures.record import FigureRecord
from bpsvc.report.figures.solved import SOLVED
from bpsvc.report.figures.validation import VALIDATION

FIGURES: Final = Table("figure", [SOLVED, LOSS, VALIDATION, DEPTH, SIGNAL, GRADIENT])

__all__ = ["FIGURES", "FigureRecord"]
