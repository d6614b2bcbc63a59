"""What a dry run foretells is what is then stored."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bpsvc.service import planning
from bpsvc.service.describing import read
from bpsvc.service.python import submit
from bpsvc.spec import Limits
from bpsvc.store import Store

SPEC: dict[str, Any] = {
    "name": "planned",
    "data": "xor",
    "network": {"hidden": {"depth": 2, "units": 3}},
    "training": {"learning_rate": 0.3, "epochs": 1000},
    "seeds": 4,
    "record": {"every": 5},
}
SPECS = {
    "plain": SPEC,
    "stacks": {
        **SPEC,
        "sweep": {"grid": {"network.hidden.depth": [1, 6], "training.optimizer": ["sgd", "adam"]}},
    },
    "cadences": {**SPEC, "sweep": {"grid": {"record.every": [1, 50, "decades"]}}},
    "parameters": {**SPEC, "record": {"every": 5, "parameters": True}},
    "validation": {
        **SPEC,
        "data": {"source": "parity", "bits": 4, "split": {"validation": 0.25}},
        "success": None,
    },
}


@pytest.mark.parametrize("name", SPECS)
def test_records_stacks_and_megabytes(tmp_path: Path, name: str) -> None:
    plan = planned(tmp_path, SPECS[name])
    assert plan.seconds > 0 and plan.epochs == 1000
    Store(tmp_path / "bpsvc.db", mode="create").close()
    size = (tmp_path / "bpsvc.db").stat().st_size
    submit(SPECS[name], db=tmp_path / "bpsvc.db", processes=1)
    assert (plan.new, plan.stacks, plan.records) == stored(tmp_path)
    written = ((tmp_path / "bpsvc.db").stat().st_size - size) / 1e6
    assert 0.75 * written < plan.megabytes < 1.4 * written  # a slow machine writes more segments
    again = planned(tmp_path, SPECS[name])
    assert (again.new, again.existing, again.stacks, again.records) == (0, plan.new, 0, 0)
    assert again.megabytes == again.seconds == 0


@pytest.mark.parametrize("every", [1, 50, "decades"])
@pytest.mark.slow
def test_an_extension_records_what_is_not_there_yet(tmp_path: Path, every: object) -> None:
    less = {**SPEC, "record": {"every": every}}
    more = {**less, "training": {**SPEC["training"], "epochs": 3000}, "seeds": 6}
    submit(less, db=tmp_path / "bpsvc.db", processes=1)
    _, _, before = stored(tmp_path)
    plan = planned(tmp_path, more)
    assert (plan.new, plan.extend) == (2, 4)
    submit(more, db=tmp_path / "bpsvc.db", processes=1)
    assert plan.records == stored(tmp_path)[2] - before


def test_more_than_the_disk_has_room_for_is_noted(tmp_path: Path) -> None:
    endless = {**SPEC, "training": {**SPEC["training"], "epochs": 10**9}, "seeds": 10_000}
    assert any(f"the disk of {tmp_path} has" in note for note in planned(tmp_path, endless).notes)
    assert not any("the disk" in note for note in planned(tmp_path, SPEC).notes)


def planned(folder: Path, spec: dict[str, Any]) -> planning.Plan:
    (folder / "planned.json").write_text(json.dumps(spec))
    (experiment,) = read([folder / "planned.json"], limits=Limits(record_bytes=None))
    return planning.plan(experiment, folder / "bpsvc.db")


def stored(folder: Path) -> tuple[int, int, int]:
    """Runs, stacks and recorded epochs in the store, all of it in the one file."""
    connection = sqlite3.connect(folder / "bpsvc.db")
    ask = "SELECT count(*), count(DISTINCT stack), (SELECT count(*) FROM epochs) FROM _run"
    runs, stacks, records = connection.execute(ask).fetchone()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return runs, stacks, records
