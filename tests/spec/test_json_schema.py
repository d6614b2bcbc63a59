"""The JSON Schema follows from models and tables: what it shows is what the reader takes."""

import json
from typing import Any

import pytest
from spec_help import SPECS, small, training

from bpsvc.data import SOURCES
from bpsvc.nn import ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS
from bpsvc.spec import Spec, json_schema

SCHEMA = json_schema()
KEYS = {"data source": "source", "init scheme": "scheme"}


def entries(table: Any) -> dict[str, dict[str, Any]]:
    """The schema's objects for a table's records, by name."""
    key = KEYS.get(table.what, "name")
    found = {}
    for definition in SCHEMA["$defs"].values():
        names = definition.get("properties", {}).get(key, {})
        for name in [names["const"]] if "const" in names else names.get("enum", []):
            if name in table and set(definition["properties"]) >= {k.name for k in table[name].knobs} - {
                "learning_rate"
            }:
                found[name] = definition
    return found


@pytest.mark.parametrize(
    "table", [ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SOURCES], ids=lambda t: t.what
)
def test_every_record_is_a_choice_with_its_knobs(table: Any) -> None:
    found = entries(table)
    assert set(found) == set(table)
    for name, record in table.items():
        for knob in record.knobs:
            if knob.name != "learning_rate":
                assert found[name]["properties"][knob.name]["description"] == knob.doc
        assert found[name]["additionalProperties"] is False


@pytest.mark.parametrize(
    "table", [ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SOURCES], ids=lambda t: t.what
)
def test_every_name_and_synonym_is_a_short_form(table: Any) -> None:
    text = json.dumps(SCHEMA)
    for name in [*table, *table.synonyms]:
        assert f'"{name}"' in text


def test_every_field_is_described() -> None:
    undescribed = [
        f"{title}.{name}"
        for title, definition in [("Spec", SCHEMA), *SCHEMA["$defs"].items()]
        for name, field in definition.get("properties", {}).items()
        if "description" not in field and name not in ("name", "source", "scheme")
    ]
    assert undescribed == []


def test_required_fields_are_those_of_the_contract() -> None:
    assert set(SCHEMA["required"]) == {"data", "network", "training"}
    assert SCHEMA["$defs"]["Training"]["required"] == ["epochs"]
    assert SCHEMA["additionalProperties"] is False
    assert set(SCHEMA["properties"]) == {
        field.alias or name for name, field in Spec.__pydantic_fields__.items()
    }


def test_it_is_plain_json_and_names_its_dialect() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_shipped_specs_use_only_fields_of_the_schema() -> None:
    for path in SPECS.glob("*.json"):
        assert set(json.loads(path.read_text())) <= set(SCHEMA["properties"])


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_every_activation_can_be_said(name: str) -> None:
    assert (
        small(network={"hidden": [2], "activation": name}).runs[0].run.network.layers[0].activation.name
        == name
    )


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_can_be_said(name: str) -> None:
    assert small(training=training(optimizer=name)).runs[0].run.training.optimizer.name == name


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_every_scheme_can_be_said(name: str) -> None:
    assert small(init=name).runs[0].run.init.name == name
