"""Experiments beside each other: no run is lost, and what differs between them has a name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpsvc import Store, submit
from bpsvc.errors import UsageError
from bpsvc.reporting import FIGURES, TABLES, Material, data, summary, write
from bpsvc.reporting.figures.pairs import comparisons
from bpsvc.service import reporting
from bpsvc.service.selecting import Filter
from bpsvc.spec import Choice, values_of
from bpsvc.spec.document import Spec


def spec(name: str, hidden: object = (2,), **more: Any) -> dict[str, Any]:
    training = {"learning_rate": 1.0, "epochs": 20}
    plain = {"data": "xor", "network": {"hidden": hidden}, "init": "uniform", "seeds": 4}
    return {"name": name, **plain, "training": training, "record": {"every": 5}, **more}


SPECS = (
    spec("losses", sweep={"grid": {"loss": ["log_likelihood", "squared"], "training.learning_rate": [1, 4]}}),
    spec("depths", {"depth": 2, "units": 3}, sweep={"grid": {"network.hidden.depth": [2, 3]}}),
    spec("alone", [4], loss="squared"),
    spec("knobs", init="he_normal", sweep={"grid": {"network.activation": [
        "leaky_relu", {"name": "leaky_relu", "alpha": 0.2}, "tanh"]}}),
    spec("task", [2]),
    spec("task", [4]),
    spec("task", [4], seeds={"first": 4, "count": 4}),
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    db = tmp_path_factory.mktemp("beside") / "b.db"
    for one in SPECS:
        submit(one, db=db, processes=1)
    with Store(db) as opened:
        yield opened


def of(store: Store, *names: str, by: tuple[str, ...] = ()) -> Material:
    return reporting.material(store, names, reporting.Wish(by=by))


@pytest.mark.slow
def test_a_factor_that_one_does_not_sweep_has_its_value_there(store: Store, tmp_path: Path) -> None:
    both = of(store, "losses", "depths", "alone")
    assert both.factors == ("experiment", "loss", "learning_rate", "depth")
    table = TABLES["comparison"].prepare(both).set_index("configuration")
    assert table["runs"].sum() == len(both.runs) == 16 + 8 + 4
    assert table.loc["depths@1 · log_likelihood · learning_rate 1 · depth 3", "depth"] == 3
    assert table.loc["alone@1 · squared · learning_rate 1 · depth 1", "runs"] == 4
    assert table["loss"].notna().all()
    assert TABLES["failures"].prepare(both)["runs"].sum() == len(both.runs)
    assert (
        set(data(both, "final")["run_id"])
        == set(data(both, "loss")["run_id"].dropna())
        == set(both.runs["run_id"])
    )
    page = write(both, tmp_path / "both").read_text(encoding="utf-8")
    assert "nan" not in " ".join(summary(both))
    assert ">nan" not in page and "· nan" not in page
    for figure in (tmp_path / "both" / "figures").glob("*.csv"):
        assert "nan" not in figure.read_text(encoding="utf-8")


def test_where_only_constants_differ_names_say_them(store: Store) -> None:
    tasks = of(store, "task@1", "task@2")
    assert list(tasks.configurations["label"]) == ["task@1 (hidden [2])", "task@2 (hidden [4])"]
    table = TABLES["settings"].present(TABLES["settings"].prepare(tasks))
    assert table.to_dict("list") == {
        "experiment": ["task@1", "task@2"], "runs": ["4", "4"], "network.hidden": ["[2]", "[4]"]
    }  # fmt: skip
    assert not TABLES["settings"].applies(of(store, "task@1"))


def test_runs_are_told_apart_by_what_differs_between_experiments(store: Store) -> None:
    tasks = ("task@1", "task@2", "task@3")
    for name in ("hidden", "network.hidden"):
        table = TABLES["comparison"].prepare(of(store, *tasks, by=(name,)))
        assert dict(zip(table["configuration"], table["runs"], strict=True)) == {
            "hidden [2]": 4,
            "hidden [4]": 8,
        }
    both = of(store, "losses", "alone", by=("experiment",))
    assert TABLES["comparison"].prepare(both)["runs"].tolist() == [16, 4]
    with pytest.raises(
        UsageError, match="hiden is not swept here, nor does it differ between experiments"
    ) as caught:
        of(store, *tasks, by=("hiden",))
    assert "hidden" in str(caught.value)
    with pytest.raises(UsageError, match="hidden is not swept here"):
        of(store, "losses", by=("hidden",))


def test_a_default_is_told_beside_others(store: Store) -> None:
    labels = set(of(store, "knobs").configurations["label"])
    assert labels == {"leaky_relu(alpha=0.01)", "leaky_relu(alpha=0.2)", "tanh"}
    assert set(of(store, "knobs", "alone").cases["activation"]) == {*labels, "logistic"}


def test_only_knobs_that_differ_are_told() -> None:
    def init(value: object) -> Choice:
        plain = {"data": "xor", "network": {"hidden": [2]}, "training": {"learning_rate": 1, "epochs": 1}}
        return Spec.model_validate({**plain, "init": value}).init

    narrow, wide = init("uniform"), init({"scheme": "uniform", "range": 0.5})
    assert values_of([narrow]) == ["uniform"]
    assert values_of([narrow, init("normal")]) == ["uniform", "normal"]
    assert values_of([narrow, wide, 3, "a"]) == ["uniform(range=0.1)", "uniform(range=0.5)", 3, "a"]


def test_no_figure_loses_an_experiment(store: Store) -> None:
    both = of(store, "losses", "depths")
    drawn = [record for record in FIGURES.values() if record.applies(both)]
    told = {record.name: record.data(both) for record in drawn}
    named = {
        name: frame["configuration"].astype(str) for name, frame in told.items() if "configuration" in frame
    }
    assert {"solved", "loss", "final", "signal", "weights", "pace"} <= set(named)
    for name, labels in named.items():
        assert labels.str.startswith("depths@1").any(), name
        assert labels.str.startswith("losses@1").any() or name == "depth", (
            f"{name}: one hidden layer has no slope"
        )


def test_a_column_of_the_view_stays_where_no_factor_takes_its_place(store: Store) -> None:
    runs = store.runs(["losses", "depths"])
    mine = runs[runs["experiment"] == "depths@1"]
    assert (mine["loss"] == "log_likelihood").all() and (mine["learning_rate"] == 1.0).all()
    assert (runs.loc[runs["experiment"] == "losses@1", "depth"] == 1).all()
    assert runs["depth"].dtype.kind == "i" and runs["learning_rate"].dtype.kind == "f"
    which = Filter(where="loss = 'log_likelihood'")
    some = reporting.material(store, ("losses", "depths"), reporting.Wish(which))
    assert some.runs.groupby("experiment").size().to_dict() == {"depths@1": 8, "losses@1": 8}


def test_an_experiment_of_which_no_run_fits_is_no_row(store: Store) -> None:
    wish = reporting.Wish(Filter(where="experiment <> 'task@1'"))
    some = reporting.material(store, ("task@1", "task@2", "alone"), wish)
    assert TABLES["settings"].prepare(some)["experiment"].tolist() == ["task@2", "alone@1"]


def test_a_run_does_not_beat_itself_because_it_was_watched_for_longer(tmp_path: Path) -> None:
    """Runs that both experiments contain reach the criterion after the last epoch of one of them."""
    often = {"init": {"scheme": "uniform", "range": 0.5}, "seeds": 8, "record": {"every": 100}}
    for name, epochs in (("short", 200), ("long", 3000)):
        submit(spec(name, training={"learning_rate": 1.0, "epochs": epochs}, **often), db=tmp_path / "h.db")
    with Store(tmp_path / "h.db") as store:
        both = of(store, "short", "long")
    table = TABLES["comparison"].prepare(both)
    assert list(table["solved"]) != [0, 0] and list(table["judged"]) == [8, 8]
    assert comparisons(both)["why"].tolist() == ["of runs with themselves"]
    assert "Left out, seed by seed: 1 comparison of runs with themselves." in summary(both)
    assert not [sentence for sentence in summary(both) if sentence.startswith("Seed by seed")]


def test_a_run_does_not_compete_with_itself(tmp_path: Path) -> None:
    """An experiment, and itself with two more seeds."""
    often = {"init": {"scheme": "uniform", "range": 1.0}, "training": {"learning_rate": 4.0, "epochs": 400}}
    for seeds in (8, 10):
        submit(spec("grown", seeds=seeds, **often), db=tmp_path / "g.db", processes=1)
    with Store(tmp_path / "g.db") as store:
        said = summary(of(store, "grown@1", "grown@2"))
    assert "Not ranked, for runs of theirs are among others here: grown@1." in said
    assert not [text for text in said if text.startswith(("Fastest", "Most often", "Least often"))]


def test_merged_configurations_have_no_pairs_and_count_their_seeds(store: Store) -> None:
    merged = of(store, "losses", by=("loss",))
    assert comparisons(merged)["why"].tolist() == ["of several runs a seed"]
    assert not FIGURES["paired"].applies(merged)
    assert [text for text in summary(merged) if "several runs of a seed" in text]
    assert not [text for text in summary(of(store, "losses")) if "several runs of a seed" in text]
    assert "with 4 seeds each" in summary(merged)[0]


def test_a_share_is_of_those_that_have_a_criterion(tmp_path: Path) -> None:
    for name, success in (("judged", {"metric": "loss", "below": 1e9}), ("unjudged", None)):
        losses = {"grid": {"loss": ["log_likelihood", "squared"]}}
        submit(spec(name, success=success, sweep=losses), db=tmp_path / "j.db")
    with Store(tmp_path / "j.db") as store:
        pooled = TABLES["comparison"].prepare(of(store, "judged", "unjudged", by=("loss",)))
    assert pooled[["ended", "judged", "solved"]].to_numpy().tolist() == [[8, 4, 4], [8, 4, 4]]
    shown = TABLES["comparison"].present(pooled)["reached (95 % interval)"]
    assert all("4 of 4: 100 %" in text for text in shown)


@pytest.mark.parametrize(
    "figure, source", [("surface", "xor"), ("confusion", {"source": "blobs", "examples": 30})]
)
def test_what_a_shared_run_answers_is_told_as_each_experiment_ends(
    tmp_path: Path, figure: str, source: object
) -> None:
    names, values = ("short", "long"), {"surface": "output", "confusion": "examples"}[figure]
    for name, epochs in zip(names, (2, 300), strict=True):
        training = {"learning_rate": 1.0, "epochs": epochs}
        submit(spec(name, data=source, training=training, record={"every": 1}), db=tmp_path / "s.db")
    with Store(tmp_path / "s.db") as store:
        alone = [data(of(store, name), figure)[values].dropna().tolist() for name in names]
        beside = data(of(store, *names), figure)
    assert alone[0] != alone[1]
    for name, expected in zip(names, alone, strict=True):
        mine = beside[beside["panel" if figure == "surface" else "configuration"].str.contains(f"{name}@1")]
        assert mine[values].dropna().tolist() == expected
