"""Putting a folder in place at once: a reader sees the old one or the new one, never half of one."""

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bpsvc.errors import UsageError

MANIFEST: Final = "manifest.json"
_HERE: Final = -100  # AT_FDCWD
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
_CHUNK: Final = 2**20


@contextlib.contextmanager
def replacing(folder: Path, what: str) -> Iterator[Path]:
    """Give a new folder to write into; at the end it takes the place of `folder`, unless something was
    raised.

    An older folder of the same kind (`what`: "report") is replaced whole. One that holds something else is
    refused (UsageError): nothing that bpsvc did not write is ever removed. The manifest lists every file with
    its sha256.
    """
    folder = folder.resolve()
    _refuse_foreign(folder, what)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield fresh
        files = sorted(path for path in fresh.rglob("*") if path.is_file())
        digests = {path.relative_to(fresh).as_posix(): _digest(path) for path in files}
        manifest = {"written_by": f"bpsvc {what}", "files": dict(sorted(digests.items()))}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        mask = os.umask(0)
        os.umask(mask)
        fresh.chmod(0o777 & ~mask)
        _put(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _refuse_foreign(folder: Path, what: str) -> None:
    if not folder.exists():
        return
    name = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
    if not folder.is_dir():
        raise UsageError(f"{name} is a folder, and there is a file in its place", value=str(folder))
    ours = False
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours = isinstance(found, dict) and found.get("written_by") == f"bpsvc {what}"
    if not ours and any(folder.iterdir()):
        raise UsageError(
            f"this folder holds something other than {name}, and {name} would replace it",
            value=str(folder),
            remedy="name another folder, or empty this one",
        )


def _put(fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`; what was there ends up at `fresh`."""
    if not folder.exists():
        fresh.rename(folder)
    elif not _exchanged(fresh, folder):
        aside = fresh.with_name(fresh.name + ".old")
        folder.rename(aside)
        try:
            fresh.rename(folder)
        except OSError:
            aside.rename(folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchanged(fresh: Path, folder: Path) -> bool:
    """Swap two folders in one system call (Linux, most file systems); False where that is not to be had."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(swap(_HERE, os.fsencode(fresh), _HERE, os.fsencode(folder), ctypes.c_uint(_EXCHANGE)) == 0)
