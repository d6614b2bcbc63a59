"""Reports: statistics, figures and tables as prepare (pure, DataFrame) and draw, rendered to one page and
loose files.

This room is given DataFrames (`Material`) and never sees a database.
"""

from bpsvc.report.cases import NO_RECORDS, judged
from bpsvc.report.expecting import Verdict, expectations
from bpsvc.report.figures import FIGURES, FigureRecord
from bpsvc.report.history import history
from bpsvc.report.material import Material
from bpsvc.report.names import slug
from bpsvc.report.render.build import FORMATS, USUAL
from bpsvc.report.style import STYLES, Style
from bpsvc.report.summary import summary
from bpsvc.report.tables import TABLES, TableRecord
from bpsvc.report.writing import data, figure, picture, write

__all__ = [
    "FIGURES",
    "FORMATS",
    "NO_RECORDS",
    "STYLES",
    "TABLES",
    "USUAL",
    "FigureRecord",
    "Material",
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
    "write",
]
