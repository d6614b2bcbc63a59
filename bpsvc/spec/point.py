"""One point of a sweep, from the overlaid document to a run spec, with everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from bpsvc.data import Dataset
from bpsvc.errors import BpsvcError, DataError, Finding, dotted
from bpsvc.spec.base import UNKNOWN_FIELD
from bpsvc.spec.checks import Subject, findings_in
from bpsvc.spec.choices import Choice
from bpsvc.spec.completing import complete, layers_of
from bpsvc.spec.document import Spec
from bpsvc.spec.findings import findings_of
from bpsvc.spec.init_section import Explicit, effective
from bpsvc.spec.limits import Limits
from bpsvc.spec.located import At, Document
from bpsvc.spec.network_section import ACTIVATION
from bpsvc.spec.paths import PathError, put
from bpsvc.spec.run_spec import RunLayer, RunNetwork, RunSpec
from bpsvc.spec.sources import Library
from bpsvc.spec.sweep import Point


@dataclass(frozen=True)
class Resolved:
    """A point that is fine."""

    point: Point
    subject: Subject
    run: RunSpec
    canonical: str

    @property
    def spec(self) -> Spec:
        return self.subject.spec

    @property
    def dataset(self) -> Dataset:
        return self.subject.dataset


class PointError(Exception):
    """What is wrong with one point, each where it stands in the document.

    `common`: findings about a single value, wherever it is used; the others are about values that meet in
    this point.
    """

    def __init__(self, findings: list[Finding], *, common: bool) -> None:
        self.findings, self.common = findings, common
        super().__init__(f"{len(findings)} findings")


def resolve_point(document: Document, point: Point, library: Library, limits: Limits) -> Resolved:
    """The run spec of `point`. Raises PointError."""
    raw = overlaid(document, point)
    try:
        spec = Spec.model_validate(raw)
    except ValidationError as error:
        findings = [_placed(finding, document, point) for finding in findings_of(error, raw)]
        raise PointError(findings, common=True) from None
    findings = []
    try:
        dataset = library.dataset(spec.data)
        subject = _subject(spec, dataset, library, limits, findings)
        findings += findings_in(subject)
    except DataError as error:
        findings += [_of_data(one, raw) for one in (error, *error.others)]
    if findings:
        raise PointError([_placed(finding, document, point) for finding in findings], common=False)
    run = run_of(subject)
    return Resolved(point, subject, run, run.canonical())


def overlaid(document: Document, point: Point) -> dict[str, Any]:
    """The document with the point's values in it and no sweep. Raises PointError for a path that leads
    nowhere.
    """
    raw = {key: value for key, value in document.raw.items() if key != "sweep"}
    findings = []
    for path, value in point.values.items():
        try:
            raw = put(raw, path, value)
        except PathError as error:
            line, column = document.locate(point.places[path], key=True) or (None, None)
            findings.append(Finding(str(error), (path,), line=line, column=column))
    if findings:
        raise PointError(findings, common=True)
    return raw


def _subject(
    spec: Spec, dataset: Dataset, library: Library, limits: Limits, findings: list[Finding]
) -> Subject:
    """What the checks look at; a split that cannot be made is noted, and everything else still looked at."""
    completed = complete(spec, dataset)
    layers = layers_of(completed.network, dataset)
    examples = dataset.examples
    try:
        examples = library.training_examples(spec.data, dataset, layers[-1].activation.name)
    except DataError as error:
        path = ("data", "split") if spec.data.split is not None else ("data", "scale")
        findings.append(Finding(error.what, path, error.allowed, error.remedy))
    return Subject(spec, completed, dataset, layers, examples, limits)


def _of_data(error: BpsvcError, raw: Mapping[str, Any]) -> Finding:
    value = "" if error.value is None else f" (given: {error.value!r})"
    return Finding(error.what + value, _spoken_of(error, raw["data"]), error.allowed, error.remedy)


def _spoken_of(error: BpsvcError, section: Any) -> At:
    """The field of the section whose text the error mentions, else its path, else all of it."""
    if not isinstance(section, dict):
        return ("data",)
    for name in ("target", "features", "x", "y"):
        given = section.get(name)
        if isinstance(given, str) and repr(given) in error.what:
            return ("data", name)
        for index, one in enumerate(given if isinstance(given, list) else []):
            if isinstance(one, str) and repr(one) in error.what:
                return ("data", name, index)
    return ("data", "path") if "path" in section else ("data",)


def run_of(subject: Subject) -> RunSpec:
    """The run spec of a completed spec: what has no effect is set to its neutral value."""
    spec = subject.spec
    return RunSpec(
        data=spec.data.preparation,
        network=RunNetwork(layers=_starting(subject.layers, spec.init)),
        init=effective(spec.init, biases=any(layer.bias for layer in subject.layers)),
        loss=subject.loss,
        training=spec.training.effective(subject.examples),
        success=spec.success,
        record=spec.record,
    )


def _starting(layers: tuple[RunLayer, ...], init: Choice) -> tuple[RunLayer, ...]:
    """The layers; what an activation learns, and the start gives, begins nowhere else."""
    if not isinstance(init, Explicit):
        return layers
    neutral = []
    for layer, given in zip(layers, init.layers, strict=True):
        knobs = {name: knob for name, knob in layer.activation.knobs.items() if name not in given.knobs}
        activation = ACTIVATION.pick({"name": layer.activation.name, **knobs})
        neutral.append(layer.model_copy(update={"activation": activation}))
    return tuple(neutral)


def _placed(finding: Finding, document: Document, point: Point) -> Finding:
    """The finding at the sweep's value where the point set it, else where it stands in the spec."""
    if finding.line is not None:
        return finding
    named = dotted(finding.path)
    for swept, place in point.places.items():
        if named == swept or named.startswith(swept + "."):
            below = finding.path[len(swept.split(".")) :]
            where = document.locate((*place, *below), key=finding.what == UNKNOWN_FIELD)
            break
        if swept.startswith(named + ".") and finding.path not in document.values:
            where = document.locate(place, key=True)  # it is there only because the sweep goes on below it
            break
    else:
        where = document.locate(finding.path, key=finding.what == UNKNOWN_FIELD)
    line, column = where or (None, None)
    return replace(finding, line=line, column=column)
