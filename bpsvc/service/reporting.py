"""Report: gather what is stored of some experiments, in one read transaction, and write pages about it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bpsvc.report import NO_RECORDS, Material, Verdict, expectations, judged, slug, write
from bpsvc.service import answers
from bpsvc.store import Snapshot, Store


def report(store: Store, experiments: Sequence[str], folder: Path) -> Path:
    """Write a report about these experiments (none: the one submitted last) into a folder of its own below
    `folder`; the path of its page.

    Raises:
        NotFoundError: there is no such experiment.
    """
    about = material(store, experiments)
    return write(about, folder / title(about.experiments))


def check(store: Store, experiments: Sequence[str]) -> list[Verdict]:
    """What the specs of these experiments (none: the one submitted last) expect, and whether it holds."""
    with store.snapshot() as now:
        names = [now.experiment(name).experiment for name in experiments or ["@last"]]
        about, runs = now.experiments(names), now.runs(names)
    return expectations(about, judged(about, runs, NO_RECORDS))


def material(store: Store, experiments: Sequence[str]) -> Material:
    """Everything a report draws on, as one read transaction sees it."""
    with store.snapshot() as now:
        return seen(now, experiments or ["@last"])


def seen(now: Snapshot, experiments: Sequence[str]) -> Material:
    """`material` within a transaction."""
    names = [now.experiment(name).experiment for name in experiments]
    runs, factors = now.runs(names), tuple(now.factors(names)["label"].unique())
    return Material(
        experiments=now.experiments(names),
        runs=runs,
        factors=factors,
        epochs=now.epochs(names),
        layers=now.layer_gradients(names),
        surface=answers.surface(now, runs, factors),
        confusion=answers.confusion(now, runs),
    )


def title(experiments: pd.DataFrame) -> str:
    """The folder's name: `xor`, `xor-vs-vanishing`, and `xor-r1` for a revision that is not the newest."""
    rows = experiments[["name", "revision", "newest"]].itertuples(index=False, name=None)
    return "-vs-".join(slug(name) + ("" if newest else f"-r{revision}") for name, revision, newest in rows)
