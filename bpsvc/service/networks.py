"""A trained network as it lies in the store: its spec, data and parameters."""

from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from bpsvc import data, nn
from bpsvc.errors import NotFoundError, UsageError
from bpsvc.spec import RunSpec
from bpsvc.store import Store
from bpsvc.work import checkpoint, stacking


@dataclass(frozen=True)
class Trained:
    """A run's network after `epoch` epochs: parameters `theta` (P,), the fixed knobs of each layer, and its
    data.
    """

    run_id: int
    seed: int
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


def load(store: Store, reference: str | int, at: str | int = "final") -> Trained:
    """The network of a run: `final`, as its last segment left it; `initial`; `best`, where the validation
    loss was lowest (kept under validation stopping); or after so many epochs, trained again up to there.

    Raises:
        NotFoundError: there is no such run, it has not come that far, or no best state was kept.
    """
    run_id = store.run(reference)
    row = facts(store, run_id)
    run, seed = RunSpec.from_canonical(row["spec"]), int(row["seed"])
    dataset = store.dataset(row["data_digest"])
    if at in ("final", "best"):
        epoch, theta = _stored(store, run_id, best=at == "best")
    else:
        epoch = 0 if at == "initial" else int(at)
        if epoch > row["epochs_done"]:
            raise NotFoundError(f"run {run_id} has come to epoch {row['epochs_done']}, not to {epoch}")
        theta = after(run, seed, dataset, epoch)
    return Trained(
        run_id=run_id,
        seed=seed,
        epoch=epoch,
        run=run,
        network=stacking.network(run, len(dataset.features)),
        theta=theta,
        knobs=tuple(dict(layer.activation.knobs) for layer in run.network.layers),
        dataset=dataset,
        prepared=stacking.prepared(run, seed, dataset),
    )


def moment(text: str) -> str | int:
    """What `at` of `load` may be, from text."""
    if text.isascii() and text.isdigit():
        return int(text)
    if text not in ("final", "best", "initial"):
        raise UsageError("no moment of a run", value=text, allowed="final, best, initial, or an epoch")
    return text


def after(run: RunSpec, seed: int, dataset: data.Dataset, epochs: int) -> nn.Floats:
    """The parameters (P,) of a run after so many epochs, trained from the start.

    Raises:
        NotFoundError: the run ends before.
    """
    problem = stacking.stack([run], [seed], dataset)
    theta = stacking.initial(problem.network, [run], [seed])
    if epochs:
        with threadpool_limits(limits=1):
            state, _ = nn.start(problem, theta)
            state, _ = nn.advance(problem, state, epochs)
            theta, ended = state.theta, int(state.ended_epoch[0])
        if 0 <= ended < epochs:
            raise NotFoundError(f"the run ends at epoch {ended} and has no epoch {epochs}")
    first: nn.Floats = theta[0]
    return first


def _stored(store: Store, run_id: int, *, best: bool) -> tuple[int, nn.Floats]:
    packed = store.checkpoint(run_id)
    if packed is None:
        raise NotFoundError(f"run {run_id} has not begun: it has no weights yet", remedy="`bpsvc status`")
    state = checkpoint.unpack([packed])
    if not best:
        return state.epoch, state.theta[0]
    if state.best_theta is None:
        raise NotFoundError(
            f"run {run_id} has kept no best state",
            remedy='"stop": {"when": "validation_loss", …} keeps the one with the lowest validation loss',
        )
    return int(state.best_validation_epoch[0]), state.best_theta[0]


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
