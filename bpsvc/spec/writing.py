"""The stored form of a spec: defaults written out; reading it again gives the same experiment."""

from typing import Any

from bpsvc.spec.document import Spec


def written_out(spec: Spec, sweep: Any) -> dict[str, Any]:
    """`spec` as JSON with its defaults, and `sweep` as it was written."""
    content = spec.model_dump(mode="json", exclude_none=True)
    if "layers" in content["network"]:
        content["network"] = {"layers": content["network"]["layers"]}
    if "low" in content["init"]:
        del content["init"]["range"]
    for name in ("batch_size", "schedule", "clip", "stop"):
        content["training"].setdefault(name, None)
    if spec.success is None and "success" in spec.model_fields_set:
        content["success"] = None
    content.pop("sweep", None)
    content.pop("expect", None) if not spec.expect else None
    return content if sweep is None else {**content, "sweep": sweep}
