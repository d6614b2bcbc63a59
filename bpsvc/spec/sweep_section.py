"""The section `sweep`: what varies. Its expansion into points is in `spec.sweep`."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, TypeAdapter, WrapValidator, model_validator

from bpsvc.spec.base import LATER, Checked, Frozen, Line, Seed, complain, complain_at, listed
from bpsvc.spec.choices import kind

MAX_POINTS: Final = 1_000_000

_FORMS: Final = "grid, zip, random or points"
_NONE: Final = 'without a sweep: "sweep": null'


def _axis(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise complain(
            f"the values of an axis are a list, not {kind(value)}",
            remedy="a single value belongs into the spec itself",
        )
    if not value:
        raise complain("this axis has no values", remedy="leave the axis out, or give it values")
    return tuple(value)


def _axes(value: Any, handler: Any) -> Any:
    if isinstance(value, dict) and not value:
        raise complain("there are no axes here", remedy="leave it out")
    return handler(value)


Axis = Annotated[tuple[Any, ...], Checked(_axis, lambda: list[Any])]
Axes = Annotated[dict[Line, Axis], WrapValidator(_axes), Field(min_length=1)]


def _bounds(value: Any, handler: Any) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise complain("the bounds are a list of two numbers, like [0.001, 1]")
    low, high = handler(tuple(value))
    if not low < high:
        raise complain(f"{low:g} is not less than {high:g}", allowed="[low, high] with low < high")
    return (low, high)


Pair = Annotated[tuple[float, float], WrapValidator(_bounds)]
IntegerPair = Annotated[tuple[int, int], WrapValidator(_bounds)]


class Draw(Frozen):
    """A distribution that a random axis draws from."""

    uniform: Pair | None = None
    """Evenly between two numbers."""
    log_uniform: Pair | None = None
    """Evenly between their logarithms: for step sizes and ranges."""
    integers: IntegerPair | None = None
    """Whole numbers, both ends included."""
    choice: Axis | None = None
    """One of the values listed."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or any(
            getattr(self, name) is None for name in self.model_fields_set
        ):
            raise complain(
                "exactly one distribution is needed", allowed="uniform, log_uniform, integers or choice"
            )
        if self.log_uniform is not None and self.log_uniform[0] <= 0:
            what = f"{self.log_uniform[0]:g} has no logarithm"
            raise complain_at(("log_uniform",), complain(what, allowed="0 < low < high"))
        return self


class Random(Frozen):
    """Points drawn at random: the same ones every time."""

    count: int = Field(ge=1, le=MAX_POINTS)
    """How many points."""
    seed: Seed = 0
    """Which points."""
    axes: Annotated[dict[Line, Draw], WrapValidator(_axes)]
    """A distribution for each path."""


class Block(Frozen):
    """Points: the product of `grid`, `zip` and `random`, and then `points`."""

    grid: Axes | None = None
    """A list of values for each path; every combination is trained."""
    zip: Axes | None = None
    """Lists of equal length; the first values go together, the second, …"""
    random: Random | None = None
    """Points drawn at random."""
    points: Annotated[tuple[dict[Line, Any], ...], WrapValidator(listed)] | None = None
    """More points, each an object of paths and values; what a point leaves out has the spec's own value."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.grid is None and self.zip is None and self.random is None and not self.points:
            raise complain("this sweep has no points", allowed=_FORMS, remedy=_NONE)
        lengths = {path: len(values) for path, values in (self.zip or {}).items()}
        if len(set(lengths.values())) > 1:
            given = ", ".join(f"{path} has {length}" for path, length in lengths.items())
            raise complain_at(("zip",), complain(f"axes in parallel are equally long: {given}"))
        return self


_BLOCKS: Final = TypeAdapter(tuple[Block, ...], config=LATER)


def blocks_of(value: Any) -> tuple[Block, ...]:
    """One block, a list of blocks (their union), or null: the validator of a sweep. Raises ValueError."""
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        return (Block.model_validate(value),)
    if not value:
        raise complain("this sweep has no points", allowed=_FORMS, remedy=_NONE)
    return _BLOCKS.validate_python(tuple(value))


Sweep = Annotated[tuple[Block, ...], Checked(blocks_of, lambda: Block | list[Block] | None)]
