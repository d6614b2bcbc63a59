"""From a document to an experiment: every point of the sweep every run keyed; all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bpsvc import nn
from bpsvc.errors import Finding
from bpsvc.nn.cadence import Cadence
from bpsvc.spec import sweep
from bpsvc.spec.document import Spec
from bpsvc.spec.experiment import Experiment, Factor, PlannedRun
from bpsvc.spec.findings import findings_of
from bpsvc.spec.identity import digest_of, run_key
from bpsvc.spec.labels import describe, labels_of, value_of
from bpsvc.spec.limits import Limits, Volume, large, too_many_bytes, too_many_runs, volume
from bpsvc.spec.located import Document
from bpsvc.spec.overriding import named, overridden
from bpsvc.spec.paths import get
from bpsvc.spec.point import PointError, Resolved, resolve_point
from bpsvc.spec.seeds import DEFAULT_SEEDS, seeds_of, values_of
from bpsvc.spec.sources import Library, label_of
from bpsvc.spec.sweep import Point
from bpsvc.spec.sweep_section import Block, blocks_of
from bpsvc.spec.warnings import warnings_of
from bpsvc.spec.writing import written_out

_MOST_FINDINGS = 20
_MOST_BAD_POINTS = 200


def resolve(
    document: Document,
    *,
    base: Path,
    name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    allow_path: bool = False,
    limits: Limits | None = None,
    library: Library | None = None,
) -> Experiment:
    """The experiment that `document` describes.

    `base` is the folder that data paths are relative to (and must stay in, unless `allow_path`); a `library`
    takes the place of both. `name` is used when the spec has none; `overrides` sets values by dotted path
    before anything else is looked at.
    Raises SpecError with everything that is wrong.
    """
    limits = limits or Limits()
    document = named(overridden(document, overrides or {}), name)
    blocks = _blocks(document)
    seeds = _seed_values(document)
    out_of_reach = sweep.out_of_reach(blocks, document)
    findings = [
        *out_of_reach.values(),
        *sweep.check(blocks, document),
        *too_many_runs(sweep.count(blocks), len(seeds), limits),
    ]
    if findings:
        without = replace(document, overridden=tuple(out_of_reach))
        others = [one for one in _of_the_spec_itself(document) if not without.is_overridden(one.path)]
        raise document.refused([*findings, *others])
    library = library or Library(base, anywhere=allow_path)
    labels = labels_of(sweep.swept_paths(blocks))
    resolved = _Points(document, labels).resolve(blocks, library, limits)
    return _experiment(document, resolved, labels, library, limits)


def _blocks(document: Document) -> tuple[Block, ...]:
    """The sweep, if it is one. Raises SpecError with all that is wrong with the document as it stands."""
    try:
        return blocks_of(document.raw.get("sweep"))
    except ValueError:
        raise document.refused(_of_the_spec_itself(document)) from None


def _of_the_spec_itself(document: Document) -> list[Finding]:
    """What is wrong before anything varies."""
    try:
        Spec.model_validate(document.raw)
    except ValidationError as error:
        return findings_of(error, document.raw)
    return []


def _seed_values(document: Document) -> Sequence[int]:
    """The seeds, if they are seeds; one otherwise, so that the count goes on and the points tell what is
    wrong.
    """
    try:
        return values_of(seeds_of(document.raw.get("seeds", DEFAULT_SEEDS)))
    except ValueError:
        return (0,)


@dataclass
class _Points:
    """The points of one document: those that are fine, and what is wrong with the others."""

    document: Document
    labels: Mapping[str, str]
    found: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    where: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)

    def resolve(self, blocks: tuple[Block, ...], library: Library, limits: Limits) -> list[Resolved]:
        good: list[Resolved] = []
        bad = 0
        try:
            points = list(sweep.points(blocks, self.document))
        except ValidationError as error:
            raise self.document.refused(findings_of(error, self.document.raw)) from None
        for point in points:
            try:
                good.append(resolve_point(self.document, point, library, limits))
            except PointError as error:
                bad += 1
                self.note(error, describe(point.values, self.labels))
            if bad >= _MOST_BAD_POINTS or len(self.found) >= _MOST_FINDINGS:
                break
        if bad:
            raise self.document.refused(self.told(len(points)))
        return self.unique(good)

    def note(self, error: PointError, point: str) -> None:
        for finding in error.findings:
            key = (finding.path, finding.what, finding.line, finding.column)
            self.found.setdefault(key, finding)
            if not error.common:
                self.where.setdefault(key, []).append(point)

    def told(self, total: int) -> list[Finding]:
        """Each finding once, with the point where it is first, if it is not all of them."""
        told = []
        for key, finding in self.found.items():
            points = self.where.get(key, [])
            if 0 < len(points) < total:
                share = f"in {len(points):,} of {total:,} points of the sweep, first: {points[0]}"
                finding = replace(finding, what=f"{finding.what} ({share})")
            told.append(finding)
        return told

    def unique(self, good: list[Resolved]) -> list[Resolved]:
        """Blocks may share points, which are merged; two equal points in one block are an axis without
        effect.
        """
        first: dict[tuple[str, str], Resolved] = {}
        findings: dict[tuple[str, ...], Finding] = {}
        for one in good:
            same = first.setdefault((one.canonical, one.dataset.digest), one)
            if same is not one and same.point.block == one.point.block:
                finding, axes = self.without_effect(same, one)
                findings.setdefault(axes, finding)
        if findings:
            raise self.document.refused(list(findings.values()))
        return list(first.values())

    def without_effect(self, one: Resolved, two: Resolved) -> tuple[Finding, tuple[str, ...]]:
        a, b = one.point.values, two.point.values
        axes = tuple(path for path in {**a, **b} if a.get(path) != b.get(path))
        texts = [describe(values, self.labels) or "the spec as it is" for values in (a, b)]
        place = next((two.point.places[path] for path in axes if path in two.point.places), ("sweep",))
        line, column = self.document.locate(place) or (None, None)
        varied = " and ".join(axes) or "this point"
        what = f"{varied} changes nothing here: {texts[0]} and {texts[1]} are the same run"
        remedy = "keep one of them; a list of blocks can give each value axes of its own"
        return Finding(what, place, remedy=remedy, line=line, column=column), axes


def _experiment(
    document: Document, points: list[Resolved], labels: Mapping[str, str], library: Library, limits: Limits
) -> Experiment:
    first = points[0].spec
    seeds, epochs = values_of(first.seeds), first.training.epochs
    total = Volume()
    for point in points:
        record = point.run.record
        parameters = point.subject.parameters if record.parameters else 0
        total += volume(Cadence(record.every), epochs, len(point.subject.layers), len(seeds), parameters)
    cadence = ("record", "every")
    if findings := too_many_bytes(
        total, limits, cadence if cadence in document.values else ("training", "epochs")
    ):
        raise document.refused(findings)
    if first.name is None:
        raise document.refused([Finding("is missing", ("name",), remedy="what the experiment is called")])
    runs = tuple(run for point in points for run in _runs(point, labels, seeds, epochs))
    return Experiment(
        name=first.name,
        description=first.description,
        spec=_written_out(document, points, library, limits),
        digest=digest_of(
            epochs,
            sorted([run.key, dict(run.factors)] for run in runs),
            first.model_dump(mode="json")["expect"],
        ),
        runs=runs,
        datasets={point.dataset.digest: point.dataset for point in points},
        epochs=epochs,
        labels=labels,
        data_labels=_data_labels(points),
        volume=total,
        expect=tuple(one.model_dump(mode="json", exclude_none=True) for one in first.expect),
        warnings=tuple(
            dict.fromkeys(
                [
                    *(text for point in points for text in warnings_of(point.subject, len(seeds))),
                    *large(total, (point.run.record.every for point in points)),
                ]
            )
        ),
    )


def _data_labels(points: list[Resolved]) -> dict[str, str]:
    """What each data set is called; of several names for the same content the shortest, as in the store."""
    labels = [(point.dataset.digest, label_of(point.spec.data)) for point in points]
    return dict(sorted(labels, key=lambda one: (len(one[1]), one[1]), reverse=True))


def _runs(
    point: Resolved, labels: Mapping[str, str], seeds: Sequence[int], epochs: int
) -> Iterable[PlannedRun]:
    factors: dict[str, Factor] = {path: value_of(get(point.spec, path)) for path in labels}
    data, identity = point.dataset.digest, point.run.identity()
    for seed in seeds:
        key = run_key(identity, seed, data, nn.NUMERICS)
        yield PlannedRun(point.run, point.canonical, seed, key, epochs, point.dataset, factors)


def _written_out(
    document: Document, points: list[Resolved], library: Library, limits: Limits
) -> dict[str, Any]:
    """The spec with its defaults, and its sweep as it was written.

    Where the spec is only whole with the sweep's values in it, the first point's are. Where the data vary,
    what follows from the data is left open.
    """
    try:
        spec = resolve_point(document, Point(), library, limits).subject
    except PointError:
        spec = points[0].subject
    varies = any(path.split(".")[0] == "data" for point in points for path in point.point.values)
    return written_out(spec.given if varies else spec.spec, document.raw.get("sweep"))
