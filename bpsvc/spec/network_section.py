"""The section `network`: hidden layers by a list, by depth and width, or every layer on its own."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, SerializeAsAny, TypeAdapter, WrapValidator, model_validator

from bpsvc.nn.activations import ACTIVATIONS
from bpsvc.spec import near
from bpsvc.spec.base import LATER, MAX_LAYERS, Checked, Frozen, Units, complain, complain_at, listed, missing
from bpsvc.spec.choices import Choice, kind, menu_of

ACTIVATION = menu_of(ACTIVATIONS, near.ACTIVATIONS)
Activation = Annotated[SerializeAsAny[Choice], ACTIVATION.checks]


class Depth(Frozen):
    """Hidden layers of equal width."""

    depth: int = Field(ge=0, le=MAX_LAYERS)
    """The number of hidden layers."""
    units: Units
    """Units of each."""


_WIDTHS: Final = TypeAdapter(tuple[Units, ...], config=LATER)
_ACTIVATIONS: Final = TypeAdapter(tuple[Activation, ...], config=LATER)


def _hidden(value: Any) -> Any:
    """`[8, 4]` or `{"depth": 2, "units": 8}`."""
    if isinstance(value, Depth):
        return value
    if isinstance(value, dict):
        return Depth.model_validate(value)
    if not isinstance(value, (list, tuple)):
        remedy = f"one hidden layer of {value} units: [{value}]" if type(value) is int else ""
        raise complain(
            f"this is {kind(value)}", allowed='a list like [8, 4], or {"depth": 2, "units": 8}', remedy=remedy
        )
    if len(value) > MAX_LAYERS:
        raise complain(f"{len(value):,} hidden layers", allowed=f"at most {MAX_LAYERS:,}")
    return _WIDTHS.validate_python(tuple(value))


def _activations(value: Any) -> Any:
    """One for all hidden layers, or a list of one for each."""
    if isinstance(value, (list, tuple)):
        return _ACTIVATIONS.validate_python(tuple(value))
    return ACTIVATION.pick(value)


Hidden = Annotated[tuple[int, ...] | Depth, Checked(_hidden, lambda: list[Units] | Depth)]


class LayerSection(Frozen):
    """One layer, written out."""

    units: Units | None = None
    """Units; may be left out of the last layer, where they follow from the data."""
    activation: Activation | None = None
    """logistic unless named; the last layer's default follows from the data."""
    bias: bool = True
    """Whether the units have a bias."""


class Network(Frozen):
    """Hidden layers by a list, by depth and width, or every layer on its own."""

    hidden: Hidden | None = None
    """Units of each hidden layer, like [8, 4], or {"depth": 2, "units": 8}."""
    activation: Annotated[
        SerializeAsAny[Choice] | tuple[SerializeAsAny[Choice], ...],
        Checked(_activations, lambda: Activation | list[Activation]),
    ] = Field(default_factory=lambda: ACTIVATION.pick("logistic"))
    """Of the hidden layers: one for all, or a list of one for each."""
    output: Activation | None = None
    """Of the output layer; default: logistic for 0/1 targets, softmax for classes, identity for numbers."""
    bias: bool = True
    """Whether units have a bias."""
    layers: (
        Annotated[tuple[LayerSection, ...], WrapValidator(listed), Field(max_length=MAX_LAYERS + 1)] | None
    ) = None
    """Instead of `hidden`: every layer, the output layer last."""

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        if self.layers is not None:
            return len(self.layers) - 1
        return len(self.widths)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of the hidden layers, when they are given by `hidden`."""
        if isinstance(self.hidden, Depth):
            return (self.hidden.units,) * self.hidden.depth
        return self.hidden or ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.layers is None and self.hidden is None:
            raise missing(("hidden",), "units of each hidden layer, like [8, 4]; [] for none")
        if self.layers is None:
            self._check_activations()
            return self
        clash = [name for name in ("hidden", "activation", "output", "bias") if name in self.model_fields_set]
        if clash:
            what = '"layers" names every layer and what it has'
            raise complain_at(
                (clash[0],), complain(what, remedy=f'leave out {" and ".join(clash)}, or "layers"')
            )
        if not self.layers:
            raise complain_at(("layers",), complain("a network needs at least its output layer"))
        for index, layer in enumerate(self.layers[:-1]):
            if layer.units is None:
                raise missing(("layers", index, "units"), "only the last layer's follow from the data")
        return self

    def _check_activations(self) -> None:
        if isinstance(self.activation, tuple) and len(self.activation) != self.depth:
            what = f"activations: {len(self.activation)}, hidden layers: {self.depth}"
            raise complain_at(("activation",), complain(what, allowed="one for all, or one for each"))
