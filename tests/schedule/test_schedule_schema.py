"""The tables of schedules: the migration arrives at what is declared, and the constraints hold."""

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bpsvc.store import Store
from bpsvc.store.migrate import migrate
from bpsvc.store.schema import VERSION


def contents(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: plain(sql) for name, sql in rows}


def plain(sql: str) -> str:
    """White space and the quotes around a name may differ."""
    return re.sub(r"\s+", " ", sql).replace('"', "").replace("( ", "(").replace(" )", ")").strip()


def migrated(path: Path, *revisions: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    for revision in revisions:
        with engine.begin() as connection:
            migrate(connection, revision)
    engine.dispose()


def test_the_first_store_gains_the_tables_of_schedules(tmp_path: Path) -> None:
    Store(tmp_path / "new.db", mode="create").close()
    migrated(tmp_path / "old.db", "0001", "0002")
    new, old = contents(tmp_path / "new.db"), contents(tmp_path / "old.db")
    assert {"_schedule", "_schedule_data", "_occurrence", "schedules", "occurrences"} <= new.keys()
    assert VERSION > 2 or old == new


COLUMNS = (
    "name, cron, timezone, fresh, missed, overlap, document, source, folder, anywhere, cursor, created_at"
)
GOOD = ("n", "0 2 * * *", "UTC", "seeds", "latest", "skip", "{}", "s", "/", 0, "c", "t")


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("fresh", "never", "ck_schedule_fresh"),
        ("missed", "some", "ck_schedule_missed"),
        ("overlap", "queue", "ck_schedule_overlap"),
        ("document", "{", "ck_schedule_document"),
        ("cron", None, "NOT NULL"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    tmp_path: Path, column: str, value: object, constraint: str
) -> None:
    Store(tmp_path / "new.db", mode="create").close()
    connection = sqlite3.connect(tmp_path / "new.db")
    marks = ", ".join("?" * len(GOOD))
    names = COLUMNS.split(", ")
    insert = f"INSERT INTO _schedule ({COLUMNS}) VALUES ({marks})"
    connection.execute(insert, GOOD)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        connection.execute(insert, GOOD)
    values = dict(zip(names, GOOD, strict=True)) | {"name": "other", column: value}
    with pytest.raises(sqlite3.IntegrityError, match=constraint):
        connection.execute(insert, tuple(values.values()))
    connection.close()


def test_an_instant_is_decided_once(tmp_path: Path) -> None:
    Store(tmp_path / "new.db", mode="create").close()
    connection = sqlite3.connect(tmp_path / "new.db")
    connection.execute("PRAGMA foreign_keys = ON")
    marks = ", ".join("?" * len(GOOD))
    connection.execute(f"INSERT INTO _schedule ({COLUMNS}) VALUES ({marks})", GOOD)
    names = "schedule_id, instant, planned, decision, why, decided_at"
    insert = f"INSERT INTO _occurrence ({names}) VALUES (?, ?, 1, ?, ?, 't')"
    connection.execute(insert, (1, "a", "submitted", None))
    for row, wrong in (
        ((1, "a", "rejected", "because"), "UNIQUE"),
        ((1, "b", "submitted", "because"), "ck_occurrence_why"),
        ((1, "b", "rejected", None), "ck_occurrence_why"),
        ((1, "b", "forgotten", "because"), "ck_occurrence_decision"),
        ((2, "b", "rejected", "because"), "FOREIGN KEY"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=wrong):
            connection.execute(insert, row)
    connection.execute("DELETE FROM _schedule")
    assert connection.execute("SELECT count(*) FROM _occurrence").fetchone() == (0,)
    connection.close()
