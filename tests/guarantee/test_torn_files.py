"""G2: whatever the power cut left of the write-ahead log, the store opens at a committed state."""

import json
import random
import shutil
import struct
from pathlib import Path

import pytest
from contents import Contents, assert_part_of, check, contents, one
from processes import TINY_LEASE_S, Nursery

pytestmark = pytest.mark.guarantee

SPEC = {
    "name": "torn",
    "data": "xor",
    "network": {"hidden": [2]},
    "init": {"scheme": "uniform", "range": 0.5},
    "training": {"learning_rate": 1.0, "epochs": 8},
    "seeds": 4,
}
_HEADER, _FRAME_HEADER = 32, 24


@pytest.fixture(scope="module")
def whole(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "torn.json").write_text(json.dumps(SPEC))
    nursery.work(folder, "torn.json").done()
    return contents(folder / "bpsvc.db")


@pytest.fixture(scope="module", params=["checkpoint 5", "committed 6"])
def killed(
    request: pytest.FixtureRequest, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A store and its log as a killed process leaves them, several segments in."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "torn.json").write_text(json.dumps(SPEC))
    nursery.work(folder, "torn.json", lease_s=TINY_LEASE_S, fault=f"kill {request.param}").killed()
    return folder


def opened(killed: Path, folder: Path, log: bytes) -> int:
    """Epochs that a copy with this log has done, after all that must hold of it was found to hold."""
    folder.mkdir()
    shutil.copy(killed / "bpsvc.db", folder)
    (folder / "bpsvc.db-wal").write_bytes(log)
    return sum(check(folder / "bpsvc.db").values())


def frames(log: bytes) -> list[int]:
    """Where each frame begins, and the log ends."""
    page = struct.unpack(">I", log[8:12])[0]
    return list(range(_HEADER, len(log) + 1, page + _FRAME_HEADER))


def test_truncated_at_every_frame(killed: Path, tmp_path: Path, whole: Contents) -> None:
    log = (killed / "bpsvc.db-wal").read_bytes()
    bounds, done = frames(log), []
    assert len(bounds) > 30
    for number, end in enumerate(bounds):
        folder = tmp_path / str(number)
        done.append(opened(killed, folder, log[: end + number % 2 * 777]))
        assert_part_of(contents(folder / "bpsvc.db"), whole)
    assert done == sorted(done), "a longer log is never less"
    assert done[0] == 0 and len(set(done)) > 3


def test_tails_of_zeros(killed: Path, tmp_path: Path, whole: Contents) -> None:
    log = (killed / "bpsvc.db-wal").read_bytes()
    done = []
    for number, start in enumerate(frames(log)[::3]):
        folder = tmp_path / str(number)
        done.append(opened(killed, folder, log[:start] + bytes(len(log) - start)))
        assert_part_of(contents(folder / "bpsvc.db"), whole)
    assert done == sorted(done)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flipped_bits(killed: Path, nursery: Nursery, tmp_path: Path, whole: Contents, seed: int) -> None:
    """A frame that is not what was written ends the log there; and the work goes on from that state."""
    print("seed", seed)
    dice = random.Random(seed)
    log = (killed / "bpsvc.db-wal").read_bytes()
    for number in range(12):
        torn = bytearray(log)
        torn[dice.randrange(_HEADER, len(log))] ^= 1 << dice.randrange(8)
        folder = tmp_path / str(number)
        opened(killed, folder, bytes(torn))
        assert_part_of(contents(folder / "bpsvc.db"), whole)
    if one(folder / "bpsvc.db", "SELECT count(*) FROM _run"):
        nursery.work(folder).done()
        assert contents(folder / "bpsvc.db") == whole
