"""What others take away while a submit trains: it says so, and does not end as if all were there."""

import json
import signal
from pathlib import Path

import pytest
from processes import Nursery

from bpsvc.store import Store

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "four",
    "data": "xor",
    "network": {"hidden": [2]},
    "training": {"learning_rate": 0.5, "epochs": 20},
    "seeds": 4,
}


@pytest.mark.parametrize(
    ("cancelled", "removed", "said"),
    [
        ([1], [], "four@1: 4 runs, 3 done, 1 cancelled\n"),
        ([], [2, 4], "four@1: 2 runs, 2 done, 2 removed meanwhile\n"),
        ([1, 2, 3], [4], "four@1: 3 runs, 0 done, 3 cancelled, 1 removed meanwhile\n"),
        ([], [1, 2, 3, 4], "four@1: removed meanwhile\n"),
        ([], [], ""),
    ],
)
def test_a_submit_that_lost_runs_ends_with_1_and_a_line(
    nursery: Nursery, tmp_path: Path, cancelled: list[int], removed: list[int], said: str
) -> None:
    (tmp_path / "four.json").write_text(json.dumps(SPEC))
    child = nursery.bpsvc(tmp_path, "submit", "four.json", "-q", "-p", 1, fault="stop submitted 1")
    child.paused()
    with Store(tmp_path / "bpsvc.db", mode="write") as store:
        store.cancel(runs=cancelled)
        store.remove(runs=[("four@1", run) for run in removed])
    child.signal(signal.SIGCONT)
    assert (child.wait(), child.err) == (int(bool(said)), said)
