"""What all models of the spec share: frozen, strict, nothing extra; and how a validator complains."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import (
    CoreSchema,
    ValidatorFunctionWrapHandler,
    no_info_wrap_validator_function,
)

from bpsvc.data.names import control_in
from bpsvc.registry import closest
from bpsvc.spec import near

MAX_LAYERS: Final = 1_000
MAX_UNITS: Final = 10_000_000
MAX_EPOCHS: Final = 1_000_000_000
MAX_SEED: Final = 2**63 - 1
MAX_NAME: Final = 200
UNKNOWN_FIELD: Final = "there is no such field here"

STRICT: Final = ConfigDict(strict=True, allow_inf_nan=False)
LATER: Final = ConfigDict(**STRICT, defer_build=True)
"""Strict, and compiled when it is first used: most models of most tables never are."""


class Frozen(BaseModel):
    """Base of every model: immutable, strict types, unknown fields refused, JSON's names on the way out."""

    model_config = ConfigDict(
        **LATER,
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    @model_validator(mode="wrap")
    @classmethod
    def _fields_by_name(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """What is unknown or missing here is told with the fields that this very model has."""
        try:
            return handler(value)
        except ValidationError as error:
            raise _with_fields(cls, error) from None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema, with what stands below each field in the source as its description."""
        shown = handler(core_schema)
        properties = handler.resolve_ref_schema(shown).get("properties", {})
        for name, info in cls.__pydantic_fields__.items():
            text = about(cls, name)
            if text and (found := properties.get(info.alias or name)) is not None:
                found["description"] = text
        return shown


@functools.cache
def _documented(model: type) -> Mapping[str, str]:
    """The text below each field of a class, as it stands in the source: read when it is asked for, because
    doing so for every model at import takes long.
    """
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    except (OSError, TypeError, ValueError):  # a model made of a record
        return {}
    found: dict[str, str] = {}
    for field, text in pairwise(tree.body if isinstance(tree, ast.ClassDef) else []):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as words)),
            ):
                found[name] = inspect.cleandoc(words)
    return found


def about(model: type[BaseModel], name: str) -> str:
    """What a field of a model is, in a sentence or two."""
    own = model.__pydantic_fields__[name].description
    texts = (_documented(one).get(name) for one in model.__mro__ if issubclass(one, Frozen))
    return own or next((text for text in texts if text), "")


def _with_fields(model: type[Frozen], error: ValidationError) -> ValidationError:
    fields = {info.alias or name: info for name, info in model.__pydantic_fields__.items()}
    details, meant = [], set()
    for detail in error.errors(include_url=False):
        loc, kind = detail["loc"], detail["type"]
        if kind == "extra_forbidden" and len(loc) == 1:
            name, close = str(loc[0]), _meant(str(loc[0]), fields)
            meant.add(close)
            remedy = f"did you mean {close!r}?" if close else ""
            problem = complain(UNKNOWN_FIELD, allowed=", ".join(fields), remedy=remedy, unknown=name)
        elif kind == "missing" and len(loc) == 1:
            name = next(
                (name for name, info in model.__pydantic_fields__.items() if loc[0] in (name, info.alias)), ""
            )
            problem = complain("is missing", remedy=about(model, name) if name else "", missing=True)
        else:
            problem = PydanticCustomError(
                kind, "{message}", {**detail.get("ctx", {}), "message": detail["msg"]}
            )
        details.append(InitErrorDetails(type=problem, loc=loc, input=detail["input"]))
    details = [
        one for one in details if not (_is_missing(one) and len(one["loc"]) == 1 and one["loc"][0] in meant)
    ]
    return ValidationError.from_exception_data(error.title, details)


def _is_missing(detail: InitErrorDetails) -> bool:
    problem = detail["type"]
    return isinstance(problem, PydanticCustomError) and bool((problem.context or {}).get("missing"))


def _meant(name: str, fields: Mapping[str, Any]) -> str:
    """The field that somebody who wrote `name` may have meant, or ''."""
    near_by = (ours for ours, theirs in near.FIELDS.items() if ours in fields and name.lower() in theirs)
    return next(near_by, "") or closest(name, fields)


def complain(what: str, *, allowed: str = "", remedy: str = "", **context: Any) -> PydanticCustomError:
    """An error of our own words; `spec.findings` turns it into a Finding at the place where it was raised."""
    return PydanticCustomError(
        "bpsvc", "{what}", {"what": what, "allowed": allowed, "remedy": remedy, **context}
    )


def complain_at(loc: tuple[str | int, ...], error: PydanticCustomError, value: Any = None) -> ValidationError:
    """The same, at a place below the one that is validated."""
    return ValidationError.from_exception_data("spec", [InitErrorDetails(type=error, loc=loc, input=value)])


def missing(loc: tuple[str | int, ...], about: str = "") -> ValidationError:
    """The complaint that something is not there; `about` says what it is."""
    return complain_at(loc, complain("is missing", remedy=about, missing=True))


@dataclass(frozen=True)
class Checked:
    """A field's annotation: `function` does all the validation, `shown()` is what the JSON Schema shows.

    pydantic's own validators would compile it with every model that mentions it.
    """

    function: Callable[[Any], Any]
    shown: Callable[[], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        function = self.function
        return no_info_wrap_validator_function(lambda value, _: function(value), handler(source))

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(TypeAdapter(self.shown()).core_schema)


def _printable(text: str) -> str:
    if bad := control_in(text):
        raise complain(f"holds the control character U+{ord(bad):04X}", allowed="printable text on one line")
    return text


def _experiment_name(text: str) -> str:
    if text != text.strip():
        raise complain("begins or ends with white space", remedy=f"write {text.strip()!r}")
    if "@" in text:
        raise complain("holds '@', which separates name and revision, as in xor@2")
    return text


def _described(text: str) -> str:
    _printable(text.replace("\n", "").replace("\t", ""))
    return text


def listed(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A list of JSON where a tuple is kept; nothing else passes for one."""
    return handler(tuple(value) if isinstance(value, list) else value)


Line = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_printable)]
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME),
    AfterValidator(_printable),
    AfterValidator(_experiment_name),
]
Description = Annotated[str, Field(max_length=20_000), AfterValidator(_described)]
Units = Annotated[int, Field(ge=1, le=MAX_UNITS)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Share = Annotated[float, Field(gt=0, lt=1)]
