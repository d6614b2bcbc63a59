"""The tables of a report, in order. To add one is to add its record here."""

from typing import Final

from bpsvc.registry import Table
from bpsvc.reporting.tables.comparison import COMPARISON
from bpsvc.reporting.tables.drift import OCCURRENCES
from bpsvc.reporting.tables.expected import EXPECTED
from bpsvc.reporting.tables.failures import FAILURES
from bpsvc.reporting.tables.record import TableRecord
from bpsvc.reporting.tables.settings import SETTINGS

TABLES: Final = Table("table", [EXPECTED, SETTINGS, COMPARISON, FAILURES, OCCURRENCES])

__all__ = ["TABLES", "TableRecord"]
