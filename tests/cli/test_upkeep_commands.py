"""cancel, retry, rm, verify, doctor, db: keeping a store in order from the command line."""

import json
import resource
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_help import TINY, Bpsvc

from bpsvc import nn

ALONE = ("--processes", 1)


def rows(db: str = "bpsvc.db") -> list[tuple[object, ...]]:
    with sqlite3.connect(db) as connection:
        return connection.execute("SELECT * FROM epochs ORDER BY run_id, epoch").fetchall()


def test_cancelled_runs_wait_for_the_next_submit(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, "--detach")
    assert "6 runs cancelled" in bpsvc("cancel", "tiny").err
    assert bpsvc("worker", *ALONE).code == 0
    assert rows() == []
    assert "6 queued again" in bpsvc("submit", tiny, *ALONE).err
    assert len(rows()) == 6 * 21


def test_rm_deletes_what_no_other_experiment_contains(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    Path("part.json").write_text(json.dumps({**TINY, "name": "part", "seeds": 1}))
    assert "0 new runs" in bpsvc("submit", "part.json", *ALONE).err
    ran = bpsvc("rm", "tiny", "--yes")
    assert ran.code == 0 and "with 4 runs" in ran.err
    assert len(rows()) == 2 * 21
    assert [row["experiment"] for row in bpsvc("status", "--json").json] == ["part@1"]
    assert bpsvc("rm", "tiny", "--yes").code == 3
    assert bpsvc("rm").code == 2
    assert bpsvc("rm", "--older-than", "1d", "--yes").err.startswith("nothing to delete")


@pytest.fixture
def two(bpsvc: Bpsvc) -> None:
    """A store of which each of two experiments, "stays" and "goes", has half: some 4 MB."""
    for rate, name in enumerate(("stays", "goes"), 1):
        training = {"learning_rate": rate, "epochs": 2000}
        spec = {**TINY, "name": name, "training": training}
        Path("two.json").write_text(json.dumps(spec))
        assert bpsvc("submit", "two.json", *ALONE).code == 0


@pytest.mark.usefixtures("two")
def test_rm_deletes_where_the_space_cannot_be_given_back(bpsvc: Bpsvc) -> None:
    """A limit for the size of files stands for a full disk: the log may grow a little, and no file much."""
    size, limits = Path("bpsvc.db").stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, limits[1]))
    try:
        ran = bpsvc("rm", "goes", "--yes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ran.code == 0 and "deleted goes@1" in ran.err and "could not be given back" in ran.err
    assert [row["experiment"] for row in bpsvc("status", "--json").json] == ["stays@1"]
    assert "6 runs verified: all is there" in bpsvc("verify").err
    freed = bpsvc("db", "compact", "--json").json["freed_bytes"]
    assert freed == size - Path("bpsvc.db").stat().st_size > 0.4 * size


@pytest.mark.usefixtures("two")
def test_rm_gives_back_what_is_worth_it(bpsvc: Bpsvc) -> None:
    size = Path("bpsvc.db").stat().st_size
    ran = bpsvc("rm", "goes", "--limit", 1, "--yes")
    assert "are free for new runs; `bpsvc db compact`" in ran.err and Path("bpsvc.db").stat().st_size == size
    assert "MB given back" in bpsvc("rm", "goes", "--yes").err
    assert Path("bpsvc.db").stat().st_size < 0.6 * size


def test_verify_names_damage_and_replays(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    assert bpsvc("verify").code == 0
    again = bpsvc("verify", "tiny", "--replay-fraction", 1)
    assert again.code == 0 and "6 of them trained again: all is well" in again.err
    with sqlite3.connect("bpsvc.db") as connection:
        connection.execute("DELETE FROM epochs WHERE run_id = 2 AND epoch = 7")
    ran = bpsvc("verify")
    assert ran.code == 1
    assert "run 2" in ran.out and "epoch 7" in ran.out and "epochs" in ran.out


def test_a_changed_state_is_found_by_replaying(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    with sqlite3.connect("bpsvc.db") as connection:
        connection.execute("UPDATE _segment SET digest = ? WHERE run_id = 3", ("0" * 64,))
    ran = bpsvc("verify", "--replay", 3)
    assert ran.code == 1 and "run 3, epoch 20" in ran.out


@pytest.mark.parametrize(
    ("table", "series"),
    [("epochs", "loss"), ("epochs", "sharpness"), ("layer_gradients", "w_dot_g"), ("parameters", "value")],
)
def test_a_changed_record_is_found_by_replaying(bpsvc: Bpsvc, tiny: Path, table: str, series: str) -> None:
    more = ("--set", 'record.series=["sharpness", "w_dot_g"]', "--set", "record.parameters=true")
    bpsvc("submit", tiny, *more, *ALONE)
    assert bpsvc("verify", "--replay-fraction", 1).code == 0
    with sqlite3.connect("bpsvc.db") as connection:
        connection.execute(
            f"UPDATE {table} SET {series} = {series} * (1 + 1e-15) WHERE run_id = 3 AND epoch = 7"
        )
    assert bpsvc("verify").code == 0, "the table is whole"
    ran = bpsvc("verify", "--replay", 3)
    assert ran.code == 1 and f"run 3, epoch 7: trained again, {series} in {table} is another one" in ran.out


@pytest.mark.parametrize(
    "command",
    [("weights", 3), ("predict", 3), ("trace", 3), ("export", "tiny"), ("weights", 3, "--at", "best")],
)
@pytest.mark.parametrize("byte", [40, -1], ids=["header", "weights"])
def test_a_damaged_state_is_never_shown(bpsvc: Bpsvc, tiny: Path, command: Any, byte: int) -> None:
    bpsvc("submit", tiny, *ALONE)
    with sqlite3.connect("bpsvc.db") as connection:
        (state,) = connection.execute("SELECT state FROM _checkpoint WHERE run_id = 3").fetchone()
        hurt = bytearray(state)
        hurt[byte] ^= 1
        connection.execute("UPDATE _checkpoint SET state = ? WHERE run_id = 3", (bytes(hurt),))
    ran = bpsvc(*command)
    assert ran.code == 4 and not ran.out
    assert "the state of run 3 at epoch 20 is damaged" in ran.err
    assert 'bpsvc rm --where "run_id = 3"' in ran.err and not list(Path().glob("exports/*"))
    assert bpsvc("weights", 2).code == 0


def test_damaged_data_are_not_exported(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    with sqlite3.connect("bpsvc.db") as connection:
        changed = "CAST(substr(content, 1, length(content) - 1) || x'3f' AS BLOB)"
        connection.execute(f"UPDATE _dataset SET content = {changed}")
    ran = bpsvc("export", "tiny")
    assert ran.code == 4 and "the stored data set is not what its digest says" in ran.err


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM parameters WHERE run_id = 3 AND epoch = 7 AND name = 'w13'",
        "DELETE FROM parameters WHERE run_id = 3 AND epoch = 7",
        "UPDATE parameters SET name = 'w99' WHERE run_id = 3 AND epoch = 7 AND name = 'w13'",
    ],
)
def test_a_parameter_that_is_missing_is_found(bpsvc: Bpsvc, tiny: Path, sql: str) -> None:
    bpsvc("submit", tiny, "--set", "record.parameters=true", *ALONE)
    assert bpsvc("verify").code == 0
    with sqlite3.connect("bpsvc.db") as connection:
        connection.execute(sql)
    ran = bpsvc("verify")
    assert ran.code == 1 and "run 3, epoch 7, parameters" in ran.out


def test_runs_of_older_numerics_hold_and_are_not_replayed(
    bpsvc: Bpsvc, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpsvc("submit", tiny, *ALONE)
    monkeypatch.setattr(nn, "NUMERICS", nn.NUMERICS + 1)
    ran = bpsvc("verify", "--replay-fraction", 1)
    assert ran.code == 0 and "6 runs verified: all is there" in ran.err
    assert f"6 runs are of older numerics ({nn.NUMERICS - 1})" in ran.err


def test_a_backup_merges_into_another_store(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    assert bpsvc("db", "backup", "copy.db").code == 0
    assert bpsvc("db", "backup", "copy.db").code == 4
    assert rows("copy.db") == rows()
    Path("other.json").write_text(json.dumps({**TINY, "name": "other", "seeds": [1, 2, 3]}))
    bpsvc("submit", "other.json", "--db", "class.db", *ALONE)
    ran = bpsvc("db", "merge", "copy.db", "--db", "class.db")
    assert ran.code == 0 and "2 new runs" in ran.err
    assert {row["experiment"] for row in bpsvc("status", "--json", "--db", "class.db").json} == {
        "tiny@1",
        "other@1",
    }
    assert bpsvc("verify", "--db", "class.db").code == 0


def test_a_merge_names_damaged_runs_and_takes_the_rest(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *ALONE)
    with sqlite3.connect("bpsvc.db") as connection:
        connection.execute("UPDATE _checkpoint SET state = x'00' WHERE run_id = 3")
    ran = bpsvc("db", "merge", "bpsvc.db", "--db", "class.db")
    assert ran.code == 1 and "bpsvc.db: run 3, epoch 20, _checkpoint: the state is not what" in ran.err
    assert "5 new runs" in ran.err and "1 damaged and left out" in ran.err
    assert bpsvc("verify", "--db", "class.db").code == 0


def test_doctor_and_db_say_how_things_are(bpsvc: Bpsvc, tiny: Path) -> None:
    ran = bpsvc("doctor")
    assert ran.code == 0 and ran.err.endswith("next: bpsvc submit SPEC\n")
    assert not list(Path().glob("*.db")), "looking makes no store"
    bpsvc("submit", tiny, *ALONE)
    assert bpsvc("doctor").err.endswith("next: bpsvc verify\n")
    facts = {fact["name"]: fact["value"] for fact in bpsvc("doctor", "--fuzz", 3, "--json").json}
    assert facts["same bits"] == "3 random stacks, no run differs"
    assert {"python", "numpy", "blas", "sqlite", "file system", "disk", "environment"} <= set(facts)
    info = bpsvc("db", "info", "--json").json
    assert info["rows"]["epochs"] == 6 * 21
    assert bpsvc("db", "check").code == 0
    assert "up to date" in bpsvc("db", "upgrade").err


@pytest.mark.parametrize("command", [("cancel", "no"), ("retry", "no"), ("rm", "no"), ("verify", "no")])
def test_unknown_experiments_are_3(bpsvc: Bpsvc, tiny: Path, command: tuple[str, ...]) -> None:
    bpsvc("submit", tiny, *ALONE)
    assert bpsvc(*command).code == 3
