"""The query beside every figure runs on the public tables, for any name of an experiment."""

import dataclasses
import sqlite3

import pandas as pd
import pytest

from bpsvc.reporting import FIGURES, Material, data


def database(material: Material) -> sqlite3.Connection:
    """The public tables and views of these runs, with the columns that the queries may use."""
    connection = sqlite3.connect(":memory:")
    runs = material.runs.drop_duplicates("run_id")
    memberships = material.runs[["experiment", "run_id", "target_epochs"]].rename(
        columns={"target_epochs": "epochs"}
    )
    memberships.to_sql("experiment_runs", connection, index=False)
    plain = runs.drop(columns=["experiment", "target_epochs"]).loc[
        :, lambda frame: ~frame.columns.duplicated()
    ]
    plain.to_sql("runs", connection, index=False)
    results = material.runs.loc[:, ~material.runs.columns.duplicated()]
    results.to_sql("results", connection, index=False)
    material.epochs.to_sql("epochs", connection, index=False)
    material.layers.to_sql("layer_gradients", connection, index=False)
    factors = [
        (experiment, run_id, name, name, str(value))
        for name in material.factors
        for experiment, run_id, value in material.runs[["experiment", "run_id", name]].itertuples(index=False)
    ]
    pd.DataFrame(factors, columns=["experiment", "run_id", "name", "label", "value"]).to_sql(
        "factors", connection, index=False
    )
    return connection


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "drift"])
def test_queries_run(
    name: str, xor: Material, many: Material, clouds: Material, drawn_at_random: Material
) -> None:
    material = next(m for m in (many, clouds, xor, drawn_at_random) if FIGURES[name].applies(m))
    with database(material) as connection:
        rows = pd.read_sql(FIGURES[name].query(material.names), connection)
    assert len(rows)


def test_the_query_of_the_loss_gives_its_curves(xor: Material) -> None:
    with database(xor) as connection:
        rows = pd.read_sql(FIGURES["loss"].query(xor.names), connection)
    drawn = data(xor, "loss")
    drawn = drawn[drawn["row"] == "run"].sort_values(["run_id", "epoch"])
    assert rows["loss"].tolist() == drawn["loss"].tolist()


def test_names_are_quoted(xor: Material) -> None:
    name = "o'clock'; DROP TABLE runs; --"
    renamed = dataclasses.replace(
        xor, experiments=xor.experiments.assign(experiment=name), runs=xor.runs.assign(experiment=name)
    )
    with database(renamed) as connection:
        assert len(pd.read_sql(FIGURES["solved"].query(renamed.names), connection)) == len(xor.runs)
