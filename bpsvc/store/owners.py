"""Who holds a lease: one process, told apart from any later one with the same number.

An owner is `host/boot id/pid namespace/pid/start time`. On its own host a process that has vanished can be
seen to have vanished, so that its runs are free at once; anywhere else only the end of its lease says so. A
wrong guess does no harm: the fence of a run keeps whoever comes late from committing.
"""

import os
import socket
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def current() -> str:
    """The owner that this process is."""
    pid = os.getpid()
    return "/".join([*_here(), str(pid), _started(pid) or "?"])


def vanished(owner: str) -> bool:
    """Whether the owner was a process of this host that is no more."""
    host, boot, namespace, pid, started = _parts(owner)
    if of_another_boot(owner):
        return True
    known = boot and pid.isdigit() and started not in ("", "?")
    return bool(known) and (host, boot, namespace) == _here() and _started(int(pid)) != started


def of_another_boot(owner: str) -> bool:
    """Whether it was on this machine before that was started anew."""
    host, boot, *_ = _parts(owner)
    here, now, _ = _here()
    return host == here and "" not in (boot, now) and boot != now


def described(owner: str) -> str:
    """The owner for people: `host, process 123`."""
    parts = owner.rsplit("/", 4)
    return f"{parts[0]}, process {parts[3]}" if len(parts) == 5 else owner


def _parts(owner: str) -> list[str]:
    return (owner.rsplit("/", 4) + [""] * 5)[:5]


def _here() -> tuple[str, str, str]:
    return socket.gethostname().replace("/", "_"), _read(_PROC / "sys/kernel/random/boot_id"), _namespace()


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink()).removeprefix("pid:")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process began, in ticks since boot; empty when there is none (a zombie is none: it computes
    nothing).
    """
    fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
