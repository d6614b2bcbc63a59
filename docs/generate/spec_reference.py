"""docs/spec.md: the fields of a spec, and everything that it can name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpsvc import nn, spec
from bpsvc.data.sources import SOURCES
from bpsvc.registry import Knob
from docs.generate.spec_fields import table

_INTRODUCTION = Path(__file__).with_name("spec.md").read_text(encoding="utf-8")

# Sections of the page: definition in the JSON Schema -> heading. The order is that of the page.
_SECTIONS = {
    "Network": "network",
    "Depth": "network.hidden by depth",
    "LayerSection": "network.layers",
    "Explicit": "init by explicit weights",
    "LayerWeights": "init.layers",
    "Training": "training",
    "Stop": "training.stop",
    "Success": "success",
    "SeedBlock": "seeds",
    "Block": "sweep",
    "Random": "sweep.random",
    "Draw": "sweep.random.axes",
    "Record": "record",
    "Expectation": "expect",
    "CsvData": "data from CSV",
    "NpzData": "data from NPZ",
    "InlineData": "data written inline",
    "SplitSection": "data.split",
}


def page() -> str:
    schema = spec.json_schema()
    links = {name: f"[{heading}](#{_anchor(heading)})" for name, heading in _SECTIONS.items()}
    lines = [_INTRODUCTION, "## The document", "", *table(schema, links)]
    for name, heading in _SECTIONS.items():
        definition = schema["$defs"][name]
        about = " ".join(definition.get("description", "").split())
        lines += ["", f"## {heading}", "", about, "", *table(definition, links)]
    lines += [
        "",
        *_activations(),
        *_records("Losses", nn.LOSSES),
        *_records("Initial weights", nn.INITIALIZERS),
    ]
    lines += ["`n` and `m` are the numbers of sources and units of a layer.", ""]
    lines += [*_records("Optimizers", nn.OPTIMIZERS), *_records("Learning-rate schedules", nn.SCHEDULES)]
    lines += ["The formula is the factor of the learning rate.", "", *_sources()]
    return "\n".join(lines).rstrip() + "\n"


def _activations() -> list[str]:
    lines = ["## Activations", "", "| name | f(z) | f′(z) | parameters | |", "|---|---|---|---|---|"]
    for one in nn.ACTIVATIONS.values():
        cells = (f"`{_cell(one.formula)}`", f"`{_cell(one.slope)}`", _knobs(one.knobs), _remark(one))
        lines.append(f"| `{one.name}` | {' | '.join(cells)} |")
    return [*lines, ""]


def _records(heading: str, table_: Mapping[str, Any]) -> list[str]:
    lines = [f"## {heading}", "", "| name | formula | parameters | |", "|---|---|---|---|"]
    rows = [(f"`{one.name}`", _cell(one.formula), _knobs(one.knobs), _remark(one)) for one in table_.values()]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _sources() -> list[str]:
    lines = ["## Data sources", "", "Beside `csv`, `npz` and `inline` there are generators:", ""]
    lines += ["| name | what it is | parameters |", "|---|---|---|"]
    for one in SOURCES.values():
        lines.append(f"| `{one.name}` | {_cell(one.doc)} | {_knobs(one.knobs)} |")
    return [*lines, "", "Each also takes `scale` and `split`, as data from files do.", ""]


def _knobs(knobs: tuple[Knob, ...]) -> str:
    shown = []
    for knob in knobs:
        default = "required" if knob.required else f"default {json.dumps(knob.default)}"
        bounds = "true or false" if knob.kind is bool else knob.bounds()
        bounds = "" if bounds.startswith("any ") or knob.name == "seed" else f", {bounds}"
        shown.append(f"`{knob.name}`: {knob.doc} ({default}{bounds})")
    return _cell("; ".join(shown))


def _remark(record: Any) -> str:
    names = ", ".join(f"`{name}`" for name in record.also_called)
    return _cell(" ".join(part for part in (f"also {names}." if names else "", record.doc) if part))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(heading: str) -> str:
    return heading.replace(".", "").replace(" ", "-").lower()
