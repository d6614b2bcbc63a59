"""Stores of released schemas, kept as files, can be brought up to date and lose nothing."""

import json
import shutil
from pathlib import Path

import pytest
from freezing import FROZEN, contents
from store_material import train

from bpsvc.errors import StoreError
from bpsvc.store import Store, migrate, schema

FILES = sorted(FROZEN.glob("schema-*.db"))


def test_there_is_one_of_a_released_schema() -> None:
    assert FILES


@pytest.mark.parametrize("frozen", FILES, ids=lambda path: path.stem)
def test_a_frozen_store_is_upgraded_whole(tmp_path: Path, frozen: Path) -> None:
    facts = json.loads(frozen.with_suffix(".json").read_text())
    path = tmp_path / "bpsvc.db"
    shutil.copy(frozen, path)
    assert contents(path, facts["columns"]) == facts["contents"]
    version = int(frozen.stem.rpartition("-")[2])
    if version < schema.VERSION:
        with pytest.raises(StoreError, match="db upgrade"):
            Store.open(path)
    done = migrate.upgrade(path)
    assert (done.before, done.after) == (version, schema.VERSION)
    assert (done.backup is None) == (version == schema.VERSION)
    assert contents(path, facts["columns"]) == facts["contents"]
    if done.backup is not None:
        assert contents(done.backup, facts["columns"]) == facts["contents"]
    with Store.open(path, mode="write") as store:
        assert store.upkeep.verify() == []
        store.retry()
        train(store, "me")
        assert store.upkeep.verify() == [] and store.progress().outstanding == 0
