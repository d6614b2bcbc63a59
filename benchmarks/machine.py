"""What machine this is, for the head of a table of measurements."""

import os
import platform
from pathlib import Path


def processor() -> str:
    """The processor's name and the vector instructions that matter here."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    lines = dict(part.split(":", 1) for part in info.read_text().splitlines() if ":" in part)
    fields = {name.strip(): value.strip() for name, value in lines.items()}
    flags = fields.get("flags", "").split()
    vectors = [name for name in ("avx512f", "avx2") if name in flags]
    return f"{fields.get('model name', platform.machine())} ({', '.join(vectors[:1]) or 'no AVX2'})"


def describe() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"
