"""The specs that ship with bpsvc."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder() -> Path:
    """Where they lie: inside the installed package, or at the top of a checkout."""
    packaged = _PACKAGE / "specs"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "specs"


def paths() -> dict[str, Path]:
    """The file of each, by name."""
    return {path.stem: path for path in sorted(folder().glob("*.json"))}
