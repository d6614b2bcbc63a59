"""Freeze a store of the schema as it is: `python tests/store/freezing.py`, once for each released schema.

The file stays under `frozen/` for ever, with what it holds; `test_frozen.py` upgrades it and compares.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from store_material import experiment, segment, stacks, train

from bpsvc.store import PUBLIC, Store, schema

FROZEN = Path(__file__).parent / "frozen"


def contents(path: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The sha256 of the rows of each public table and view, in these columns."""
    connection = sqlite3.connect(path)
    found = {}
    for name, chosen in columns.items():
        rows = connection.execute(f"SELECT {', '.join(chosen)} FROM {name}").fetchall()
        found[name] = hashlib.sha256(json.dumps(sorted(map(repr, rows))).encode()).hexdigest()
    connection.close()
    return found


def freeze() -> None:
    FROZEN.mkdir(exist_ok=True)
    path = FROZEN / f"schema-{schema.VERSION}.db"
    if path.exists():
        raise SystemExit(f"{path} exists: a frozen store is never made again")
    source = path.with_suffix(".making")
    with Store.open(source, mode="create") as store:
        one, two = (
            experiment(losses=("log_likelihood", "squared"), seeds=2),
            experiment("long", epochs=200, seeds=3),
        )
        for spec in (one, two):
            store.submit(spec, stacks(spec), scalings={spec.runs[0].key: '{"mean": [0.5], "std": [1.0]}'})
        claims = store.leases.claim("host/boot/ns/1/2", limit=1)
        store.leases.commit(segment("host/boot/ns/1/2", claims, 30, status="diverged", outcome="diverged"))
        train(store, "host/boot/ns/1/2", experiments=[store.experiment("xor").id])
        store.leases.fail(store.leases.claim("host/boot/ns/1/2", limit=1), "boom")
        store.cancel(runs=[store.run("@last")])
        store.upkeep.backup(path)
    for left in FROZEN.glob("*.making*"):
        left.unlink()
    columns = {name: list(relation.names) for name, relation in PUBLIC.items()}
    facts = {"columns": columns, "contents": contents(path, columns)}
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    freeze()
