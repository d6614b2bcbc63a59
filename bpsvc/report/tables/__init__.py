"""The tables of a report, in order. To add one is to add its record here."""

from typing import Final

from bpsvc.registry import Table
from bpsvc.report.tables.comparison import COMPARISON
from bpsvc.report.tables.drift import OCCURRENCES
from bpsvc.report.tables.expected import EXPECTED
from bpsvc.report.tables.failures import FAILURES
from bpsvc.report.tables.record import TableRecord

TABLES: Final = Table("table", [EXPECTED, COMPARISON, FAILURES, OCCURRENCES])

__all__ = ["TABLES", "TableRecord"]
