"""The table of data generators: one record is all it takes to add one."""

from typing import Final

from bpsvc.data.curves import CURVES
from bpsvc.data.planes import PLANES
from bpsvc.data.source import Source
from bpsvc.data.tables import TABLES
from bpsvc.data.truth_tables import TRUTH_TABLES
from bpsvc.registry import Table

SOURCES: Final[Table[Source]] = Table("data source", (*TRUTH_TABLES, *PLANES, *CURVES, *TABLES))
