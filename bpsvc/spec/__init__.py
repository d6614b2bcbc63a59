"""Specs: what users write, checked and expanded into runs with identities.

`read` a document, `resolve` it into an `Experiment` of `PlannedRun`s; all that is wrong is one SpecError.
"""

from bpsvc.spec.choices import Choice
from bpsvc.spec.document import Spec
from bpsvc.spec.experiment import Experiment, Factor, PlannedRun
from bpsvc.spec.identity import run_key
from bpsvc.spec.init_section import Explicit
from bpsvc.spec.labels import labels_of, values_of
from bpsvc.spec.limits import Limits, Volume
from bpsvc.spec.located import Document
from bpsvc.spec.paths import ABSENT, get
from bpsvc.spec.reading import MAX_BYTES, read
from bpsvc.spec.resolving import resolve
from bpsvc.spec.run_spec import RunLayer, RunSpec, network_of
from bpsvc.spec.schema import json_schema
from bpsvc.spec.sources import split_of

__all__ = [
    "ABSENT",
    "MAX_BYTES",
    "Choice",
    "Document",
    "Experiment",
    "Explicit",
    "Factor",
    "Limits",
    "PlannedRun",
    "RunLayer",
    "RunSpec",
    "Spec",
    "Volume",
    "get",
    "json_schema",
    "labels_of",
    "network_of",
    "read",
    "resolve",
    "run_key",
    "split_of",
    "values_of",
]
