"""A new store equals a migrated one, and its public face stays as it is."""

import ast
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_material import experiment, stacks, train

import bpsvc.store
from bpsvc import nn
from bpsvc.store import PUBLIC, Store, migrate, schema, series
from bpsvc.store.engine import writer
from bpsvc.store.views import statements

# What DESIGN promises; more columns may come, none of these may go.
PROMISED = {
    "experiments": "experiment name revision newest description submitted_at runs spec",
    "experiment_runs": "experiment name newest run_id epochs",
    "runs": """run_id run_key status outcome data loss hidden depth activation output init optimizer
        learning_rate batch_size seed epochs epochs_done initial_loss final_loss best_loss best_epoch
        final_accuracy
        final_mean_abs_error final_validation_loss final_validation_accuracy best_validation_loss
        best_validation_epoch solved_epoch diverged_epoch diverged_layer error environment created_at
        finished_at seconds spec""",
    "results": "experiment target_epochs run_id status epochs_done final_loss best_loss solved_epoch seconds",
    "factors": "experiment run_id name label value",
    "epochs": """run_id epoch loss log_likelihood accuracy mean_abs_error max_error gradient_l2
        validation_loss validation_accuracy""",
    "layer_gradients": """run_id epoch layer delta_rms gradient_l2 gradient_mean_abs gradient_max_abs
        weight_l2 saturated dead""",
    "parameters": "run_id epoch layer source unit name value gradient",
    "datasets": "data digest examples inputs targets features classes scaling",
}


def shape(path: Path) -> list[tuple[str, str, str]]:
    """Everything in the database, whatever its white space."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    connection.close()
    return sorted((kind, name, re.sub(r"\s+", "", sql)) for kind, name, sql in rows)


def test_a_new_store_equals_a_migrated_one(path: Path, tmp_path: Path) -> None:
    Store.open(path, mode="create").close()
    migrated = tmp_path / "migrated.db"
    migrated.touch()
    engine = writer(migrated)
    with engine.begin() as connection:
        migrate.migrate(connection)
    with engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("user_version", "application_id")
        ]
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    engine.dispose()
    assert shape(migrated) == shape(path)
    assert pragmas == [schema.VERSION, schema.APPLICATION_ID] and revision == schema.REVISION
    Store.open(migrated).close()


def test_migrations_are_one_line_that_ends_at_the_declared_revision() -> None:
    found = {}
    for file in sorted((migrate.scripts() / "versions").glob("*.py")):
        names = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and "revision" in node.targets[0].id
        }
        found[names["revision"]] = names["down_revision"]
        assert file.name.startswith(names["revision"])
    numbers = sorted(found)
    assert numbers == [f"{n:04d}" for n in range(1, schema.VERSION + 1)]
    assert [found[n] for n in numbers] == [None, *numbers[:-1]]


def test_every_table_is_strict_and_every_constraint_named(store: Store) -> None:
    tables = store.query("SELECT name, sql FROM sqlite_master WHERE type = 'table'").rows
    for name, sql in tables:
        if name.startswith("sqlite_") or name == "alembic_version":
            continue
        assert re.search(r"\)\s*(WITHOUT ROWID,\s*)?STRICT$", sql.strip()), name
        for line in sql.splitlines():
            if re.search(r"\b(CHECK|UNIQUE|FOREIGN KEY)\b|PRIMARY KEY \(", line):
                assert "CONSTRAINT" in line or "CONSTRAINT" in sql[: sql.index(line)].splitlines()[-1], (
                    name,
                    line,
                )
    clustered = {name for name, sql in tables if "WITHOUT ROWID" in sql}
    assert {"epochs", "layer_gradients"} <= clustered


def test_series_are_those_of_the_engine() -> None:
    assert (*nn.EPOCH_SERIES, *nn.EXTRA_EPOCH_SERIES) == series.EPOCH_SERIES
    assert (*nn.LAYER_SERIES, *nn.EXTRA_LAYER_SERIES) == series.LAYER_SERIES


@pytest.mark.parametrize("name", PUBLIC)
def test_public_columns_are_those_of_the_catalogue(store: Store, name: str) -> None:
    answer = store.query(f"SELECT name, type FROM pragma_table_info('{name}')")
    assert tuple(row[0] for row in answer.rows) == PUBLIC[name].names
    for (column, kind), known in zip(answer.rows, PUBLIC[name].columns, strict=True):
        # SQLite tells the type of a column, not that of an expression.
        assert kind in ("", known.kind), column
    assert set(PROMISED.get(name, "").split()) <= set(PUBLIC[name].names)


def test_the_catalogue_has_all_that_is_promised(store: Store) -> None:
    assert set(PROMISED) <= set(PUBLIC)
    views = store.query("SELECT name FROM sqlite_master WHERE type = 'view'").rows
    assert {name for (name,) in views} <= set(PUBLIC)
    assert len(statements()) == len(views)


@pytest.mark.parametrize("name", PUBLIC)
def test_null_only_where_the_catalogue_says_so(store: Store, name: str) -> None:
    spec = experiment(losses=("log_likelihood", "squared"))
    store.submit(spec, stacks(spec))
    train(store, "me")
    required = [column.name for column in PUBLIC[name].columns if not column.nullable]
    counts = store.query(
        f"SELECT count(*), {', '.join(f'count({column})' for column in required)} FROM {name}"
    ).rows[0]
    assert len(set(counts)) == 1


@pytest.mark.parametrize("name", PUBLIC)
def test_the_catalogues_examples_answer_in_plain_sqlite(store: Store, path: Path, name: str) -> None:
    spec = experiment(losses=("log_likelihood", "squared"))
    store.submit(spec, stacks(spec))
    train(store, "me")
    plain = sqlite3.connect(path)
    rows = plain.execute(PUBLIC[name].example).fetchall()
    plain.close()
    assert len(rows) == len(store.query(PUBLIC[name].example).rows)
    assert rows or name in ("schedules", "occurrences", "parameters")


def test_ordinary_use_loads_neither_alembic_nor_pandas(path: Path) -> None:
    code = (
        "import sys; from bpsvc.store import Store\n"
        f"with Store.open({str(path)!r}, mode='create') as store: store.progress()\n"
        "print(sorted({'alembic', 'pandas', 'matplotlib', 'bpsvc.nn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_views_survive_columns_being_added_to_their_tables(path: Path) -> None:
    """What a migration does: drop views, alter, make views again, all or nothing."""
    Store.open(path, mode="create").close()
    before = shape(path)
    engine = writer(path)
    with engine.begin() as connection:
        bpsvc.store.views.drop_views(connection)
        connection.exec_driver_sql("ALTER TABLE _run ADD COLUMN extra TEXT")
        bpsvc.store.views.create_views(connection)
    engine.dispose()
    after = shape(path)
    assert [row for row in after if row[0] == "view"] == [row for row in before if row[0] == "view"]
