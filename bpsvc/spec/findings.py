"""From pydantic's errors to findings: what is wrong in plain words, where it stands in the text."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from bpsvc.errors import Finding
from bpsvc.registry import did_you_mean
from bpsvc.spec.choices import kind
from bpsvc.spec.document import Spec
from bpsvc.spec.judging import Success
from bpsvc.spec.located import At
from bpsvc.spec.network_section import Network
from bpsvc.spec.parsing import NUMBER
from bpsvc.spec.record_section import Record
from bpsvc.spec.training_section import Training

_HOMES: Final = {
    (info.alias or name): section
    for section, model in (
        ("", Spec),
        ("network", Network),
        ("training", Training),
        ("success", Success),
        ("record", Record),
    )
    for name, info in model.__pydantic_fields__.items()
    if name != "name"
}


def findings_of(error: ValidationError, raw: Mapping[str, Any]) -> list[Finding]:
    """One finding for each of pydantic's errors; paths as they stand in `raw`, short forms and all."""
    return [_finding(detail, raw) for detail in error.errors(include_url=False)]


def _finding(detail: Any, raw: Mapping[str, Any]) -> Finding:
    context = detail.get("ctx", {})
    path = as_written(detail["loc"], raw, keep_last=bool(context.get("missing")))
    if detail["type"] == "bpsvc":
        allowed, remedy = context["allowed"], context["remedy"]
        if "unknown" in context:
            remedy = _home(context["unknown"], path) or remedy
        return Finding(context["what"], path, allowed, remedy)
    return _PLAIN.get(detail["type"], _other)(path, detail["input"], context | {"message": detail["msg"]})


def as_written(loc: Sequence[str | int], raw: Any, *, keep_last: bool = False) -> At:
    """The longest part of `loc` that `raw` has; one part more with `keep_last`, for what is missing."""
    if tuple(loc[:3]) == ("data", "split", "validation") and "validation" in raw.get("data", {}):
        return ("data", "validation")
    value, path = raw, []
    for part in loc:
        inside = isinstance(value, dict) and part in value
        inside = inside or (isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value))
        if not inside:
            if keep_last and part == loc[-1]:
                path.append(part)
            break
        value = value[part]
        path.append(part)
    return tuple(path)


def _home(name: str, path: At) -> str:
    home = _HOMES.get(name)
    if home is None or path[:-1] == ((home,) if home else ()):
        return ""
    return f"it belongs into `{home}`" if home else "it belongs to the top of the spec"


def _given(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "…"


def _kind(wanted: str) -> Callable[[At, Any, Any], Finding]:
    def finding(path: At, value: Any, _: Any) -> Finding:
        number = isinstance(value, str) and NUMBER.fullmatch(value.strip())
        remedy = f"without quotes: {value.strip()}" if number and wanted != "text" else ""
        given = _given(value) if isinstance(value, (str, int, float, bool)) else kind(value)
        if (
            wanted == "a whole number"
            and isinstance(value, float)
            and value.is_integer()
            and abs(value) < 1e15
        ):
            remedy = f"write {int(value)}"
        return Finding(f"{given} is not {wanted}", path, remedy=remedy)

    return finding


def _bound(words: str, key: str) -> Callable[[At, Any, Any], Finding]:
    def finding(path: At, value: Any, context: Any) -> Finding:
        limit = context[key]
        number = f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"
        return Finding(f"{_given(value)} is out of range", path, f"{words} {number}")

    return finding


def _literal(path: At, value: Any, context: Any) -> Finding:
    names = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
    remedy = did_you_mean(value, names) if isinstance(value, str) else ""
    return Finding(f"{_given(value)} is not one of the values here", path, ", ".join(names), remedy)


def _length(path: At, value: Any, context: Any) -> Finding:
    if not value:
        return Finding("this is empty", path, f"at least {context.get('min_length', 1)}")
    if "max_length" in context:
        return Finding(f"this has {len(value):,} entries", path, f"at most {context['max_length']:,}")
    return Finding(f"this has {len(value):,} entries", path, f"at least {context.get('min_length', 1):,}")


def _text_length(path: At, value: Any, context: Any) -> Finding:
    if not value:
        return Finding("this text is empty", path, "at least one character")
    least, most = context.get("min_length"), context.get("max_length")
    return Finding(
        f"this text has {len(value):,} characters",
        path,
        f"at most {most:,}" if most is not None else f"at least {least:,}",
    )


def _other(path: At, value: Any, context: Any) -> Finding:
    return Finding(context["message"], path)


_PLAIN: Final[Mapping[str, Callable[[At, Any, Any], Finding]]] = {
    "int_type": _kind("a whole number"),
    "int_from_float": _kind("a whole number"),
    "float_type": _kind("a number"),
    "finite_number": _kind("a finite number"),
    "bool_type": _kind("true or false"),
    "string_type": _kind("text"),
    "model_type": _kind("an object"),
    "dict_type": _kind("an object"),
    "tuple_type": _kind("a list"),
    "greater_than": _bound("greater than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "literal_error": _literal,
    "too_short": _length,
    "too_long": _length,
    "string_too_short": _text_length,
    "string_too_long": _text_length,
}
