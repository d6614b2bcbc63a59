"""A trained network as it lies in the store: its spec, data and parameters."""

from dataclasses import dataclass
from typing import Any

from bpsvc import data, nn
from bpsvc.errors import NotFoundError
from bpsvc.spec import RunSpec
from bpsvc.store import Store
from bpsvc.work import checkpoint, stacking


@dataclass(frozen=True)
class Trained:
    """A run's network after `epoch` epochs: parameters `theta` (P,), the fixed knobs of each layer, and its
    data.
    """

    run_id: int
    epoch: int
    run: RunSpec
    network: nn.Network
    theta: nn.Floats
    knobs: tuple[dict[str, float], ...]
    dataset: data.Dataset
    prepared: data.Prepared

    @property
    def parameters(self) -> tuple[nn.LayerParameters, ...]:
        """Weights (I, O), biases (O,) and learned knobs of each layer."""
        return self.network.unpack(self.theta)


def load(store: Store, reference: str) -> Trained:
    """The network of a run as its last segment left it; NotFoundError when it has not begun."""
    run_id = store.run(reference)
    packed = store.checkpoint(run_id)
    if packed is None:
        raise NotFoundError(f"run {run_id} has not begun: it has no weights yet", remedy="`bpsvc status`")
    row = facts(store, run_id)
    run = RunSpec.from_canonical(row["spec"])
    dataset = store.dataset(row["data_digest"])
    state = checkpoint.unpack([packed])
    return Trained(
        run_id=run_id,
        epoch=state.epoch,
        run=run,
        network=stacking.network(run, len(dataset.features)),
        theta=state.theta[0],
        knobs=tuple(dict(layer.activation.knobs) for layer in run.network.layers),
        dataset=dataset,
        prepared=stacking.prepared(run, int(row["seed"]), dataset),
    )


def facts(store: Store, run_id: int) -> dict[str, Any]:
    """Everything the view `runs` says of one run."""
    answer = store.query("SELECT * FROM runs WHERE run_id = :run", {"run": run_id})
    return dict(zip(answer.columns, answer.rows[0], strict=True))


def weights(trained: Trained) -> dict[str, Any]:
    """The parameters as a document; `layers` is accepted as explicit initial weights in a spec."""
    layers = []
    for layer in trained.parameters:
        document: dict[str, Any] = {"weights": layer.weights.tolist()}
        document["bias"] = None if layer.bias is None else layer.bias.tolist()
        if layer.knobs:
            document["knobs"] = {name: float(value) for name, value in layer.knobs.items()}
        layers.append(document)
    return {"run_id": trained.run_id, "epoch": trained.epoch, "layers": layers}
