"""Each guard of the drivers removed once: the test that is there for it must fail, or it is decoration.

(The store's guards have their own such test, tests/store/test_mutations.py; the fence is among them, since
from outside its absence shows only when zombie and heir happen to hold the same runs.)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bpsvc

pytestmark = pytest.mark.guarantee

HERE = Path(__file__).parent

# File, the guard, what is put in its place, the test that must notice.
GUARDS = {
    "a segment in one transaction": (
        "store/segments.py",
        '    faults.point("epochs")\n',
        '    cursor.execute("COMMIT"); faults.point("epochs"); cursor.execute("BEGIN IMMEDIATE")\n',
        "test_kills.py::test_killed_at_every_point",
    ),
    "leases renewed while computing": (
        "work/driver.py",
        "            self._store.leases.renew(claims, self._lease_s)\n",
        "            pass\n",
        "test_long_epochs.py::test_a_lease_outlasts_its_epochs",
    ),
    "all that is held is released": (
        "work/driver.py",
        "            driver.release()\n",
        "            pass\n",
        "test_resources.py::test_no_room[full disk]",
    ),
    "suspects go alone": (
        "work/driver.py",
        "self._executor.alone if doubtful else self._executor.submit",
        "self._executor.submit",
        "test_poison.py::test_only_the_poisonous_run_fails[2]",
    ),
    "patience with long epochs has an end": (
        "work/driver.py",
        "GRACE_S: Final = 6.0",
        "GRACE_S: Final = 600.0",
        "test_long_epochs.py::test_a_stop_does_not_wait_for_a_very_long_epoch[1]",
    ),
    "nothing is trained on a damaged state": (
        "store/sound.py",
        "if hashlib.sha256(content).hexdigest() != digest:",
        "if False:",
        "test_damage.py::test_a_damaged_state_is_not_trained_on[one bit]",
    ),
    "nothing is trained on damaged data": (
        "store/sound.py",
        "if found is None or found.digest != digest:",
        "if found is None:",
        "test_damage.py::test_damaged_data_are_not_trained_on",
    ),
    "one form of NaN": (
        "work/checkpoint.py",
        "np.where(np.isnan(plain), np.nan, plain)",
        "np.where(np.isnan(plain), plain, plain)",
        "../work/test_checkpoint.py::test_nan_has_one_form",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("guard", GUARDS)
def test_without_the_guard_its_test_fails(tmp_path: Path, guard: str) -> None:
    file, old, new, test = GUARDS[guard]
    package = Path(bpsvc.__file__).parent
    shutil.copytree(package, tmp_path / "bpsvc", ignore=shutil.ignore_patterns("__pycache__"))
    mutated = tmp_path / "bpsvc" / file
    source = mutated.read_text()
    assert source.count(old) == 1, "the guard is not where it was: look for it"
    mutated.write_text(source.replace(old, new))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", ""]
    command += ["-o", f"pythonpath={tmp_path}"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "BPSVC_PATIENCE_S": "15"}
    done = subprocess.run(
        [*command, str(HERE / test)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 1, done.stdout[-3000:]
    assert "\nFAILED " in done.stdout, done.stdout[-3000:]
