"""Putting a folder in place at once: a reader sees the old one or the new one, never half of one."""

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from bpsvc.errors import UsageError

MANIFEST: Final = "manifest.json"
_HERE: Final = -100  # AT_FDCWD
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
_CHUNK: Final = 2**20


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What fails while `path` is written says so: the system names only files that cannot be opened."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def replacing(folder: Path, what: str, about: Mapping[str, object] | None = None) -> Iterator[Path]:
    """Give a new folder to write into; at the end it takes the place of `folder`, unless something was
    raised.

    Of an older folder of the same kind (`what`: "report") everything that its manifest lists is replaced;
    whatever else lies in it is carried over. Nothing that bpsvc did not write is ever removed: a folder that
    holds only such things is refused, and so is one where they stand in the way (UsageError). The manifest
    lists every file with its sha256, and says what they are `about`.
    """
    folder = folder.resolve()
    _written_before(folder, what)  # refused before any work
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with named(folder):
            yield fresh
        files = sorted(path for path in fresh.rglob("*") if path.is_file())
        digests = {path.relative_to(fresh).as_posix(): _digest(path) for path in files}
        head = {"written_by": f"bpsvc {what}", **({"about": dict(about)} if about else {})}
        manifest = {**head, "files": dict(sorted(digests.items()))}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        mask = os.umask(0)
        os.umask(mask)
        fresh.chmod(0o777 & ~mask)
        own = _written_before(folder, what)
        _carry(folder, fresh, own, _linked)
        _put(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _carry(fresh, folder, own, os.replace)  # what came meanwhile
    shutil.rmtree(fresh, ignore_errors=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _written_before(folder: Path, what: str) -> frozenset[str]:
    """The files in `folder` that bpsvc wrote as a `what`, by its manifest; UsageError if it is none."""
    if not folder.exists():
        return frozenset()
    name = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
    if not folder.is_dir():
        raise UsageError(f"{name} is a folder, and there is a file in its place", value=str(folder))
    with contextlib.suppress(OSError, ValueError):
        match json.loads((folder / MANIFEST).read_text(encoding="utf-8")):
            case {"written_by": by, "files": dict(files)} if by == f"bpsvc {what}":
                return frozenset(files) | {MANIFEST}
    if any(folder.iterdir()):
        raise UsageError(
            f"this folder holds something other than {name}, and {name} would stand among it",
            value=str(folder),
            remedy="name another folder, or empty this one",
        )
    return frozenset()


def _carry(old: Path, new: Path, own: frozenset[str], move: Callable[[Path, Path], None]) -> None:
    """Move every file of `old` that is not its `own` to its place in `new`, if there is such a place."""
    for parent, folders, files in os.walk(old):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for source in (Path(parent) / name for name in (*files, *links)):
            name = source.relative_to(old)
            if name.as_posix() in own:
                continue
            target = new / name
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                move(source, target)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise UsageError(
                    "a file that is not of the older one stands in the way",
                    value=str(source),
                    remedy="move it away, or name another folder",
                ) from None


def _linked(source: Path, target: Path) -> None:
    """One file under two names, or a copy where that is not to be had."""
    if os.path.lexists(target):
        raise FileExistsError(target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


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
        aside.rename(fresh)


def _exchanged(fresh: Path, folder: Path) -> bool:
    """Swap two folders in one system call (Linux, most file systems); False where that is not to be had."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(swap(_HERE, os.fsencode(fresh), _HERE, os.fsencode(folder), ctypes.c_uint(_EXCHANGE)) == 0)
