"""The places where tests break things on purpose.

Code that must survive a crash calls `point("name")` where a crash would hurt most. Nothing happens unless the environment says,
before bpsvc starts, what to do at which hit of which point: `BPSVC_FAULT="kill committed 3"` kills the process at the third hit of
the point `committed`, `stop` pauses it there, and `*` counts the hits of all points together.
"""

import itertools
import os
import signal

_PLAN = os.environ.get("BPSVC_FAULT", "").split()
_HITS = itertools.count(1)


def point(name: str) -> None:
    """Do what the environment asks for here; without a request, nothing."""
    if _PLAN:
        action, where, hit = _PLAN
        if where in ("*", name) and next(_HITS) == int(hit):
            os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[action])
