"""From a sweep to its points: pure, ordered, counted before anything is expanded.

The points of a block are the product of its `grid`, `zip` and `random` axes in the order written, the last
axis fastest; then its `points`. Blocks follow one another.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpsvc.errors import Finding
from bpsvc.spec.base import complain, complain_at
from bpsvc.spec.identity import canonical_json
from bpsvc.spec.located import At, Document
from bpsvc.spec.overriding import overlaps
from bpsvc.spec.random_points import drawn
from bpsvc.spec.sweep_section import Block

_NAMES = (
    "data.source",
    "network.activation.name",
    "network.output.name",
    "init.scheme",
    "loss.name",
    "training.optimizer.name",
)
_FIXED = {
    "training.epochs": "every run of an experiment has the same epochs",
    "seeds": "seeds are replicates: every point is trained with all of them",
    "name": "an experiment has one name",
    "description": "an experiment has one description",
    "expect": "expectations are about the whole experiment",
    "sweep": "a sweep does not sweep itself",
    "$schema": "it has no effect",
}


@dataclass(frozen=True)
class Point:
    """Values by path, where each stands in the document, and the number of the block they come from."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, At] = field(default_factory=dict)
    block: int = 0


@dataclass(frozen=True)
class _Axis:
    """Paths that vary together: one entry of `points` for each step."""

    steps: Sequence[Point]


def count(blocks: Sequence[Block]) -> int:
    """How many points, without making one."""
    return sum(_product_size(block) + len(block.points or ()) for block in blocks) if blocks else 1


def points(blocks: Sequence[Block], document: Document) -> Iterator[Point]:
    """All points in order; a spec without a sweep has one, with no values.

    Raises ValidationError when random axes do not have as many different points as they should give.
    """
    if not blocks:
        yield Point()
    for number, (where, block) in enumerate(_placed(blocks, document)):
        if _product_size(block):
            for steps in itertools.product(*(axis.steps for axis in _axes(block, where))):
                yield _merged(steps, number)
        for index, values in enumerate(block.points or ()):
            places = {path: (*where, "points", index, path) for path in values}
            yield Point(dict(values), places, number)


def check(blocks: Sequence[Block], document: Document) -> list[Finding]:
    """What is wrong with the axes as such: paths that cannot vary, values or paths that appear twice."""
    findings: list[Finding] = []
    for where, block in _placed(blocks, document):
        named = _named(block, where)
        findings += [finding for path, at in named if (finding := _cannot_vary(path, at, document))]
        findings += _overlaps([one for one in named if "points" not in one[1]], document)
        for index in range(len(block.points or ())):
            inside = (*where, "points", index)
            findings += _overlaps([one for one in named if one[1][: len(inside)] == inside], document)
        for path, values in (block.grid or {}).items():
            findings += _twice(path, values, (*where, "grid", path), document)
        findings += _parallel_twice(block, where, document)
    return findings


def out_of_reach(blocks: Sequence[Block], document: Document) -> dict[str, Finding]:
    """Paths set from outside that the sweep sets too: a finding for each, at the sweep's first."""
    named = [one for where, block in _placed(blocks, document) for one in _named(block, where)]
    findings = {}
    for override in document.overridden:
        clash = next((one for one in named if overlaps(one[0], override)), None)
        if clash is not None:
            path, place = clash
            what = f"--set {override} has no effect on {path}, which varies in the sweep"
            findings[override] = _at(document, place, what, remedy="change the sweep")
    return findings


def swept_paths(blocks: Sequence[Block]) -> tuple[str, ...]:
    """Every path that varies, in the order of its first appearance."""
    return tuple(dict.fromkeys(path for block in blocks for path, _ in _named(block, ())))


def _placed(blocks: Sequence[Block], document: Document) -> Iterator[tuple[At, Block]]:
    """Each block with where it stands: a single one may do so without a list."""
    single = isinstance(document.raw.get("sweep"), dict)
    for number, block in enumerate(blocks):
        yield ("sweep",) if single else ("sweep", number), block


