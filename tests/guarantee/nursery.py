"""A process that has loaded bpsvc already, and forks for each command: real processes, to be killed by the
hundred.

A line of JSON on stdin starts a child or asks after one; the answer is a line of JSON on stdout. What a child
prints goes to files named after it beside its store.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from sqlalchemy import Engine, event

import bpsvc.cli.app
import bpsvc.cli.progress
import bpsvc.service.planning
import bpsvc.service.submitting
from bpsvc import cli, faults
from bpsvc.errors import BpsvcError
from bpsvc.store import Store, owner
from bpsvc.work.driver import drain
from bpsvc.work.executors import Inline


class Here(Inline):
    """Computes everything in the driver's process, even what may kill it: these tests mean to."""

    def alone(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self.submit(fn, *args, **kwargs)


def work(request: dict[str, Any]) -> int:
    """Submit specs, if there are any, and train all that waits: in short segments, if the lease is short."""
    mode = "create" if request.get("specs") else "write"
    try:
        with Store("bpsvc.db", mode=mode, timeout_s=request.get("timeout_s", 30.0)) as store:
            experiments = bpsvc.service.submitting.read([Path(spec) for spec in request.get("specs", ())])
            bpsvc.service.submitting.submit(store, experiments)
            drain(store, Here(), owner=owner(), lease_s=request["lease_s"])
    except BpsvcError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def child(request: dict[str, Any]) -> int:
    os.chdir(request["folder"])
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever tests may do so under nohup
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{name}{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), stream)
    if "user" in request:
        os.setresuid(request["user"], request["user"], request["user"])
    if "trace" in request:
        trace = os.open("trace", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        act = faults.point

        def point(name: str, members: Any = tuple) -> None:
            os.write(trace, f"{name}\n".encode())
            act(name, members)

        faults.point = point
    if "file_size" in request:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"],) * 2)
    if "pages" in request:

        @event.listens_for(Engine, "connect")
        def limit(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA max_page_count = {request['pages']}")

    os.environ["BPSVC_FAULT"] = request.get("fault", "")
    faults.plan(request.get("fault", ""))
    if "command" in request:
        sys.argv = ["bpsvc", *request["command"]]
        return cli.run()
    return work(request)


def main() -> None:
    b"x".decode("utf-8-sig")  # loads it: a child that is nobody could not
    print("{}", flush=True)
    ended: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            if request["poll"] not in ended:
                pid, status = os.waitpid(request["poll"], os.WNOHANG)
                if pid:
                    ended[pid] = os.waitstatus_to_exitcode(status)
            print(json.dumps(ended.get(request["poll"])), flush=True)
            continue
        pid = os.fork()
        ended.pop(pid, None)
        if pid == 0:
            code = 70
            try:
                code = child(request)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
