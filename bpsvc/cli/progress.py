"""Progress of training on stderr: a live bar on a terminal, a plain line now and then elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from bpsvc.cli.output import is_terminal, quiet, say
from bpsvc.store import Progress
from bpsvc.wording import plural

_LINE_EVERY_S: Final = 10.0

Tell = Callable[[Progress], None]


@contextlib.contextmanager
def progress() -> Iterator[Tell]:
    """Give a function that is told of progress and shows it; `--quiet` shows nothing."""
    if quiet():
        yield lambda progress: None
    elif is_terminal(sys.stderr):
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextlib.contextmanager
def _bar() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("training"), BarColumn(), TextColumn("{task.percentage:>3.0f} %  {task.description}")
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda now: bar.update(
            task, total=now.epochs_to_do, completed=now.epochs_done, description=_described(now)
        )


def _lines() -> Tell:
    last = time.monotonic()

    def tell(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            percent = 100 * now.epochs_done / max(1, now.epochs_to_do)
            say(f"training: {percent:.0f} % of the epochs, {_described(now)}")

    return tell


def _described(now: Progress) -> str:
    text = f"{now.done + now.diverged} of {plural(now.runs, 'run')} ended"
    if now.diverged:
        text += f", {now.diverged} diverged"
    return text + (f", {now.failed} failed" if now.failed else "")
