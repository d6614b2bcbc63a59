"""What the engine says about a case, through its public names only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jax_reference import Net, Parameters

from bpsvc.nn import ACTIVATIONS, Cadence, Layer, Network, Problem, advance, start

RUNS = 2
GRADIENT_STEP = 16.0  # long enough for theta - theta' to keep every digit of the gradient


@dataclass(frozen=True)
class Case:
    """A net on random data. `knobs` are those of the hidden layers, one value a run."""

    hidden: str = "tanh"
    output: str = "logistic"
    loss: str = "log_likelihood"
    widths: tuple[int, ...] = (3, 4, 2)
    examples: int = 6
    reduction: str = "mean"
    bias: bool = True
    knobs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    delta: float = 1.0
    batch_size: int | None = None
    optimizer: str = "sgd"
    hyper: Mapping[str, float] = field(default_factory=lambda: {"learning_rate": 0.5})

    @property
    def names(self) -> tuple[str, ...]:
        return (*(self.hidden for _ in self.widths[1:-1]), self.output)

    @property
    def network(self) -> Network:
        layers = (
            Layer(units, name, self.bias) for units, name in zip(self.widths[1:], self.names, strict=True)
        )
        return Network(self.widths[0], tuple(layers))

    def net(self, run: int) -> Net:
        """The reference's net for one run of the stack."""
        own = {name: values[run] for name, values in self.knobs.items()}
        knobs = (*(own for _ in self.widths[1:-1]), defaults(self.output))
        return Net(self.names, knobs, self.loss, self.reduction, self.delta)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Random inputs (N, I), and targets (N, O) that suit the output."""
        rng = np.random.default_rng(7)
        x, shape = rng.normal(size=(self.examples, self.widths[0])), (self.examples, self.widths[-1])
        if self.output == "softmax":
            return x, np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        if self.output == "logistic":
            return x, rng.integers(2, size=shape).astype(float)
        return x, 2.0 * rng.normal(size=shape)

    def parameters(self) -> list[Parameters]:
        """Random parameters for each run of the stack."""
        rng = np.random.default_rng(11)
        return [self._parameters(rng) for _ in range(RUNS)]

    def _parameters(self, rng: np.random.Generator) -> Parameters:
        layers = []
        for inputs, units, name in zip(self.widths[:-1], self.widths[1:], self.names, strict=True):
            layer = {"W": rng.normal(size=(inputs, units)) / np.sqrt(inputs)}
            if self.bias:
                layer["b"] = 0.3 * rng.normal(size=units)
            if name == "prelu":
                layer["alpha"] = np.float64(rng.uniform(0.1, 0.6))
            layers.append(layer)
        return layers

    def problem(self) -> Problem:
        x, y = self.data()
        own = {name: np.array(values) for name, values in self.knobs.items()}
        last = {name: np.full(RUNS, value) for name, value in defaults(self.output).items()}
        return Problem(
            network=self.network,
            loss=self.loss,
            reduction=self.reduction,
            loss_knobs={"delta": np.full(RUNS, self.delta)} if self.loss == "huber" else {},
            x=x,
            y=y,
            seeds=np.arange(RUNS, dtype=np.uint64),
            knobs=(*(own for _ in self.widths[1:-1]), last),
            optimizer=self.optimizer,
            hyper={name: np.full(RUNS, value) for name, value in self.hyper.items()},
            batch_size=self.batch_size,
            shuffle=False,
            cadence=Cadence(1),
        )


def defaults(activation: str) -> dict[str, float]:
    """A record's knobs that are not learned, as they come."""
    record = ACTIVATIONS[activation]
    return {knob.name: knob.default for knob in record.knobs if knob.name not in record.learned}


def gradients(case: Case, theta: np.ndarray) -> np.ndarray:
    """The engine's gradient (R, P): what one step of plain descent takes away."""
    plain = replace(case, optimizer="sgd", hyper={"learning_rate": GRADIENT_STEP}, batch_size=None)
    state, _ = start(plain.problem(), theta)
    state, _ = advance(plain.problem(), state, 1)
    return (theta - state.theta) / GRADIENT_STEP
