"""One run, everything but its seed, its data and its epochs: what the engine needs and what identity is made
of.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field, SerializeAsAny, WrapValidator

from bpsvc.nn.network import Layer, Network
from bpsvc.spec.base import Frozen, Units, listed
from bpsvc.spec.choices import Choice
from bpsvc.spec.data_section import Preparation
from bpsvc.spec.document import LOSS
from bpsvc.spec.identity import canonical_json
from bpsvc.spec.init_section import INIT
from bpsvc.spec.judging import Success
from bpsvc.spec.network_section import ACTIVATION
from bpsvc.spec.record_section import Record
from bpsvc.spec.training_section import RunTraining


class RunLayer(Frozen):
    """A layer: units, activation with its knobs, with or without biases."""

    units: Units
    activation: Annotated[SerializeAsAny[Choice], ACTIVATION.checks]
    bias: bool = True


def network_of(layers: Iterable[RunLayer], inputs: int) -> Network:
    """The network of these layers on data of so many inputs."""
    return Network(inputs, tuple(Layer(layer.units, layer.activation.name, layer.bias) for layer in layers))


class RunNetwork(Frozen):
    """Every layer, the output last."""

    layers: Annotated[tuple[RunLayer, ...], WrapValidator(listed), Field(min_length=1)]


class RunSpec(Frozen):
    """A run without seed, data and epochs. What has no effect is not in it: equal runs are equal values."""

    data: Preparation = Field(default_factory=Preparation)
    network: RunNetwork
    init: Annotated[SerializeAsAny[Choice], INIT.checks]
    loss: Annotated[SerializeAsAny[Choice], LOSS.checks]
    training: RunTraining
    success: Success | None = None
    record: Record = Field(default_factory=Record)

    def canonical(self) -> str:
        """The one JSON text of this run: sorted keys, defaults written out, nulls and what has no effect left
        out.
        """
        content = self.model_dump(mode="json", exclude_none=True)
        if self.training.batch_size is None:
            del content["training"]["shuffle"]
        if "low" in content["init"]:
            del content["init"]["range"]
        return canonical_json(content)

    def identity(self) -> str:
        """What is hashed: as `canonical`, but without what is at its default.

        So a field or knob that is added later, neutral by default, leaves the keys of stored runs alone.
        To change a default is to change what specs mean: that takes a new numerics version.
        """
        content = self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if self.training.batch_size is None:
            content["training"].pop("shuffle", None)
        return canonical_json(content)

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        """The run that `canonical` wrote: `RunSpec.from_canonical(run.canonical()) == run`."""
        content: dict[str, Any] = json.loads(text)
        return cls.model_validate(content)
