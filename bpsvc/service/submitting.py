"""Submit: store what is new, and say what came of it."""

from collections.abc import Sequence

from bpsvc import spec
from bpsvc.service.describing import read
from bpsvc.store import Receipt, Store
from bpsvc.wording import plural
from bpsvc.work import stacking

__all__ = ["described", "read", "submit"]


def submit(store: Store, experiments: Sequence[spec.Experiment]) -> list[Receipt]:
    """Store the experiments and the runs that are not there yet, all or nothing; nothing is trained."""
    return store.submit_all([(one, stacking.keys(one), stacking.scalings(one)) for one in experiments])


def described(receipt: Receipt) -> str:
    """What a submit came to, in one line: `xor@1: 90 new runs, 0 already there`."""
    parts = [plural(receipt.new, "new run"), f"{receipt.existing:,} already there"]
    parts += [f"{receipt.extended} extended"] * bool(receipt.extended)
    parts += [f"{receipt.requeued} queued again"] * bool(receipt.requeued)
    if receipt.failed:
        parts.append(f"{len(receipt.failed)} failed before (`bpsvc retry {receipt.experiment}`)")
    if not receipt.newest:
        name = receipt.experiment.rpartition("@")[0]
        parts.append(f"content submitted before; the bare name {name} still means {receipt.current}")
    return f"{receipt.experiment}: {', '.join(parts)}"
