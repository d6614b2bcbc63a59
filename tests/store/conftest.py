from collections.abc import Iterator
from pathlib import Path

import pytest

from bpsvc.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bpsvc.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path, mode="create") as opened:
        yield opened
