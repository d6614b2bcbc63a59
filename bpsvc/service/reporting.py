"""Report: gather what is stored of some experiments, in one read transaction, and write pages about it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from bpsvc.folders import named
from bpsvc.reporting import (
    EPOCHS_DRAWN,
    FIGURES,
    LAYERS_DRAWN,
    USUAL,
    Material,
    Verdict,
    expectations,
    judged,
    picture,
    slug,
    write,
)
from bpsvc.service import answers, beside
from bpsvc.service.judging import alike, rejudged
from bpsvc.service.narrowing import EVERYTHING, part
from bpsvc.service.narrowing import Wish as Wish
from bpsvc.service.selecting import Pairs, chosen
from bpsvc.store import Snapshot, Store
from bpsvc.store.series import EPOCH_SERIES

_LONGEST_TITLE: Final = 120  # of 255 bytes that a file system allows a name, some for the temporary one


def report(about: Material, folder: Path, *, formats: Sequence[str] = USUAL, style: str = "screen") -> Path:
    """Write a report into a folder of its own below `folder`; the path of its page (of the folder, when
    `formats` have no html).

    Raises:
        UsageError: an unknown format or style.
    """
    name = title(about.experiments)
    if about.part.words:  # a part does not take the place of the whole
        name += f"-{slug(' '.join(about.part.words))}"
    return write(about, folder / name, formats=formats, style=style)


def one_figure(about: Material, name: str, file: Path, *, style: str = "screen") -> Path:
    """Write one figure alone; the file's ending says how: svg, png or pdf."""
    drawn = picture(about, name, file.suffix.lstrip("."), style=style)
    with named(file):
        file.write_bytes(drawn)
    return file


def figures() -> list[tuple[str, str]]:
    """(name, title) of every figure."""
    return [(record.name, record.title) for record in FIGURES.values()]


def check(store: Store, experiments: Sequence[str]) -> list[Verdict]:
    """What the specs of these experiments (none: the one submitted last) expect, and whether it holds."""
    with store.snapshot() as now:
        names = [now.experiment(name).experiment for name in experiments or ["@last"]]
        about, runs = now.experiments(names), now.runs(names)
    return expectations(about, judged(about, runs))


def material(store: Store, experiments: Sequence[str], wish: Wish = EVERYTHING) -> Material:
    """Everything a report about these experiments (none: the one submitted last) draws on, as one read
    transaction sees it.

    Raises:
        NotFoundError: there is no such experiment, or no run fits.
        UsageError: an unknown path or criterion.
    """
    names = experiments or ["@last"]
    with store.snapshot() as now:
        pairs = None if wish.which.is_open else chosen(store, now, names, wish.which)
        series = EPOCHS_DRAWN if wish.success is None else EPOCH_SERIES
        about = seen(now, names, pairs, wish.by, series)
        about = replace(about, part=part(wish, about, list(now.factors(about.names)["label"].unique())))
    return about if wish.success is None else rejudged(about, wish.success)


def seen(
    now: Snapshot,
    experiments: Sequence[str],
    only: Pairs | None = None,
    by: Sequence[str] = (),
    series: Sequence[str] = EPOCHS_DRAWN,
) -> Material:
    """`material` within a transaction; `only` these runs and the factors `by`, if given, and of `epochs` the
    columns `series`.
    """
    names = [now.experiment(name).experiment for name in experiments]
    swept, runs, ids = now.factors(names), now.runs(names), None
    if only is not None:
        runs = runs[pd.MultiIndex.from_frame(runs[["experiment", "run_id"]]).isin(only)]
        runs, ids = runs.reset_index(drop=True), runs["run_id"].tolist()
    settings = beside.settings(runs, swept)
    runs, factors = beside.told_apart(beside.completed(runs, swept), swept, settings, by)
    about = now.experiments(names)
    gathered = Material(
        experiments=about,
        runs=runs,
        factors=factors,
        epochs=now.epochs(names, runs=ids, series=_with_judged(series, runs)),
        layers=now.layer_gradients(names, runs=ids, series=LAYERS_DRAWN),
        surface=answers.surface(now, runs, factors),
        confusion=answers.confusion(now, runs),
        settings=settings,
        drawn=beside.drawn(about, swept),
        inputs=answers.inputs(now, runs),
    )
    return alike(gathered)


def _with_judged(series: Sequence[str], runs: pd.DataFrame) -> Sequence[str]:
    """`series`, and those that a criterion of success judges and no column of `runs` tells the end of."""
    criteria = [json.loads(text).get("success") or {} for text in runs["spec"].unique()]
    metrics = dict.fromkeys(criterion.get("metric", "") for criterion in criteria)
    return [*series, *(name for name in EPOCH_SERIES if name in metrics and name not in series)]


def title(experiments: pd.DataFrame) -> str:
    """The folder's name: `xor`, `xor-vs-vanishing`, and `xor-r1` for a revision that is not the newest; of
    many only the first, how many more, and some digits of the hash of them all.
    """
    rows = experiments[["name", "revision", "newest"]].itertuples(index=False, name=None)
    slugs = [slug(name) + ("" if newest else f"-r{revision}") for name, revision, newest in rows]
    whole = "-vs-".join(slugs)
    if len(whole) <= _LONGEST_TITLE:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return f"{slugs[0][:_LONGEST_TITLE]}-vs-{len(slugs) - 1}-more-{digest}"
