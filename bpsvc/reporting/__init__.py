"""Reports: statistics, figures and tables as prepare (pure, DataFrame) and draw, rendered to one page and
loose files.

This room is given DataFrames (`Material`) and never sees a database.
"""

from bpsvc.reporting.cases import judged
from bpsvc.reporting.expecting import Verdict, expectations
from bpsvc.reporting.figures import FIGURES, FigureRecord
from bpsvc.reporting.history import history
from bpsvc.reporting.material import EPOCHS_DRAWN, LAYERS_DRAWN, Material
from bpsvc.reporting.names import slug
from bpsvc.reporting.part import Part
from bpsvc.reporting.render.build import FORMATS, USUAL
from bpsvc.reporting.style import STYLES, Style
from bpsvc.reporting.summary import summary, unfinished
from bpsvc.reporting.tables import TABLES, TableRecord
from bpsvc.reporting.writing import data, figure, picture, write

__all__ = [
    "EPOCHS_DRAWN",
    "FIGURES",
    "FORMATS",
    "LAYERS_DRAWN",
    "STYLES",
    "TABLES",
    "USUAL",
    "FigureRecord",
    "Material",
    "Part",
    "Style",
    "TableRecord",
    "Verdict",
    "data",
    "expectations",
    "figure",
    "history",
    "judged",
    "picture",
    "slug",
    "summary",
    "unfinished",
    "write",
]
