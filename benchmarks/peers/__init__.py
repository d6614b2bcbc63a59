"""Programs that do the same work. Each module has `prepare(case, runs, epochs) -> Ready` and `version()`."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.cases import Trace


class Ready(NamedTuple):
    """`train()` does all the work once, from the same initial weights each time; compiling is done."""

    train: Callable[[], Trace]
    compile_s: float = 0.0
