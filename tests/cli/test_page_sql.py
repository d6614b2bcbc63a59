"""The SQL that a page shows beside each figure gives that figure's numbers, at the experiment's own end."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from cli_help import Bpsvc, Once

from bpsvc import Store

ALONE = ("--processes", 1)
SPEC = {
    "name": "part",
    "data": "xor",
    "network": {"hidden": [2, 2]},
    "init": {"scheme": "uniform", "range": 2.0},
    "training": {"learning_rate": 4.0, "epochs": 200},
    "seeds": 10,
    "record": {"every": 20},
    "sweep": {"grid": {"loss": ["log_likelihood", "squared"], "network.activation": ["tanh", "relu"]}},
}
_FIGURE = re.compile(r'<figure id="(\w+)">.*?<pre>(.*?)</pre>', re.DOTALL)


@pytest.fixture
def db(bpsvc: Bpsvc, once: Once) -> Path:
    """part@1 ends at epoch 200; part@2 has trained its runs to epoch 600, where more of them are solved."""

    def make() -> None:
        Path("part.json").write_text(json.dumps(SPEC))
        assert bpsvc("submit", "part.json", *ALONE).code == 0
        assert bpsvc("submit", "part.json", "--set", "training.epochs=600", *ALONE).code == 0

    return once(make)


def solved(asked: pd.DataFrame) -> int:
    return int(asked["solved_epoch"].notna().sum())


def alike(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    """Every number of a run that both have."""
    keys = [name for name in ("run_id", "epoch") if name in drawn and name in asked]
    shared = [name for name in drawn if name in asked and name not in (*keys, "experiment")]
    assert keys and shared
    both = drawn.merge(asked, on=keys, how="outer", indicator=True, suffixes=("", "_asked"))
    assert set(both["_merge"]) == {"both"}
    for name in shared:
        pd.testing.assert_series_equal(
            both[name], both[f"{name}_asked"], check_names=False, check_dtype=False
        )


def of_runs(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    alike(asked, drawn[drawn["row"] == "run"].drop(columns="row") if "row" in drawn else drawn)


def of_shares(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    ends = drawn.sort_values("epoch").groupby("configuration").last()
    assert int((ends["share"] * ends["runs"]).round().sum()) == solved(asked)
    assert set(asked["last_epoch"]) == {drawn["epoch"].max()}


def of_survival(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    assert int(drawn.drop_duplicates("configuration")["events"].sum()) == solved(asked)


def of_effects(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    held = asked[asked["solved_epoch"].notna() & (asked["final_accuracy"] == 1)]
    counts = held.groupby(["label", "value"]).size()
    for name, level, share, runs in drawn[["first", "level", "value", "runs"]].itertuples(index=False):
        assert round(share * runs) == counts.get((name, level), 0)


def of_pairs(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    levels = asked.pivot(index="run_id", columns="label", values="value")
    runs = levels.join(asked.drop_duplicates("run_id").set_index("run_id")[["seed", "solved_epoch"]])
    compared = drawn[drawn["row"] == "median"]
    for factor, base, level, others, higher in compared[
        ["factor", "base", "level", "others", "higher"]
    ].itertuples(index=False):
        (other,) = {"loss", "activation"} & set(levels) - {factor}
        here = runs[runs[other] == others].pivot(index="seed", columns=factor, values="solved_epoch")
        assert (here[level].fillna(1e9) > here[base].fillna(1e9)).sum() == higher
    assert len(compared)


def of_layers(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    measure = next(
        name for name in ("delta_rms", "gradient_l2", "weight_l2", "saturated", "dead") if name in asked
    )
    assert asked["epoch"].max() == drawn["epoch"].max() == 200
    if measure in drawn:
        medians = asked.groupby(["layer", "epoch"])[measure].agg(["min", "max"])
        here = drawn.set_index(["layer", "epoch"])[measure]
        assert here.le(medians["max"].reindex(here.index)).all()
        assert here.ge(medians["min"].reindex(here.index)).all()


def of_curves(asked: pd.DataFrame, drawn: pd.DataFrame) -> None:
    assert asked["epoch"].max() == drawn["epoch"].max() == 200


CHECKS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], None]] = {
    "loss": of_runs,
    "final": of_runs,
    "pace": of_runs,
    "solved": of_shares,
    "survival": of_survival,
    "effects": of_effects,
    "paired": of_pairs,
    "likelihood": of_curves,
    **dict.fromkeys(("signal", "gradient", "weights", "saturated", "dead", "depth", "heat"), of_layers),
}


PARTS = {
    "seeds": ("--where", "seed < 2 -- the first"),
    "a factor": ("--where", "loss = 'squared'"),
    "other tables": ("--where", "run_id IN (SELECT min(runs.run_id) FROM runs WHERE activation = 'relu')"),
    "the best": ("--where", "activation = 'tanh'", "--sort", "final_loss", "--limit", 3),
    "the newest": ("--limit", 4),
}


@pytest.mark.parametrize("what", PARTS)
def test_the_sql_of_a_report_on_some_runs_is_about_them(bpsvc: Bpsvc, db: Path, what: str) -> None:
    page = Path(bpsvc("report", "part@1", *PARTS[what], "--format", "csv").out.strip())
    kept = set(pd.read_csv(page.parent / "figures" / "final.csv")["run_id"])
    assert 0 < len(kept) < 40
    with Store(db) as store:
        for _, sql in _FIGURE.findall(page.read_text()):
            asked = store.query(html.unescape(sql), max_rows=10**6).frame()
            assert "run_id" not in asked or set(asked["run_id"]) == kept


def test_a_report_on_some_runs_says_so_and_leaves_the_whole_one(bpsvc: Bpsvc, db: Path) -> None:
    whole = Path(bpsvc("report", "part@1", "--format", "csv").out.strip())
    before = {path: path.read_bytes() for path in whole.parent.rglob("*") if path.is_file()}
    options = ("--where", "seed < 2", "--by", "loss", "--success", "loss<=0.1")
    first, again = (bpsvc("report", "part@1", *options, "--format", "csv").out.strip() for _ in range(2))
    assert first == again != str(whole)
    assert {path: path.read_bytes() for path in before} == before
    page = html.unescape(Path(first).read_text())
    heading = re.search("<h1.*?>(.*?)</h1>", page)
    assert heading and heading[1] == "part@1 · where seed < 2 · by loss · solved loss<=0.1"
    assert "Only some runs, where seed < 2: 8 of 40 runs." in page
    assert "Runs are told apart by loss alone: runs that differ in activation are pooled." in page
    about = json.loads((Path(first).parent / "manifest.json").read_text())["about"]
    asked = {"where": "seed < 2", "by": ["loss"], "success": "loss<=0.1"}
    assert about == {"experiments": ["part@1"], **asked}
    assert json.loads(before[whole.parent / "manifest.json"])["about"] == {"experiments": ["part@1"]}


def test_the_sql_of_a_page_gives_the_numbers_of_its_figures(bpsvc: Bpsvc, db: Path) -> None:
    page = Path(bpsvc("report", "part@1", "--format", "csv").out.strip())
    shown = _FIGURE.findall(page.read_text())
    checked = set()
    with Store(db) as store:
        assert solved(store.runs("part@1")) < solved(store.runs("part@2"))
        for name, sql in shown:
            asked = store.query(html.unescape(sql), max_rows=10**6).frame()
            assert set(asked.get("experiment", ["part@1"])) == {"part@1"}
            if name in CHECKS:
                CHECKS[name](asked, pd.read_csv(page.parent / "figures" / f"{name}.csv"))
                checked.add(name)
    assert checked == set(CHECKS)


def test_a_canned_query_on_an_experiment_ends_where_it_does(bpsvc: Bpsvc, db: Path) -> None:
    answers = [
        bpsvc("query", "success", *parameters, "--json").json
        for parameters in (("-p", "experiment=part@1"), ("-p", "experiment=part@2"), ())
    ]
    with Store(db) as store:
        wanted = [solved(store.runs(name)) for name in ("part@1", "part@2")]
    assert [sum(row["solved"] for row in rows) for rows in answers] == [*wanted, wanted[1]]
    assert all(row["median_epoch"] is None or row["median_epoch"] <= 200 for row in answers[0])


def test_a_canned_query_tells_initial_spreads_apart(bpsvc: Bpsvc) -> None:
    normal = {**SPEC, "name": "normal", "init": {"scheme": "normal", "std": 0.1}, "seeds": 3}
    normal |= {
        "training": {"learning_rate": 1.0, "epochs": 0},
        "sweep": {"grid": {"init.std": [0.05, 0.1, 0.4], "loss": ["log_likelihood", "squared"]}},
    }
    Path("normal.json").write_text(json.dumps(normal))
    assert bpsvc("submit", "normal.json", *ALONE).code == 0
    for query, runs in (("gradient-decay", 6), ("saturated", 6), ("success", 3)):
        rows = bpsvc("query", query, "--json").json
        assert {json.loads(row["init"])["std"] for row in rows} == {0.05, 0.1, 0.4}
        assert {row["runs"] for row in rows} == {runs}
    assert {row["pairs"] for row in bpsvc("query", "paired-losses", "--json").json} == {9}
