"""Train what is queued, and say what came of it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from bpsvc.store import Progress, Receipt, Store, owner
from bpsvc.wording import plural
from bpsvc.work.driver import drain
from bpsvc.work.effort import Effort
from bpsvc.work.executors import executor, processors

_MOVED: Final = """
    SELECT count(*) FROM runs JOIN experiment_runs USING (run_id)
    WHERE experiment = :experiment AND environment_changed
"""


def train(
    store: Store,
    *,
    experiments: Sequence[int] | None = None,
    processes: int | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
    stay: bool = False,
) -> Effort:
    """Train the runs of these experiments (None: whatever is queued) until all have ended, or until `stop` is
    set; what it took.

    `processes` defaults to one a processor; `stay` keeps waiting for new work.
    """
    if not stay and not store.progress(experiments).outstanding:
        return Effort()
    count = processes or processors()
    with executor(count) as pool:
        return drain(
            store,
            pool,
            owner=owner(),
            processes=count,
            experiments=experiments,
            stop=stop,
            stay=stay,
            tell=tell,
        )


def summary(store: Store, receipt: Receipt) -> str:
    """How the runs of a submit stand, in one line: `xor@1: 90 runs, 89 done, 1 diverged`."""
    now = store.progress([receipt.id])
    if not now.runs:
        return f"{receipt.experiment}: removed meanwhile"
    counts = {name: getattr(now, name) for name in ("diverged", "failed", "cancelled", "queued", "running")}
    counts["removed meanwhile"] = receipt.runs - now.runs
    parts = [f"{now.done} done", *(f"{count} {name}" for name, count in counts.items() if count)]
    moved = store.query(_MOVED, {"experiment": receipt.experiment}).rows[0][0]
    if moved:
        parts.append(f"{moved} went on in another environment (bits may differ: see `environment` in runs)")
    return f"{receipt.experiment}: {plural(now.runs, 'run')}, {', '.join(parts)}"


def whole(store: Store, receipt: Receipt) -> bool:
    """Whether all runs of a submit came to a result (a diverged one is a result too): none failed, and none
    was cancelled or removed meanwhile.
    """
    now = store.progress([receipt.id])
    return now.done + now.diverged == receipt.runs


def document(store: Store, receipt: Receipt) -> dict[str, Any]:
    """What a submit came to and how its runs stand now, by names that programs may rely on."""
    came = ("experiment", "new", "existing", "extended", "requeued")
    return {name: getattr(receipt, name) for name in came} | vars(store.progress([receipt.id]))


def any_ended(store: Store, receipt: Receipt) -> bool:
    """Whether there is something to report: not of what was removed or cancelled meanwhile."""
    now = store.progress([receipt.id])
    return now.done + now.diverged > 0


def cost(effort: Effort, now: Progress) -> str:
    """What recording cost, in one line; `now` says what is left."""
    if not effort.values:
        left = f"nothing was trained; {plural(now.outstanding, 'run')} not ended"
        return left if now.outstanding else "nothing to train"
    speed = effort.values / max(effort.writing_s, 1e-9) / 1e6
    return (
        f"{effort.computing_s:.1f} s computing, {effort.writing_s:.1f} s writing {effort.values:,} values "
        f"({speed:.1f} million a second)"
    )
