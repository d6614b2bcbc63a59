"""A run that goes on in another environment is marked, and whoever submits is told (guarantee G3)."""

import json
import sqlite3
from pathlib import Path

from bpsvc.service import working
from bpsvc.service.python import submit
from bpsvc.store import Store


def document(epochs: int) -> dict[str, object]:
    return {
        "name": "moved",
        "data": "xor",
        "network": {"hidden": [2]},
        "training": {"learning_rate": 1.0, "epochs": epochs},
        "seeds": 2,
    }


def test_another_environment_is_told(tmp_path: Path) -> None:
    db = tmp_path / "bpsvc.db"
    submit(document(10), db=db, processes=1)
    with sqlite3.connect(db) as connection:
        found = json.loads(connection.execute("SELECT content FROM _environment").fetchone()[0])
        elsewhere = json.dumps({**found, "numpy": "0.1"}, sort_keys=True)
        connection.execute("UPDATE _environment SET content = ?", (elsewhere,))
    connection.close()
    receipt = submit(document(20), db=db, processes=1)
    with Store(db) as store:
        assert "2 went on in another environment" in working.summary(store, receipt)
        assert set(store.runs()["environment_changed"]) == {1}
    again = submit(document(20) | {"seeds": [7], "name": "here"}, db=db, processes=1)
    with Store(db) as store:
        assert "another environment" not in working.summary(store, again)
