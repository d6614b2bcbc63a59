"""The way through all rooms: a spec goes in; runs, records and a report come out."""

import json
import sqlite3
import statistics
import threading
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc

from bpsvc import Store
from bpsvc.service import working

PROCESSES = ("--processes", 1)


def spec(**changes: object) -> Path:
    path = Path("changed.json")
    path.write_text(json.dumps({**TINY, **changes}))
    return path


def records(path: str = "bpsvc.db") -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return [
            *db.execute("SELECT * FROM epochs ORDER BY run_id, epoch"),
            *db.execute("SELECT * FROM layer_gradients ORDER BY run_id, epoch, layer"),
        ]


def test_submit_trains_every_run_and_says_what_is_next(bpsvc: Bpsvc, tiny: Path) -> None:
    ran = bpsvc("submit", tiny, *PROCESSES)
    assert ran.code == 0, ran.err
    assert "tiny@1: 6 new runs" in ran.err
    assert "next: bpsvc report tiny@1" in ran.err
    (row,) = bpsvc("status", "--json").json
    assert (row["experiment"], row["runs"], row["done"]) == ("tiny@1", 6, 6)
    with sqlite3.connect("bpsvc.db") as db:
        assert db.execute("SELECT count(*), min(epoch), max(epoch) FROM epochs").fetchone() == (6 * 21, 0, 20)
        assert db.execute("SELECT count(*) FROM layer_gradients").fetchone() == (6 * 21 * 2,)


