"""Specs: what users write and expanded into runs with identities."""

from bpsvc.spec.document import Spec
from bpsvc.spec.experiment import Experiment, PlannedRun
from bpsvc.spec.init_section import Explicit
from bpsvc.spec.limits import Limits, Volume
from bpsvc.spec.located import Document
from bpsvc.spec.reading import read
from bpsvc.spec.resolving import resolve
from bpsvc.spec.run_spec import RunLayer, RunSpec
from bpsvc.spec.schema import json_schema
from bpsvc.spec.sources import Library, split_of

__all__ = [
    "Document",
    "Experiment",
    "Explicit",
    "Library",
    "Limits",
    "PlannedRun",
    "RunLayer",
    "RunSpec",
    "Spec",
    "Volume",
    "json_schema",
    "read",
    "resolve",
    "split_of",
]
