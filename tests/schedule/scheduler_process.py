"""One of several schedulers, as a process: ticks through a year by a clock of its own, which jumps back too.

python scheduler_process.py STORE SEED BEGIN END
"""

import random
import sys
import time
from datetime import datetime, timedelta

from bpsvc.service import scheduling
from bpsvc.store import Store


def main(path: str, seed: str, begin: str, end: str) -> None:
    chance = random.Random(seed)
    clock, last = datetime.fromisoformat(begin), datetime.fromisoformat(end)
    with Store(path, mode="write") as store:
        # What others have decided is not gone through again after a restart.
        clock = max(clock, *(one.cursor for one in store.schedules.all())) - timedelta(days=2)
        while clock < last:
            fate = chance.random()
            if fate < 0.004:
                clock += timedelta(days=chance.randrange(1, 6))
            elif fate < 0.02:
                clock -= timedelta(hours=chance.randrange(1, 40))
            else:
                clock += timedelta(minutes=chance.randrange(300))
                clock = clock.replace(minute=chance.choice((0, 30))) + timedelta(minutes=chance.randrange(12))
            for _ in scheduling.tick(store, now=min(clock, last)):
                pass
            time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
