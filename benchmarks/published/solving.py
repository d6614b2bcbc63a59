"""Epochs to solve: what the tables of the literature are about."""

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.published.record import Check, Database, within

SOLVED = """
SELECT r.solved_epoch FROM runs r JOIN experiment_runs e USING (run_id)
WHERE e.name = ? AND e.newest AND (? IS NULL OR EXISTS (
    SELECT 1 FROM factors f
    WHERE f.experiment = e.experiment AND f.run_id = r.run_id AND f.name = ? AND f.value = ?))
"""


def solved(db: Database, name: str, factor: str | None = None, value: object = None) -> list[float | None]:
    """Each run's epoch of success or None, of an experiment or of one value of a factor of it."""
    return list(db.column(SOLVED, name, factor, factor, value))


def count(epochs: Sequence[float | None]) -> tuple[int, int]:
    """(how many solved it, of how many)."""
    return sum(epoch is not None for epoch in epochs), len(epochs)


def mean(epochs: Sequence[float | None]) -> float:
    """Of those that solved it, as the tables have it."""
    found = [epoch for epoch in epochs if epoch is not None]
    return sum(found) / len(found)


def quartiles(epochs: Sequence[float | None], only_solved: bool = False) -> list[float]:
    """Unsolved runs count as later than all others, or are left out."""
    rest = [epoch for epoch in epochs if epoch is not None]
    ordered = sorted(rest) + ([] if only_solved else [float("inf")] * (len(epochs) - len(rest)))
    return [ordered[int(part * len(ordered))] for part in (0.25, 0.5, 0.75)]


def by_quartile(
    what: str,
    epochs: Sequence[float | None],
    reference: Sequence[float],
    margin: float,
    source: str,
    only_solved: bool = False,
) -> Check:
    """The reference's quartiles cut our distribution into quarters, each cumulative share within `margin`."""
    base = [epoch for epoch in epochs if epoch is not None] if only_solved else epochs
    below = [sum(epoch is not None and epoch <= at for epoch in base) / len(base) for at in reference]
    worst = max(abs(share - part) for share, part in zip(below, (0.25, 0.5, 0.75), strict=True))
    assert all(a < b for a, b in pairwise(reference))
    found = " / ".join(f"{q:,.0f}" for q in quartiles(epochs, only_solved))
    expected = " / ".join(f"{q:,.0f}" for q in reference)
    judged = within(what, worst, 0.0, margin, source)
    tolerance = f"share at each within ±{margin:g} (is {worst:.3f})"
    return Check(what, found, expected, tolerance, judged.met, source)
