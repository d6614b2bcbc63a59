"""Putting a folder in place at once: a reader sees the old report or the new one, never half of one."""

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bpsvc.errors import UsageError

MANIFEST: Final = "manifest.json"
_HERE: Final = -100  # AT_FDCWD
_EXCHANGE: Final = 2  # RENAME_EXCHANGE


def publish(files: Iterable[tuple[str, bytes]], folder: Path) -> Path:
    """Write the files into a new folder beside `folder`, then put it in its place.

    An older report is replaced whole. A folder that holds something else is refused (UsageError): nothing
    that bpsvc did not write is ever removed. The manifest lists every file with its sha256.
    """
    folder = folder.resolve()
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        digests = {}
        for name, content in files:
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            digests[name] = hashlib.sha256(content).hexdigest()
        manifest = {"written_by": "bpsvc report", "files": dict(sorted(digests.items()))}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        mask = os.umask(0)
        os.umask(mask)
        fresh.chmod(0o777 & ~mask)
        _put(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("a report is a folder, and there is a file in its place", value=str(folder))
    ours = False
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours = isinstance(found, dict) and found.get("written_by") == "bpsvc report"
    if not ours and any(folder.iterdir()):
        raise UsageError(
            "this folder holds something other than a report, and a report would replace it",
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
