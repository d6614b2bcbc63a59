"""The section `data`: a generator, a file, or arrays in the spec, and what is done with them first."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, WrapValidator, model_validator

from bpsvc.data import SOURCES
from bpsvc.data.limits import EXACT
from bpsvc.spec import near
from bpsvc.spec.base import Checked, Frozen, Line, Seed, Share, complain, complain_at
from bpsvc.spec.choices import Choice, Menu, kind, models_of


def _split_seed(value: Any) -> Any:
    if value == "run" or (type(value) is int and 0 <= value < 2**63):
        return value
    raise complain(
        f"{value!r} is no seed", allowed='a whole number, 0 or more, or "run": another split for each seed'
    )


class SplitSection(Frozen):
    """Examples held out for validation."""

    validation: Share
    """The share of examples that is held out."""
    stratify: bool = False
    """Hold out the same share of every class."""
    seed: Annotated[
        int | Literal["run"],
        Checked(_split_seed, lambda: Seed | Literal["run"]),
    ] = 0
    """Which examples: a number, or "run" for another split with each of the run's seeds."""


_SCALE: Final = "`standard`: subtract the mean and divide by the standard deviation of the training part."
_SPLIT: Final = (
    'Examples held out for validation; "validation": 0.2 is short for "split": {"validation": 0.2}.'
)


class Preparation(Frozen):
    """What is done with data before training: part of a run's identity, as the data's digest is."""

    scale: Literal["standard"] | None = None
    """`standard`: subtract the mean and divide by the standard deviation of the training part."""
    split: SplitSection | None = None
    """Examples held out for validation; null: all are trained on."""


class DataSection(Choice):
    """Where data come from; `split` and `scale` say what is done with them."""

    scale: Literal["standard"] | None = Field(None, description=_SCALE)
    split: SplitSection | None = Field(None, description=_SPLIT)

    @model_validator(mode="before")
    @classmethod
    def _short_split(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "validation" not in value:
            return value
        if "split" in value:
            raise complain_at(
                ("validation",), complain('"split" says this too', remedy="keep one of them"), value
            )
        rest = {key: item for key, item in value.items() if key != "validation"}
        if value["validation"] is None:
            return rest
        return {**rest, "split": {"validation": value["validation"]}}

    @property
    def preparation(self) -> Preparation:
        """The part that is the run's."""
        return Preparation(scale=self.scale, split=self.split)

    @property
    def unprepared(self) -> Self:
        """The data as they come."""
        return self.model_copy(update={"scale": None, "split": None})

    @property
    def origin(self) -> dict[str, Any]:
        """The part that decides the content: everything else, as JSON."""
        return self.model_dump(mode="json", exclude={"scale", "split"})


def _columns(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and not value:
        raise complain("no column is named", allowed="at least one column")
    if not isinstance(value, list):
        raise complain(
            f"a column is named by its heading, not by {kind(value)}", allowed="text, or a list of texts"
        )
    if len(set(map(str, value))) < len(value):
        raise complain("a column appears twice")
    return tuple(value)


Columns = Annotated[
    tuple[Line, ...],
    WrapValidator(lambda value, handler: handler(_columns(value)), json_schema_input_type=Line | list[Line]),
]


class CsvData(DataSection):
    """A table with a row of headings."""

    name: Literal["csv"] = Field(alias="source")
    path: Line
    """The file, relative to the spec's folder."""
    target: Columns
    """Heading of the column to be learned (numbers or labels), or a list of numeric ones."""
    features: Columns | None = None
    """Headings of the columns to learn from; null: all but the target."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    """The character between cells."""
    target_kind: Literal["auto", "number", "class"] = "auto"
    """Whether the target is a number or a class; auto: as its first value is, and then all of them are.
    `class` takes every text as a label, also numbers, NA and ?."""


class NpzData(DataSection):
    """Two arrays of a numpy file."""

    name: Literal["npz"] = Field(alias="source")
    path: Line
    """The file, relative to the spec's folder."""
    x: Line = "x"
    """Name of the array of inputs: (examples, inputs)."""
    y: Line = "y"
    """Name of the array of targets: (examples,) or (examples, targets)."""


def _rows(value: Any, handler: Any) -> Any:
    """Rows of numbers; a flat list is one column."""
    if isinstance(value, list) and value and not any(isinstance(row, list) for row in value):
        value = [[row] for row in value]
    if isinstance(value, list):
        value = tuple(tuple(row) if isinstance(row, list) else row for row in value)
    return handler(value)


def _exact(value: Any) -> Any:
    if type(value) is int and abs(value) > EXACT:
        raise complain(f"{value} is an integer that float64 cannot hold", allowed="-2**53 to 2**53")
    return value


def _cell(value: Any) -> float | str:
    if isinstance(value, str):
        return value
    _exact(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise complain(f"a target is a number or a label, not {kind(value)}")


class InlineData(DataSection):
    """Arrays written in the spec itself: for a handful of examples."""

    name: Literal["inline"] = Field(alias="source")
    x: Annotated[
        tuple[tuple[Annotated[float, BeforeValidator(_exact)], ...], ...],
        WrapValidator(_rows),
        Field(min_length=1),
    ]
    """Inputs, one row an example."""
    y: Annotated[
        tuple[tuple[Annotated[float | str, Checked(_cell, lambda: float | str)], ...], ...],
        WrapValidator(_rows),
        Field(min_length=1),
    ]
    """Targets, one row (or one number or label) an example."""


DATA = Menu(
    "data source",
    "source",
    models_of(SOURCES, "source", DataSection, csv=CsvData, npz=NpzData, inline=InlineData),
    SOURCES.synonyms,
    near.SOURCES,
)

__all__ = ["DATA", "CsvData", "DataSection", "InlineData", "NpzData", "Preparation", "SplitSection"]
