"""Values set from outside the document, as by `--set training.epochs=200`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bpsvc.errors import Finding, SpecError
from bpsvc.spec.located import Document
from bpsvc.spec.paths import PathError, put


def overridden(document: Document, overrides: Mapping[str, Any]) -> Document:
    """The document with `overrides` in it, value by dotted path. Raises SpecError for paths that lead
    nowhere.
    """
    raw, findings = document.raw, []
    for path, value in overrides.items():
        try:
            raw = put(raw, path, value)
        except PathError as error:
            findings.append(Finding(f"--set {path}: {error}"))
    if findings:
        raise SpecError(findings, source=document.source)
    return replace(document, raw=raw, overridden=(*document.overridden, *overrides))


def named(document: Document, name: str | None) -> Document:
    """The document, called `name` if it does not say what it is called."""
    if name is None or document.raw.get("name") is not None:
        return document
    return replace(document, raw={**document.raw, "name": name})


def overlaps(one: str, two: str) -> bool:
    """Whether one path is the other, or leads to it."""
    return one == two or one.startswith(two + ".") or two.startswith(one + ".")