def _product_size(block: Block) -> int:
    """Points of the product; 0 when the block lists points only."""
    if block.grid is None and block.zip is None and block.random is None:
        return 0
    parallel = len(next(iter(block.zip.values()))) if block.zip else 1
    return (
        math.prod(map(len, (block.grid or {}).values()))
        * parallel
        * (block.random.count if block.random else 1)
    )


def _axes(block: Block, where: At) -> Iterator[_Axis]:
    for path, values in (block.grid or {}).items():
        at: At = (*where, "grid", path)
        yield _Axis([Point({path: value}, {path: (*at, i)}) for i, value in enumerate(values)])
    if block.zip:
        length = len(next(iter(block.zip.values())))
        places = [{path: (*where, "zip", path, i) for path in block.zip} for i in range(length)]
        yield _Axis([Point({p: v[i] for p, v in block.zip.items()}, places[i]) for i in range(length)])
    if block.random:
        at_axes = {path: (*where, "random", "axes", path) for path in block.random.axes}
        steps = [Point(values, at_axes) for values in drawn(block.random)]
        if len(steps) < block.random.count:
            what = f"these axes have hardly more than {len(steps)} different points, not {block.random.count}"
            raise complain_at((*where, "random", "count"), complain(what, remedy="fewer points, or a grid"))
        yield _Axis(steps)


def _merged(steps: Sequence[Point], block: int) -> Point:
    values = {path: value for step in steps for path, value in step.values.items()}
    places = {path: place for step in steps for path, place in step.places.items()}
    return Point(values, places, block)


def _named(block: Block, where: At) -> list[tuple[str, At]]:
    """Each path with the place of its key."""
    named: list[tuple[str, At]] = [(path, (*where, "grid", path)) for path in block.grid or {}]
    named += [(path, (*where, "zip", path)) for path in block.zip or {}]
    if block.random:
        named += [(path, (*where, "random", "axes", path)) for path in block.random.axes]
    for index, values in enumerate(block.points or ()):
        named += [(path, (*where, "points", index, path)) for path in values]
    return named


def _at(document: Document, place: At, what: str, *, remedy: str = "", key: bool = True) -> Finding:
    line, column = document.locate(place, key=key) or (None, None)
    return Finding(what, place, remedy=remedy, line=line, column=column)


def _cannot_vary(path: str, place: At, document: Document) -> Finding | None:
    if path in _NAMES or (path.startswith("network.layers.") and path.endswith(".activation.name")):
        whole = path.rpartition(".")[0]
        return _at(document, place, f"a name varies together with its parameters: the path is {whole}")
    for fixed, reason in _FIXED.items():
        if path == fixed or path.startswith(fixed + "."):
            return _at(document, place, f"{fixed} cannot vary: {reason}")
        if fixed.startswith(path + "."):
            return _at(
                document,
                place,
                f"{path} cannot vary as a whole: {reason}",
                remedy="name its fields one by one",
            )
    return None


def _overlaps(named: Sequence[tuple[str, At]], document: Document) -> Iterator[Finding]:
    seen: list[str] = []
    for path, place in named:
        clash = next((other for other in seen if overlaps(path, other)), None)
        if clash is not None:
            what = "varies twice" if clash == path else f"overlaps with {clash}, which varies too"
            yield _at(
                document, place, f"{path} {what}", remedy="a list of blocks can vary them one after the other"
            )
        seen.append(path)


def _twice(path: str, values: Sequence[Any], place: At, document: Document) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        text = canonical_json(value)
        if text in seen:
            yield _at(
                document, (*place, index), f"{text} appears twice among the values of {path}", key=False
            )
        seen.add(text)


def _parallel_twice(block: Block, where: At, document: Document) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, values in enumerate(zip(*(block.zip or {}).values(), strict=True)):
        text = canonical_json(list(values))
        if text in seen:
            first = (*where, "zip", next(iter(block.zip or {})), index)
            yield _at(document, first, f"the values in parallel {text} appear twice", key=False)
        seen.add(text)