def test_the_second_submit_trains_nothing(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    before = records()
    again = bpsvc("submit", tiny, *PROCESSES)
    assert again.code == 0
    assert "tiny@1: 0 new runs" in again.err
    assert records() == before


def test_more_epochs_continue_to_the_same_bits(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    longer = spec(training={"learning_rate": 1.0, "epochs": 35})
    extended = bpsvc("submit", longer, *PROCESSES)
    assert "6 extended" in extended.err
    whole = bpsvc("submit", longer, "--db", "whole.db", *PROCESSES)
    assert whole.code == 0
    assert records() == records("whole.db")
    weights = [bpsvc("weights", 1, "--json", "--db", db).out for db in ("bpsvc.db", "whole.db")]
    assert weights[0] == weights[1]


def test_a_pool_of_processes_gives_the_same_bits(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    assert bpsvc("submit", tiny, "--detach", "--db", "pool.db").code == 0
    assert [row["queued"] for row in bpsvc("status", "--json", "--db", "pool.db").json] == [6]
    assert bpsvc("worker", "--processes", 2, "--db", "pool.db").code == 0
    assert records() == records("pool.db")


def test_the_report_is_one_file_with_its_pictures_and_tables(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    ran = bpsvc("report", "tiny")
    assert ran.code == 0, ran.err
    page = Path(ran.out.strip())
    assert page.name == "index.html" and page.parent.parent.name == "reports"
    assert "<svg" in page.read_text()
    kinds = {path.suffix for path in page.parent.rglob("*") if path.is_file()}
    assert {".html", ".svg", ".png", ".csv"} <= kinds


def test_query_is_read_only_and_prints_four_forms(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    sql = "SELECT loss, count(*) AS runs FROM runs GROUP BY loss ORDER BY loss"
    assert bpsvc("query", sql, "--format", "json").json == [
        {"loss": "log_likelihood", "runs": 3},
        {"loss": "squared", "runs": 3},
    ]
    assert bpsvc("query", sql, "--format", "csv").out == "loss,runs\nlog_likelihood,3\nsquared,3\n"
    assert bpsvc("query", sql, "--format", "markdown").out.splitlines()[0] == "| loss | runs |"
    assert "log_likelihood     3" in bpsvc("query", sql).out
    with sqlite3.connect("bpsvc.db") as db:
        assert db.execute(sql).fetchall() == [("log_likelihood", 3), ("squared", 3)]
    for hostile in ("DELETE FROM epochs", "SELECT 1; SELECT 2", "ATTACH 'x.db' AS x"):
        assert bpsvc("query", hostile).code == 2
    assert not Path("x.db").exists()


def test_the_lectures_truth_table(bpsvc: Bpsvc) -> None:
    assert bpsvc("examples", "xor_by_hand").code == 0
    assert bpsvc("submit", "xor_by_hand.json", *PROCESSES).code == 0
    rows = bpsvc("predict", "@last", "--layers", "--format", "json").json
    table = [(row["x1"], row["x2"], row["h1"], row["h2"], row["h"], row["y"]) for row in rows]
    assert table == [(0, 0, 0, 0, 0, 0), (0, 1, 0, 1, 1, 1), (1, 0, 0, 1, 1, 1), (1, 1, 1, 1, 0, 0)]


def test_weights_go_out_and_come_in_exactly(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    document = bpsvc("weights", 1, "--json").json
    again = spec(
        name="again",
        init={"scheme": "explicit", **document},
        seeds=1,
        sweep=None,
        training={"learning_rate": 1.0, "epochs": 0},
    )
    assert bpsvc("submit", again, *PROCESSES).code == 0
    assert bpsvc("weights", "@last", "--json").json["layers"] == document["layers"]
    last = bpsvc("query", "SELECT loss FROM epochs WHERE run_id = 1 AND epoch = 20", "--format", "csv").out
    first = bpsvc("query", "SELECT loss FROM epochs WHERE run_id = 7 AND epoch = 0", "--format", "csv").out
    assert last == first


def test_a_csv_file_trains_and_predicts(bpsvc: Bpsvc) -> None:
    assert bpsvc("examples", "iris").code == 0
    short = json.loads(Path("iris.json").read_text())
    short["training"]["epochs"], short["seeds"] = 50, 2
    Path("iris.json").write_text(json.dumps(short))
    assert bpsvc("submit", "iris.json", *PROCESSES).code == 0
    Path("iris.csv").unlink()  # the store has the data
    rows = bpsvc("predict", "@last", "--format", "json").json
    assert len(rows) == 150
    assert {row["predicted"] for row in rows} <= {"setosa", "versicolor", "virginica"}
    parts = [row["part"] for row in rows]
    assert (parts.count("training"), parts.count("validation")) == (120, 30)
    held_out = [row for row in rows if row["part"] == "validation"]
    right = sum(row["predicted"] == row["species"] for row in held_out) / len(held_out)
    assert right == pytest.approx(bpsvc("show", "@last", "--json").json["final_validation_accuracy"])
    Path("new.csv").write_text("petal_width,sepal_length,sepal_width,petal_length\n0.2,5.1,3.5,1.4\n")
    (row,) = bpsvc("predict", "@last", "new.csv", "--format", "json").json
    assert row["predicted"] == "setosa" and "species" not in row and "part" not in row
    head = "petal_width,sepal_length,sepal_width,petal_length,species"
    Path("known.csv").write_text(
        f"{head}\n0.2,5.1,3.5,1.4,setosa\n0.2,5.1,3.5,1.4,\n0.2,5.1,3.5,1.4,sertosa\n"
    )
    ran = bpsvc("predict", "@last", "known.csv", "--quiet", "--format", "json")
    assert [row["species"] for row in ran.json] == ["setosa", None, "sertosa"]
    known = "it knows 'setosa', 'versicolor', 'virginica'"
    assert ran.err == f"note: 'sertosa' in column 'species': no class of this run; {known}\n"


def test_predictions_of_a_run_that_diverged_are_said_to_be_none(bpsvc: Bpsvc, tiny: Path) -> None:
    linear = {"hidden": [2], "activation": "identity", "output": "identity"}
    training = {"learning_rate": 30.0, "epochs": 4000}
    document = {**TINY, "network": linear, "loss": "squared", "training": training, "sweep": None}
    Path("wild.json").write_text(json.dumps(document))
    bpsvc("submit", "wild.json", *PROCESSES)
    epoch = bpsvc("show", 1, "--json").json["diverged_epoch"]
    note = f"note: run 1 diverged at epoch {epoch}: these are no predictions\n"
    assert bpsvc("predict", 1, "--quiet").err == note
    bpsvc("submit", tiny, *PROCESSES)
    assert bpsvc("predict", "@last", "--quiet").err == ""
    Path("rows.csv").write_text("x1,x2,y\n0,1,1\n1,1,\n")
    assert [row["y"] for row in bpsvc("predict", "@last", "rows.csv", "--json").json] == [1.0, None]


def test_new_rows_are_divided_as_the_file_that_was_trained_on(bpsvc: Bpsvc) -> None:
    spec = {
        "data": {"source": "csv", "path": "own.csv", "target": "y", "delimiter": ";"},
        "network": {"hidden": [2]},
        "training": {"learning_rate": 1.0, "epochs": 5},
        "seeds": 1,
    }
    Path("own.json").write_text(json.dumps(spec))
    Path("own.csv").write_text("a;b;y\n0;q;0\n0;1;1\n1;r;1\n")
    both = bpsvc("validate", "own.json", "--json").json["findings"]
    assert [one["what"].split(" ")[0] for one in both] == ["own.csv:2:3:", "own.csv:4:3:"]
    assert bpsvc("validate", "own.json").err.count("^") == 1, "the spec's line is shown once"
    Path("own.csv").write_text("a;b;y\n0;0;0\n0;1;1\n1;0;1\n1;1;0\n")
    Path("commas.csv").write_text("b,a\n0,0\n1,0\n0,1\n1,1\n")
    assert bpsvc("submit", "own.json", *PROCESSES).code == 0
    told = [
        bpsvc("predict", "@last", *file, "--format", "json") for file in ((), ("own.csv",), ("commas.csv",))
    ]
    outputs = [[row["h"] for row in one.json] for one in told]
    assert outputs[0] == outputs[1] == outputs[2]
    Path("bad.csv").write_text("a;b\n0;0\n1,5;x\n")
    assert "bad.csv:3:1: column 'a': cell '1,5'" in bpsvc("predict", "@last", "bad.csv").err
    Path("bars.csv").write_text("a|b\n0|0\n")
    assert (
        "does the file use '|'? set the delimiter of `data`, or write ';'"
        in bpsvc("predict", "@last", "bars.csv").err
    )


def test_a_worker_that_is_stopped_before_it_began_does_not_say_there_was_nothing_to_train(
    bpsvc: Bpsvc, tiny: Path
) -> None:
    bpsvc("submit", tiny, "--detach")
    stop = threading.Event()
    stop.set()  # as a signal does while the worker starts
    with Store("bpsvc.db", mode="write") as store:
        effort = working.train(store, processes=1, stop=stop)
        assert working.cost(effort, store.progress()) == "nothing was trained; 6 runs not ended"
    assert "nothing" not in bpsvc("worker", *PROCESSES).err
    assert bpsvc("worker", *PROCESSES).err.startswith("nothing to train\n")


def test_looking_never_makes_a_database(bpsvc: Bpsvc) -> None:
    for command in (("status",), ("runs",), ("show", "@last"), ("query", "SELECT 1"), ("report",)):
        assert bpsvc(*command).code == 4
    assert not list(Path().iterdir())


def test_unknown_runs_and_experiments_are_3(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    for command in (("show", "99"), ("weights", "deadbeef"), ("report", "tinny"), ("predict", "99")):
        ran = bpsvc(*command)
        assert ran.code == 3, command
    assert "tiny" in bpsvc("report", "tinny").err


def test_canned_queries_are_listed_and_answer(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    listed = bpsvc("query", "--list", "--format", "json").json
    assert {"success", "first-epoch-below", "gradient-decay", "fastest"} <= {row["name"] for row in listed}
    for row in listed:
        ran = bpsvc("query", row["name"], "--format", "json")
        assert ran.code == 0, ran.err
        assert isinstance(ran.json, list)
    tables = [
        bpsvc("query", "success", "-p", f"experiment={name}", "--format", "json").json
        for name in ("tiny", "tiny@1", "@last")
    ]
    assert tables[0] == tables[1] == tables[2] != []
    (first,) = bpsvc("query", "first-epoch-below", "-p", "loss=0.1250", "--format", "json").json[:1]
    assert first["loss"] == "squared"
    assert bpsvc("query", "fastest", "--format", "csv", "--output", "fast.csv").out == ""
    assert Path("fast.csv").read_text().startswith("run_id,solved_epoch")


def test_paired_losses_leave_no_pair_out(bpsvc: Bpsvc) -> None:
    path = spec(data="or", training={"learning_rate": 1.0, "epochs": 300}, seeds=9)
    assert bpsvc("submit", path, *PROCESSES).code == 0
    ended = bpsvc("query", "SELECT loss, seed, solved_epoch FROM runs", "--json").json
    first = {(row["loss"], row["seed"]): row["solved_epoch"] for row in ended}
    solved = [
        sum(first[loss, seed] is not None for seed in range(9)) for loss in ("log_likelihood", "squared")
    ]
    assert solved[0] == 9 and 0 < solved[1] < 9, "or the query has nothing to leave out"
    times = [(first["squared", seed] or 1e9) / first["log_likelihood", seed] for seed in range(9)]
    (row,) = bpsvc("query", "paired-losses", "--json").json
    assert (row["pairs"], row["solved_a"], row["solved_b"]) == (9, *solved)
    assert row["times"] == pytest.approx(statistics.median(times))
    for row in bpsvc("query", "success", "--json").json:
        epochs = [first[row["loss"], seed] or 1e9 for seed in range(9)]
        median = statistics.median(epochs)
        assert row["median_epoch"] == (median if median < 1e9 else None)
    half = [next(seed for seed in range(9) if (first["squared", seed] is None) == lost) for lost in (0, 1)]
    path = spec(
        data="or", loss="squared", training={"learning_rate": 1.0, "epochs": 300}, seeds=half, sweep=None
    )
    assert bpsvc("submit", path, *PROCESSES).code == 0
    (row,) = bpsvc("query", "success", "-p", "experiment=@last", "--json").json
    assert (row["runs"], row["solved"], row["median_epoch"]) == (2, 1, None), "between an epoch and never"


def test_named_parameters(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    sql = "SELECT seed FROM runs WHERE run_id = :run"
    assert bpsvc("query", sql, "-p", "run=2", "--format", "json").json == [{"seed": 1}]


def test_parameters_are_recorded_by_the_lectures_names(bpsvc: Bpsvc) -> None:
    path = spec(record={"every": 5, "parameters": True}, seeds=2, sweep=None)
    assert bpsvc("submit", path, *PROCESSES).code == 0
    sql = "SELECT name, value, gradient FROM parameters WHERE run_id = 2 AND epoch = 10 ORDER BY name"
    rows = bpsvc("query", sql, "--format", "json").json
    assert [row["name"] for row in rows] == ["w01", "w02", "w03", "w11", "w12", "w13", "w21", "w22", "w23"]
    step = bpsvc("trace", 2, "--epoch", 10, "--json").json
    traced = {one["name"]: (one["old"], -one["used"]) for one in step["weights"]}
    assert {row["name"]: (row["value"], row["gradient"]) for row in rows} == traced
    count = bpsvc("query", "SELECT count(*) AS n FROM parameters", "--format", "json").json
    assert count == [{"n": 2 * 5 * 9}]
    with Store("bpsvc.db") as store:
        table = store.parameters("tiny", runs=[2])
    assert list(table["name"][:9]) == ["w01", "w02", "w11", "w12", "w21", "w22", "w03", "w13", "w23"]
    assert len(table) == 5 * 9


def test_too_many_parameters_are_not_recorded(bpsvc: Bpsvc) -> None:
    ran = bpsvc("validate", spec(network={"hidden": [60]}, record={"parameters": True}))
    assert ran.code == 2 and "241 parameters" in ran.err and "at most 200" in ran.err


@pytest.mark.slow
def test_a_report_about_some_runs_judged_anew(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    options = ("--runs", "seed < 2", "--by", "loss", "--success", "loss<=0.6935", "--format", "html,csv")
    page = Path(bpsvc("report", "tiny", *options).out.strip())
    assert "Judged anew: solved means loss" in page.read_text()
    table = (page.parent / "tables" / "comparison.csv").read_text().splitlines()
    assert len(table) == 3 and not list(page.parent.rglob("*.png"))
    assert bpsvc("report", "tiny", "--runs", "seed > 99").code == 3
    for wrong in (("--by", "depth"), ("--success", "los<=1"), ("--format", "doc"), ("--style", "tv")):
        assert bpsvc("report", "tiny", *wrong).code == 2, wrong


def test_a_report_of_what_has_not_ended_says_so(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, "--detach")
    done = bpsvc("report", "tiny")
    assert "No run has ended yet (6 queued)" in done.err
    assert Path(done.out.strip()).exists()


@pytest.mark.slow
def test_one_figure_alone(bpsvc: Bpsvc, tiny: Path) -> None:
    bpsvc("submit", tiny, *PROCESSES)
    for name, start in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")):
        assert bpsvc("report", "--figure", "loss", "--style", "slide", "-o", name).out.strip() == name
        assert Path(name).read_bytes().startswith(start)
    assert "loss" in bpsvc("report", "--figure", "list").out
    assert bpsvc("report", "--figure", "los").code == 2


def test_a_worker_tells_its_own_failures_from_those_before(bpsvc: Bpsvc, tiny: Path) -> None:
    for epochs, seeds, told in ((20, 3, "6 runs failed;"), (30, [7], "2 runs more failed, 8 in all;")):
        tiny.write_text(
            json.dumps({**TINY, "seeds": seeds, "training": {"learning_rate": 1, "epochs": epochs}})
        )
        assert bpsvc("submit", tiny, "--detach").code == 0
        with sqlite3.connect("bpsvc.db") as damaged:
            damaged.execute("UPDATE _dataset SET content = zeroblob(100)")
        damaged.close()
        ran = bpsvc("worker", "--processes", 1)
        assert ran.code == 1 and told in ran.err, ran.err
