"""The section `init`: where weights start, by a scheme or given one by one."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import Field, WrapValidator, model_validator

from bpsvc.nn.initializers import INITIALIZERS
from bpsvc.spec import near
from bpsvc.spec.base import Frozen, complain, complain_at, listed
from bpsvc.spec.choices import Choice, Menu, models_of

Row = Annotated[tuple[float, ...], WrapValidator(listed)]


class LayerWeights(Frozen):
    """Initial parameters of one layer."""

    weights: Annotated[tuple[Row, ...], WrapValidator(listed)]
    """One row an input, one column a unit: weights[from][to]."""
    bias: Row | None = None
    """One number a unit; null or left out where the layer has no bias."""
    knobs: dict[str, float] = Field(default_factory=dict)
    """Learned parameters of the activation, such as prelu's alpha."""


class Explicit(Choice):
    """Weights given in the spec, as `bpsvc weights RUN --json` prints them."""

    name: Literal["explicit"] = Field(alias="scheme")
    layers: Annotated[tuple[LayerWeights, ...], WrapValidator(listed), Field(min_length=1)]
    """One entry a layer, from the input."""
    run_id: int | None = None
    """Where they come from; without effect."""
    epoch: int | None = None
    """Where they come from; without effect."""

    @property
    def knobs(self) -> dict[str, Any]:
        """Given weights have none."""
        return {}

    def text(self, also: Collection[str] = ()) -> str:
        """Only the word: the weights are too many for a label."""
        return "explicit"


class _Scheme(Choice):
    """What the schemes' knobs say together."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        low, high = getattr(self, "low", None), getattr(self, "high", None)
        if (low is None) != (high is None):
            given, other = ("low", "high") if high is None else ("high", "low")
            raise complain_at((given,), complain(f'"{other}" is missing: the two go together'))
        if low is not None and high is not None:
            if "range" in self.model_fields_set:
                raise complain_at(
                    ("range",), complain('"low" and "high" say this too', remedy="keep one form")
                )
            if not low <= high:
                raise complain_at(("low",), complain(f"low {low:g} is above high {high:g}"))
        return self


def effective(init: Choice, *, biases: bool) -> Choice:
    """The same start, of layers with `biases` or all without, with nothing in it that has no effect: two
    specs that start alike have equal ones.
    """
    if isinstance(init, Explicit):
        return init.model_copy(update={"run_id": None, "epoch": None})
    knobs = dict(init.knobs)
    if "low" in knobs and knobs["low"] == -knobs["high"]:
        knobs = {"range": knobs["high"]}
    if not biases or knobs.get("bias_std") == knobs.get("std"):
        knobs.pop("bias_std", None)
    return INIT.pick(
        {"scheme": init.name, **{k: v for k, v in knobs.items() if k != "range" or "low" not in knobs}}
    )


INIT = Menu(
    INITIALIZERS.what,
    "scheme",
    models_of(INITIALIZERS, "scheme", _Scheme, explicit=Explicit),
    INITIALIZERS.synonyms,
    near.INITIALIZERS,
)
