"""Report: gather what is stored of some experiments, in one read transaction, and write pages about it."""

from collections.abc import Sequence
from pathlib import Path

from bpsvc import report as pages
from bpsvc.store import Store


def report(store: Store, experiments: Sequence[str], folder: Path) -> Path:
    """Write a report about these experiments (none: the one submitted last) below `folder`; the path of its
    page.

    Raises:
        NotFoundError: there is no such experiment.
    """
    return pages.write(material(store, experiments), folder)


def material(store: Store, experiments: Sequence[str]) -> pages.Material:
    """Everything a report draws on, as one read transaction sees it."""
    with store.snapshot() as now:
        names = [now.experiment(name).experiment for name in experiments or ["@last"]]
        factors = now.factors(names)
        return pages.Material(
            experiments=now.experiments(names),
            runs=now.runs(names),
            factors=tuple(factors["label"].unique()),
            epochs=now.epochs(names),
            layers=now.layer_gradients(names),
        )
