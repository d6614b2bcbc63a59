"""The table of data generators: one record is all it takes to add one."""

from typing import Final

from bpsvc.data.source import Source
from bpsvc.data.truth_tables import TRUTH_TABLES
from bpsvc.registry import Table

SOURCES: Final[Table[Source]] = Table("data source", TRUTH_TABLES)
