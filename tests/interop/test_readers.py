"""Other programs read exports, and the store itself while a worker writes it (make interop)."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpsvc import Store, submit
from bpsvc.service.exporting import export
from bpsvc.store import PUBLIC

pytestmark = pytest.mark.interop
duckdb = pytest.importorskip("duckdb")
polars = pytest.importorskip("polars")
pandas = pytest.importorskip("pandas")
parquet = pytest.importorskip("pyarrow.parquet")

SPEC = {
    "name": "tiny",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 20},
    "seeds": 3,
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"]}},
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("interop") / "bpsvc.db"
    submit(SPEC, db=path, processes=1)
    return path


@pytest.fixture(scope="module")
def folder(db: Path) -> Path:
    with Store(db) as store:
        return export(store, ["tiny"], db.parent / "exports", form="parquet").folder


def rows(db: Path, relation: str) -> list[tuple[object, ...]]:
    plain = sqlite3.connect(db)
    found = plain.execute(f"SELECT * FROM {relation} ORDER BY 1, 2, 3").fetchall()
    plain.close()
    return found


@pytest.mark.parametrize("relation", [name for name in PUBLIC if name != "factors"])
def test_duckdb_and_polars_read_the_same_rows(db: Path, folder: Path, relation: str) -> None:
    wanted = rows(db, relation)
    file = folder / f"{relation}.parquet"
    assert duckdb.sql(f"SELECT * FROM '{file}' ORDER BY 1, 2, 3").fetchall() == wanted
    frame = polars.read_parquet(file)
    assert frame.sort(frame.columns[:3]).rows() == wanted
    assert len(pandas.read_parquet(file)) == len(wanted)


def test_the_dictionary_names_the_columns_of_every_file(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in package["resources"]:
        names = [field["name"] for field in resource["schema"]["fields"]]
        assert parquet.read_schema(folder / resource["path"]).names == names


def test_types_and_meanings_travel_with_the_file(folder: Path) -> None:
    schema = parquet.read_schema(folder / "epochs.parquet")
    assert str(schema.field("epoch").type) == "int64" and not schema.field("epoch").nullable
    assert str(schema.field("loss").type) == "double"
    assert b"without penalties" in schema.field("loss").metadata[b"description"]


def test_a_factor_is_text_and_where_it_can_be_a_number(db: Path, folder: Path) -> None:
    submit(
        {**SPEC, "name": "rates", "seeds": 1, "sweep": {"grid": {"training.learning_rate": [0.5, 1.0]}}},
        db=db.parent / "rates.db",
        processes=1,
    )
    with Store(db.parent / "rates.db") as store:
        rates = export(store, ["rates"], db.parent / "rates", form="parquet").folder
    found = polars.read_parquet(rates / "factors.parquet").select("value", "value_number").rows()
    assert found == [("0.5", 0.5), ("1.0", 1.0)]
    losses = polars.read_parquet(folder / "factors.parquet")
    assert set(losses["value"]) == {"log_likelihood", "squared"}
    assert losses["value_number"].null_count() == 6


def test_relations_join_in_duckdb(folder: Path) -> None:
    sql = f"""
        SELECT r.loss, e.epoch, median(e.loss) FROM '{folder}/runs.parquet' r
        JOIN '{folder}/epochs.parquet' e USING (run_id) WHERE e.epoch = 0 GROUP BY ALL ORDER BY 1
    """
    ((first, _, nats), (second, _, half_squares)) = duckdb.sql(sql).fetchall()
    assert (first, second) == ("log_likelihood", "squared")
    assert 0.65 < nats < 0.8 and 0.11 < half_squares < 0.15


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Path]:
    """A store that a worker is writing to at this moment."""
    path, spec = tmp_path / "busy.db", tmp_path / "long.json"
    training = {"learning_rate": 1.0, "epochs": 2_000_000}
    spec.write_text(json.dumps({**SPEC, "name": "long", "training": training, "seeds": 2}))
    bpsvc = str(Path(sys.executable).with_name("bpsvc"))
    command = [bpsvc, "submit", str(spec), "--db", str(path), "--yes", "--processes", "1", "--quiet"]
    worker = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 600
        while not (path.exists() and "epochs" in tables(path) and begun(path)):
            assert worker.poll() is None, worker.stderr.read() if worker.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield path
        assert worker.poll() is None, "the worker ended before the readers had read"
    finally:
        worker.terminate()
        worker.communicate(timeout=600)


def begun(db: Path) -> bool:
    plain = sqlite3.connect(db)
    found = plain.execute("SELECT 1 FROM epochs WHERE epoch > 1000 LIMIT 1").fetchall()
    plain.close()
    return bool(found)


def tables(db: Path) -> set[str]:
    plain = sqlite3.connect(db)
    found = {name for (name,) in plain.execute("SELECT name FROM sqlite_master")}
    plain.close()
    return found


def test_pandas_reads_while_a_worker_writes(busy: Path) -> None:
    plain = sqlite3.connect(f"file:{busy}?mode=ro", uri=True)
    runs = pandas.read_sql_query("SELECT * FROM runs", plain)
    frame = pandas.read_sql_query("SELECT * FROM epochs ORDER BY run_id, epoch LIMIT 1000", plain)
    plain.close()
    assert set(runs["status"]) & {"running"} and len(frame) == 1000
    assert frame["epoch"].tolist() == list(range(1000))


def test_datasette_reads_while_a_worker_writes(busy: Path) -> None:
    app = pytest.importorskip("datasette.app")

    async def ask() -> tuple[int, dict[str, object], str]:
        site = app.Datasette([str(busy)])
        await site.invoke_startup()
        counted = await site.client.get(
            "/busy.json?sql=SELECT+status,+count(*)+AS+n+FROM+runs+GROUP+BY+status&_shape=array"
        )
        page = await site.client.get("/busy/runs")
        return counted.status_code, counted.json(), page.text

    code, answer, page = asyncio.run(ask())
    assert code == 200 and sum(row["n"] for row in answer) == 4
    assert "run_key" in page
