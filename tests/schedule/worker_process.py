"""A worker that stays and attends to schedules, as `bpsvc worker --watch` does, by a clock that runs faster.

    python worker_process.py STORE BEGIN STARTED SPEED

It is BEGIN at STARTED (seconds of the system's clock), and then SPEED seconds pass in each second, whether a
worker is there or not.
"""

import sys
import time
from datetime import datetime, timedelta

from bpsvc.service import attending, working
from bpsvc.store import Store


def main(path: str, begin: str, started: str, speed: str) -> None:
    def clock() -> datetime:
        return datetime.fromisoformat(begin) + timedelta(
            seconds=(time.time() - float(started)) * float(speed)
        )

    with (
        Store(path, mode="write") as store,
        attending.attending(store, lambda line: print(line, flush=True), clock=clock, every_s=0.02),
    ):
        working.train(store, processes=1, stay=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
