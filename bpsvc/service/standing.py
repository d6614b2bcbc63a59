"""How things stand: what waits, runs and has ended, and who trains what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bpsvc.store import Holder, Store

Rows = tuple[Sequence[str], Sequence[Sequence[Any]]]

_WORKERS = ("worker", "runs", "since", "for_s", "epochs_per_s", "epochs_left", "eta_s", "gone")


@dataclass(frozen=True)
class Standing:
    """One moment: a row for each experiment, and a row for each worker that has runs in hand."""

    experiments: Rows
    workers: Rows


def standing(store: Store) -> Standing:
    """How all experiments stand, and who works on them since when, how fast and until when."""
    with store.snapshot() as now:
        table, holders = now.status(), now.holders()
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    return Standing((list(table.columns), rows), (_WORKERS, [_row(one) for one in holders]))


def _row(holder: Holder) -> Sequence[Any]:
    eta_s = None if holder.eta_s is None or holder.gone else round(holder.eta_s, 1)
    return (
        holder.name,
        holder.runs,
        holder.since,
        round(holder.held_s, 1),
        round(holder.epochs_per_s, 1),
        holder.epochs_left,
        eta_s,
        holder.gone,
    )
