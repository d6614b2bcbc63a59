"""Fields of a spec as tables, from the JSON Schema."""

import json
from collections.abc import Mapping
from typing import Any

# Where the choices of a table are described, by a name that only they contain.
_MENUS = {
    "relu": "an [activation](#activations)",
    "squared": "a [loss](#losses)",
    "he_normal": "an [initial scheme](#initial-weights)",
    "adam": "an [optimizer](#optimizers)",
    "cosine": "a [schedule](#learning-rate-schedules)",
    "xor": "a [data source](#data-sources)",
}


def table(definition: Mapping[str, Any], sections: Mapping[str, str]) -> list[str]:
    """A row for each field: name, what may stand there, its default, its meaning."""
    required = definition.get("required", ())
    lines = ["| field | value | default | meaning |", "|---|---|---|---|"]
    for name, field in definition["properties"].items():
        default = json.dumps(field["default"], ensure_ascii=False) if "default" in field else ""
        default = "**required**" if name in required else f"`{default}`" if default else ""
        meaning = " ".join(field.get("description", "").split())
        lines.append(f"| `{name}` | {words(field, sections)} | {default} | {_cell(meaning)} |")
    return lines


def words(field: Mapping[str, Any], sections: Mapping[str, str]) -> str:
    """What may stand in a field, in words; `sections` names the headings of what is described apart."""
    if "anyOf" in field:
        for one in field["anyOf"]:
            for name, menu in _MENUS.items():
                if name in one.get("enum", ()):
                    several = any(other.get("type") == "array" for other in field["anyOf"])
                    return menu + (", or a list of them" if several else "")
        return " or ".join(dict.fromkeys(words(one, sections) for one in field["anyOf"]))
    if "$ref" in field:
        return sections[field["$ref"].rsplit("/", 1)[1]]
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(one)}`" for one in field["enum"])
    kind = field.get("type")
    if kind == "array":
        inner = field.get("prefixItems", [field.get("items")])[0]
        return f"a list of {_plural(words(inner, sections))}" if inner else "a list of values"
    if kind == "object":
        return "an object of paths" if "propertyNames" in field else "an object"
    names = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
    return (names[kind] + _bounds(field)) if kind in names else "null" if kind == "null" else "any value"


def _plural(text: str) -> str:
    words_ = {"whole number": "whole numbers", "number": "numbers", "text": "texts", "a list": "lists"}
    for one, several in words_.items():
        if text.startswith(one):
            return several + text.removeprefix(one)
    return text


def _bounds(field: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {field[key]:,}" for key, sign in signs.items() if abs(field.get(key, 2**63)) < 2**62]
    return f" {' and '.join(found)}" if found else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
