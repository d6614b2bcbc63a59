"""The pages that are made from the code alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.generate import commands, database, spec_reference

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": commands.page,
    "database.md": database.page,
    "spec.md": spec_reference.page,
}
