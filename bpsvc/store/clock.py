"""The time, as SQL: the database's clock is the only one that leases and records go by."""

from typing import Final

# Seconds since 1970, in milliseconds' resolution.
NOW: Final = "((julianday('now') - 2440587.5) * 86400.0)"

# ISO-8601 UTC text.
STAMP: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
