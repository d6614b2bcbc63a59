"""Programs that do the same work. Each module has `prepare(case, runs, epochs) -> Ready` and `version()`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.cases import Trace


class Ready(NamedTuple):
    """`train()` does all the work once, from the same initial weights each time; compiling is done. It
    returns the records as the program keeps them; `trace` puts them in the order of comparison, untimed.
    """

    train: Callable[[], Any]
    trace: Callable[[Any], Trace]
    compile_s: float = 0.0
