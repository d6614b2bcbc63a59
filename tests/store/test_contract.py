from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from store_contract import StoreContract

from bpsvc.store import Store


class TestSqlite(StoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def new_store(self) -> AbstractContextManager[Store]:
        return Store.open(self.folder / "bpsvc.db", mode="create")
