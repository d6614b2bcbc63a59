"""Users' SQL can read, within bounds, and nothing else: dozens of statements that try."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_material import experiment, stacks, train
from test_files import listing

from bpsvc.errors import QueryError, StoreError
from bpsvc.store import Store, sandbox

WRITING = [
    "DROP TABLE epochs",
    "DELETE FROM epochs",
    "UPDATE _run SET status = 'done'",
    "INSERT INTO epochs (run_id, epoch) VALUES (1, 999)",
    "REPLACE INTO epochs (run_id, epoch) VALUES (1, 0)",
    "CREATE TABLE t (x)",
    "CREATE TEMP TABLE t (x)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "CREATE VIEW v AS SELECT 1",
    "CREATE INDEX i ON epochs (loss)",
    "CREATE TRIGGER t AFTER INSERT ON epochs BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE t USING fts5(x)",
    "ALTER TABLE epochs ADD COLUMN x",
    "ATTACH 'evil.db' AS evil",
    "ATTACH ':memory:' AS evil",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA user_version = 99",
    "PRAGMA table_info(runs)",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "WITH x AS (SELECT 1) DELETE FROM epochs",
    "WITH x AS (SELECT 1) INSERT INTO epochs (run_id, epoch) SELECT 1, 999",
    "WITH x AS (SELECT 1) UPDATE epochs SET loss = 0",
    "EXPLAIN DELETE FROM epochs",
    "/* SELECT */ DROP TABLE epochs",
    "-- SELECT\nDROP TABLE epochs",
    "SELECT 1; DROP TABLE epochs",
    "SELECT 1; SELECT 2",
    "SELECT 1 ; -- harmless\n DROP TABLE epochs",
    "SELECT load_extension('evil.so')",
    "SELECT writefile('evil.txt', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('x')",
    "SELECT * FROM pragma_journal_mode('DELETE')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_wal_checkpoint",
]
WRONG = [
    "",
    "   ",
    "-- only a comment",
    "/* not closed",
    ";",
    "SELEC 1",
    "SELECT",
    "SELECT * FROM nothing",
    "SELECT nothing FROM runs",
    "SELECT nothing(1)",
    "SELECT quantile(1)",
    "SELECT quantile(loss, 2) FROM epochs",
    "SELECT median('a') FROM epochs",
    "SELECT :missing",
    "SELECT ?",
    "SELECT 1\x00; DROP TABLE epochs",
    "SELECT '\ud800'",
    "SELECT " + "1, " * 60_000 + "1",
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT 1" + " UNION ALL SELECT 1" * 1_000,
    "SELECT printf('%.*c', 900000000, 'x')",
    "SELECT format('%d', 1)",
    "SELECT zeroblob(900000000)",
    "SELECT randomblob(900000000)",
    "SELECT " + "hex(" * 12 + "replace(hex('aaaaaaaaa'), '6', '" + "a" * 50_000 + "')" + ")" * 12,
]
ENDLESS_N = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
ENDLESS = [
    "SELECT group_concat(replace('aaaaaaaaaa', 'a', '" + "a" * 50 + "')) FROM epochs a, epochs b, epochs c",
    f"{ENDLESS_N} SELECT count(*) FROM n",
    f"{ENDLESS_N} SELECT sum(x) FROM n",
    "SELECT count(*) FROM epochs a, epochs b, epochs c, epochs d, epochs e, epochs f",
    "SELECT sum(a.loss * b.loss * c.loss) FROM epochs a, epochs b, epochs c, epochs d, epochs e",
    f"{ENDLESS_N} SELECT x FROM n ORDER BY random() LIMIT 1",
    "SELECT sum(instr(s, 'x')) FROM (SELECT group_concat(spec) AS s FROM runs), epochs a, epochs b, epochs c",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("query")


@pytest.fixture(scope="module")
def full(folder: Path) -> Iterator[Store]:
    with Store.open(folder / "bpsvc.db", mode="create") as store:
        spec = experiment(losses=("log_likelihood", "squared"), seeds=10)
        store.submit(spec, stacks(spec))
        train(store, "me")
        store.query("SELECT 1")
        yield store


@pytest.mark.parametrize("sql", WRITING)
def test_only_reading(full: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.chdir(folder)
    before = listing(folder)
    with pytest.raises(QueryError):
        full.query(sql, timeout_s=5.0)
    assert listing(folder) == before


@pytest.mark.parametrize("name", ["authorized", "prohibited"])
def test_a_wrong_name_is_no_attempt_to_write(full: Store, name: str) -> None:
    with pytest.raises(QueryError, match=f"no such column: {name}"):
        full.query(f"SELECT {name} FROM runs")


def test_a_process_that_cannot_run_is_told(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "__file__", "/nowhere/sandbox.py")
    with pytest.raises(StoreError, match="No such file"):
        full.query("SELECT 1")


@pytest.mark.parametrize("sql", WRONG, ids=range(len(WRONG)))
def test_wrong_sql_is_answered_at_once(full: Store, folder: Path, sql: str) -> None:
    before, began = listing(folder), time.monotonic()
    with pytest.raises(QueryError) as caught:
        full.query(sql, timeout_s=5.0)
    assert time.monotonic() - began < 60.0 and len(str(caught.value)) < 1_000
    assert listing(folder) == before


@pytest.mark.parametrize("sql", ENDLESS, ids=range(len(ENDLESS)))
def test_bounded_in_time(full: Store, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than|memory|too big"):
        full.query(sql, timeout_s=0.3)
    assert time.monotonic() - began < 60.0


@pytest.mark.slow
def test_bounded_even_before_the_first_step(full: Store) -> None:
    """Each of these tables is the last one twice: SQLite writes it all out before any handler is asked."""
    tables = ", ".join(f"t{i + 1} AS (SELECT a.x FROM t{i} a, t{i} b)" for i in range(30))
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"longer than|memory"):
        full.query(f"WITH t0(x) AS (SELECT 1), {tables} SELECT * FROM t30", timeout_s=0.3)
    assert time.monotonic() - began < 60.0


@pytest.mark.guarantee
def test_bounded_in_memory(full: Store) -> None:
    with pytest.raises(QueryError, match=r"memory|longer than"):
        full.query("SELECT a.*, b.*, c.* FROM epochs a, epochs b, epochs c ORDER BY random()", timeout_s=20.0)


def test_bounded_in_rows_and_told(full: Store) -> None:
    answer = full.query("SELECT * FROM epochs", max_rows=7)
    assert len(answer.rows) == 7 and answer.truncated
    assert not full.query("SELECT * FROM epochs LIMIT 7", max_rows=7).truncated
    assert full.query("SELECT 1", max_rows=0).rows == []


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT 1", [(1,)]),
        ("  -- a comment\n /* and another */ select 1;", [(1,)]),
        ("VALUES (1, 'a', 2.5, NULL)", [(1, "a", 2.5, None)]),
        ("WITH x(y) AS (SELECT 3) SELECT y FROM x", [(3,)]),
        (
            f"{ENDLESS_N[:-1]} WHERE x < 4) SELECT sum(x) FROM n",
            [(10,)],
        ),
        ("SELECT value FROM json_each('[1, 2]')", [(1,), (2,)]),
        ("SELECT count(*) FROM runs, json_each(runs.hidden)", [(20,)]),
        (
            "SELECT DISTINCT json_extract(spec, '$.loss.name') FROM runs ORDER BY 1",
            [("log_likelihood",), ("squared",)],
        ),
        ("SELECT name FROM pragma_table_info('factors') LIMIT 2", [("experiment",), ("run_id",)]),
        ("SELECT median(value) FROM json_each('[4, 1, 3, 2, null]')", [(2.5,)]),
        ("SELECT quantile(value, 0.25) FROM json_each('[4, 1, 3, 2, 5]')", [(2.0,)]),
        ("SELECT quantile(value, 1), median(NULL) FROM json_each('[4, 1]')", [(4.0, None)]),
        ("SELECT count(*) FROM runs WHERE loss LIKE 'log%'", [(10,)]),
        ("SELECT round(2.345, 1), replace('abc', 'b', 'x'), instr('abc', 'c')", [(2.3, "axc", 3)]),
        ("SELECT row_number() OVER (ORDER BY value DESC), value FROM json_each('[1, 2]')", [(1, 2), (2, 1)]),
    ],
)
def test_what_is_allowed(full: Store, sql: str, rows: list[tuple[object, ...]]) -> None:
    assert full.query(sql).rows == rows


def test_explain(full: Store) -> None:
    assert full.query("EXPLAIN QUERY PLAN SELECT * FROM epochs WHERE run_id = 1").rows


def test_parameters(full: Store) -> None:
    assert full.query("SELECT :a, :b", {"a": 1, "b": "x"}).rows == [(1, "x")]
    assert full.query("SELECT ?, ?", (2.5, None)).rows == [(2.5, None)]
    with pytest.raises(QueryError, match="parameter"):
        full.query("SELECT ?", [object()])


def test_frames(full: Store) -> None:
    frame = full.query("SELECT run_id, status FROM runs ORDER BY 1").frame()
    assert list(frame.columns) == ["run_id", "status"] and len(frame) == 20


@pytest.mark.parametrize(("rows", "seconds"), [(-1, 1.0), (1, 0.0), (1, -1.0), (1, float("nan")), (1, 1e9)])
def test_bounds_that_are_none(full: Store, rows: int, seconds: float) -> None:
    with pytest.raises(QueryError, match="bounds"):
        full.query("SELECT 1", max_rows=rows, timeout_s=seconds)


def test_a_store_that_has_gone(folder: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "gone.db", mode="create") as store:
        (tmp_path / "gone.db").unlink()
        with pytest.raises(StoreError):
            store.query("SELECT 1")


def test_hints(full: Store) -> None:
    with pytest.raises(QueryError, match="layer_gradients"):
        full.query("SELECT * FROM gradients")
    with pytest.raises(QueryError, match="only reading"):
        full.query("DROP TABLE runs")
