"""Small specs to be scheduled, and what tests of schedules share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bpsvc.store import Schedule, Store

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

TINY: dict[str, Any] = {
    "name": "tiny",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 4},
    "seeds": 2,
}
TABLE: dict[str, Any] = {
    **TINY,
    "name": "table",
    "data": {"source": "csv", "path": "table.csv", "target": "y"},
}

Add = Callable[..., Schedule]


def end_all(store: Store) -> None:
    """As if a worker had trained whatever waits."""
    with store._writing() as connection:
        connection.exec_driver_sql(
            "UPDATE _run SET status = 'done', outcome = 'horizon', epochs_done = epochs, "
            "finished_at = 'x' WHERE status IN ('queued', 'running')"
        )


def decided(store: Store) -> list[tuple[str, str]]:
    sql = "SELECT instant, decision FROM occurrences WHERE planned ORDER BY schedule, instant"
    return [(instant, decision) for instant, decision in store.query(sql).rows]
