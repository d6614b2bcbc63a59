import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpsvc.store import Store, migrate, schema


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bpsvc.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path, mode="create") as opened:
        yield opened


@pytest.fixture
def next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program whose schema is one further: its migrations, with the newest one last."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.scripts(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    newest = folder / "versions" / f"{schema.VERSION + 1:04d}_next.py"
    newest.write_text(
        f'''
from alembic import op
revision = "{schema.VERSION + 1:04d}"
down_revision = "{schema.REVISION}"
def upgrade():
    op.execute("ALTER TABLE _run ADD COLUMN note TEXT")
    op.execute("CREATE TABLE _note (id INTEGER PRIMARY KEY, content TEXT) STRICT")
'''
    )
    monkeypatch.setattr(migrate, "scripts", lambda: folder)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    return newest
