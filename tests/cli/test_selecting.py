"""One filter for runs, report, export and rm: --where, --sort, --limit over what reports say of runs."""

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from cli_help import TINY, Bpsvc, Once

from bpsvc import Store
from bpsvc.errors import NotFoundError
from bpsvc.service import reporting
from bpsvc.service.selecting import Filter, chosen

ALONE = ("--processes", 1)
COMMANDS = (
    ("runs", "tiny", "--format", "json"),
    ("report", "tiny", "--format", "csv"),
    ("export", "tiny", "--format", "jsonl"),
    ("rm", "tiny", "--yes"),
)


@pytest.fixture
def db(bpsvc: Bpsvc, tiny: Path, once: Once) -> Path:
    """tiny: six runs, 20 epochs each; further: the three with the squared loss, 40 epochs."""

    def make() -> None:
        assert bpsvc("submit", tiny, *ALONE).code == 0
        training = {"learning_rate": 1.0, "epochs": 40}
        further = {**TINY, "name": "further", "loss": "squared", "training": training}
        del further["sweep"]
        Path("further.json").write_text(json.dumps(further))
        assert "3 extended" in bpsvc("submit", "further.json", *ALONE).err

    return once(make)


def runs(db: Path, experiment: str = "tiny") -> pd.DataFrame:
    """What a report says of each run."""
    with Store(db) as store:
        return store.runs(experiment).set_index("run_id")


def squared(db: Path) -> pd.DataFrame:
    table = runs(db)
    return table[table["loss"] == "squared"]


FILTERS = {
    "as of its own epochs": (
        ("--where", "loss = 'squared' AND epochs_done = 20"),
        lambda db: set(squared(db).index),
    ),
    "by factor and seed": (
        ("-w", "loss = 'squared' AND seed < 2"),
        lambda db: set(squared(db).query("seed < 2").index),
    ),
    "what stands in the spec": (
        ("--where", "json_extract(SPEC, '$.loss.name') = 'squared'"),
        lambda db: set(squared(db).index),
    ),
    "other relations": (
        ("--where", "run_id IN (SELECT run_id FROM experiment_runs WHERE name = 'further')"),
        lambda db: set(squared(db).index),
    ),
    "the worst": (
        ("--where", "loss = 'squared'", "--sort", "final_loss DESC", "--limit", 1),
        lambda db: {squared(db)["final_loss"].idxmax()},
    ),
}


@pytest.mark.parametrize("what", FILTERS)
@pytest.mark.slow
def test_four_commands_take_the_same_runs(bpsvc: Bpsvc, db: Path, what: str) -> None:
    options, wanted = FILTERS[what]
    expected = wanted(db)
    ran = [bpsvc(*command, *options) for command in COMMANDS[:3]]
    assert [one.code for one in ran] == [0, 0, 0]
    assert {row["run_id"] for row in ran[0].json} == expected
    shown = pd.read_csv(Path(ran[1].out.strip()).parent / "figures" / "final.csv")
    assert set(shown["run_id"]) == expected
    lines = Path("exports/tiny/runs.jsonl").read_text().splitlines()
    assert {json.loads(line)["run_id"] for line in lines} == expected
    before = set(runs(db).index)
    assert bpsvc(*COMMANDS[3], *options).code == 0
    assert before - set(runs(db).index) == expected
    assert len(runs(db, "further")) == 3, "they stay where another experiment contains them"


WRONG = {
    ("--where", "sed = 1"): (2, "no such column: sed"),
    ("--where", "seed ="): (2, "SQL: "),
    ("--where", "1; DROP TABLE epochs"): (2, "SQL: "),
    ("--where", "1) UNION SELECT 1 --"): (2, "SQL: "),
    ("--where", "seed > 99) OR (1=1"): (2, 'SQL: near ")"'),
    ("--where", "seed > 99 GROUP BY seed"): (2, 'SQL: near "GROUP"'),
    ("--where", "seed > 99 /*"): (2, "SQL: near"),
    ("--where", "1", "--sort", "seed) --"): (2, 'SQL: near ")"'),
    ("--where", "printf('%d', 1)"): (2, "only reading is allowed"),
    ("--where", "1", "--sort", "los"): (2, "no such column: los"),
    ("--limit", "0"): (2, "--limit"),
    ("--where", "seed > 99"): (3, "no run fits 'seed > 99'"),
}


