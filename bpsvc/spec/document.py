"""The whole document: `Spec`, as users write it, defaults filled in."""

from typing import Annotated

from pydantic import Field, SerializeAsAny, WrapValidator

from bpsvc.nn.losses import LOSSES
from bpsvc.spec import near
from bpsvc.spec.base import Description, Frozen, Name, listed
from bpsvc.spec.choices import Choice, menu_of
from bpsvc.spec.data_section import DATA, DataSection
from bpsvc.spec.init_section import INIT
from bpsvc.spec.judging import Expectation, Success
from bpsvc.spec.network_section import Network
from bpsvc.spec.record_section import Record
from bpsvc.spec.seeds import DEFAULT_SEEDS, Seeds, seeds_of
from bpsvc.spec.sweep_section import Sweep
from bpsvc.spec.training_section import Training

LOSS = menu_of(LOSSES, near.LOSSES)


class Spec(Frozen):
    """One experiment: data, network, loss, training, seeds, what varies and what is recorded."""

    schema_: str | None = Field(None, alias="$schema")
    """For editors: the JSON Schema, as `bpsvc schema` prints it."""
    name: Name | None = None
    """What the experiment is called; default: the file's name."""
    description: Description = ""
    """What it is about, for people."""
    data: Annotated[SerializeAsAny[DataSection], DATA.checks]
    """What is learned: the name of a generator, or an object."""
    network: Network
    """The layers."""
    init: Annotated[SerializeAsAny[Choice], INIT.checks] = Field(default_factory=lambda: INIT.pick("uniform"))
    """Initial weights; default: the lecture's uniform on [−0.1, 0.1], biases drawn too."""
    loss: Annotated[SerializeAsAny[Choice], LOSS.checks] | None = None
    """What training descends; default: log_likelihood, for real targets squared."""
    training: Training
    """How the weights change."""
    success: Success | None = None
    """When a run counts as solved; default: accuracy 1 for truth tables, else null."""
    seeds: Seeds = Field(default_factory=lambda: seeds_of(DEFAULT_SEEDS))
    """Replicates: 30, or [3, 7], or {"first": 0, "count": 30}."""
    sweep: Sweep = ()
    """What varies."""
    record: Record = Field(default_factory=Record)
    """What is kept of each run."""
    expect: Annotated[tuple[Expectation, ...], WrapValidator(listed)] = ()
    """What the results should show by `bpsvc report --check`."""
