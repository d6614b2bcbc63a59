"""The JSON Schema of specs: for editors, and for people who look a field up."""

from typing import Any

from bpsvc.spec.document import Spec


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the whole document; choices and knobs come from the tables."""
    schema = Spec.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "bpsvc spec"}