@pytest.mark.parametrize("options", WRONG)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_what_is_wrong_is_answered_alike(bpsvc: Bpsvc, db: Path, command: tuple[str, ...], options) -> None:
    code, message = WRONG[options]
    ran = bpsvc(*command, *options)
    if code == 3 and command[0] == "runs":  # an empty list is an answer, too
        assert (ran.code, ran.json) == (0, [])
    else:
        assert ran.code == code and message in ran.err, ran.err
    assert bpsvc(command[0], "nobody", *command[2:], *options).code in (2, 3)
    assert len(runs(db)) == 6


def test_each_experiment_judges_a_shared_run_by_its_own_epochs(bpsvc: Bpsvc, db: Path) -> None:
    short, long = runs(db), runs(db, "further")
    shared = long.index[0]
    here, there = short.loc[shared, "final_loss"], long.loc[shared, "final_loss"]
    bound = (here + there) / 2
    assert there < bound < here
    conditions = {
        "epochs_done = 40": {("further@1", run) for run in long.index},
        f"run_id = {shared} AND final_loss < {bound}": {("further@1", shared)},
        f"run_id = {shared} AND final_loss > {bound}": {("tiny@1", shared)},
        "experiment = 'tiny@1' AND target_epochs = 20": {("tiny@1", run) for run in short.index},
    }
    with Store(db) as store:
        for where, expected in conditions.items():
            about = reporting.material(store, ["tiny", "further"], reporting.Wish(Filter(where)))
            pairs = about.runs[["experiment", "run_id"]].itertuples(index=False, name=None)
            assert set(pairs) == expected, where
            assert set(about.cases["case"]) == set(range(len(expected)))
        wish = reporting.Wish(Filter(f"run_id = {shared}"), success=f"loss<{bound}")
        cases = reporting.material(store, ["tiny", "further"], wish).cases
    assert dict(zip(cases["experiment"], cases["solved"], strict=True)) == {
        "tiny@1": False,
        "further@1": True,
    }
    asked = ("tiny", "further", "--where", "epochs_done = 40")
    assert bpsvc("export", *asked, "--format", "jsonl", "-o", "out").code == 0
    (folder,) = Path("out").iterdir()
    for relation in ("experiment_runs", "results"):
        rows = [json.loads(line) for line in (folder / f"{relation}.jsonl").read_text().splitlines()]
        assert {(row["experiment"], row["run_id"]) for row in rows} == conditions["epochs_done = 40"]
    assert (folder / "factors.jsonl").read_text() == "", "further sweeps nothing"
    assert bpsvc("rm", *asked, "--yes").code == 0
    assert len(runs(db)) == 6 and set(runs(db)["epochs_done"]) == {20}, "nothing left tiny"


def test_a_filter_sees_the_transaction_it_is_asked_in(db: Path) -> None:
    everyone = Filter("final_loss < 100")
    with Store(db) as store, store.snapshot() as now:
        before = chosen(store, now, ["tiny"], everyone)
        with sqlite3.connect(db) as other:
            other.execute("UPDATE _run SET final_loss = 1000.0")
            other.execute("UPDATE epochs SET loss = 1000.0")
        assert chosen(store, now, ["tiny"], everyone) == before and len(before) == 6
        with store.snapshot() as later, pytest.raises(NotFoundError):
            chosen(store, later, ["tiny"], everyone)


def test_a_comment_in_the_order_leaves_the_limit(bpsvc: Bpsvc, db: Path) -> None:
    for sort in ("seed --", "seed /*", "seed /* */"):
        ran = bpsvc("runs", "tiny", "--sort", sort, "--limit", 2, "--format", "json")
        assert [row["seed"] for row in ran.json] == [0, 0]


def test_rm_tells_what_it_takes_before_it_asks(bpsvc: Bpsvc, db: Path) -> None:
    asked = bpsvc("rm", "tiny", "--where", "seed = 0")
    assert asked.code == 2 and "2 runs of tiny@1; 1 of them stay, other experiments contain them" in asked.err
    assert len(runs(db)) == 6
    everywhere = bpsvc("rm", "--where", "loss = 'squared' AND seed = 0", "--yes")
    assert "1 run of tiny@1, further@1" in everywhere.err
    assert (len(runs(db)), len(runs(db, "further"))) == (5, 2)
    last = bpsvc("rm", "--where", "loss = 'squared'", "--yes")
    assert "further@1, which has no other" in last.err
    assert [row["experiment"] for row in bpsvc("status", "--json").json] == ["tiny@1"]
    again = bpsvc("submit", "tiny.json", *ALONE)
    assert "tiny@1: 3 new runs" in again.err and len(runs(db)) == 6
    assert bpsvc("verify").code == 0
    assert bpsvc("rm", "--older-than", "1d", "--where", "1", "--yes").err.startswith("nothing to delete")
    assert bpsvc("rm", "--sort", "seed").code == 2
