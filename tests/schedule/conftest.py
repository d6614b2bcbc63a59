"""A store, and schedules in it."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from schedule_building import BEGIN, TINY, Add

from bpsvc.service import scheduling
from bpsvc.store import Schedule, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "bpsvc.db", mode="create") as store:
        yield store


@pytest.fixture
def add(store: Store, tmp_path: Path) -> Add:
    """`add(TINY, cron="0 2 * * *", now=BEGIN, fresh="none")`: the spec is written to a file and scheduled."""

    def added(document: dict[str, Any] = TINY, *, now: datetime = BEGIN, **request: Any) -> Schedule:
        path = tmp_path / f"{document['name']}.json"
        path.write_text(json.dumps(document))
        request.setdefault("cron", "0 2 * * *")
        return scheduling.add(store, *scheduling.plan(scheduling.Request(path=path, **request)), now=now)

    return added
