"""Each experiment keeps its own epochs: what another one adds to its runs changes nothing it shows."""

import json
from pathlib import Path

import pytest
from cli_help import TINY, Bpsvc

ALONE = ("--processes", 1)


def spec(name: str, epochs: int, rate: float = 1.0) -> Path:
    path = Path(f"{name}.json")
    document = {**TINY, "name": name, "training": {"learning_rate": rate, "epochs": epochs}, "sweep": None}
    path.write_text(json.dumps(document))
    return path


@pytest.mark.slow
def test_the_report_of_an_extended_experiment_draws_the_networks_it_had(bpsvc: Bpsvc) -> None:
    bpsvc("submit", spec("short", 20), *ALONE)
    bpsvc("report", "short", "--format", "csv", "-o", "before")
    bpsvc("submit", spec("long", 60), *ALONE)
    bpsvc("report", "short", "--format", "csv", "-o", "after")
    surfaces = [
        Path(folder, "short", "figures", "surface.csv").read_bytes() for folder in ("before", "after")
    ]
    assert surfaces[0] == surfaces[1]


def test_a_run_that_diverges_after_the_last_epoch_was_done(bpsvc: Bpsvc) -> None:
    linear = {"hidden": [2], "activation": "identity", "output": "identity"}
    for name, epochs in (("short", 2), ("long", 4000)):
        document = {
            **TINY,
            "name": name,
            "network": linear,
            "loss": "squared",
            "training": {"learning_rate": 30.0, "epochs": epochs},
            "sweep": None,
        }
        Path(f"{name}.json").write_text(json.dumps(document))
        bpsvc("submit", f"{name}.json", *ALONE)
    status = {row["experiment"]: row for row in bpsvc("status", "--json").json}
    assert (status["long@1"]["done"], status["long@1"]["diverged"]) == (0, 3)
    assert (status["short@1"]["done"], status["short@1"]["diverged"]) == (3, 0)


def test_a_big_submit_shows_its_plan_first(bpsvc: Bpsvc) -> None:
    document = {**TINY, "seeds": 501, "training": {"learning_rate": 1.0, "epochs": 2}}
    Path("big.json").write_text(json.dumps(document))
    ran = bpsvc("submit", "big.json", "--detach")
    assert "tiny: 1,002 runs of 2 epochs: 1,002 new" in ran.err
    assert (
        "runs of"
        not in bpsvc("submit", "big.json", "--set", "seeds=2", "--set", "name=small", "--detach").err
    )


def test_older_content_submitted_again_is_said_to_be_that(bpsvc: Bpsvc) -> None:
    for epochs, experiment in ((20, "xor@1"), (40, "xor@2")):
        assert f"{experiment}: " in bpsvc("submit", spec("xor", epochs), "--detach").err
    again = bpsvc("submit", spec("xor", 20), "--detach")
    assert "xor@1: 0 new runs" in again.err and "the bare name xor still means xor@2" in again.err
    assert "bare name" not in bpsvc("submit", spec("xor", 40), "--detach").err


def test_what_is_wrong_with_several_specs_is_told_at_once(bpsvc: Bpsvc, tiny: Path) -> None:
    Path("wrong.json").write_text(tiny.read_text().replace('"xor"', '"xro"'))
    Path("cut.json").write_text("{")
    for command in ("validate", "submit"):
        ran = bpsvc(command, "wrong.json", tiny, "cut.json")
        assert ran.code == 2 and not ran.out
        assert "did you mean 'xor'" in ran.err and "\ncut.json:1:" in ran.err
    assert not Path("bpsvc.db").exists()


def test_more_seeds_go_to_the_experiment_as_it_is_or_nowhere(bpsvc: Bpsvc) -> None:
    file = spec("more", 10)
    longer = ("--set", "training.epochs=30")
    assert bpsvc("submit", file, *ALONE).code == bpsvc("submit", file, *longer, *ALONE).code == 0
    refused = bpsvc("submit", file, "--more-seeds", 2, *ALONE)
    assert refused.code == 2
    assert "more@2 as it is, and here training.epochs is 10, not 30" in refused.err
    assert "--set training.epochs=30 makes it the same" in refused.err
    assert [row["experiment"] for row in bpsvc("status", "--json").json] == ["more@1", "more@2"]
    assert bpsvc("submit", file, *longer, "--more-seeds", 2, *ALONE).code == 0
    rows = bpsvc("query", "SELECT seed, epochs_done FROM results WHERE experiment = 'more@3'", "--json").json
    assert [(row["seed"], row["epochs_done"]) for row in rows] == [(seed, 30) for seed in range(5)]
    again = spec("more", 30)
    again.write_text(again.read_text().replace('"xor"', '"parity"', 1))
    assert "data.source is" in bpsvc("submit", again, "--more-seeds", 1, *ALONE).err


def test_more_seeds_do_not_mix_two_states_of_a_file(bpsvc: Bpsvc) -> None:
    Path("table.csv").write_text("a,b\n0,1\n1,0\n0,0\n")
    document = {**TINY, "name": "table", "data": {"source": "csv", "path": "table.csv", "target": "b"}}
    Path("table.json").write_text(json.dumps(document))
    assert bpsvc("submit", "table.json", *ALONE).code == 0
    assert bpsvc("submit", "table.json", "--more-seeds", 1, *ALONE).code == 0
    Path("table.csv").write_text("a,b\n0,1\n1,0\n0,1\n")
    refused = bpsvc("submit", "table.json", "--more-seeds", 1, *ALONE)
    assert refused.code == 2 and "here the data are others" in refused.err
