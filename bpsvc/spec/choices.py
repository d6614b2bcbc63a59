"""Choices follow from the tables: one model a record, its knobs as fields, picked by name.

`"relu"` and `{"name": "relu"}` mean the same, exact synonyms become the canonical name, near ones are
answered, unknown ones get the list and the closest name. A record added to a table is a choice here, and in
the JSON Schema, without another line.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol, Union

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from bpsvc.registry import Knob, Table, did_you_mean
from bpsvc.spec.base import Checked, Frozen, complain, complain_at, missing


class Choice(Frozen):
    """One record of a table by its name, with its knobs."""

    name: str

    @property
    def knobs(self) -> dict[str, Any]:
        """The record's own parameters; those that are not given and have no default are left out."""
        own = type(self).__pydantic_fields__.keys() - Choice.__pydantic_fields__.keys()
        return {knob: getattr(self, knob) for knob in sorted(own) if getattr(self, knob) is not None}

    def text(self, also: Collection[str] = ()) -> str:
        """`leaky_relu(alpha=0.1)`: the name, with the knobs that are not at their defaults or in `also`."""
        fields = type(self).__pydantic_fields__
        given = [
            f"{knob}={value}"
            for knob, value in self.knobs.items()
            if value != fields[knob].default or knob in also
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name


class Tabled(Protocol):
    """What a record must have to be a choice."""

    @property
    def name(self) -> str: ...
    @property
    def also_called(self) -> tuple[str, ...]: ...
    @property
    def doc(self) -> str: ...
    @property
    def knobs(self) -> tuple[Knob, ...]: ...


class Models(Mapping[str, type[Choice]]):
    """Models by name; those of `makers` are made when they are first asked for, because most never are."""

    def __init__(
        self, makers: Mapping[str, Callable[[], type[Choice]]], made: Mapping[str, type[Choice]]
    ) -> None:
        self._names = (*makers, *made)
        self._makers = makers
        self._made = dict(made)

    def __getitem__(self, name: str) -> type[Choice]:
        if name not in self._made:
            self._made.setdefault(name, self._makers[name]())  # of two threads, both take the first one's
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def made(self, value: object) -> bool:
        """Whether `value` is of one of these models."""
        return type(value) in self._made.values()


@dataclass(frozen=True)
class Menu:
    """What can stand in one place of the spec: models by name, other names, and answers for near names."""

    what: str
    key: str
    models: Models
    synonyms: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, str] = field(default_factory=dict)

    def pick(self, value: Any) -> Choice:
        """The validator: a name or an object becomes a frozen record."""
        if isinstance(value, Choice) and self.models.made(value):
            return value
        short = isinstance(value, str)
        if short:
            value = {self.key: value}
        if not isinstance(value, dict):
            first = next(iter(self.models))
            raise complain(
                f"{article(self.what)} is named, or given as an object, not {kind(value)}",
                allowed=f'like "{first}" or {{"{self.key}": "{first}", …}}',
            )
        if self.key not in value:
            raise missing((self.key,), f"which {self.what} this is")
        name = value[self.key]
        if not isinstance(name, str):
            raise complain_at(
                (self.key,), complain(f"the name of {article(self.what)} is text, not {kind(name)}"), name
            )
        model = self.models.get(self.synonyms.get(name, name))
        if model is None:
            raise complain_at(() if short else (self.key,), self.unknown(name), name)
        return model.model_validate({**value, self.key: self.synonyms.get(name, name)})

    def unknown(self, name: str) -> Any:
        """The complaint about a name that is not on the menu."""
        remedy = self.near.get(name.lower(), "") or did_you_mean(name, [*self.models, *self.synonyms])
        return complain(
            f"there is no {self.what} called {name!r}", allowed=", ".join(self.models), remedy=remedy
        )

    @property
    def checks(self) -> Any:
        """What makes a field one of this menu: `Annotated[SerializeAsAny[Choice], MENU.checks]`."""
        return Checked(self.pick, self._shown)

    def _shown(self) -> Any:
        names: Any = Literal[(*self.models, *self.synonyms)]
        return Union[(names, *self.models.values())]


def article(what: str) -> str:
    """`a loss`, `an activation`."""
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def kind(value: Any) -> str:
    """A JSON value's kind in words."""
    if value is None:
        return "null"
    names: Mapping[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a list")


def models_of(
    table: Table[Any],
    key: str = "name",
    base: type[Choice] = Choice,
    without: frozenset[str] = frozenset(),
    **others: type[Choice],
) -> Models:
    """One model for each record of `table`, named by `key` in the JSON: the fields of `base` and its knobs.

    Knobs named in `without` stand elsewhere in the spec; `others` are models of no record.
    """
    return Models(
        {name: partial(_model, record, key, base, without) for name, record in table.items()}, others
    )


def menu_of(table: Table[Any], near: Mapping[str, str], without: frozenset[str] = frozenset()) -> Menu:
    """The menu of a table's records, named by `name`."""
    return Menu(table.what, "name", models_of(table, without=without), table.synonyms, near)


def _model(record: Tabled, key: str, base: type[Choice], without: frozenset[str]) -> type[Choice]:
    knobs: dict[str, Any] = {k.name: (_type(k), _field(k)) for k in record.knobs if k.name not in without}
    names: Any = Literal[(record.name, *record.also_called)]
    about = ". ".join(part for part in (getattr(record, "formula", ""), record.doc) if part)
    name = (names, Field(alias=key, description=about or None))
    title = "".join(part.capitalize() for part in record.name.split("_")) + base.__name__
    return create_model(title, __base__=base, __doc__=about, name=name, **knobs)


def _type(knob: Knob) -> Any:
    kind: Any = Literal[knob.choices] if knob.choices else knob.kind
    return kind | None if knob.default is None else kind


def _field(knob: Knob) -> FieldInfo:
    bounds: dict[str, Any] = {}
    if knob.kind in (int, float):
        bounds["gt" if knob.low_open else "ge"] = knob.low
        bounds["lt" if knob.high_open else "le"] = knob.high
    default = ... if knob.required else knob.default
    if knob.kind is float and isinstance(default, int):
        default = float(default)
    info: FieldInfo = Field(default, description=knob.doc, **bounds)
    return info
