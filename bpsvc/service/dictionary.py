"""The data dictionary: what relations and columns mean, from the store's catalogue, for people and programs.

The form for programs is that of a Frictionless data package: paths, fields, types, meanings.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from bpsvc.store import PUBLIC, PublicColumn, Relation

_TYPES: Final = {"INTEGER": "integer", "REAL": "number", "TEXT": "string", "ANY": "any"}
_MEDIA: Final = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
WEIGHTS: Final = """\
`weights.npz` holds the parameters of every run that has begun, as its last segment left them:
`run_12/epoch` is the number of epochs, `run_12/layer_1/weights` has the shape (inputs, units),
`run_12/layer_1/bias` the shape (units,); learned knobs are scalars such as `run_12/layer_1/alpha`. Layer 1 is
the first hidden layer. `data/DIGEST.npz` holds the examples as they were read, before scaling: `x` (examples,
inputs), `y` (examples, targets; codes where there are `classes`), `features`, `targets` and `classes`; DIGEST
is the beginning of `digest` in `datasets`.
"""


def table(relation: Relation) -> list[str]:
    """The columns of a relation as lines of a Markdown table."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    for column in relation.columns:
        kind = column.kind.lower() + (", may be null" if column.nullable else "")
        lines.append(f"| `{column.name}` | {kind} | {column.meaning.replace('|', chr(92) + '|')} |")
    return lines


def page(experiments: Sequence[str], files: Mapping[str, str], rows: Mapping[str, int]) -> str:
    """The dictionary of an export for people: `files` and `rows` by relation."""
    named = ", ".join(f"`{name}`" for name in experiments)
    lines = [
        f"# Export of {named}",
        "",
        f"Written by bpsvc {version('bpsvc')}. Each file is one relation.",
        "",
    ]
    if any(file.endswith("csv") for file in files.values()):
        lines += [
            "An empty cell is null. Text that a spreadsheet would take for a formula begins with `'`.",
            "",
        ]
    if any(file.endswith("parquet") for file in files.values()):
        lines += ["`factors.value` is text here; `value_number` is the number where it is one.", ""]
    lines += WEIGHTS.splitlines()
    for name, file in files.items():
        lines += ["", f"## {name}", "", f"`{file}`, {rows[name]} rows. {PUBLIC[name].meaning}", ""]
        lines += table(PUBLIC[name])
    return "\n".join(lines) + "\n"


def package(experiments: Sequence[str], files: Mapping[str, str], rows: Mapping[str, int]) -> dict[str, Any]:
    """The dictionary of an export for programs."""
    resources = [_resource(PUBLIC[name], file, rows[name]) for name, file in files.items()]
    return {
        "name": "bpsvc-export",
        "experiments": list(experiments),
        "bpsvc": version("bpsvc"),
        "resources": resources,
    }


def _resource(relation: Relation, file: str, rows: int) -> dict[str, Any]:
    form = file.rsplit(".", 1)[1]
    fields = [_field(column) for column in relation.columns]
    if form == "parquet":
        fields += [_number(column) for column in relation.columns if column.kind == "ANY"]
    return {
        "name": relation.name,
        "path": file,
        "format": form,
        "mediatype": _MEDIA[form],
        "description": relation.meaning,
        "rows": rows,
        "schema": {"fields": fields, "missingValues": [""]},
    }


def _field(column: PublicColumn) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _TYPES[column.kind], "description": column.meaning}
    return field if column.nullable else {**field, "constraints": {"required": True}}


def _number(column: PublicColumn) -> dict[str, Any]:
    """The column that Parquet has beside one of numbers and texts."""
    about = f"`{column.name}` where it is a number"
    return {"name": f"{column.name}_number", "type": "number", "description": about}
