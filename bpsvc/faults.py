"""The places where tests break things on purpose.

Code that must survive a crash calls `point("name")` where a crash would hurt most. Nothing happens unless the
environment says, before bpsvc starts, what to do at which hit of which point:
`BPSVC_FAULT="kill committed 3"` kills the process at the third hit of the point `committed`, `stop` pauses it
there, and `*` counts the hits of all points together. Where a point concerns several runs, `train:7` means
the one with seed 7.
"""

import os
import signal
from collections.abc import Callable, Iterable
from itertools import count

_plan: list[str] = []
_hits = count(1)


def plan(request: str) -> None:
    """Ask for something to happen, or for nothing (an empty request). Counting starts anew."""
    global _hits
    _plan[:] = request.split()
    _hits = count(1)


def point(name: str, members: Callable[[], Iterable[object]] = tuple) -> None:
    """Do what was asked for here; without a request, nothing."""
    if not _plan:
        return
    action, where, hit = _plan
    if where in ("*", name, *(f"{name}:{member}" for member in members())) and next(_hits) == int(hit):
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[action])


plan(os.environ.get("BPSVC_FAULT", ""))
